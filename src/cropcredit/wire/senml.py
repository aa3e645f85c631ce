"""SenML on our own broker: ``farm/v1/{device}/senml`` (JSON) and ``…/senml-cbor`` -> one Reading per record.

SenML counts nothing, so the identity of a reading is (device, name, time), as for every SenML store: the boot is 0,
which means "not counted", and the seq is made of time and name. A pack that comes again changes nothing, packs that
overlap add only what is new, and the same name and time with another value is a conflict.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from cropcredit.errors import ContractError
from cropcredit.model import UNCOUNTED, Clock, Measurement, Reading, Source
from cropcredit.units import Quantity
from cropcredit.wire.decoders import DecodedField, Decoder
from cropcredit.wire.measured import BATTERY, CHANNEL, battery_v, brought_to
from cropcredit.wire.senml_pack import Record, load_cbor, load_json, resolve

NAME_BITS = 21
"""Of a seq, below the milliseconds: tells the names of one instant apart. Of ten names two collide in 1 of 47,000
devices; the later of the two is then kept as a conflict."""
LAST_MS = 2**42 - 1
"""Year 2109: what a signed number of 64 bits leaves for the time."""
MINUTE_MS = 60_000

RATES = {"mm/h": ("mm", 3600.0), "m/h": ("m", 3600.0), "m/s": ("m", 1.0), "l/s": ("L", 1.0), "m3/s": ("m3", 1.0)}
"""Units of a rate: what its sum over seconds is in, and by how much that is to be divided."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def read_senml(
    device_id: str,
    payload: bytes,
    *,
    cbor: bool,
    decoder: Decoder | None,
    quantities: Mapping[str, Quantity],
    received_at: datetime,
) -> list[tuple[Reading, bytes]]:
    """Read a pack: every record is a reading, with the bytes that are kept of it.

    Parameters
    ----------
    device_id : str
        By the topic level. The names in the pack may say more about the device, but not who it is.
    payload : bytes
        As received.
    cbor : bool
        Which of the two forms it has.
    decoder : Decoder or None
        Profile of the device's model, for names that are not the catalogue's.
    quantities : mapping
        The catalogue, by name.
    received_at : datetime
        What relative times count from, to the minute: the same value in the same minute is one reading.

    Returns
    -------
    list of (Reading, bytes)
        In the order of the pack. A pack of one record keeps its bytes as received, each record of a longer one its
        resolved form (RFC 8428, section 4.6), which says the same.

    Raises
    ------
    ContractError
        ``size``, ``utf8``, ``json``, ``cbor``, ``version``, ``schema``, ``clock``, ``unit``, ``quantity``, ``range``,
        ``repeated``.
    """
    minute = (received_at - _EPOCH) // _MILLISECOND // MINUTE_MS * MINUTE_MS
    records = resolve(load_cbor(payload) if cbor else load_json(payload), now=minute / 1000)
    if not records:
        raise ContractError("schema", "a pack without a record that measures anything")
    if len({_place(record.name, decoder, quantities)[0] for record in records}) > 1:
        raise ContractError("schema", "a pack speaks for one device: its names begin alike")
    timed = any(record.ago for record in records)
    readings = [_reading(device_id, record, decoder, quantities, timed=timed) for record in records]
    if len({reading.seq for reading in readings}) != len(readings):
        raise ContractError("repeated", "one name twice at one instant")
    if len(readings) == 1:
        return [(readings[0], payload)]
    return [(reading, record.encoded()) for reading, record in zip(readings, records, strict=True)]


def _reading(
    device_id: str, record: Record, decoder: Decoder | None, quantities: Mapping[str, Quantity], *, timed: bool
) -> Reading:
    _, field = _place(record.name, decoder, quantities)
    value, unit = _value(record, field, quantities)
    measurements: tuple[Measurement, ...] = ()
    volts = None
    if field.quantity == BATTERY:
        volts = battery_v(value, unit)
    else:
        measurements = (brought_to(value, unit, quantities[field.quantity], field.channel),)
    ms = _milliseconds(record.time)
    name = f"{field.quantity} {field.channel}" + ("" if record.ago is None else f" {value!r}")
    return Reading(
        device_id=device_id,
        boot=UNCOUNTED,
        seq=ms << NAME_BITS | _hash(name),
        clock=Clock.RTC if record.ago is None else Clock.NONE,
        up_ms=0,
        observed_at=_EPOCH + ms * _MILLISECOND if record.ago is None or timed else None,
        measurements=measurements,
        battery_v=volts,
        source=Source.SENML,
    )


def _place(name: str, decoder: Decoder | None, quantities: Mapping[str, Quantity]) -> tuple[str, DecodedField]:
    """Part a name into what stands before (the device, in whatever form), and quantity and channel.

    The end, behind ``/`` or ``:``, is a name of the profile or a quantity; or the last part but one is a quantity
    and the last its channel: ``urn:dev:mac:0024befffe804ff1/soil.moisture/d30``.
    """
    for field in decoder.fields if decoder is not None else ():
        if name == field.name or name.endswith((f"/{field.name}", f":{field.name}")):
            return name.removesuffix(field.name), field
    parts = re.split("([:/])", name)
    last = parts[-1]
    if last in quantities or last == BATTERY:
        return "".join(parts[:-1]), DecodedField(name=last, quantity=last, unit="")
    above = parts[-3] if len(parts) > 2 else ""  # noqa: PLR2004 - name, separator, name
    if above in quantities and CHANNEL.fullmatch(last):
        return "".join(parts[:-3]), DecodedField(name=above, quantity=above, unit="", channel=last)
    raise ContractError("quantity", f"{name[:80]!r} ends in no quantity, and no profile names it")


def _value(record: Record, field: DecodedField, quantities: Mapping[str, Quantity]) -> tuple[float, str]:
    """Give value and unit: of a counter its sum where the pack has one, since ``v`` is then the rate."""
    unit = record.unit or field.unit
    if not unit:
        raise ContractError("unit", f"{record.name[:80]!r} has no unit")
    cumulative = field.quantity in quantities and quantities[field.quantity].cumulative
    if record.sum is not None and cumulative:
        if unit not in RATES:
            raise ContractError("unit", f"a sum of {unit!r} over seconds is no {field.quantity}")
        total, seconds = RATES[unit]
        return record.sum / seconds, total
    if isinstance(record.value, bool) or not isinstance(record.value, (int, float)):
        raise ContractError("schema", f"{record.name[:80]!r} has no number as its value")
    return float(record.value), unit


def _milliseconds(seconds: float) -> int:
    ms = round(seconds * 1000)
    if not 0 <= ms <= LAST_MS:
        raise ContractError("clock", f"{seconds:g} s since 1970 is no time of a measurement")
    return ms


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") >> (32 - NAME_BITS)
