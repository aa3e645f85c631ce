"""The Things Stack's normalized payload, which maps one to one onto the quantity catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cropcredit.errors import ContractError
from cropcredit.model import Measurement
from cropcredit.units import Quantity
from cropcredit.wire.measured import BATTERY, battery_v, brought_to, each_once, known, stated

PLACE = {"soil": "depth", "air": "location"}
"""Members that say where, not what: the channel."""
NOT_MEASURED = frozenset({"time", "position", "action"})
"""Members of the schema that are no quantity of ours."""
NOT_OURS = frozenset({"water.leak", "water.temperature"})


@dataclass(frozen=True, slots=True)
class Normalized:
    """What a normalized payload says."""

    measurements: tuple[Measurement, ...]
    battery_v: float | None
    times: tuple[str, ...]
    """Instants that stand in it, as written: devices that keep a log send more than one."""


def normalized(objects: Sequence[Mapping[str, Any]], quantities: Mapping[str, Quantity]) -> Normalized:
    """Read the measurement objects of one frame.

    Parameters
    ----------
    objects : sequence of mapping
        ``normalized_payload``, as the device repository's schema has it (lib/payload.json).
    quantities : mapping
        The catalogue, by name; the schema's units are the catalogue's.

    Raises
    ------
    ContractError
        ``schema``, ``quantity``, ``range`` (air pressure from 500 hPa, where the schema stops at 900: farms lie high),
        ``repeated``.

    Examples
    --------
    >>> soil = Quantity(name="soil.moisture", unit="%", low=0, high=100)
    >>> normalized([{"soil": {"depth": 30, "moisture": 21.5}}], {"soil.moisture": soil}).measurements
    (Measurement(quantity='soil.moisture', value=21.5, channel='d30'),)
    """
    measurements, batteries, times = [], [], []
    for one in objects:
        if "time" in one:
            times.append(str(one["time"]))
        for name, channel, value in _leaves(one):
            said = stated(value, what=name)
            if said is None:
                continue
            if name == BATTERY:
                batteries.append(battery_v(said[0], said[1] or "V"))
            else:
                quantity = known(name, quantities)
                measurements.append(brought_to(said[0], said[1] or quantity.unit, quantity, channel))
    return Normalized(each_once(measurements), batteries[-1] if batteries else None, tuple(dict.fromkeys(times)))


def _leaves(one: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Give (name, channel, value) of everything that may be a quantity."""
    for group, inside in one.items():
        if group in NOT_MEASURED:
            continue
        if isinstance(inside, Mapping):
            channel = _channel(group, inside)
            for name, value in _paths(group, inside):
                if name != f"{group}.{PLACE.get(group, '')}" and not name.startswith(tuple(NOT_OURS)):
                    yield name, channel, value
        else:
            yield group, "", inside


def _paths(prefix: str, members: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in members.items():
        if isinstance(value, Mapping):
            yield from _paths(f"{prefix}.{name}", value)
        else:
            yield f"{prefix}.{name}", value


def _channel(group: str, members: Mapping[str, Any]) -> str:
    """Name the channel by where it was measured: ``d30`` for depth 30 cm, ``indoor``."""
    where = members.get(PLACE.get(group, ""))
    if group != "soil":
        return str(where or "")
    said = stated(where, what="soil.depth")
    if said is None:
        return ""
    if said[0] < 0:
        raise ContractError("range", f"a depth of {said[0]:g} cm")
    return f"d{said[0]:g}"
