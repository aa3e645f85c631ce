"""A frame of a LoRaWAN device, whoever passed it on: what both network servers have in common."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cropcredit.errors import ContractError
from cropcredit.model import FIRST_SESSION, Clock, Reading, Source
from cropcredit.units import Quantity
from cropcredit.wire.decoders import Decoded, Decoder, measure
from cropcredit.wire.normalized import Normalized, normalized

_FIRST_NAMED_SESSION = 2**33
LARGEST_FRAME = 2**32 - 1
"""Frame counters have 32 bits at the server."""
_EUI = re.compile(r"[0-9A-Fa-f]{16}")
_ADDRESS = re.compile(r"[0-9A-Fa-f]{8}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Uplink:
    """One frame, opened: who sent it is known, what it measured is not read yet."""

    source: Source
    device_id: str
    """DevEUI, lower-case hex."""
    boot: int
    """Session."""
    seq: int
    """Frame counter + 1."""
    observed_at: datetime
    """When it was received from the air."""
    decoded: Mapping[str, Any]
    """By the codec, empty where there is none."""
    objects: Sequence[Mapping[str, Any]]
    """Normalized, empty where there is none."""
    framed: bool
    """The frame carried bytes of the application."""
    signal_dbm: float | None = None
    """At the gateway that heard it best."""


def read_uplink(uplink: Uplink, *, decoder: Decoder | None, model: str, quantities: Mapping[str, Quantity]) -> Reading:
    """Read what was measured: by the profile of the device's model, and what it does not name as normalized.

    The profile comes first, since a normalized payload may lack a true zero (codecs ask ``if (value)``) and a decoded
    one does not.

    Raises
    ------
    ContractError
        ``decoder`` when nothing tells what the decoded fields mean; else as :func:`cropcredit.wire.decoders.measure`
        and :func:`cropcredit.wire.normalized.normalized`.
    """
    by_profile = measure(uplink.decoded, decoder, quantities) if decoder is not None and uplink.decoded else None
    by_server = normalized(uplink.objects, quantities) if uplink.objects else None
    if by_profile is None and by_server is None and (uplink.framed or uplink.decoded):
        raise _not_understood(uplink, model)
    if by_profile is None:
        by_profile = Decoded()
    if by_server is None:
        by_server = Normalized((), None, ())
    named = {field.quantity for field in decoder.fields} if decoder is not None and uplink.decoded else set()
    own_time = _one_time(by_server.times)
    others = tuple(m for m in by_server.measurements if m.quantity not in named)
    return Reading(
        device_id=uplink.device_id,
        boot=uplink.boot,
        seq=uplink.seq,
        clock=Clock.NTP if own_time is None else Clock.RTC,
        up_ms=0,
        observed_at=own_time or uplink.observed_at,
        measurements=by_profile.measurements + others,
        battery_v=by_server.battery_v if by_profile.battery_v is None else by_profile.battery_v,
        signal_dbm=uplink.signal_dbm,
        source=uplink.source,
    )


def device_eui(written: str) -> str:
    """Give a DevEUI as device id; raises ContractError ``schema``.

    Examples
    --------
    >>> device_eui("A8404194A1875FF3")
    'a8404194a1875ff3'
    """
    if _EUI.fullmatch(written) is None:
        raise ContractError("schema", f"{written[:40]!r} is no DevEUI of 16 hex digits")
    return written.lower()


def is_device_eui(device_id: str) -> bool:
    """Say whether a device id has the form in which frames name their device.

    Examples
    --------
    >>> is_device_eui("a8404194a1875ff3"), is_device_eui("A8404194A1875FF3"), is_device_eui("probe-1")
    (True, False, False)
    """
    return _EUI.fullmatch(device_id) is not None and device_id == device_id.lower()


def session(address: str, session_key_id: str = "") -> int:
    """Give the number of a session, the same for every copy of a message.

    A join draws a new device address, which stands in every form of the messages; a session key id does not (The
    Things Stack's storage leaves it out), so it counts only where there is no address.

    Examples
    --------
    >>> session("260BE6BF") - FIRST_SESSION == 0x260BE6BF
    True
    """
    if address:
        if _ADDRESS.fullmatch(address) is None:
            raise ContractError("schema", f"{address[:40]!r} is no device address of 8 hex digits")
        return FIRST_SESSION + int(address, 16)
    if not session_key_id:
        raise ContractError("schema", "neither a device address nor a session key id: which session is it?")
    return _FIRST_NAMED_SESSION + int.from_bytes(hashlib.sha256(session_key_id.encode()).digest()[:4], "big")


def frame(counter: int) -> int:
    """Give the seq of a frame counter, which starts at 0 and is left out then; raises ContractError ``schema``."""
    if not 0 <= counter <= LARGEST_FRAME:
        raise ContractError("schema", f"frame counter {counter} is out of bounds")
    return counter + 1


def instant(written: str) -> datetime:
    """Read an RFC 3339 instant since 1970, in UTC; digits below the microsecond are dropped.

    Raises ContractError ``schema`` for anything else.

    Examples
    --------
    >>> instant("2022-07-18T09:34:15.775023242+00:00").isoformat()
    '2022-07-18T09:34:15.775023+00:00'
    """
    try:
        if _INSTANT.fullmatch(written) is None:
            raise ValueError  # noqa: TRY301 - one place words it
        at = datetime.fromisoformat(written).astimezone(UTC)
        if at < _EPOCH:
            raise ValueError  # noqa: TRY301 - likewise
    except (ValueError, OverflowError):
        raise ContractError("schema", f"{written[:40]!r} is no instant since 1970") from None
    return at


def strongest(signals: Iterable[float | None]) -> float | None:
    """Give the best signal, dBm, of those that are; raises ContractError ``schema`` outside -200 … 50."""
    heard = [signal for signal in signals if signal is not None]
    if any(not -200 <= signal <= 50 for signal in heard):  # noqa: PLR2004 - bounds of contract v1
        raise ContractError("schema", "a signal outside -200 … 50 dBm")
    return max(heard, default=None)


def _one_time(times: tuple[str, ...]) -> datetime | None:
    if len(times) > 1:
        raise ContractError("repeated", "one frame with measurements of several instants: cannot be told apart yet")
    return instant(times[0]) if times else None


def _not_understood(uplink: Uplink, model: str) -> ContractError:
    if not uplink.decoded:
        return ContractError("decoder", "the network server has not decoded the frame: give the device a codec there")
    if not model:
        said = f"device {uplink.device_id} has no model: devices add {uplink.device_id} --model MODEL --rotate"
    else:
        said = f"no profile for model {model!r}: describe its fields in decoders.toml of the workspace"
    return ContractError("decoder", f"{said} (fields: {', '.join(sorted(uplink.decoded))[:120]})")
