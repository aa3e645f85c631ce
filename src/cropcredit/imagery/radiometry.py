"""From digital numbers to reflectance, once and only once.

Since processing baseline 04.00 Sentinel-2 L2A digital numbers carry an additive offset of 1000. Archives that took
it out, archives that did not, and archives whose metadata lies all exist; forgetting it costs about 0.2 NDVI. So the
source declares what it did, the processing baseline (never the date: old dates are reprocessed) decides, and the
pixels are asked whether the outcome can be true.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cropcredit.errors import MalformedInput, RadiometryError
from cropcredit.model import Offset

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

S2_SCALE = np.float32(1e-4)
S2_OFFSET_DN = -1000
S2_FIRST_BASELINE_WITH_OFFSET = (4, 0)
S2_NODATA_DN, S2_SATURATED_DN = 0, 65535
"""Special values of the product; archives that fill with 65535 do not always tag it."""

LANDSAT_SCALE, LANDSAT_OFFSET = np.float32(2.75e-5), np.float32(-0.2)
LANDSAT_FILL_DN = 0
LANDSAT_VALID_DN = (7273, 43636)
"""Digital numbers of Collection 2 surface reflectance that mean something: reflectance 0 to 1."""

DN_OF_ONE = 10_000
"""Digital number of a reflectance of one, Sentinel-2; Landsat's is larger still."""
BRIGHTEST = 2.0
"""Reflectance of the brightest cloud; as a digital number it would be black."""

MAX_NEGATIVE_RED = 0.05
"""Share of clear field pixels whose red reflectance may be negative; twice the offset makes it nearly all of them."""
LEAF_RED = 0.1
"""Living leaves absorb red: among many vegetated pixels some lie below this, unless the offset is still in."""
MIN_PIXELS = 30
MIN_VEGETATED = 1000


def s2_offset_dn(offset: Offset, baseline: str, *, where: str = "") -> int:
    """Tell what must be added to the digital numbers, from what the source declares and its processing baseline.

    Raises
    ------
    RadiometryError
        If the offset may still be in the numbers and no baseline says whether.

    Examples
    --------
    >>> s2_offset_dn(Offset.AUTO, "05.10"), s2_offset_dn(Offset.AUTO, "03.01"), s2_offset_dn(Offset.APPLIED, "05.10")
    (-1000, 0, 0)
    """
    if offset is Offset.APPLIED:
        return 0
    if not baseline:
        raise RadiometryError(
            f"offset {offset.value!r} needs a processing baseline and there is none",
            where=where,
            cure="declare --offset applied if the archive took the offset out, or give the baseline",
        )
    return S2_OFFSET_DN if baseline_number(baseline, where=where) >= S2_FIRST_BASELINE_WITH_OFFSET else 0


def baseline_number(baseline: str, *, where: str = "") -> tuple[int, int]:
    """Read a processing baseline such as ``05.10`` or ``N0510``."""
    digits = baseline.upper().removeprefix("N").replace(".", "")
    if len(digits) != 4 or not digits.isdigit():  # noqa: PLR2004 - two digits on either side of the point
        raise MalformedInput(f"{baseline!r} is not a processing baseline", where=where, cure="write it as 05.10")
    return int(digits[:2]), int(digits[2:])


def check_dn(dn: NDArray[Any], *, nodata: float | None = None, where: str = "") -> None:
    """Refuse numbers that cannot be those of the archive: eight bits, or reflectance that somebody has scaled already.

    They would come out as darkness, where no index is a number, or as a right NDVI beside a wrong EVI2.

    Raises
    ------
    RadiometryError

    Examples
    --------
    >>> check_dn(np.float32([0.05, np.nan, 0.4]), where="s1")
    Traceback (most recent call last):
    cropcredit.errors.RadiometryError: s1: numbers of type float32 up to 0.4 are no digital numbers: they are scaled ...
    """
    if np.issubdtype(dn.dtype, np.integer):
        if np.iinfo(dn.dtype).max < DN_OF_ONE:
            _refuse_dn(f"numbers of type {dn.dtype} are no digital numbers", where)
        return
    highest = float(np.nanmax(dn, initial=0, where=True if nodata is None else dn != nodata))
    if 0 < highest <= BRIGHTEST:
        _refuse_dn(f"numbers of type {dn.dtype} up to {highest:.2g} are no digital numbers", where)


def _refuse_dn(what: str, where: str) -> None:
    raise RadiometryError(
        f"{what}: they are scaled already", where=where, cure="bring them as 16 bits, in the scale of the archive"
    )


def s2_reflectance(dn: NDArray[np.generic], offset_dn: int, *, nodata: float | None = None) -> Floats:
    """Turn digital numbers into surface reflectance, float32; NaN where there is no data.

    DN 0 is nodata *before* the offset is added, and so are 65535 and the file's own nodata value.
    """
    missing = (dn == S2_NODATA_DN) | (dn == S2_SATURATED_DN) | ((dn == nodata) if nodata is not None else False)
    value = (dn.astype(np.float32) + np.float32(offset_dn)) * S2_SCALE
    return np.where(missing, np.float32(np.nan), value)


def landsat_reflectance(dn: NDArray[Any]) -> Floats:
    """Turn digital numbers of Landsat Collection 2 Level 2 into surface reflectance, float32; NaN outside [0, 1].

    References
    ----------
    USGS (2021), Landsat 8-9 Collection 2 Level 2 Science Product Guide, LSDS-1619: scale, offset and valid range.

    Examples
    --------
    >>> landsat_reflectance(np.array([0, 7272, 18639], dtype=np.uint16)).round(3).tolist()
    [nan, nan, 0.31299999356269836]
    """
    low, high = LANDSAT_VALID_DN
    value = dn.astype(np.float32) * LANDSAT_SCALE + LANDSAT_OFFSET
    value[(dn < low) | (dn > high)] = np.nan
    return value


def check_red(red: Floats, clear: Bools, vegetated: Bools, *, offset_may_be_left: bool, where: str = "") -> None:
    """Stop where the red reflectance of clear field pixels cannot be true.

    Parameters
    ----------
    red : ndarray of float32, shape (cells,)
        Reflectance, unitless.
    clear, vegetated : ndarray of bool, shape (cells,)
        Cloud-free cells; cells that the scene classification calls vegetation.
    offset_may_be_left : bool
        True where only the source's word stands for it that the offset is gone.

    Raises
    ------
    RadiometryError
        If too many are negative (the offset was taken out twice), or no vegetated one is dark (never).
    """
    seen = clear & np.isfinite(red)
    cells = np.count_nonzero(seen)
    negative = np.count_nonzero(seen & (red < 0)) / cells if cells >= MIN_PIXELS else 0.0
    if negative > MAX_NEGATIVE_RED:
        raise RadiometryError(
            f"{negative:.0%} of clear field pixels have negative red reflectance: the offset was taken out twice",
            where=where,
            cure="add the scene again with --offset applied",
        )
    leaves = seen & vegetated
    enough = offset_may_be_left and np.count_nonzero(leaves) >= MIN_VEGETATED
    if enough and float(red.min(where=leaves, initial=np.inf)) >= LEAF_RED:
        raise RadiometryError(
            f"no vegetated pixel has red reflectance below {LEAF_RED}: the offset is still in the numbers",
            where=where,
            cure="add the scene again with --offset not_applied, and --baseline where its files do not tell it",
        )
