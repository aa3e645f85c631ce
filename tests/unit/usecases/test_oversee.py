"""The operator's round: who wants somebody comes first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from cropcredit.model import Device, DeviceState, Refusals
from cropcredit.telemetry import Gap, GapKind
from cropcredit.telemetry.clones import Fork
from cropcredit.usecases.devices import DeviceStatus
from cropcredit.usecases.oversee import Life, OverseeDevices, Round

NOW = datetime(2026, 5, 1, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


class FixedClock:
    def now(self) -> datetime:
        return NOW


def status(
    name: str, *, hours: float | None, keys: tuple[str, ...] = ("k1",), interval_s: int = 3600, **doubts: Any
) -> DeviceStatus:
    seen = None if hours is None else NOW - hours * HOUR
    state = None if seen is None else DeviceState(device_id=name, online=True, received_at=seen, interval_s=interval_s)
    return DeviceStatus(
        device=Device(id=name, known_at=NOW), keys=keys, ending={}, placed=(), state=state, last_seen=seen, **doubts
    )


def gap(name: str, first: int, last: int, kind: GapKind) -> Gap:
    return Gap(device_id=name, boot=1, first=first, last=last, kind=kind)


def overseen(*devices: DeviceStatus, gaps: tuple[Gap, ...] = ()) -> Round:
    oversee = OverseeDevices(
        list_devices=lambda: list(devices),  # type: ignore[arg-type] # only what it asks
        find_gaps=lambda: list(gaps),  # type: ignore[arg-type]
        clock=FixedClock(),
    )
    return oversee()


def test_the_longest_silent_comes_first_then_the_never_heard_then_those_in_time():
    found = overseen(
        status("fine", hours=1),
        status("never", hours=None),
        status("silent", hours=10),
        status("gone", hours=1, keys=()),
        status("longer", hours=99),
    )
    assert [one.device_id for one in found.devices] == ["longer", "silent", "never", "fine", "gone"]
    assert found.lives == {Life.SILENT: 2, Life.REFUSED: 0, Life.NEVER: 1, Life.HEARD: 1, Life.REVOKED: 1}
    assert found.devices[0].silent_since == NOW - 99 * HOUR


def test_a_device_of_which_everything_is_refused_is_not_called_never_heard():
    refused = Refusals(count=3, last_at=NOW)
    found = overseen(
        status("never", hours=None),
        status("mute", hours=None, refused=refused),
        status("partly", hours=1, refused=refused),
    )
    assert [(one.device_id, one.life) for one in found.devices] == [
        ("mute", Life.REFUSED), ("never", Life.NEVER), ("partly", Life.HEARD)
    ]  # fmt: skip


def test_a_device_that_contradicts_itself_comes_before_all_others():
    fork = Fork(device_id="twice", count=1, boots=(1,), first_at=NOW, last_at=NOW)
    found = overseen(status("silent", hours=10), status("twice", hours=1, fork=fork))
    assert ([one.device_id for one in found.devices], found.contradicted) == (["twice", "silent"], 1)


def test_silence_within_the_declared_interval_is_normal():
    assert overseen(status("weekly", hours=100, interval_s=7 * 86_400)).devices[0].life is Life.HEARD


def test_what_may_come_and_what_is_lost_are_counted_apart():
    gaps = (gap("a", 1, 3, GapKind.LOST), gap("a", 7, 7, GapKind.OPEN), gap("a", 9, 9, GapKind.OPEN))
    (one,) = overseen(status("a", hours=1), gaps=gaps).devices
    assert (one.lost_messages, one.open_messages) == (3, 2)
