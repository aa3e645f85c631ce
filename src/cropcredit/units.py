"""Quantities with their UCUM codes, conversions of field, weight and yield units, plausible ranges."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

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

POUND_KG = 0.45359237
"""The international avoirdupois pound, exactly."""

KILOGRAMS: dict[str, float] = {
    "kg": 1.0,
    "t": 1000.0,
    "jin": 0.5,
    "dt": 100.0,
    "quintal": 100.0,
    "bag90": 90.0,
    "lb": POUND_KG,
}
"""Weight units in kilograms. One jin (斤) is half a kilogram; a Kenyan maize bag holds 90 kg."""

BUSHEL_POUNDS: dict[str, float] = {
    "winter_wheat": 60,
    "spring_wheat": 60,
    "soybean": 60,
    "potato": 60,
    "maize": 56,
    "sorghum": 56,
    "barley": 48,
    "millet": 48,
    "rapeseed": 50,
    "rice": 45,
}
"""Pounds in a US bushel of each crop (USDA Agricultural Handbook 697, Weights, Measures and Conversion Factors)."""

MILLED_PER_PADDY = 0.70
"""Weight of milled rice from one weight of paddy (about the mean of milling yields in Asia)."""


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


def bushel_kg(crop: str) -> float | None:
    """Give the weight of a US bushel of a crop, kg; None for a crop that is not sold by the bushel.

    Examples
    --------
    >>> round(bushel_kg("maize"), 3)
    25.401
    """
    return BUSHEL_POUNDS[crop] * POUND_KG if crop in BUSHEL_POUNDS else None


def tonnes_per_hectare(value: float, unit: str, crop: str = "") -> float:
    """Convert a yield written as ``weight/area`` to t/ha; ``bu/acre`` needs the crop.

    Raises
    ------
    MalformedInput
        If the unit is no weight over an area.
    UnknownName
        If weight or area is unknown, or the crop has no bushel.

    Examples
    --------
    >>> tonnes_per_hectare(800, "jin/mu")
    6.0
    >>> round(tonnes_per_hectare(180, "bu/acre", "maize"), 2)
    11.3
    """
    weight, slash, area = unit.partition("/")
    if not slash:
        raise MalformedInput(f"a yield unit is weight/area, not {unit!r}", cure="write t/ha, kg/ha, jin/mu …")
    return value * _weight_kg(weight, crop) / 1000 / hectares(1.0, area)


def at_moisture(weight: float, moisture_pct: float, standard_pct: float) -> float:
    """Bring a weight of grain from one wet-basis moisture to another; its dry matter stays.

    Examples
    --------
    >>> at_moisture(7.0, 25.0, 12.5)
    6.0
    """
    return weight * (100 - moisture_pct) / (100 - standard_pct)


def _weight_kg(unit: str, crop: str) -> float:
    if unit != "bu":
        return kilograms(1.0, unit)
    bushel = bushel_kg(crop)
    if bushel is None:
        raise UnknownName("crop sold by the bushel", crop, tuple(BUSHEL_POUNDS))
    return bushel


def _factor(table: dict[str, float], unit: str, kind: str) -> float:
    if unit not in table:
        raise UnknownName(kind, unit, tuple(table))
    return table[unit]


MEASURED_IN: dict[str, tuple[str, str, str]] = {
    "Cel": ("Cel", "1", "0"),
    "K": ("Cel", "1", "-273.15"),
    "%": ("%", "1", "0"),
    "%RH": ("%", "1", "0"),
    "/100": ("%", "1", "0"),
    "/": ("%", "100", "0"),
    "m3/m3": ("%", "100", "0"),
    "/1000": ("%", "0.1", "0"),
    "dS/m": ("dS/m", "1", "0"),
    "mS/cm": ("dS/m", "1", "0"),
    "S/m": ("dS/m", "10", "0"),
    "mS/m": ("dS/m", "0.01", "0"),
    "uS/cm": ("dS/m", "0.001", "0"),
    "[pH]": ("[pH]", "1", "0"),
    "pH": ("[pH]", "1", "0"),
    "[ppm]": ("[ppm]", "1", "0"),
    "ppm": ("[ppm]", "1", "0"),
    "hPa": ("hPa", "1", "0"),
    "Pa": ("hPa", "0.01", "0"),
    "kPa": ("hPa", "10", "0"),
    "mbar": ("hPa", "1", "0"),
    "lx": ("lx", "1", "0"),
    "m/s": ("m/s", "1", "0"),
    "km/h": ("m/s", "0.2777777777777777777777777778", "0"),
    "deg": ("deg", "1", "0"),
    "rad": ("deg", "57.29577951308232087679815481", "0"),
    "mm": ("mm", "1", "0"),
    "cm": ("mm", "10", "0"),
    "m": ("mm", "1000", "0"),
    "W/m2": ("W/m2", "1", "0"),
    "L": ("L", "1", "0"),
    "l": ("L", "1", "0"),
    "m3": ("L", "1000", "0"),
    "kg": ("kg", "1", "0"),
    "g": ("kg", "0.001", "0"),
    "t": ("kg", "1000", "0"),
    "V": ("V", "1", "0"),
    "mV": ("V", "0.001", "0"),
    "dBm": ("dBm", "1", "0"),
    "dBW": ("dBm", "1", "30"),
}
"""Units in which sensors speak: (base unit, factor, offset), base = value * factor + offset, as decimal numbers."""


def convert(value: float, unit: str, to: str) -> float:
    """Convert what a sensor measured to another unit of the same dimension.

    Decimal arithmetic on the number as written, so that 417 uS/cm are 0.417 dS/m and not 0.41700000000000004.

    Parameters
    ----------
    value : float
        Finite.
    unit, to : str
        Names in :data:`MEASURED_IN`: UCUM, the SenML units of RFC 8428 and the secondary ones of RFC 8798.

    Raises
    ------
    UnknownName
        If a unit is in no table.
    MalformedInput
        If the two measure different things.

    Examples
    --------
    >>> convert(417, "uS/cm", "dS/m"), convert(95.96, "kPa", "hPa"), convert(300.15, "K", "Cel")
    (0.417, 959.6, 27.0)
    """
    if unit == to:
        return float(value)
    (base, factor, offset), (goal, per, shift) = _measured_in(unit), _measured_in(to)
    if base != goal:
        raise MalformedInput(f"{unit} cannot be converted to {to}")
    return float((Decimal(repr(value)) * factor + offset - shift) / per)


def _measured_in(unit: str) -> tuple[str, Decimal, Decimal]:
    if unit not in MEASURED_IN:
        raise UnknownName("unit", unit, tuple(MEASURED_IN))
    base, factor, offset = MEASURED_IN[unit]
    return base, Decimal(factor), Decimal(offset)
