"""What a sensor measured, day by day: smallest, mean and largest value, or the rise of a counter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from statistics import fmean
from zoneinfo import ZoneInfo

from cropcredit.units import Quantity

Sample = tuple[datetime, float]
"""(instant, value in the quantity's unit)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One local day of one quantity."""

    on: date
    count: int
    low: float
    mean: float
    high: float
    rise: float | None = None
    """What a counter gained that day, resets taken into account; None for what is no counter."""


def daily(samples: Sequence[Sample], quantity: Quantity, zone: str) -> list[Day]:
    """Sum up samples by local day; a day without samples is absent, never zero.

    Parameters
    ----------
    samples : sequence of (datetime, float)
        In the order of measurement, aware; values in ``quantity.unit``.
    quantity : Quantity
        Tells whether it is a counter.
    zone : str
        IANA name of the zone whose days count.

    Examples
    --------
    >>> from datetime import UTC
    >>> warm = Quantity(name="air.temperature", unit="Cel", low=-60, high=70)
    >>> hours = [(datetime(2026, 5, 1, hour, tzinfo=UTC), value) for hour, value in ((3, 10.0), (13, 20.0), (17, 4.0))]
    >>> [(str(day.on), day.count, day.low, day.mean, day.high) for day in daily(hours, warm, "Asia/Shanghai")]
    [('2026-05-01', 2, 10.0, 15.0, 20.0), ('2026-05-02', 1, 4.0, 4.0, 4.0)]
    """
    dates = _dates([at for at, _ in samples], ZoneInfo(zone))
    values: defaultdict[date, list[float]] = defaultdict(list)
    for on, (_, value) in zip(dates, samples, strict=True):
        values[on].append(value)
    gained: defaultdict[date, float] = defaultdict(float)
    if quantity.cumulative:
        for on, ((_, before), (_, value)) in zip(dates[1:], pairwise(samples), strict=True):
            gained[on] += rise(before, value)
    return [
        Day(
            on=on,
            count=len(found),
            low=min(found),
            mean=fmean(found),
            high=max(found),
            rise=gained[on] if quantity.cumulative else None,
        )
        for on, found in sorted(values.items())
    ]


def _dates(instants: Sequence[datetime], zone: ZoneInfo) -> list[date]:
    """Give the local date of each instant; the zone is asked once for those that share one."""
    found: list[date] = []
    begins = ends = datetime.min.replace(tzinfo=UTC)
    on = date.min
    for at in instants:
        if not begins <= at < ends:
            on = at.astimezone(zone).date()
            begins, ends = (
                datetime.combine(day, time.min, zone).astimezone(UTC) for day in (on, on + timedelta(days=1))
            )
        found.append(on)
    return found


def rise(before: float, after: float) -> float:
    """Give what a counter gained between two looks; a counter that fell was reset and counted up from zero.

    Examples
    --------
    >>> rise(10.0, 12.5), rise(10.0, 0.5)
    (2.5, 0.5)
    """
    return after - before if after >= before else after


def resets(samples: Iterable[Sample]) -> int:
    """Count how often a counter fell.

    Examples
    --------
    >>> noon = datetime(2026, 5, 1, 12)
    >>> resets([(noon, 1.0), (noon, 5.0), (noon, 0.0)])
    1
    """
    return sum(after < before for (_, before), (_, after) in pairwise(samples))
