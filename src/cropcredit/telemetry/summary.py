"""What a sensor measured, day by day: smallest, mean and largest value, or the rise of a counter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from cropcredit.model import instant, microseconds
from cropcredit.telemetry.tracks import Course, Floats, Ints, rises
from cropcredit.units import Quantity


@dataclass(frozen=True, slots=True)
class Day:
    """One local day of one quantity."""

    on: date
    count: int
    low: float
    mean: float
    high: float
    rise: float | None = None
    """What a counter gained that day, resets taken into account; None for what is no counter."""


def daily(course: Course, quantity: Quantity, zone: str) -> list[Day]:
    """Sum up samples by local day; a day without samples is absent, never zero.

    Parameters
    ----------
    course : Course
        Values in ``quantity.unit``.
    quantity : Quantity
        Tells whether it is a counter.
    zone : str
        IANA name of the zone whose days count.

    Examples
    --------
    >>> warm = Quantity(name="air.temperature", unit="Cel", low=-60, high=70)
    >>> noon = Course(np.array([3, 13, 17]) * 3_600_000_000, np.array([10.0, 20.0, 4.0]))
    >>> [(str(day.on), day.count, day.low, day.mean, day.high) for day in daily(noon, warm, "Asia/Shanghai")]
    [('1970-01-01', 2, 10.0, 15.0, 20.0), ('1970-01-02', 1, 4.0, 4.0, 4.0)]
    """
    if not len(course.at_us):
        return []
    dates, first = _days(course.at_us, ZoneInfo(zone))
    count = np.diff(first, append=len(course.at_us))
    low, total, high = (part.reduceat(course.values, first) for part in (np.minimum, np.add, np.maximum))
    gained = np.full(len(first), None)
    if quantity.cumulative:
        gained = np.add.reduceat(np.r_[0.0, rises(course.values)], first)
    columns = (count, low, total / count, high, gained)
    return [Day(on, *row) for on, *row in zip(dates, *(column.tolist() for column in columns), strict=True)]


def _days(at_us: Ints, zone: ZoneInfo) -> tuple[list[date], Ints]:
    """Give the local days that have a sample, and the place of the first sample of each."""
    first, last = (instant(int(at_us[end])).astimezone(zone).date() for end in (0, -1))
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    begins = [microseconds(datetime.combine(day, time.min, zone)) for day in days]
    places = np.searchsorted(at_us, begins)
    held = np.diff(places, append=len(at_us)) > 0
    return [day for day, some in zip(days, held, strict=True) if some], places[held]


def rise(before: float, after: float) -> float:
    """Give what a counter gained between two looks; a counter that fell was reset and counted up from zero.

    Examples
    --------
    >>> rise(10.0, 12.5), rise(10.0, 0.5)
    (2.5, 0.5)
    """
    return after - before if after >= before else after


def resets(values: Floats) -> int:
    """Count how often a counter fell.

    Examples
    --------
    >>> resets(np.array([1.0, 5.0, 0.0]))
    1
    """
    return int((np.diff(values) < 0).sum())
