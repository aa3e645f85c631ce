"""What other formats call a value, brought to the quantity catalogue: name, unit, range."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from cropcredit.errors import ContractError, RefusedInput
from cropcredit.model import Measurement
from cropcredit.units import MEASURED_IN, Quantity, convert

CHANNEL = re.compile(r"[A-Za-z0-9._-]{0,16}")
"""Form of a channel, as in contract v1."""
BATTERY = "battery"
"""Name by which a profile calls the supply voltage, V: a fact about the device, not a quantity."""
BATTERY_V = (0.0, 100.0)
"""Bounds of contract v1."""

_SPELLINGS = {
    "°C": "Cel",
    "℃": "Cel",
    "C": "Cel",
    "µS/cm": "uS/cm",
    "μS/cm": "uS/cm",  # the Greek letter, where the line above has the micro sign
    "us/cm": "uS/cm",
    "µS⋅cm⁻¹": "uS/cm",
    "m³⋅m⁻³": "m3/m3",
    "W⋅m⁻²": "W/m2",
    "m⋅s⁻¹": "m/s",
    "°": "deg",
    "lux": "lx",
}
"""How codecs write units, and the name of ours."""
_WRITTEN = re.compile(r"\s*([-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d{1,3})?)\s*(\S.*?)?\s*")


def stated(value: Any, *, what: str) -> tuple[float, str] | None:
    """Read a number as codecs write it: plain, as text, with its unit behind it, or as ``{"value": …, "unit": …}``.

    Returns
    -------
    (float, str) or None
        The number and the unit that stands with it, ours, empty where none does; None for what is not there: null,
        the empty text.

    Raises
    ------
    ContractError
        ``schema`` for anything else: text without a number is no zero. ``unit`` for a unit nobody knows.

    Examples
    --------
    >>> stated("30.11 °C", what="temp_SOIL"), stated(417, what="conduct_SOIL"), stated(None, what="x")
    ((30.11, 'Cel'), (417.0, ''), None)
    """
    if isinstance(value, Mapping) and "value" in value:
        inner, unit = stated(value["value"], what=what), value.get("unit") or ""
        return None if inner is None else (inner[0], inner[1] or _unit(unit, what=what))
    if value is None or value == "":
        return None
    if isinstance(value, str) and (match := _WRITTEN.fullmatch(value[:80])) and len(value) <= 80:  # noqa: PLR2004 - long enough for any number
        return _finite(float(match[1]), what=what), _unit(match[2] or "", what=what)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _finite(_float(value), what=what), ""
    raise ContractError("schema", f"{what} is {str(value)[:40]!r}, not a number")


def brought_to(value: float, unit: str, quantity: Quantity, channel: str = "") -> Measurement:
    """Give a measurement in the catalogue's unit.

    Raises
    ------
    ContractError
        ``unit`` when it is none of the quantity's, ``range`` when the value is not plausible, ``schema`` for a
        channel that is none.

    Examples
    --------
    >>> ec = Quantity(name="soil.ec", unit="dS/m", low=0, high=621)
    >>> brought_to(417, "uS/cm", ec)
    Measurement(quantity='soil.ec', value=0.417, channel='')
    """
    if CHANNEL.fullmatch(channel) is None:
        raise ContractError("schema", f"{channel[:40]!r} is no channel")
    converted = in_unit(value, unit, quantity.unit, what=quantity.name)
    if not quantity.plausible(converted):
        bounds = f"{quantity.low:g} … {quantity.high:g} {quantity.unit}"
        raise ContractError("range", f"{quantity.name} {converted:g} outside {bounds}")
    return Measurement(quantity=quantity.name, value=converted, channel=channel)


def in_unit(value: float, unit: str, to: str, *, what: str) -> float:
    """Convert; raises ContractError ``unit`` for an unknown or unlike unit."""
    try:
        return convert(value, unit, to)
    except RefusedInput as error:
        raise ContractError("unit", f"{what}: {error}") from None


def battery_v(value: float, unit: str = "V") -> float:
    """Give a supply voltage; raises ContractError ``unit`` or ``range``."""
    volts = in_unit(value, unit, "V", what=BATTERY)
    if not BATTERY_V[0] <= volts <= BATTERY_V[1]:
        raise ContractError("range", f"a battery of {volts:g} V")
    return volts


def known(name: str, quantities: Mapping[str, Quantity]) -> Quantity:
    """Look a quantity up; raises ContractError ``quantity``."""
    if name not in quantities:
        raise ContractError("quantity", f"unknown quantity {name[:80]!r}")
    return quantities[name]


def each_once(measurements: Iterable[Measurement]) -> tuple[Measurement, ...]:
    """Give them all; raises ContractError ``repeated`` when one quantity stands twice on one channel."""
    taken = tuple(measurements)
    if len({(m.quantity, m.channel) for m in taken}) != len(taken):
        raise ContractError("repeated", "one quantity twice on one channel")
    return taken


def _unit(written: object, *, what: str) -> str:
    unit = _SPELLINGS.get(str(written), str(written))
    if unit and unit not in MEASURED_IN:
        raise ContractError("unit", f"{what} is in {unit[:20]!r}, which nobody knows")
    return unit


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _finite(value: float, *, what: str) -> float:
    if not math.isfinite(value):
        raise ContractError("schema", f"{what} is not a finite number")
    return value
