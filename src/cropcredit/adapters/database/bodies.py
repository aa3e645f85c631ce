"""How a decoded reading is kept: compact, and the same bytes for the same content."""

from __future__ import annotations

import msgspec

from cropcredit.model import Clock, Measurement, Reading, Source, instant, microseconds


class _Body(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What a message said, without who signed it: a reading re-sent under a newer key is still the same reading."""

    clock: Clock
    up_ms: int
    observed_at: int | None
    measurements: tuple[Measurement, ...]
    battery_v: float | None
    signal_dbm: float | None
    case_open: bool | None
    source: Source = Source.CONTRACT
    """Written for other formats only, so that bodies of contract v1 stay the bytes that they ever were."""


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Body)
read_said = _DECODER.decode
"""Decode the content alone."""


def write_body(reading: Reading) -> bytes:
    """Encode the content of a reading; equal content gives equal bytes."""
    said = (
        reading.clock,
        reading.up_ms,
        None if reading.observed_at is None else microseconds(reading.observed_at),
        [(m.quantity, float(m.value), m.channel) for m in reading.measurements],
        reading.battery_v,
        reading.signal_dbm,
        reading.case_open,
    )
    if reading.source is Source.CONTRACT:
        return _ENCODER.encode(said)
    return _ENCODER.encode((*said, reading.source))


def read_body(body: bytes, device_id: str, boot: int, seq: int, key_id: str) -> Reading:
    """Rebuild the reading that :func:`write_body` encoded."""
    kept = read_said(body)
    return Reading(
        device_id=device_id,
        boot=boot,
        seq=seq,
        clock=kept.clock,
        up_ms=kept.up_ms,
        observed_at=None if kept.observed_at is None else instant(kept.observed_at),
        measurements=kept.measurements,
        battery_v=kept.battery_v,
        signal_dbm=kept.signal_dbm,
        case_open=kept.case_open,
        key_id=key_id,
        source=kept.source,
    )
