"""Indices that somebody else has computed: MODIS composites and ready-made rasters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cropcredit.errors import RadiometryError
from cropcredit.imagery import masks
from cropcredit.imagery.product import Measured, Sample, has_data, unmasked
from cropcredit.model import Scene

MOD13Q1_SCALE = np.float32(1e-4)
MOD13Q1_VALID = (-2000, 10000)
"""Valid digital numbers of MOD13Q1 indices; the fill value -3000 and compression noise around it lie outside."""
READY_MADE_VALID = (-0.99, 1)
"""Range of a ready-made index; at -0.99 and below lies no ground, but an untagged -9999 or -10000."""
MAX_OUT_OF_RANGE = 0.01
"""Share of ready-made index values out of range at which the raster is no index (or is scaled otherwise)."""


def mod13q1(scene: Scene, samples: Mapping[str, Sample]) -> Measured:
    """Read MOD13Q1: the index of the best day of 16, pixel reliability as the mask.

    Raises
    ------
    RadiometryError
        If the numbers are not in units of 0.0001, as the archive writes them.
    """
    dn = samples["ndvi"].dn
    _check_unit(dn, where=scene.id)
    values = {name.upper(): _mod13q1_index(s.dn) for name, s in samples.items() if name != "reliability"}
    valid = np.isfinite(values["NDVI"])
    if np.issubdtype(dn.dtype, np.floating) and valid.any() and np.abs(dn[valid]).max() <= 1:
        raise RadiometryError(
            "the values lie in [-1, 1]: they are scaled already", where=scene.id, cure="add it with --product ndvi"
        )
    quality = samples["reliability"].dn if "reliability" in samples else np.full(len(dn), masks.MODIS_GOOD)
    clear = valid & np.isin(quality, (masks.MODIS_GOOD, masks.MODIS_MARGINAL))
    return Measured(
        values=values, clear=clear, clear_wet=clear, doubtful=quality == masks.MODIS_MARGINAL, present=valid
    )


def _mod13q1_index(dn: NDArray[Any]) -> NDArray[np.float32]:
    low, high = MOD13Q1_VALID
    return np.where((dn >= low) & (dn <= high), dn.astype(np.float32) * MOD13Q1_SCALE, np.float32(np.nan))


def ready_made(scene: Scene, samples: Mapping[str, Sample]) -> Measured:
    """Read one index, named like its product: floating point, or integers in units of 0.0001.

    Raises
    ------
    RadiometryError
        If the numbers are no index.
    """
    sample, name = samples[scene.product], scene.product.upper()
    _check_unit(sample.dn, where=scene.id)
    scale = np.float32(1 if np.issubdtype(sample.dn.dtype, np.floating) else 1e-4)
    present = has_data(sample)
    index = sample.dn.astype(np.float32) * scale
    low, high = READY_MADE_VALID
    inside = present & (index > low) & (index <= high)
    strange = 1 - int(inside.sum()) / max(int(present.sum()), 1)
    if present.any() and strange > MAX_OUT_OF_RANGE:
        raise RadiometryError(
            f"{strange:.0%} of the values lie outside [{low}, {high}]: this is no {name}",
            where=scene.id,
            cure=f"write floating point {name}, or int16 in units of 0.0001, and tag what stands for no data",
        )
    return unmasked({name: np.where(inside, index, np.float32(np.nan))}, inside)


def _check_unit(dn: NDArray[Any], *, where: str) -> None:
    """Refuse numbers of eight bits: they cannot be in units of 0.0001, and no archive agrees on what else they are."""
    if np.issubdtype(dn.dtype, np.integer) and np.iinfo(dn.dtype).max < MOD13Q1_VALID[1]:
        raise RadiometryError(
            f"numbers of type {dn.dtype} cannot be in units of 0.0001",
            where=where,
            cure="undo their own scale and offset, and write floating point or int16 in units of 0.0001",
        )
