"""What an installer must know before he drives away: whether the first values fit the place and their units.

A unit slip is found by what would put it right: a value far from what is expected there, and near it once converted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

ENOUGH_NEIGHBOURS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a quantity is like at a place of which nothing else is known."""

    low: float
    high: float
    """Nearly always between these, in the catalogue's unit."""
    spread: float
    """How far from the median of near devices a value may lie at one moment; also what a conversion must come into."""


USUAL = {
    "soil.moisture": Expected(low=1.5, high=65, spread=25),
    "soil.temperature": Expected(low=-20, high=45, spread=12),
    "soil.ec": Expected(low=0, high=12, spread=3),
    "air.temperature": Expected(low=-40, high=48, spread=8),
    "air.relativeHumidity": Expected(low=3, high=100, spread=35),
    "air.pressure": Expected(low=500, high=1060, spread=60),
    "store.grainMoisture": Expected(low=4, high=35, spread=12),
    "store.grainTemperature": Expected(low=-25, high=55, spread=20),
}
"""Bounds that farmland keeps; dry sand seldom falls below 1.5 % of volume, peat alone exceeds 65."""

Slips = tuple[tuple[str, Callable[[float], float]], ...]
PERCENT: Slips = (("fraction", lambda v: 100 * v), ("tenfold", lambda v: v / 10))
DEGREES: Slips = (
    ("fahrenheit", lambda v: (v - 32) / 1.8), ("kelvin", lambda v: v - 273.15), ("tenfold", lambda v: v / 10),
)  # fmt: skip

SLIPS: dict[str, Slips] = {
    "soil.moisture": PERCENT,
    "soil.temperature": DEGREES,
    "soil.ec": (("us_per_cm", lambda v: v / 1000), ("ms_per_m", lambda v: v / 100)),
    "air.temperature": DEGREES,
    "air.relativeHumidity": PERCENT,
    "air.pressure": (("pascal", lambda v: v / 100), ("kilopascal", lambda v: 10 * v), ("mmhg", lambda v: 1.33322 * v)),
    "store.grainMoisture": PERCENT,
    "store.grainTemperature": DEGREES,
}
"""Name of the slip, and what brings the value to the catalogue's unit."""


def unit_slip(quantity: str, value: float, neighbours: list[float]) -> str:
    """Name the unit that a value seems to be in; empty when it is right, or nothing would put it right.

    Parameters
    ----------
    quantity : str
        Name in the catalogue.
    value : float
        As received.
    neighbours : list of float
        What near devices measured at about that moment; fewer than three say nothing.

    Examples
    --------
    >>> unit_slip("soil.moisture", 0.23, [])
    'fraction'
    >>> unit_slip("air.temperature", 41.0, []), unit_slip("air.temperature", 41.0, [4.5, 5.0, 6.1])
    ('', 'fahrenheit')
    """
    if quantity not in USUAL or fits(quantity, value, neighbours):
        return ""
    return next((name for name, right in SLIPS[quantity] if fits(quantity, right(value), neighbours)), "")


def fits(quantity: str, value: float, neighbours: list[float]) -> bool:
    """Say whether a value is like what near devices measure, or, without enough of them, like farmland at all."""
    usual = USUAL.get(quantity)
    if usual is None:
        return True
    if len(neighbours) >= ENOUGH_NEIGHBOURS and abs(value - median(neighbours)) > usual.spread:
        return False
    return usual.low <= value <= usual.high
