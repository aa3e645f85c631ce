"""Profiles of device models: what the fields mean that a network server's codec calls its own way."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cropcredit.errors import ContractError
from cropcredit.model import Measurement
from cropcredit.units import Quantity
from cropcredit.wire.measured import BATTERY, battery_v, brought_to, each_once, in_unit, stated


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedField:
    """One field of a decoded payload."""

    name: str
    """As the codec writes it; members of members are joined by dots."""
    quantity: str
    """Name in the quantity catalogue, or ``battery``."""
    unit: str
    """In which the codec states it, by the vendor's manual; a unit that stands with the value counts before it."""
    channel: str = ""
    absent: tuple[float, ...] = ()
    """Values by which the device says that no probe is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoder:
    """What one device model says; fields that no profile names are not read, and stay in the raw message."""

    model: str
    fields: tuple[DecodedField, ...]
    source: str = ""
    """Where the meaning of the fields was found."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """What was read by a profile."""

    measurements: tuple[Measurement, ...] = ()
    battery_v: float | None = None


def model_key(model: str) -> str:
    """Give the form in which models are compared.

    Examples
    --------
    >>> model_key("Dragino LSE01") == model_key("dragino-lse01") == "dragino-lse01"
    True
    """
    return re.sub(r"[\s_/-]+", "-", model.strip().lower())


def measure(payload: Mapping[str, Any], decoder: Decoder, quantities: Mapping[str, Quantity]) -> Decoded:
    """Read a decoded payload by its profile. What is absent was not measured; a zero was.

    Parameters
    ----------
    payload : mapping
        As the network server's codec gave it: numbers, text with or without unit, ``{"value": …, "unit": …}``.
    decoder : Decoder
        Profile of the device's model.
    quantities : mapping
        The catalogue, by name.

    Raises
    ------
    ContractError
        ``schema``, ``unit``, ``range``, ``repeated``; ``decoder`` when the payload has none of the profile's fields:
        then it is of another model, and an empty reading would hide that.
    """
    found = [(field, _find(payload, field.name)) for field in decoder.fields]
    if payload and not any(there for _, (there, _) in found):
        names = ", ".join(sorted(payload))[:120]
        raise ContractError("decoder", f"profile {decoder.model!r} names none of the fields {names}")
    measurements, battery = [], None
    for field, (_, value) in found:
        said = stated(value, what=field.name)
        if said is None or in_unit(said[0], said[1] or field.unit, field.unit, what=field.name) in field.absent:
            continue
        number, unit = said[0], said[1] or field.unit
        if field.quantity == BATTERY:
            battery = battery_v(number, unit)
        else:
            measurements.append(brought_to(number, unit, quantities[field.quantity], field.channel))
    return Decoded(each_once(measurements), battery)


def _find(payload: Mapping[str, Any], name: str) -> tuple[bool, Any]:
    """Look a field up: by its whole name, else member by member."""
    if name in payload:
        return True, payload[name]
    value: Any = payload
    for part in name.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return False, None
        value = value[part]
    return True, value
