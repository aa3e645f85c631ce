"""Quantities with their UCUM codes, conversions of field, weight and yield units, plausible ranges."""

from __future__ import annotations

from dataclasses import dataclass

from cropcredit.errors import MalformedInput, UnknownName


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """One measured quantity of the catalogue: its name, its one stored unit and what is plausible."""

    name: str
    """Name as in The Things Stack normalized payload, e.g. ``soil.moisture``."""
    unit: str
    """UCUM code of the stored unit, e.g. ``%``, ``Cel``, ``dS/m``."""
    low: float
    """Smallest plausible value, in ``unit``."""
    high: float
    """Largest plausible value, in ``unit``."""
    cumulative: bool = False
    """True for a counter that only rises and may reset (a rain gauge)."""
    zh: str = ""
    """Name in Chinese, for screens."""
    en: str = ""
    """Name in English, for screens."""

    def plausible(self, value: float) -> bool:
        """Say whether ``value`` (in ``unit``) lies in the plausible range; NaN does not."""
        return self.low <= value <= self.high


HECTARES: dict[str, float] = {"ha": 1.0, "m2": 1e-4, "mu": 1 / 15, "acre": 0.40468564224}
"""Area units in hectares. One mu (亩) is a fifteenth of a hectare; the acre is the international one."""

KILOGRAMS: dict[str, float] = {"kg": 1.0, "t": 1000.0, "jin": 0.5, "dt": 100.0, "quintal": 100.0, "bag90": 90.0}
"""Weight units in kilograms. One jin (斤) is half a kilogram; a Kenyan maize bag holds 90 kg."""


def hectares(value: float, unit: str) -> float:
    """Convert an area to hectares.

    Examples
    --------
    >>> hectares(30, "mu")
    2.0
    """
    return value * _factor(HECTARES, unit, "unit of area")


def kilograms(value: float, unit: str) -> float:
    """Convert a weight to kilograms.

    Examples
    --------
    >>> kilograms(1000, "jin")
    500.0
    """
    return value * _factor(KILOGRAMS, unit, "unit of weight")


def tonnes_per_hectare(value: float, unit: str) -> float:
    """Convert a yield written as ``weight/area`` to t/ha.

    Examples
    --------
    >>> tonnes_per_hectare(800, "jin/mu")
    6.0
    """
    weight, slash, area = unit.partition("/")
    if not slash:
        raise MalformedInput(f"a yield unit is weight/area, not {unit!r}", cure="write t/ha, kg/ha, jin/mu …")
    return kilograms(value, weight) / 1000 / hectares(1.0, area)


def _factor(table: dict[str, float], unit: str, kind: str) -> float:
    if unit not in table:
        raise UnknownName(kind, unit, tuple(table))
    return table[unit]
