"""ChirpStack v4: ``application/{application}/device/{devEui}/event/up`` -> Uplink."""

from __future__ import annotations

from typing import Any

import msgspec

from cropcredit.errors import ContractError
from cropcredit.model import Source
from cropcredit.wire import plain_json
from cropcredit.wire.uplinks import Uplink, device_eui, frame, instant, session, strongest


class _Info(msgspec.Struct, rename="camel"):
    dev_eui: str


class _Heard(msgspec.Struct):
    rssi: float | None = None


class _Event(msgspec.Struct, rename="camel"):
    time: str
    device_info: _Info
    dev_addr: str
    f_cnt: int | None = None
    data: str | None = None
    object: dict[str, Any] | None = None
    rx_info: list[_Heard] | None = None


def open_event(eui: str, payload: bytes) -> Uplink:
    """Open an uplink event, protobuf's JSON: 0 and empty are left out, whole numbers of 64 bits are text.

    Parameters
    ----------
    eui : str
        Device level of the topic.
    payload : bytes
        As received.

    Raises
    ------
    ContractError
        ``size``, ``utf8``, ``json``, ``schema``, ``spoof``.
    """
    said = plain_json.load(payload)
    if isinstance(said, dict) and "deviceInfo" not in said and "devEUI" in said:
        raise ContractError("schema", "an event of ChirpStack v3; version 4 is understood")
    try:
        event = msgspec.convert(said, _Event, strict=False)
    except msgspec.ValidationError as error:
        raise ContractError("schema", str(error)) from None
    device_id = device_eui(event.device_info.dev_eui)
    if device_id != eui.lower():
        raise ContractError("spoof", f"an event of {device_id!r} on the topic of {eui!r}")
    return Uplink(
        source=Source.CHIRPSTACK,
        device_id=device_id,
        boot=session(event.dev_addr),
        seq=frame(event.f_cnt or 0),
        observed_at=instant(event.time),
        decoded=event.object or {},
        objects=(),
        framed=bool(event.data),
        signal_dbm=strongest(heard.rssi for heard in event.rx_info or ()),
    )
