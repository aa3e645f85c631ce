"""``up`` messages: bytes -> Reading, or the one reason why not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from cropcredit.errors import ContractError
from cropcredit.model import Clock, Measurement, Reading, Rejection
from cropcredit.units import Quantity
from cropcredit.wire import signature
from cropcredit.wire.strict_json import parse

MAX_BYTES = 8192
"""Longest message."""
LARGEST = 2**32 - 1
"""Largest ``boot`` and ``seq``."""
DEEPEST_NAMED = 8
"""Levels of nesting up to which a refused message may still name its boot and seq."""
SETTLING = frozenset({"schema", "clock", "quantity", "range", "repeated"})
"""Reasons for which the same message would be refused for ever: its seq is settled, so the device may drop it."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

_Counter = Annotated[int, Meta(ge=1, le=LARGEST)]


_QUANTITY = re.compile(r"[a-z]+(\.[A-Za-z0-9]+)+")
_CHANNEL = re.compile(r"[A-Za-z0-9._-]*")


class _Measured(msgspec.Struct, forbid_unknown_fields=True, frozen=True, gc=False):
    q: Annotated[str, Meta(max_length=64)]
    v: float
    c: Annotated[str, Meta(max_length=16)]


class _Message(msgspec.Struct, forbid_unknown_fields=True, frozen=True, gc=False):
    v: Literal[1]
    boot: _Counter
    seq: _Counter
    clk: Clock
    up: Annotated[int, Meta(ge=0, le=2**53 - 1)]
    m: Annotated[list[_Measured], Meta(max_length=64)]
    dev: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")] | UnsetType = UNSET
    ts: Annotated[int, Meta(ge=0, le=253402300799999)] | UnsetType = UNSET
    bat: Annotated[float, Meta(ge=0, le=100)] | UnsetType = UNSET
    sig: Annotated[float, Meta(ge=-200, le=50)] | UnsetType = UNSET
    open: bool | UnsetType = UNSET
    kid: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9._-]{1,32}\Z")] | UnsetType = UNSET
    mac: Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")] | UnsetType = UNSET


_DECODER = msgspec.json.Decoder(_Message)
_FIXED_QUOTES = 2 * 6 + 2
"""Six member names that always stand, and the text of ``clk``."""
_QUOTES_PER_MEASUREMENT = 2 * 3 + 2 * 2


def receive(
    device_id: str,
    topic: str,
    payload: bytes,
    *,
    keys: Mapping[str, bytes],
    quantities: Mapping[str, Quantity],
    signed_only: bool,
) -> Reading | Rejection:
    """Turn a message of a known device into a reading, or into a rejection that says why.

    Parameters
    ----------
    device_id, topic : str
        Who speaks, by the topic level, and the whole topic.
    payload : bytes
        As received.
    keys : mapping
        The device's valid secrets by key id.
    quantities : mapping
        The catalogue, by name.
    signed_only : bool
        True where the broker does not tie user names to topics: then only a signature says who spoke.
    """
    try:
        return decode(device_id, payload, keys=keys, quantities=quantities, signed_only=signed_only)
    except ContractError as error:
        return refuse(device_id, topic, payload, error, keys=keys, signed_only=signed_only)


def decode(
    device_id: str,
    payload: bytes,
    *,
    keys: Mapping[str, bytes],
    quantities: Mapping[str, Quantity],
    signed_only: bool = False,
) -> Reading:
    """Decode one ``up`` message; see :func:`receive`.

    Raises
    ------
    ContractError
        With the first reason of the contract's table that applies.
    """
    message = _message(payload)
    if (message.ts is UNSET) != (message.clk is Clock.NONE):
        raise ContractError("clock", f"ts and clk {message.clk.value!r} contradict each other")
    if message.dev is not UNSET and message.dev != device_id:
        raise ContractError("spoof", f"a message of {message.dev!r} on the topic of {device_id!r}")
    if message.mac is not UNSET:
        signature.check(payload, str(message.kid), keys)
    elif signed_only:
        raise ContractError("unsigned", "no signature, and this broker does not tell who speaks")
    return Reading(
        device_id=device_id,
        boot=message.boot,
        seq=message.seq,
        clock=message.clk,
        up_ms=message.up,
        observed_at=None if message.ts is UNSET else _EPOCH + message.ts * _MILLISECOND,
        measurements=_measurements(message.m, quantities),
        battery_v=_given(message.bat),
        signal_dbm=_given(message.sig),
        case_open=_given(message.open),
        key_id="" if message.kid is UNSET else message.kid,
    )


