"""From numbers to colours: one ramp and one range per index, so that pictures of any date can be compared."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cropcredit.usecases.quicklook import Pixels

Colour = tuple[int, int, int]
Bytes = NDArray[np.uint8]

RAMP: tuple[tuple[float, Colour], ...] = (
    (0.0, (84, 48, 5)),
    (0.2, (171, 112, 48)),
    (0.35, (226, 190, 118)),
    (0.5, (246, 236, 168)),
    (0.62, (184, 212, 112)),
    (0.75, (92, 168, 92)),
    (0.88, (14, 112, 92)),
    (1.0, (0, 56, 60)),
)
"""Brown, yellow, green, by share of the range. The green turns bluish and dark, so that people who confuse red and
green tell it from the brown."""
RANGES = {"MTCI": (0.0, 6.0), "NDMI": (-0.4, 0.6), "NDWI": (-0.8, 0.2), "VV": (0.0, 0.4), "VH": (0.0, 0.1)}
USUAL_RANGE = (-0.1, 0.9)
BRIGHT = {"nir": 0.5}
USUAL_BRIGHT = 0.25
"""Reflectance that is shown as full light."""
GAMMA = 1 / 1.5

PAPER: Colour = (255, 255, 255)
INK: Colour = (32, 32, 32)
FAINT: Colour = (110, 110, 110)
LINES: Colour = (222, 222, 222)
DROPPED: Colour = (164, 164, 164)
HATCH: Colour = (112, 112, 112)
MISSING: Colour = (240, 240, 240)
ALARM: Colour = (190, 70, 0)


def range_of(index: str) -> tuple[float, float]:
    """Give the values that are shown as the first and the last colour of the ramp."""
    return RANGES.get(index, USUAL_RANGE)


def ramp(values: NDArray[np.floating], index: str) -> Bytes:
    """Colour an index; what lies beyond the range has its last colour, NaN that of missing data.

    Examples
    --------
    >>> ramp(np.array([-0.5, 0.4, 0.9, np.nan]), "NDVI").tolist()
    [[84, 48, 5], [246, 236, 168], [0, 56, 60], [240, 240, 240]]
    """
    low, high = range_of(index)
    share = (np.nan_to_num(values) - low) / (high - low)
    places = [place for place, _ in RAMP]
    planes = [np.interp(share, places, light) for light in np.array([colour for _, colour in RAMP]).T]
    return np.where(np.isnan(values)[..., None], MISSING, np.dstack(planes).reshape(*values.shape, 3)).astype(np.uint8)


def light(reflectance: NDArray[np.floating], colours: tuple[str, ...]) -> Bytes:
    """Show three bands as red, green and blue light."""
    full = [BRIGHT.get(name, USUAL_BRIGHT) for name in colours]
    share = np.clip(np.nan_to_num(reflectance) / full, 0, 1) ** GAMMA
    missing = np.isnan(reflectance).any(axis=-1, keepdims=True)
    return np.where(missing, MISSING, np.round(share * 255)).astype(np.uint8)


def painted(pixels: Pixels, index: str, colours: tuple[str, ...] = ()) -> Bytes:
    """Colour pixels; on an index, what the mask dropped is grey."""
    if colours:
        return light(pixels.values, colours)
    return np.where(pixels.dropped[..., None], DROPPED, ramp(pixels.values, index)).astype(np.uint8)
