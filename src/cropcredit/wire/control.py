"""``state``, ``ack`` and ``cmd``: what surrounds the readings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from cropcredit.errors import ContractError
from cropcredit.model import Ack, DeviceState
from cropcredit.wire import signature
from cropcredit.wire.strict_json import parse
from cropcredit.wire.telemetry_v1 import LARGEST, MAX_BYTES


class _State(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    online: bool
    v: Literal[1] | None = None
    boot: Annotated[int, Meta(ge=1, le=LARGEST)] | None = None
    up: Annotated[int, Meta(ge=0, le=2**53 - 1)] | None = None
    low: Annotated[int, Meta(ge=1, le=LARGEST + 1)] | None = None
    next: Annotated[int, Meta(ge=1, le=LARGEST + 1)] | None = None
    fw: Annotated[str, Meta(max_length=64)] | None = None
    key: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9._-]{0,32}\Z")] | None = None
    interval: Annotated[int, Meta(ge=1, le=2**53 - 1)] | None = None
    mac: Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")] | None = None


def decode_state(
    device_id: str,
    payload: bytes,
    *,
    keys: Mapping[str, bytes],
    received_at: datetime,
    retained: bool,
    signed_only: bool,
) -> DeviceState:
    """Decode a ``state`` message.

    Parameters
    ----------
    device_id : str
        Topic level.
    payload : bytes
        As received.
    keys : mapping
        The device's valid secrets by key id.
    received_at : datetime
        When it arrived.
    retained : bool
        True for a copy that the broker had kept: its ``up`` says nothing about the present.
    signed_only : bool
        True where the broker does not tie user names to topics: then an unsigned state tells only that somebody says
        the device is there; counters, which could be forged, are left out.

    Raises
    ------
    ContractError
        ``size``, ``utf8``, ``json``, ``schema`` or ``mac``.
    """
    state = _parsed(payload)
    if state.mac is not None:
        signature.check(payload, state.key or "", keys)
    certain = state.mac is not None or not signed_only
    return DeviceState(
        device_id=device_id,
        online=state.online,
        received_at=received_at,
        boot=state.boot if certain else None,
        up_ms=state.up if certain and not retained else None,
        low=state.low if certain else None,
        next_seq=state.next if certain else None,
        firmware=state.fw or "",
        key_id=state.key or "",
        interval_s=state.interval,
    )


def encode_ack(ack: Ack) -> bytes:
    """Encode what the store holds of one boot.

    Examples
    --------
    >>> encode_ack(Ack(device_id="sim-0001", boot=3, upto=1, ranges=((3, 4),), rejected=((2, "range"),)))
    b'{"v":1,"boot":3,"upto":1,"ranges":[[3,4]],"rej":[[2,"range"]]}'
    """
    return msgspec.json.encode({"v": 1, "boot": ack.boot, "upto": ack.upto, "ranges": ack.ranges, "rej": ack.rejected})


def encode_cmd(*, boot: int, version: int = 0, interval_s: int | None = None) -> bytes:
    """Encode the retained desired configuration, with the highest boot seen.

    Examples
    --------
    >>> encode_cmd(boot=3)
    b'{"v":1,"version":0,"boot":3}'
    """
    wish = {} if interval_s is None else {"interval": interval_s}
    return msgspec.json.encode({"v": 1, "version": version, "boot": boot, **wish})


def _parsed(payload: bytes) -> _State:
    if len(payload) > MAX_BYTES:
        raise ContractError("size", f"{len(payload)} bytes, at most {MAX_BYTES} are allowed")
    try:
        said = parse(payload.decode())
        state = msgspec.convert(said, _State)
    except UnicodeDecodeError as error:
        raise ContractError("utf8", f"not UTF-8 at byte {error.start}") from None
    except (msgspec.ValidationError, RecursionError) as error:
        raise ContractError("schema", str(error)) from None
    if None in said.values():
        raise ContractError("schema", "no member of a state is null")
    needed = (state.v, state.boot, state.up, state.low, state.next, state.fw, state.key, state.interval)
    if state.online and None in needed:
        raise ContractError("schema", "a state that is online gives v, boot, up, low, next, fw, key and interval")
    return state
