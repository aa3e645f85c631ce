"""From numbers to colours: one ramp and one range per index, so that pictures of any date can be compared."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cropcredit.usecases.quicklook import Pixels

Colour = tuple[int, int, int]
Bytes = NDArray[np.uint8]

RAMP: tuple[tuple[float, Colour], ...] = (
    (0.0, (252, 230, 186)),
    (0.25, (218, 190, 94)),
    (0.5, (128, 162, 60)),
    (0.75, (20, 114, 78)),
    (1.0, (0, 44, 60)),
)
"""Straw, green, blackish green, by share of the range. It only ever darkens, by five units or more of lightness (CIE
L*) per tenth of the range: whoever confuses red and green, or prints in grey, reads it all the same."""
RANGES = {"MTCI": (0.0, 5.0), "NDMI": (-0.4, 0.6), "NDWI": (-0.8, 0.2), "VV": (0.0, 0.5), "VH": (0.0, 0.1)}
USUAL_RANGE = (0.0, 1.0)
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
    >>> ramp(np.array([-0.5, 0.5, 1.0, np.nan]), "NDVI").tolist()
    [[252, 230, 186], [128, 162, 60], [0, 44, 60], [240, 240, 240]]
    """
    low, high = range_of(index)
    share = (np.nan_to_num(values) - low) / (high - low)
    places = [place for place, _ in RAMP]
    planes = [np.interp(share, places, light) for light in np.array([colour for _, colour in RAMP]).T]
    return np.where(np.isnan(values)[..., None], MISSING, np.stack(planes, axis=-1)).astype(np.uint8)


def light(reflectance: NDArray[np.floating], names: tuple[str, ...]) -> Bytes:
    """Show three bands as red, green and blue light."""
    full = [BRIGHT.get(name, USUAL_BRIGHT) for name in names]
    share = np.clip(np.nan_to_num(reflectance) / full, 0, 1) ** GAMMA
    missing = np.isnan(reflectance).any(axis=-1, keepdims=True)
    return np.where(missing, MISSING, np.round(share * 255)).astype(np.uint8)


def painted(pixels: Pixels) -> Bytes:
    """Colour pixels; on an index, what the mask dropped is grey."""
    if len(pixels.names) > 1:
        return light(pixels.values, pixels.names)
    ground = ramp(pixels.values[..., 0], pixels.names[0])
    return np.where(pixels.dropped[..., None], DROPPED, ground).astype(np.uint8)
