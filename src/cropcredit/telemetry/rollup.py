"""What was measured in each hour and each day of the local clock: windows that add up, whatever the order of arrival.

A window depends on nothing but the samples that lie in it; what a counter gained between two windows is added when they
are read. So late samples change their own windows only, hours make days, and days make the total.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from cropcredit.model import instant, microseconds
from cropcredit.telemetry.summary import rise

BEHIND = timedelta(days=400)
"""A reading that claims to have been measured longer before it arrived comes from a clock that was reset."""
HOUR_US = 3_600_000_000
QUARTER_US = HOUR_US // 4
"""Clocks of the world differ from UTC by whole quarters of an hour."""

K = TypeVar("K", bound=Hashable)


class Window(NamedTuple):
    """What one channel measured in one window; values in the quantity's unit, samples in order of measurement."""

    samples: int
    low: float
    total: float
    high: float
    first: float
    last: float
    rise: float
    """What a counter gained from ``first`` to ``last``, resets taken into account."""
    resets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollup:
    """One hour or day of one channel of one device; a window without samples has none."""

    device_id: str
    quantity: str
    channel: str
    start: datetime
    """First instant of the local hour or day, UTC."""
    hours: int
    """1 or 24: an hour, or a day of the local clock (which has 23 or 25 hours where the clock is changed)."""
    count: int
    low: float
    mean: float
    high: float
    first: float
    last: float
    rise: float
    """What a counter gained from the last sample before the window to the last one in it; no meaning for others."""
    resets: int
    """How often the counter started again, likewise."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Columns of equal length, one row per measured value, in any order."""

    series: NDArray[np.int64]
    """Number of the (quantity, channel)."""
    hour: NDArray[np.int64]
    """Start of the window, us since 1970."""
    order: NDArray[np.int64]
    """(instant in us, boot, seq), shape (3, n): the order of measurement."""
    value: NDArray[np.float64]


class LocalHours:
    """Hours and days of the clock in one zone; instants are whole microseconds since 1970, UTC.

    Where the zone is half an hour off, so are its hours: they make up local days exactly.

    Examples
    --------
    >>> india = LocalHours("Asia/Kolkata")
    >>> starts = india.hours(np.array([0, 1_800_000_000 - 1, 1_800_000_000]))
    >>> [int(start) // 60_000_000 for start in starts]
    [-30, -30, 30]
    >>> india.day(0) // 60_000_000
    -330
    """

    def __init__(self, zone: str) -> None:
        self.zone = zone
        self._info = ZoneInfo(zone)
        self._offsets: dict[int, int] = {}

    def hours(self, at: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give the start of the local hour of each instant, shape as ``at``."""
        quarters, where = np.unique(at // QUARTER_US, return_inverse=True)
        offset = np.array([self._offset(quarter) for quarter in quarters.tolist()], np.int64)[where]
        local = at + offset
        return np.asarray(local - local % HOUR_US - offset, np.int64)

    def hours_of(self, at: Mapping[K, int]) -> dict[K, int]:
        """Give the start of the local hour of each named instant."""
        starts = self.hours(np.fromiter(at.values(), np.int64, len(at)))
        return dict(zip(at, starts.tolist(), strict=True))

    def day(self, at: int) -> int:
        """Give the start of the local day of an instant."""
        return self._midnight(self._date(at))

    def next_day(self, at: int) -> int:
        """Give the start of the local day after that of an instant."""
        return self._midnight(self._date(at) + timedelta(days=1))

    def _date(self, at: int) -> date:
        return instant(at).astimezone(self._info).date()

    def _midnight(self, on: date) -> int:
        midnight = datetime(on.year, on.month, on.day, tzinfo=self._info)
        return microseconds(midnight)

    def _offset(self, quarter: int) -> int:
        if quarter not in self._offsets:
            at = instant(quarter * QUARTER_US)
            offset = at.astimezone(self._info).utcoffset() or timedelta(0)
            self._offsets[quarter] = offset // timedelta(microseconds=1)
        return self._offsets[quarter]


def windows(samples: Samples) -> dict[tuple[int, int], Window]:
    """Sum up samples by (hour, series).

    Examples
    --------
    >>> order = np.array([[0, 60, 120], [1, 1, 1], [1, 2, 3]])
    >>> same = np.zeros(3, np.int64)
    >>> windows(Samples(same, same, order, np.array([2.0, 5.0, 1.0])))[0, 0]
    Window(samples=3, low=1.0, total=8.0, high=5.0, first=2.0, last=1.0, rise=4.0, resets=1)
    """
    if not samples.value.size:
        return {}
    at, boot, seq = samples.order
    ranked = np.lexsort((seq, boot, at, samples.series, samples.hour))
    hour, series, value = samples.hour[ranked], samples.series[ranked], samples.value[ranked]
    new = np.ones(value.size, np.bool_)
    new[1:] = (hour[1:] != hour[:-1]) | (series[1:] != series[:-1])
    starts = np.flatnonzero(new)
    ends = np.append(starts[1:], value.size)
    fell = np.zeros(value.size, np.bool_)
    fell[1:] = (value[1:] < value[:-1]) & ~new[1:]
    gained = np.zeros(value.size)
    gained[1:] = np.where(fell[1:], value[1:], np.where(new[1:], 0.0, value[1:] - value[:-1]))
    columns = (
        (ends - starts).tolist(),
        np.minimum.reduceat(value, starts).tolist(),
        np.add.reduceat(value, starts).tolist(),
        np.maximum.reduceat(value, starts).tolist(),
        value[starts].tolist(),
        value[ends - 1].tolist(),
        np.add.reduceat(gained, starts).tolist(),
        np.add.reduceat(fell.astype(np.int64), starts).tolist(),
    )
    names = zip(hour[starts].tolist(), series[starts].tolist(), strict=True)
    return dict(zip(names, map(Window, *columns), strict=True))


def joined(parts: Sequence[Window]) -> Window:
    """Make one window of several that follow each other.

    Examples
    --------
    >>> noon, one = Window(1, 4.0, 4.0, 4.0, 4.0, 4.0, 0.0, 0), Window(2, 1.0, 8.0, 7.0, 7.0, 1.0, 1.0, 1)
    >>> joined([noon, one])
    Window(samples=3, low=1.0, total=12.0, high=7.0, first=4.0, last=1.0, rise=4.0, resets=1)
    """
    between = [(before.last, after.first) for before, after in pairwise(parts)]
    return Window(
        samples=sum(part.samples for part in parts),
        low=min(part.low for part in parts),
        total=sum(part.total for part in parts),
        high=max(part.high for part in parts),
        first=parts[0].first,
        last=parts[-1].last,
        rise=sum(part.rise for part in parts) + sum(rise(*values) for values in between),
        resets=sum(part.resets for part in parts) + sum(after < before for before, after in between),
    )


def gains(parts: Iterable[Window], before: float | None) -> list[tuple[float, int]]:
    """Give (rise, resets) of each window, from the last sample before it on.

    Parameters
    ----------
    parts : iterable of Window
        That follow each other.
    before : float, optional
        Last value before the first of them; None: it was the first that was ever measured.
    """
    found = []
    for part in parts:
        gap = 0.0 if before is None else rise(before, part.first)
        fell = before is not None and part.first < before
        found.append((part.rise + gap, part.resets + fell))
        before = part.last
    return found
