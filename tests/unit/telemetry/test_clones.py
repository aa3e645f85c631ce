"""A device that said one thing twice, differently, is named with when and how often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cropcredit.model import Clock, Conflict, Measurement, Reading
from cropcredit.telemetry.clones import Fork, find_forks

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def contradiction(device: str, boot: int, seq: int, at: datetime) -> Conflict:
    def said(value: float) -> Reading:
        measured = (Measurement(quantity="soil.moisture", value=value, channel=""),)
        return Reading(
            device_id=device, boot=boot, seq=seq, clock=Clock.NONE, up_ms=1, observed_at=None, measurements=measured
        )

    return Conflict(said=said(2.0), stands=said(1.0), received_at=at, payload=b"{}")


def test_the_contradictions_of_a_device_are_summed_up():
    found = find_forks(
        [
            contradiction("b", 4, 1, NOON),
            contradiction("a", 3, 8, NOON + 2 * HOUR),
            contradiction("a", 2, 9, NOON),
            contradiction("a", 3, 7, NOON + HOUR),
        ]
    )
    assert found == {
        "a": Fork(device_id="a", count=3, boots=(2, 3), first_at=NOON, last_at=NOON + 2 * HOUR),
        "b": Fork(device_id="b", count=1, boots=(4,), first_at=NOON, last_at=NOON),
    }


def test_where_nothing_contradicts_there_is_no_fork():
    assert find_forks([]) == {}
