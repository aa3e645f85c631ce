"""Vegetation indices of reflectance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

DARK = np.float32(1e-3)
"""Below this sum of reflectances a ratio is noise."""


def ndvi(red: Floats, nir: Floats) -> Floats:
    """Normalised difference vegetation index (nir - red) / (nir + red), [-1, 1]; NaN where it is too dark.

    Examples
    --------
    >>> ndvi(np.float32([0.125, 0.0]), np.float32([0.375, 0.0])).tolist()
    [0.5, nan]
    """
    return _ratio(nir - red, nir + red)


def ndre(rededge: Floats, nir: Floats) -> Floats:
    """Red-edge difference index (nir - rededge) / (nir + rededge); saturates later than NDVI in dense crops."""
    return _ratio(nir - rededge, nir + rededge)


def evi2(red: Floats, nir: Floats) -> Floats:
    """Two-band enhanced vegetation index 2.5 (nir - red) / (nir + 2.4 red + 1).

    Needs true reflectance: scale and offset do not cancel.

    References
    ----------
    Jiang, Huete, Didan, Miura (2008), Development of a two-band enhanced vegetation index without a blue band.
    """
    value = np.float32(2.5) * (nir - red) / (nir + np.float32(2.4) * red + np.float32(1))
    return np.where(nir + red > DARK, np.clip(value, -1, 1), np.float32(np.nan))


def _ratio(difference: Floats, total: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(total > DARK, np.clip(difference / total, -1, 1), np.float32(np.nan))
