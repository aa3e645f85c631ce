"""The Things Stack v3: ``v3/{application}@{tenant}/devices/{device}/up`` -> Uplink."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from cropcredit.errors import ContractError
from cropcredit.model import Source
from cropcredit.wire import plain_json
from cropcredit.wire.uplinks import Uplink, device_eui, frame, instant, session, strongest

GATEWAY_OFF = timedelta(hours=1)
"""A gateway's clock that differs more from the network server's is wrong: few have a battery, many start in 1970."""


class _Ids(msgspec.Struct):
    device_id: str
    dev_eui: str = ""
    dev_addr: str = ""


class _Heard(msgspec.Struct):
    rssi: float | None = None
    gps_time: str | None = None


class _Settings(msgspec.Struct):
    time: str | None = None


class _Message(msgspec.Struct):
    session_key_id: str = ""
    f_cnt: int | None = None
    frm_payload: str | None = None
    decoded_payload: dict[str, Any] | None = None
    normalized_payload: list[dict[str, Any]] | dict[str, Any] | None = None
    rx_metadata: list[_Heard] | None = None
    settings: _Settings | None = None
    received_at: str | None = None


class _Up(msgspec.Struct):
    end_device_ids: _Ids
    received_at: str
    uplink_message: _Message
    simulated: bool = False


def open_message(device: str, payload: bytes) -> Uplink:
    """Open an uplink message; empty, 0 and false are left out of its JSON.

    Parameters
    ----------
    device : str
        Device level of the topic: The Things Stack's own id of the device, not the DevEUI.
    payload : bytes
        As received.

    Raises
    ------
    ContractError
        ``size``, ``utf8``, ``json``, ``schema``, ``spoof``; ``simulated`` for a message that somebody made up in the
        console.
    """
    told = plain_json.load(payload)
    if isinstance(told, dict) and set(told) == {"result"}:  # as the Storage Integration hands it out
        told = told["result"]
    try:
        said = msgspec.convert(told, _Up, strict=False)
    except msgspec.ValidationError as error:
        raise ContractError("schema", str(error)) from None
    ids, message = said.end_device_ids, said.uplink_message
    if ids.device_id != device:
        raise ContractError("spoof", f"a message of {ids.device_id[:80]!r} on the topic of {device[:80]!r}")
    if said.simulated:
        raise ContractError("simulated", "the network server says that nobody sent this")
    objects = message.normalized_payload or []
    return Uplink(
        source=Source.THINGS_STACK,
        device_id=device_eui(ids.dev_eui),
        boot=session(ids.dev_addr, message.session_key_id),
        seq=frame(message.f_cnt or 0),
        observed_at=_heard_at(said),
        decoded=message.decoded_payload or {},
        objects=[objects] if isinstance(objects, dict) else objects,
        framed=bool(message.frm_payload),
        signal_dbm=strongest(heard.rssi for heard in message.rx_metadata or ()),
    )


def _heard_at(said: _Up) -> datetime:
    """Give the best instant of reception: a gateway's GPS, a gateway's clock while it agrees, the network server's."""
    message = said.uplink_message
    received_at = instant(message.received_at or said.received_at)
    for heard in message.rx_metadata or ():
        if heard.gps_time:
            return instant(heard.gps_time)
    by_gateway = message.settings.time if message.settings is not None else None
    if by_gateway and abs(instant(by_gateway) - received_at) <= GATEWAY_OFF:
        return instant(by_gateway)
    return received_at
