"""Devices, where they stand, and what they said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

import msgspec

from cropcredit.model.records import Record

UNCOUNTED = 0
"""Boot of readings that no counter numbers: no gaps, nothing settled, nothing to acknowledge."""
FIRST_SESSION = 2**32
"""Boots from here on are sessions at a network server: their numbers tell them apart, and do not order them."""


class Clock(StrEnum):
    """Where the device's time came from."""

    NTP = "ntp"
    RTC = "rtc"
    NONE = "none"


class Source(StrEnum):
    """How a reading reached us, and with that what its safe arrival rests on."""

    CONTRACT = "v1"
    """Telemetry contract v1: kept by the device until the store acknowledged it."""
    CHIRPSTACK = "chirpstack"
    """A ChirpStack v4 network server; like the next two broker-durable: nobody sends again what a broker lost."""
    THINGS_STACK = "things_stack"
    """A network server of The Things Stack v3."""
    SENML = "senml"
    """SenML (RFC 8428) on our own broker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device(Record):
    """A registered device; its secret key stays in the credential store."""

    model: str = ""
    revoked_at: datetime | None = None
    synthetic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCertificate:
    """A certificate in a device's name with its private key, both PEM; the key is never shown."""

    certificate: str
    key: str

    def __repr__(self) -> str:
        return "DeviceCertificate(key=…)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation(Record):
    """A device's channel at a field or store, from when to when: the only way a reading reaches a field."""

    KEYS: ClassVar[tuple[str, ...]] = ("device_id", "field_id", "store_id")

    device_id: str
    channel: str
    """Channel of the reading; ``*`` covers all channels of the device."""
    from_at: datetime
    to_at: datetime | None = None
    field_id: str = ""
    store_id: str = ""
    depth_cm: float | None = None
    calibration_version: str = ""
    soil_texture: str = ""
    soil_moisture_kind: str = ""
    """``volumetric`` (% of volume), ``saturation`` (% of pore space) or ``tension`` (kPa)."""
    installer: str = ""

    def covers(self, channel: str, at: datetime) -> bool:
        """Say whether a reading of that channel at that instant belongs here."""
        stands = self.from_at <= at and (self.to_at is None or at < self.to_at)
        return stands and self.channel in ("*", channel)


class Measurement(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One value of one quantity on one channel; a struct, since ingest makes tens of thousands of them a second."""

    quantity: str
    """Name in the quantity catalogue."""
    value: float
    """In the catalogue's unit of the quantity."""
    channel: str = ""
    """Never null: ``""``, ``d30`` for depth 30 cm, ``p2`` for probe 2."""


class Reading(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One decoded message; identified by (device, boot, seq, quantity, channel)."""

    device_id: str
    boot: int
    """Monotone per restart; 0: not counted; from :data:`FIRST_SESSION` on: a session at a network server."""
    seq: int
    """Monotone per boot, from 1; where nothing is counted, made of time and name."""
    clock: Clock
    up_ms: int
    """Milliseconds since boot."""
    observed_at: datetime | None
    """The device's own time, UTC; None when it has no clock."""
    measurements: tuple[Measurement, ...]
    battery_v: float | None = None
    signal_dbm: float | None = None
    case_open: bool | None = None
    key_id: str = ""
    """Key whose HMAC was checked; empty when the message carried none."""
    source: Source = Source.CONTRACT
    """Through which door it came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A message that went to quarantine, and why."""

    topic: str
    payload: bytes
    reason: str
    """Short code of the contract: ``json``, ``schema``, ``quantity``, ``range``, ``spoof``, ``mac``, ``revoked`` …"""
    detail: str
    device_id: str = ""
    boot: int | None = None
    """Where the broken message still said which one it was, so that the device can be told to drop it."""
    seq: int | None = None


PASSED = "passed"
"""Outcome of a replay: the message is stored as a reading, or was already, or is kept as a conflict."""
TOLD_ANEW = "state"
"""Outcome of a replay: none, the device tells its state every ten minutes, and an old one would hide the new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """One refused message as it is kept: equal ones, refused for the same reason, are one."""

    number: int
    """Grows in the order of first arrival."""
    rejection: Rejection
    first_at: datetime
    last_at: datetime
    times: int
    """How often it arrived."""
    tied: bool
    """The broker tied user names to topics when it first arrived, so it was certain who sent it."""
    replayed_at: datetime | None = None
    """When it was last tried again."""
    outcome: str = ""
    """Of that: PASSED, TOLD_ANEW, or the reason it was refused for then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusals:
    """Messages of one device that were refused and never passed."""

    count: int
    last_at: datetime
    """When the last of them arrived."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A message that said something else under an identity that was stored already; what was stored first stands."""

    said: Reading
    stands: Reading
    received_at: datetime
    payload: bytes
    """As received, of what was ``said``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What a batch brought to the store."""

    stored: Mapping[str, int]
    """Readings that were new, by device."""
    repeated: int = 0
    """Readings that were stored before, or stood in the batch twice."""
    conflicts: Mapping[str, int] = field(default_factory=dict)
    """Readings under an identity that is taken, with other content, by device."""


class Ack(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the store holds of one boot of one device: everything the device may forget."""

    device_id: str
    boot: int
    upto: int
    """Contiguous high-water mark: every seq from 1 (or the device's ``low``) to this one is settled."""
    ranges: tuple[tuple[int, int], ...] = ()
    """Settled ranges beyond ``upto``, inclusive, ascending."""
    rejected: tuple[tuple[int, str], ...] = ()
    """(seq, reason) of poison readings: settled, never to be sent again."""


@dataclass(frozen=True, slots=True)
class Boot:
    """What a device's states told about one of its boots."""

    low: int = 1
    """Oldest seq still held: below it nothing will come any more."""
    started_at: datetime | None = None
    """When it started, by the server's clock: dates the readings of a device without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceState:
    """The retained ``/state`` message: birth, 10-minute heartbeat and last will."""

    device_id: str
    online: bool
    received_at: datetime
    boot: int | None = None
    up_ms: int | None = None
    low: int | None = None
    """Oldest seq still held by the device; what is missing below it is lost on the device."""
    next_seq: int | None = None
    firmware: str = ""
    key_id: str = ""
    interval_s: int | None = None
    """Seconds between readings: longer silence than this is not normal."""


def is_contract_boot(boot: int) -> bool:
    """Say whether a device of contract v1 counts this boot: only such a device is told what the store holds."""
    return UNCOUNTED < boot < FIRST_SESSION
