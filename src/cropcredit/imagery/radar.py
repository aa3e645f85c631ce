"""Backscatter of Sentinel-1: in power, whatever the files are written in."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cropcredit.errors import RadiometryError
from cropcredit.imagery.product import Bools, Measured, Sample, has_data, unmasked
from cropcredit.model import Scene

Floats = NDArray[np.float32]

BOTH_SIGNS = 0.05
"""Share of the rarer sign up to which backscatter is still of one kind: bright roofs in decibels, noise in power."""
PLAUSIBLE_DB = (-50.0, 10.0)
"""Median backscatter of land, dB, in any polarisation; amplitudes and scaled integers lie far outside."""


def sentinel1(scene: Scene, samples: Mapping[str, Sample]) -> Measured:
    """Read Sentinel-1 backscatter (gamma0 or sigma0) as linear power, unitless, ``VV`` and ``VH``.

    The mean over a field is a mean of power, since power is what adds up; a mean of decibels is biased downwards, with
    single-look speckle by 2.5 dB. For decibels take 10·log10 of the mean. Zero, NaN and the nodata value are no data
    (the noise along the border is written so).

    Raises
    ------
    RadiometryError
        If the numbers are neither power nor decibels.
    """
    found = {name: has_data(sample) & (sample.dn != 0) for name, sample in samples.items()}
    in_db = _in_decibels(samples, found, scene.id)
    values = {n.upper(): backscatter(s.dn, found[n], in_db=in_db) for n, s in samples.items()}
    _check_level(values, scene.id)
    return unmasked(values, np.isfinite(values["VV"]))


def backscatter(dn: NDArray[np.generic], found: Bools, *, in_db: bool) -> Floats:
    """Turn what a radar file holds into linear power, float32; NaN where there is no data.

    Examples
    --------
    >>> backscatter(np.float32([-10, 0, -20]), np.array([True, False, True]), in_db=True).round(3).tolist()
    [0.10000000149011612, nan, 0.009999999776482582]
    """
    value = dn.astype(np.float32)
    if in_db:
        value = np.power(np.float32(10), value / np.float32(10))
    value[~found | (value < 0)] = np.nan
    return value


def _in_decibels(samples: Mapping[str, Sample], found: Mapping[str, Bools], where: str) -> bool:
    """Tell decibels from power by physics: power is never negative, fields in decibels nearly always are."""
    cells = sum(int(np.count_nonzero(data)) for data in found.values())
    below = sum(int(np.count_nonzero(found[name] & (sample.dn < 0))) for name, sample in samples.items())
    share = below / cells if cells else 0.0
    if BOTH_SIGNS < share < 1 - BOTH_SIGNS:
        raise RadiometryError(
            f"{share:.0%} of the backscatter is negative: of power none would be, of decibels nearly all",
            where=where,
            cure="write the bands as linear power, or as 10·log10 of it",
        )
    return share >= 1 - BOTH_SIGNS


def _check_level(values: Mapping[str, Floats], where: str) -> None:
    for name, power in values.items():
        middle = np.median(power[np.isfinite(power)]) if np.isfinite(power).any() else np.float32(1)
        level = 10 * float(np.log10(max(middle, np.finfo(np.float32).tiny)))
        if not PLAUSIBLE_DB[0] <= level <= PLAUSIBLE_DB[1]:
            raise RadiometryError(
                f"median {name} of {level:.0f} dB is no backscatter of land",
                where=where,
                cure="calibrate to gamma0 or sigma0, as power or decibels without a scale factor",
            )
