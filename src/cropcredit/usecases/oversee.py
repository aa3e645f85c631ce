"""The operator's morning round: which devices were heard in time, which want a visit, which messages never came."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cropcredit.ports import Clock
from cropcredit.telemetry import Gap, GapKind, silent_since
from cropcredit.usecases.devices import DeviceStatus, ListDevices
from cropcredit.usecases.telemetry import FindGaps


class Life(StrEnum):
    """How a device is doing, those that want somebody first."""

    SILENT = "silent"
    """Longer than it declared to be normal: a case for maintenance, never a credit event."""
    REFUSED = "refused"
    """Not one of its messages could be taken yet: they lie in quarantine."""
    NEVER = "never"
    """Registered, and not heard yet."""
    HEARD = "heard"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRound:
    """One device as the operator meets it."""

    status: DeviceStatus
    life: Life
    silent_since: datetime | None
    open_messages: int
    """Made by the device, not here, and may still come."""
    lost_messages: int
    """The device has said that it no longer holds them."""

    @property
    def device_id(self) -> str:
        return self.status.device.id

    @property
    def places(self) -> tuple[str, ...]:
        """Fields and stores at which it stands."""
        return tuple(sorted({place.field_id or place.store_id for place in self.status.placed}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """All devices, those that want somebody first."""

    at: datetime
    devices: tuple[DeviceRound, ...]

    @property
    def contradicted(self) -> int:
        """How many devices contradict themselves: their keys may be cloned."""
        return sum(device.status.fork is not None for device in self.devices)

    @property
    def lives(self) -> dict[Life, int]:
        """How many devices are how."""
        counted = Counter(device.life for device in self.devices)
        return {life: counted[life] for life in Life}


@dataclass(frozen=True, slots=True, kw_only=True)
class OverseeDevices:
    """Look over all devices of the workspace."""

    list_devices: ListDevices
    find_gaps: FindGaps
    clock: Clock

    def __call__(self) -> Round:
        """Give the devices: those that contradict themselves first, then the silent, the longest silent at the top."""
        now = self.clock.now()
        missing = _missing(self.find_gaps())
        devices = [_met(status, missing[status.device.id], now) for status in self.list_devices()]
        order = list(Life)
        devices.sort(
            key=lambda one: (
                one.status.fork is None,
                order.index(one.life),
                one.status.last_seen or now,
                one.device_id,
            )
        )
        return Round(at=now, devices=tuple(devices))


def _met(status: DeviceStatus, missing: Counter[GapKind], now: datetime) -> DeviceRound:
    interval_s = status.state.interval_s if status.state else None
    silent = silent_since(status.last_seen, interval_s, now)
    return DeviceRound(
        status=status,
        life=_life(status, silent),
        silent_since=silent,
        open_messages=missing[GapKind.OPEN],
        lost_messages=missing[GapKind.LOST],
    )


def _life(status: DeviceStatus, silent: datetime | None) -> Life:
    if not status.keys:
        return Life.REVOKED
    if status.last_seen is None:
        return Life.NEVER if status.refused is None else Life.REFUSED
    return Life.SILENT if silent else Life.HEARD


def _missing(gaps: Sequence[Gap]) -> defaultdict[str, Counter[GapKind]]:
    counted: defaultdict[str, Counter[GapKind]] = defaultdict(Counter)
    for gap in gaps:
        counted[gap.device_id][gap.kind] += gap.size
    return counted
