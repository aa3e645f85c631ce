"""One exam for every store of roll-ups: the fake, which looks at everything anew, SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event

from cropcredit.adapters.database.readings import DatabaseReadings
from cropcredit.adapters.database.rollups import DatabaseRollups
from cropcredit.model import Clock, DeviceState, Measurement, Reading, Rejection
from cropcredit.ports import ReadingStore, RollupStore
from cropcredit.telemetry import Messages
from cropcredit.telemetry.rollup import Rollup
from tests.fakes import FakeReadings, FakeRollups, columns_of

MIDNIGHT = datetime(2026, 5, 1, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
EVER = {"since": MIDNIGHT - 1000 * DAY, "until": MIDNIGHT + 1000 * DAY}
INDIA = "Asia/Kolkata"


@dataclass(frozen=True, kw_only=True)
class Store:
    readings: ReadingStore
    make: Callable[[str], RollupStore]

    def says(self, seq: int, minutes: float, value: float, *, late: timedelta = MINUTE, **more: Any) -> None:
        at = MIDNIGHT + minutes * MINUTE
        reading = said(seq, at, value, **more)
        self.readings.add([(reading, b"")], [], received_at=at + late)

    def daily(self, zone: str = "UTC", **more: Any) -> list[Rollup]:
        return self.make(zone).rollups(["a"], **(EVER | more))

    def hourly(self, zone: str = "UTC", **more: Any) -> list[Rollup]:
        return self.daily(zone, hours=1, **more)


def said(seq: int, at: datetime, value: float, *, quantity: str = "weather.rain", **more: Any) -> Reading:
    told: dict[str, Any] = {"device_id": "a", "boot": 1, "clock": Clock.NTP, "up_ms": 0, "observed_at": at}
    measured = (Measurement(quantity=quantity, value=value, channel=""),)
    return Reading(seq=seq, measurements=measured, **(told | more))


@pytest.fixture(params=["fake", "sqlite", "postgresql"])
def store(request, make_url, opened) -> Store:
    if request.param == "fake":
        fake = FakeReadings()
        return Store(readings=fake, make=lambda zone: FakeRollups(fake, zone=zone))
    engine = opened(make_url(request.param))
    return Store(readings=DatabaseReadings(engine), make=lambda zone: DatabaseRollups(engine, zone=zone))


def starts(found: list[Rollup]) -> list[tuple[float, int]]:
    return [((window.start - MIDNIGHT) / HOUR, window.count) for window in found]


def test_an_hour_says_how_many_how_low_how_high_and_what_came_first_and_last(store):
    for seq, (minute, value) in enumerate(((5, 3.0), (20, 1.0), (50, 8.0)), 1):
        store.says(seq, minute, value, quantity="soil.moisture")
    (hour,) = store.hourly()
    assert (hour.start, hour.hours, hour.quantity) == (MIDNIGHT, 1, "soil.moisture")
    assert (hour.count, hour.low, hour.mean, hour.high) == (3, 1.0, 4.0, 8.0)
    assert (hour.first, hour.last) == (3.0, 8.0)


def test_hours_and_days_are_those_of_the_local_clock_half_an_hour_off_or_not(store):
    store.says(1, -31, 1.0)
    store.says(2, -30, 2.0)
    store.says(3, 29, 3.0)
    store.says(4, 30, 4.0)
    assert starts(store.hourly(INDIA)) == [(-1.5, 1), (-0.5, 2), (0.5, 1)]
    assert starts(store.daily(INDIA)) == [(-5.5, 4)]
    store.says(5, 18.5 * 60, 5.0)
    assert starts(store.daily(INDIA)) == [(-5.5, 4), (18.5, 1)]


def test_where_the_clock_is_set_back_the_day_has_25_hours_and_one_of_them_twice(store):
    at = datetime(2026, 10, 24, 22, tzinfo=UTC)  # Berlin: the 25th begins, and ends 25 hours later
    for n in range(26):
        store.says(n + 1, (at + n * HOUR - MIDNIGHT) / MINUTE, float(n))
    assert len(store.hourly("Europe/Berlin")) == 26
    assert [(day.start, day.count) for day in store.daily("Europe/Berlin")] == [(at, 25), (at + 25 * HOUR, 1)]


def test_a_counter_gains_the_same_by_hours_and_by_days_and_over_all(store):
    for seq, (hour, value) in enumerate(((1, 10.0), (2, 12.0), (30, 15.0), (31, 1.0), (55, 4.0)), 1):
        store.says(seq, 60 * hour, value)
    hours, days = store.hourly(), store.daily()
    assert [window.rise for window in hours] == [0.0, 2.0, 3.0, 1.0, 3.0]
    assert [(window.rise, window.resets) for window in days] == [(2.0, 0), (4.0, 1), (3.0, 0)]


def test_a_late_hour_in_the_middle_takes_its_share_from_the_one_after(store):
    store.says(1, 0, 10.0)
    store.says(3, 150, 30.0)
    assert [window.rise for window in store.hourly()] == [0.0, 20.0]
    store.says(2, 70, 15.0, late=9 * DAY)
    assert [window.rise for window in store.hourly()] == [0.0, 5.0, 15.0]


def test_a_window_knows_what_the_counter_showed_before_it(store):
    store.says(1, 0, 10.0)
    store.says(2, 60 * 70, 25.0)
    store.says(3, 60 * 71, 26.0)
    assert [window.rise for window in store.daily(since=MIDNIGHT + 2 * DAY)] == [16.0]
    assert [window.rise for window in store.hourly(since=MIDNIGHT + 71 * HOUR)] == [1.0]


def test_a_roll_up_is_as_it_was_known_then(store):
    store.says(1, 10, 10.0)
    store.says(2, 60 * 30, 20.0)
    store.says(3, 20, 14.0, late=5 * DAY)
    store.says(4, 60 * 31, 21.0, late=5 * DAY)
    then = MIDNIGHT + 3 * DAY
    assert [(day.count, day.rise) for day in store.daily()] == [(2, 4.0), (2, 7.0)]
    assert [(day.count, day.rise) for day in store.daily(known_by=then)] == [(1, 0.0), (1, 10.0)]
    assert [(h.count, h.rise) for h in store.hourly(known_by=then)] == [(1, 0.0), (1, 10.0)]
    assert [day.rise for day in store.daily(known_by=then, since=MIDNIGHT + DAY)] == [10.0]
    assert store.daily(known_by=MIDNIGHT) == []


def test_a_reading_without_a_clock_moves_when_the_start_of_its_boot_is_known(store):
    store.says(1, 60 * 30, 5.0, clock=Clock.NONE, observed_at=None, up_ms=3_600_000)
    store.says(2, 60 * 30 + 1, 6.0)
    assert starts(store.hourly()) == [(30.0, 2)]
    state = DeviceState(device_id="a", online=True, received_at=MIDNIGHT + 31 * HOUR, boot=1, up_ms=30 * 3_600_000)
    store.readings.save_states([state])
    assert starts(store.hourly()) == [(2.0, 1), (30.0, 1)]
    assert starts(store.daily()) == [(0.0, 1), (24.0, 1)]


def test_a_message_that_was_refused_and_comes_right_after_all_is_rolled_up(store):
    broken = Rejection(topic="farm/v1/a/up", payload=b"{}", reason="range", detail="", device_id="a", boot=1, seq=2)
    store.says(1, 0, 10.0)
    store.readings.add([], [broken], received_at=MIDNIGHT)
    assert starts(store.hourly()) == [(0.0, 1)]
    store.says(2, 15, 11.0)
    assert starts(store.hourly()) == [(0.0, 2)]


def test_readings_without_a_measurement_make_no_window_but_are_found_in_theirs(store):
    beat = Reading(device_id="a", boot=1, seq=1, clock=Clock.NTP, up_ms=0, observed_at=MIDNIGHT, measurements=())
    store.readings.add([(beat, b"")], [], received_at=MIDNIGHT)
    assert store.hourly() == []
    assert [r.seq for r, _ in store.readings.readings(["a"], since=MIDNIGHT, until=MIDNIGHT + HOUR)] == [1]


def test_a_workspace_that_moves_to_another_zone_gets_the_hours_of_that_zone(store):
    store.says(1, 10, 1.0)
    store.says(2, 40, 2.0)
    assert starts(store.hourly("UTC")) == [(0.0, 2)]
    assert starts(store.hourly(INDIA)) == [(-0.5, 1), (0.5, 1)]
    assert starts(store.daily(INDIA)) == [(-5.5, 2)]


def test_what_lacks_something_is_named_until_it_is_brought_up_to_date(database_url, opened):
    engine = opened(database_url)
    store = Store(readings=DatabaseReadings(engine), make=lambda zone: DatabaseRollups(engine, zone=zone))
    rollups = store.make("UTC")
    assert rollups.stale() == []
    store.says(1, 0, 1.0)
    store.says(1, 0, 1.0, device_id="b")
    assert rollups.stale() == ["a", "b"]
    finished: list[int] = []
    assert rollups.refresh(["a", "b"], done=finished.append) == 2
    assert (rollups.stale(), finished) == ([], [2])
    store.says(2, 1, 1.0)
    assert rollups.stale() == ["a"]
    assert DatabaseRollups(engine, zone=INDIA).stale() == ["a", "b"]


def test_two_that_roll_up_at_once_do_not_undo_each_other(database_url, opened):
    engine = opened(database_url)
    store = Store(readings=DatabaseReadings(engine), make=lambda zone: DatabaseRollups(engine, zone=zone))
    slow, quick = DatabaseRollups(engine, zone="UTC"), DatabaseRollups(engine, zone="UTC")
    store.says(1, 0, 1.0)
    passes = slow._passes({1: "a"})
    store.says(2, 1, 2.0)
    quick.refresh(["a"])
    assert slow._write(passes) == 0, "computed from less than is rolled up by now"
    assert [(hour.count, hour.last) for hour in quick.rollups(["a"], hours=1, **EVER)] == [(2, 2.0)]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.lists(st.integers(0, 39), min_size=1, max_size=8)),
        st.tuples(st.just("refuse"), st.integers(0, 39)),
        st.tuples(st.just("state"), st.tuples(st.integers(1, 2), st.integers(0, 4000))),
        st.tuples(st.just("look"), st.none()),
        st.tuples(st.just("die"), st.integers(0, 12)),
    ),
    min_size=1,
    max_size=14,
)
"""Deliveries in any order and any batches, refusals, states that date boots, refreshes, and deaths at any statement."""


def scene(number: int, device: str) -> tuple[Reading, datetime]:
    """Give one reading of forty over four days, on two boots; every fifth without a clock, some with a wrong one."""
    at = MIDNIGHT + number * 137 * MINUTE
    clock = Clock.NONE if number % 5 == 0 else Clock.NTP
    claim = None if clock is Clock.NONE else at + (900 * DAY if number % 11 == 3 else 0 * DAY)
    reading = Reading(
        device_id=device,
        boot=1 + number % 2,
        seq=1 + number // 2,
        clock=clock,
        up_ms=number * 137 * 60_000,
        observed_at=claim,
        measurements=(
            Measurement(quantity="weather.rain", value=number * 0.25 % 3, channel=""),
            Measurement(quantity="soil.moisture", value=20 + number % 7 / 4, channel=f"d{number % 3}"),
        )[: number % 4],
    )
    return reading, at + (number % 3) * HOUR


class Died(Exception):
    """What a killed process would not even raise."""


def assert_same(found: Messages, expected: Messages) -> None:
    for column in fields(Messages):
        np.testing.assert_equal(getattr(found, column.name), getattr(expected, column.name), column.name)


class Twin:
    """One device in the real store and in the fake."""

    def __init__(self, engine: Engine, device: str) -> None:
        self.engine, self.device = engine, device
        self.real, self.fake = DatabaseReadings(engine), FakeReadings()
        self.rollups, self.truth = DatabaseRollups(engine, zone=INDIA), FakeRollups(self.fake, zone=INDIA)

    def say(self, numbers: list[int]) -> None:
        told = [scene(number, self.device) for number in numbers]
        for store in (self.real, self.fake):
            store.add([(reading, b"") for reading, _ in told], [], received_at=max(at for _, at in told))

    def refuse(self, number: int) -> None:
        reading, at = scene(number, self.device)
        named: Any = {"device_id": self.device, "boot": reading.boot, "seq": reading.seq}
        refusal = Rejection(topic="t", payload=self.device.encode(), reason="range", detail="", **named)
        for store in (self.real, self.fake):
            store.add([], [refusal], received_at=at)

    def state(self, boot_and_minute: tuple[int, int]) -> None:
        boot, minute = boot_and_minute
        at = MIDNIGHT + minute * MINUTE
        state = DeviceState(device_id=self.device, online=True, received_at=at, boot=boot, up_ms=60_000)
        for store in (self.real, self.fake):
            store.save_states([state])

    def look(self, _: None) -> None:
        self.rollups.refresh([self.device])

    def die(self, statements: int) -> None:
        with dying(self.engine, after=statements):
            self.rollups.refresh([self.device])

    def check(self) -> None:
        for window in ({}, {"since": MIDNIGHT + DAY}, {"known_by": MIDNIGHT + 2 * DAY}):
            asked: Any = EVER | window
            for hours in (1, 24):
                found = self.rollups.rollups([self.device], hours=hours, **asked)
                assert found == self.truth.rollups([self.device], hours=hours, **asked)
        asked = {"since": MIDNIGHT + 7 * HOUR, "until": MIDNIGHT + 50 * HOUR, "known_by": MIDNIGHT + 60 * HOUR}
        kept = list(self.fake.readings([self.device], **asked))
        assert list(self.real.readings([self.device], **asked)) == kept
        assert_same(self.real.messages([self.device], **asked)[self.device], columns_of(kept))
        assert self.real.latest([self.device]) == self.fake.latest([self.device])
        assert self.device not in self.rollups.stale()


def test_any_order_any_batches_any_death_give_what_all_readings_at_once_give(database_url, opened):
    engine, devices = opened(database_url), iter(range(10_000))
    examples = 40 if engine.dialect.name == "sqlite" else 10

    @settings(max_examples=examples, deadline=None, database=None, derandomize=True)
    @given(STEPS)
    def holds(steps) -> None:
        twin = Twin(engine, f"d{next(devices)}")
        for step, what in steps:
            getattr(twin, step)(what)
        twin.check()

    holds()


class dying:  # noqa: N801 - reads as a word
    """Let the process die at the nth statement of a writing transaction: what was begun is rolled back."""

    def __init__(self, engine: Engine, *, after: int) -> None:
        self._engine, self._left = engine, after

    def _strike(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.lstrip()[:6].upper() in ("INSERT", "UPDATE", "DELETE"):
            if self._left <= 0:
                raise Died
            self._left -= 1

    def __enter__(self) -> None:
        event.listen(self._engine, "before_cursor_execute", self._strike)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        event.remove(self._engine, "before_cursor_execute", self._strike)
        return kind is Died
