"""The hours and days of one device as they were known at an instant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import itemgetter

import numpy as np
from sqlalchemy import Connection, and_, func, select

from cropcredit.adapters.database.dialects import chunks, tuples_of
from cropcredit.adapters.database.ledger import LONG_AGO, Ledger, dated, kept, read_ledger, together
from cropcredit.adapters.database.rolling import Named, made_of, stored_windows, summed
from cropcredit.adapters.database.tables import ROLLED_HOUR, ROLLUP
from cropcredit.telemetry.rollup import LocalHours
from cropcredit.telemetry.tracks import HourlyCourse

HOUR, DAY = 1, 24

_COLUMNS = """
WITH wanted (low, high) AS (VALUES {{keys}}) SELECT quantity, channel, start, total / samples, last FROM rollup, wanted
 WHERE device = {device} AND hours = 1 AND start >= wanted.low AND start < wanted.high ORDER BY start"""
_GROWN = """
WITH wanted (low, high, known) AS (VALUES {{keys}}) SELECT start FROM rolled_hour, wanted
 WHERE device = {device} AND start >= wanted.low AND start < wanted.high AND known_at > wanted.known"""


class View:
    """The windows of one device as they were known at an instant; None: as they are."""

    def __init__(
        self, connection: Connection, device: int, device_id: str, clock: LocalHours, known: int | None
    ) -> None:
        self._connection, self._device, self._device_id = connection, device, device_id
        self._clock, self._known = clock, known
        self._ledger: Ledger | None = None

    def hours(self, low: int, high: int) -> Named:
        """Give the hours that begin in [low, high); those that grew since are computed as they were."""
        found = stored_windows(self._connection, self._device, HOUR, [(low, high)])
        grown = self._grown(low, high)
        if not grown:
            return found
        return {name: window for name, window in found.items() if name[0] not in grown} | self._as_known(grown)

    def columns(self, quantities: set[str], low: int, high: int) -> list[tuple[str, str, int, float, float]]:
        """Give (quantity, channel, start, mean, last) of the hours that begin in [low, high), by start."""
        rows = list(tuples_of(self._connection, _COLUMNS.format(device=int(self._device)), [(low, high)]))
        if grown := self._grown(low, high):
            rows = [row for row in rows if row[2] not in grown]
            rows += [
                (quantity, channel, start, window.total / window.samples, window.last)
                for (start, quantity, channel), window in self._as_known(grown).items()
            ]
            rows.sort(key=itemgetter(2))
        return [row for row in rows if row[0] in quantities]

    def days(self, low: int, high: int) -> Named:
        """Give the days that begin in [low, high), likewise."""
        found = stored_windows(self._connection, self._device, DAY, [(low, high)])
        grown = {self._clock.day(start) for start in self._grown(low, self._clock.next_day(high))}
        again: Named = {}
        for day in grown:
            again |= made_of(self.hours(day, self._clock.next_day(day)), self._clock)
        kept_days = {name: window for name, window in found.items() if name[0] not in grown}
        return kept_days | {name: window for name, window in again.items() if low <= name[0] < high}

    def last_before(self, day: int) -> dict[tuple[str, str], float]:
        """Give the last value of each (quantity, channel) before a day."""
        if self._known is not None and self._grown(LONG_AGO, day):
            earlier = sorted(self.days(LONG_AGO, day).items())
            return {(quantity, channel): window.last for (_, quantity, channel), window in earlier}
        days = (ROLLUP.c.device == self._device) & (ROLLUP.c.hours == DAY) & (ROLLUP.c.start < day)
        names = (ROLLUP.c.quantity, ROLLUP.c.channel)
        latest = select(*names, func.max(ROLLUP.c.start).label("start")).where(days).group_by(*names).subquery()
        same = and_(*(ROLLUP.c[name] == latest.c[name] for name in ("quantity", "channel", "start")))
        rows = self._connection.execute(select(*names, ROLLUP.c.last).join(latest, same).where(days))
        return {(row.quantity, row.channel): row.last for row in rows}

    def _grown(self, low: int, high: int) -> set[int]:
        """Name the hours that hold a reading which was not known then."""
        if self._known is None:
            return set()
        rows = tuples_of(self._connection, _GROWN.format(device=int(self._device)), [(low, high, self._known)])
        return {start for (start,) in rows}

    def _as_known(self, starts: set[int]) -> Named:
        assert self._known is not None
        self._ledger = self._ledger or read_ledger(self._connection, self._device)
        spans = select(ROLLED_HOUR.c.boot, ROLLED_HOUR.c.first, ROLLED_HOUR.c.last)
        spans = spans.where(ROLLED_HOUR.c.device == self._device)
        where = together(
            tuple(row)
            for some in chunks(sorted(starts))
            for row in self._connection.execute(spans.where(ROLLED_HOUR.c.start.in_(some)))
        )
        rows = {
            (row.boot, row.seq): row
            for row in kept(self._connection, self._device, where)
            if row.known_at <= self._known
        }
        at = {name: dated(row, self._device_id, self._ledger) for name, row in rows.items()}
        hour_of = self._clock.hours_of(at)
        rows = {name: row for name, row in rows.items() if hour_of[name] in starts}
        return summed(rows, at, hour_of, self._device_id)


def courses(device_id: str, rows: Sequence[tuple[str, str, int, float, float]]) -> Iterator[HourlyCourse]:
    """Sort hours into columns by channel."""
    if not rows:
        return
    quantity, channel, start, mean, last = zip(*rows, strict=True)
    named = list(zip(quantity, channel, strict=True))
    number = {name: n for n, name in enumerate(sorted(set(named)))}
    numbers = np.array([number[name] for name in named])
    start_s, means, lasts = np.array(start) / 1e6, np.array(mean), np.array(last)
    for name, n in number.items():
        own = numbers == n
        yield HourlyCourse(device_id, *name, start_s[own], means[own], lasts[own])