def refuse(
    device_id: str,
    topic: str,
    payload: bytes,
    error: ContractError,
    *,
    keys: Mapping[str, bytes],
    signed_only: bool,
) -> Rejection:
    """Word a rejection; it names boot and seq only where the device may be told to drop the message.

    That needs a reason that will stand for ever, and certainty about who spoke: a forger must not be able to make a
    device forget a reading.
    """
    boot = seq = None
    if error.reason in SETTLING:
        said = _members(payload)
        if _counts(said.get("boot")) and _counts(said.get("seq")) and (not signed_only or _signed(payload, said, keys)):
            boot, seq = said["boot"], said["seq"]
    return Rejection(
        topic=topic, payload=payload, reason=error.reason, detail=error.detail, device_id=device_id, boot=boot, seq=seq
    )


def _message(payload: bytes) -> _Message:
    if len(payload) > MAX_BYTES:
        raise ContractError("size", f"{len(payload)} bytes, at most {MAX_BYTES} are allowed")
    try:
        text = payload.decode()
    except UnicodeDecodeError as error:
        raise ContractError("utf8", f"not UTF-8 at byte {error.start}") from None
    try:
        message = _DECODER.decode(payload)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise _diagnosis(text, str(error)) from None
    for one in message.m:
        if not _well_named(one.q, one.c):
            raise _diagnosis(text, f"{one.q!r} on channel {one.c!r} has not the form of quantity and channel")
    if payload.count(b'"') != _quotes(message):
        parse(text)  # raises for a repeated member, the only way to a surplus
    if (message.kid is UNSET) != (message.mac is UNSET):
        raise ContractError("schema", "kid and mac stand together or not at all")
    return message


def _diagnosis(text: str, detail: str) -> ContractError:
    """Tell broken JSON, another version and a broken schema apart, in the contract's order."""
    try:
        said = parse(text)
    except ContractError as error:
        return error
    version = said.get("v") if isinstance(said, dict) else None
    if isinstance(version, int) and not isinstance(version, bool) and version != 1:
        return ContractError("version", "a version other than 1")
    return ContractError("schema", detail)


def _quotes(message: _Message) -> int:
    """Count the quotation marks that the decoded members explain: valid strings hold none."""
    names = (message.ts, message.bat, message.sig, message.open)
    texts = (message.dev, message.kid, message.mac)
    optional = 2 * (len(names) - names.count(UNSET)) + 4 * (len(texts) - texts.count(UNSET))
    return _FIXED_QUOTES + optional + _QUOTES_PER_MEASUREMENT * len(message.m)


@lru_cache(maxsize=1024)
def _well_named(quantity: str, channel: str) -> bool:
    """Say whether both have their form; asked of the same few names for ever, so the answers are kept."""
    return _QUANTITY.fullmatch(quantity) is not None and _CHANNEL.fullmatch(channel) is not None


def _measurements(measured: Sequence[_Measured], quantities: Mapping[str, Quantity]) -> tuple[Measurement, ...]:
    taken = [Measurement(one.q, one.v, one.c) for one in measured if one.q in quantities]
    if len(taken) != len(measured):
        unknown = next(one.q for one in measured if one.q not in quantities)
        raise ContractError("quantity", f"unknown quantity {unknown!r}")
    for one in taken:
        quantity = quantities[one.quantity]
        if not quantity.low <= one.value <= quantity.high:
            raise ContractError(
                "range", f"{one.quantity} {one.value:g} outside {quantity.low:g} … {quantity.high:g} {quantity.unit}"
            )
    if len({(one.quantity, one.channel) for one in taken}) != len(taken):
        raise ContractError("repeated", "one quantity twice on one channel")
    return tuple(taken)


def _members(payload: bytes) -> dict[str, Any]:
    try:
        said = parse(payload.decode(), deepest=DEEPEST_NAMED)
    except (UnicodeDecodeError, ContractError):
        return {}
    return said if isinstance(said, dict) else {}


def _counts(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= LARGEST


def _signed(payload: bytes, said: Mapping[str, Any], keys: Mapping[str, bytes]) -> bool:
    try:
        signature.check(payload, str(said.get("kid", "")), keys)
    except ContractError:
        return False
    return True


def _given(value: Any) -> Any:
    return None if value is UNSET else value
