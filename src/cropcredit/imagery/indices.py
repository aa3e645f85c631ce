"""Vegetation indices of reflectance, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

DARK = np.float32(1e-3)
"""Below this sum of reflectances a ratio is noise."""


@dataclass(frozen=True, slots=True)
class Index:
    """An index: the bands it is made of, in the order in which its formula takes them."""

    bands: tuple[str, ...]
    formula: Callable[..., Floats]
    """Reflectances, float32, unitless; gives float32, NaN where it is too dark."""


def normalised_difference(high: Floats, low: Floats) -> Floats:
    """Compare two bands: (high - low) / (high + low), [-1, 1]; NaN where it is too dark.

    Examples
    --------
    >>> normalised_difference(np.float32([0.375, 0.0]), np.float32([0.125, 0.0])).tolist()
    [0.5, nan]
    """
    total = high + low
    with np.errstate(invalid="ignore", divide="ignore"):
        value = (high - low) / total
    np.clip(value, -1, 1, out=value)
    value[~(total > DARK)] = np.nan
    return value


def ndvi(red: Floats, nir: Floats) -> Floats:
    """Normalised difference vegetation index (nir - red) / (nir + red), [-1, 1].

    Examples
    --------
    >>> ndvi(np.float32([0.125]), np.float32([0.375])).tolist()
    [0.5]
    """
    return normalised_difference(nir, red)


def evi2(red: Floats, nir: Floats) -> Floats:
    """Two-band enhanced vegetation index 2.5 (nir - red) / (nir + 2.4 red + 1), [-1, 1].

    Needs true reflectance: scale and offset do not cancel.

    References
    ----------
    Jiang, Huete, Didan, Miura (2008), Development of a two-band enhanced vegetation index without a blue band.
    """
    value = np.float32(2.5) * (nir - red) / (nir + np.float32(2.4) * red + np.float32(1))
    return _lit(value, nir + red)


def evi(blue: Floats, red: Floats, nir: Floats) -> Floats:
    """Enhanced vegetation index 2.5 (nir - red) / (nir + 6 red - 7.5 blue + 1), [-1, 1].

    References
    ----------
    Huete et al. (2002), Overview of the radiometric and biophysical performance of the MODIS vegetation indices.
    """
    below = nir + np.float32(6) * red - np.float32(7.5) * blue + np.float32(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.float32(2.5) * (nir - red) / np.where(below > DARK, below, np.float32(np.nan))
    return _lit(value, nir + red)


def kndvi(red: Floats, nir: Floats) -> Floats:
    """Kernel NDVI, tanh(NDVI²), [0, 1]: saturates later.

    References
    ----------
    Camps-Valls et al. (2021), A unified vegetation index for quantifying the terrestrial biosphere.
    """
    return np.tanh(np.square(ndvi(red, nir)))


def mtci(red: Floats, rededge: Floats, rededge2: Floats) -> Floats:
    """Chlorophyll index of the red edge (rededge2 - rededge) / (rededge - red), clipped to [-10, 10].

    References
    ----------
    Dash, Curran (2004), The MERIS terrestrial chlorophyll index.
    """
    below = rededge - red
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.clip((rededge2 - rededge) / below, -10, 10)
    value[~(np.abs(below) > DARK)] = np.nan
    return np.asarray(value, dtype=np.float32)


def _lit(value: NDArray[np.floating[Any]], light: Floats) -> Floats:
    np.clip(value, -1, 1, out=value)
    value[~(light > DARK)] = np.nan
    return np.asarray(value, dtype=np.float32)


def _contrast(high: str, low: str) -> Index:
    return Index((high, low), normalised_difference)


INDICES: dict[str, Index] = {
    "NDVI": Index(("red", "nir"), ndvi),
    "EVI2": Index(("red", "nir"), evi2),
    "NDRE": _contrast("nir", "rededge"),  # saturates later than NDVI in dense crops
    "EVI": Index(("blue", "red", "nir"), evi),
    "GNDVI": _contrast("nir", "green"),
    "KNDVI": Index(("red", "nir"), kndvi),
    "MTCI": Index(("red", "rededge", "rededge2"), mtci),
    "NDMI": _contrast("nir", "swir16"),  # water in leaves
    "NDWI": _contrast("green", "nir"),  # open water: floods, paddies
}
"""What can be computed where a scene has the bands."""
