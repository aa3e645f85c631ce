"""What the stores keep of readings that no contract counts: SenML (no counter at all) and network servers' sessions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cropcredit.adapters.database.readings import DatabaseReadings
from cropcredit.model import FIRST_SESSION, UNCOUNTED, Clock, DeviceState, Measurement, Reading, Source
from cropcredit.ports import ReadingStore
from tests.fakes import FakeReadings

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture(params=["fake", "sqlite", "postgresql"])
def store(request, make_url, opened) -> ReadingStore:
    return FakeReadings() if request.param == "fake" else DatabaseReadings(opened(make_url(request.param)))


def said(seq: int, *, boot: int = UNCOUNTED, value: float = 21.5, source: Source = Source.SENML) -> Reading:
    warm = Measurement(quantity="soil.temperature", value=value)
    return Reading(
        device_id="a", boot=boot, seq=seq, clock=Clock.NTP, up_ms=0, observed_at=NOON, measurements=(warm,),
        source=source,
    )  # fmt: skip


def keep(store: ReadingStore, *readings: Reading, at: datetime = NOON) -> None:
    store.add([(reading, b"x") for reading in readings], [], received_at=at)


SEQ = 1777636800000 << 21
"""A time of today in milliseconds, above the bits of the name."""


def test_readings_without_a_counter_are_kept_once_and_leave_no_ranges(store):
    keep(store, said(SEQ), said(SEQ + 7))
    keep(store, said(SEQ), said(SEQ + 9), at=NOON + timedelta(hours=1))
    assert [reading for reading, _ in store.readings(["a"])] == [said(SEQ), said(SEQ + 7), said(SEQ + 9)]
    assert store.counts()["conflicts"] == 0
    assert store.spans(["a"]) == {}, "a range for every reading would grow for ever"


def test_another_value_under_the_same_name_and_time_is_a_conflict(store):
    keep(store, said(SEQ))
    keep(store, said(SEQ, value=1.0))
    keep(store, said(SEQ + 1), said(SEQ + 1, value=2.0))
    assert [reading.measurements[0].value for reading, _ in store.readings(["a"])] == [21.5, 21.5]
    assert store.counts()["conflicts"] == 2


def test_a_session_is_no_boot_that_a_device_could_count_on_from(store):
    session = FIRST_SESSION + 0x260BE6BF
    keep(store, said(5, boot=session, source=Source.THINGS_STACK), said(7, boot=session, source=Source.THINGS_STACK))
    assert store.spans(["a"]) == {("a", session): [(5, 5), (7, 7)]}
    assert store.highest_boots(["a"]) == {}
    keep(store, said(1, boot=3, source=Source.CONTRACT))
    store.save_states([DeviceState(device_id="a", online=True, received_at=NOON, boot=2, up_ms=1)])
    assert store.highest_boots(["a"]) == {"a": 3}
