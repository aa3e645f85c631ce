"""Bytes of telemetry contract v1 as a device writes and reads them."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from firmware_sim.errors import BrokenMessage

ClockSource = Literal["ntp", "rtc", "none"]
Value = tuple[str, str, str]
"""(quantity, value as JSON number text in the catalogue's unit, channel)."""
WILL = b'{"online":false}'
LARGEST_COUNTER = 4294967295


@dataclass(frozen=True, slots=True)
class Key:
    """A signing key: its id and 32 secret bytes (kept out of ``repr``)."""

    kid: str
    secret: bytes

    def __repr__(self) -> str:
        return f"Key({self.kid!r})"

    def mac(self, text: bytes) -> bytes:
        """Sign ``text``: lower-case hex HMAC-SHA256."""
        return hmac.digest(self.secret, text, hashlib.sha256).hex().encode()

    def password(self) -> str:
        """Derive the MQTT password, so that the secret itself never travels."""
        return hmac.digest(self.secret, b"mqtt", hashlib.sha256).hex()


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What one message says, apart from who says it and how it is numbered."""

    clk: ClockSource
    ts: int | None
    """Device time, ms since 1970 UTC; None without a clock."""
    up: int
    """ms since the start of the boot."""
    values: tuple[Value, ...]
    bat: str = ""
    """Battery as number text, V; empty when the device has no gauge."""
    sig: str = ""
    """Signal as number text, dBm."""
    open: bool | None = None

    def encode(self) -> bytes:
        """Write the members from ``ts`` to ``m``, with a leading comma: the part of a message the journal keeps.

        Examples
        --------
        >>> Content(clk="ntp", ts=1, up=2, values=(("soil.moisture", "23.4", "d30"),)).encode()
        b',"ts":1,"clk":"ntp","up":2,"m":[{"q":"soil.moisture","v":23.4,"c":"d30"}]'
        """
        parts = [f',"ts":{self.ts}' if self.ts is not None else "", f',"clk":"{self.clk}","up":{self.up}']
        parts += [f',"bat":{self.bat}' * bool(self.bat), f',"sig":{self.sig}' * bool(self.sig)]
        if self.open is not None:
            parts.append(f',"open":{json.dumps(self.open)}')
        measurements = ",".join(_quantity(q) + v + _channel(c) for q, v, c in self.values)
        return ("".join(parts) + f',"m":[{measurements}]').encode()


@lru_cache(maxsize=4096)
def _quantity(name: str) -> str:
    return f'{{"q":{json.dumps(name)},"v":'


@lru_cache(maxsize=4096)
def _channel(name: str) -> str:
    return f',"c":{json.dumps(name)}}}'


def up_message(boot: int, seq: int, content: bytes, *, key: Key | None, dev: str = "") -> bytes:
    """Compose and sign an ``up`` message around an encoded content.

    Parameters
    ----------
    boot, seq : int
        Number of the message.
    content : bytes
        As written by :meth:`Content.encode`.
    key : Key or None
        Signs; None leaves the message unsigned.
    dev : str
        Device id to name in the payload; empty leaves it to the topic.
    """
    name = b'"dev":%b,' % json.dumps(dev).encode() if dev else b""
    return _signed(b'{"v":1,%b"boot":%d,"seq":%d%b' % (name, boot, seq, content), key, kid=True)


def state_message(
    *, boot: int, up: int, low: int, following: int, firmware: str, key: Key | None, interval: int
) -> bytes:
    """Compose the birth or heartbeat; ``low`` is the oldest seq held, ``following`` the next one (``next``)."""
    facts = {"v": 1, "online": True, "boot": boot, "up": up, "low": low, "next": following, "fw": firmware}
    facts |= {"key": key.kid if key else "", "interval": interval}
    return _signed(json.dumps(facts, separators=(",", ":"))[:-1].encode(), key, kid=False)


def _signed(text: bytes, key: Key | None, *, kid: bool) -> bytes:
    if key is None:
        return text + b"}"
    if kid:
        text += b',"kid":%b' % json.dumps(key.kid).encode()
    return b'%b,"mac":"%b"}' % (text, key.mac(text))


@dataclass(frozen=True, slots=True)
class Ack:
    """What the server says it has settled of one boot."""

    boot: int
    upto: int
    ranges: tuple[tuple[int, int], ...] = ()
    rejected: tuple[tuple[int, str], ...] = ()

    def settles(self, boot: int, seq: int) -> bool:
        """Say whether the device may forget this message."""
        if boot != self.boot:
            return False
        return seq <= self.upto or any(a <= seq <= b for a, b in self.ranges) or any(seq == s for s, _ in self.rejected)


@dataclass(frozen=True, slots=True)
class Command:
    """Desired configuration, and the highest boot the server has seen."""

    version: int
    boot: int
    interval: int | None = None


def read_ack(payload: bytes) -> Ack:
    """Read an acknowledgement; raises BrokenMessage when it breaks the contract."""
    facts = _object(payload)
    try:
        ranges = tuple((_counter(a), _counter(b)) for a, b in facts["ranges"])
        rejected = tuple((_counter(seq), str(reason)) for seq, reason in facts["rej"])
        return Ack(_counter(facts["boot"]), _counter(facts["upto"], low=0), ranges, rejected)
    except (KeyError, TypeError, ValueError) as error:
        raise BrokenMessage(f"an ack of another form: {error!r}") from error


def read_command(payload: bytes) -> Command:
    """Read a ``cmd``; raises BrokenMessage when it breaks the contract."""
    facts = _object(payload)
    interval = facts.get("interval")
    try:
        seconds = None if interval is None else _counter(interval)
        return Command(_counter(facts["version"], low=0), _counter(facts["boot"], low=0), seconds)
    except KeyError as error:
        raise BrokenMessage(f"a cmd without {error}") from error


def _object(payload: bytes) -> dict[str, Any]:
    try:
        facts = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise BrokenMessage(f"not JSON: {error}") from error
    if not isinstance(facts, dict) or facts.get("v") != 1:
        raise BrokenMessage("not an object of version 1")
    return facts


def _counter(value: object, *, low: int = 1) -> int:
    if type(value) is not int or not low <= value <= LARGEST_COUNTER:
        raise BrokenMessage(f"{value!r} is not a counter")
    return value


def number_text(value: float) -> str:
    """Write a number as JSON; raises ValueError for NaN and infinities."""
    return json.dumps(value, allow_nan=False)
