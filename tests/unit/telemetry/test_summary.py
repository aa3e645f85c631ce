"""Days of a sensor, checked by head."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cropcredit.telemetry import Course, daily
from cropcredit.units import Quantity
from tests.courses import course_of

MIDNIGHT = datetime(2026, 5, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
RAIN = Quantity(name="weather.rain", unit="mm", low=0, high=1e6, cumulative=True)
AIR = Quantity(name="air.temperature", unit="Cel", low=-60, high=70)


def at(*pairs: tuple[int, float]) -> Course:
    return course_of([(MIDNIGHT + hour * HOUR, value) for hour, value in pairs])


def test_rain_is_what_the_counter_gained_also_across_a_reset_and_midnight():
    days = daily(at((1, 10.0), (9, 12.0), (23, 12.5), (25, 13.5), (30, 0.5), (40, 2.0)), RAIN, "UTC")
    assert [(day.on.day, day.rise) for day in days] == [(1, 2.5), (2, 3.0)]


def test_the_first_look_at_a_counter_is_no_rain():
    assert [day.rise for day in daily(at((1, 800.0)), RAIN, "UTC")] == [0.0]


def test_a_day_without_a_value_is_absent_and_never_zero():
    days = daily(at((1, 0.0), (49, 5.0)), AIR, "UTC")
    assert [(day.on.day, day.count, day.mean, day.rise) for day in days] == [(1, 1, 0.0, None), (3, 1, 5.0, None)]


def test_nothing_measured_gives_no_day():
    assert daily(at(), AIR, "UTC") == []
