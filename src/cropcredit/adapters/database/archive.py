"""Readings older than a bound are moved to Parquet: written, read back, and only then taken out of the database.

The transaction that deletes them is the one that names their file, so at every instant a reading is in exactly one
place; a file that no transaction has named yet is not there for anybody, and is written again under the same name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import Connection, Engine, func, select

from cropcredit.adapters.database.bulk import take_turns
from cropcredit.adapters.database.dialects import device_keys, execute_many, for_each, insert_into, rows_of
from cropcredit.adapters.database.engine import reading, writing
from cropcredit.adapters.database.ledger import (
    RANGE,
    UNCOUNTED,
    Kept,
    dated,
    hours_between,
    last_of_boots,
    read_ledger,
    spread,
    together,
)
from cropcredit.adapters.database.moved import archive_folder, moved_ranges
from cropcredit.adapters.database.tables import ARCHIVE_FILE, ARCHIVED, ROLLED_HOUR
from cropcredit.adapters.parquet.readings import BUCKETS, OldReading, bucket_of, write_old_readings
from cropcredit.errors import StateConflict
from cropcredit.model import instant, microseconds
from cropcredit.telemetry.ranges import between, runs

MOST = 50_000
"""Readings that are moved by one transaction."""

_COLUMNS = """
reading.boot, reading.seq, reading.key_id, reading.observed_at, reading.received_at, reading.known_at,
reading.body, reading.measurements, reading.payload"""
_DELETE = """
DELETE FROM reading WHERE device = {device} AND boot = {boot} AND seq BETWEEN {first} AND {last}"""


class Month(NamedTuple):
    """A calendar month, UTC; instants in us since 1970."""

    name: str
    low: int
    high: int


class _Old(NamedTuple):
    """A row about to be moved."""

    device: int
    reading: OldReading


class DatabaseArchive:
    """ReadingArchive: SQLite or PostgreSQL to Parquet files."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def retain(self, *, before: datetime, now: datetime, done: Callable[[int], None] = lambda _: None) -> int:
        """Move what was measured in the calendar months before; see :class:`cropcredit.ports.ReadingArchive`."""
        moved = 0
        with reading(self._engine) as connection:
            devices = device_keys(connection, None)
            first = connection.scalar(select(func.min(ROLLED_HOUR.c.start)))
        for month in [] if first is None else _months(instant(first), before):
            for bucket in range(BUCKETS):
                some = {name: key for name, key in sorted(devices.items()) if bucket_of(name) == bucket}
                for rows in self._parts(some, month):
                    self._move(rows, month, bucket, now)
                    moved += len(rows)
                    done(len(rows))
        return moved

    def _parts(self, devices: dict[str, int], month: Month) -> Iterator[list[_Old]]:
        """Gather the month's readings of these devices into parts of bounded size."""
        rows: list[_Old] = []
        for device_id, device in devices.items():
            with reading(self._engine) as connection:
                rows += [_Old(device, old) for old in _old(connection, device, device_id, month)]
            while len(rows) >= MOST:
                yield rows[:MOST]
                rows = rows[MOST:]
        if rows:
            yield rows

    def _move(self, rows: Sequence[_Old], month: Month, bucket: int, now: datetime) -> None:
        file, sha256 = write_old_readings(
            archive_folder(self._engine), month.name, bucket, [old.reading for old in rows]
        )
        where = _runs(rows)
        listed = {
            "file": file,
            "sha256": sha256,
            "readings": len(rows),
            "measurements": sum(old.reading.measurements for old in rows),
            "moved_at": microseconds(now),
        }
        with writing(self._engine) as connection:
            take_turns(connection)
            gone = 0
            for device, boot, first, last in where:
                sql = _DELETE.format(device=int(device), boot=int(boot), first=int(first), last=int(last))
                gone += connection.exec_driver_sql(sql).rowcount
            if gone != len(rows):
                raise StateConflict(
                    "somebody else is moving old readings: nothing was lost; wait for it, then try again"
                )
            execute_many(connection, insert_into(connection, ARCHIVE_FILE), [listed])
            places = [
                {"device": device, "boot": boot, "first": first, "last": last, "file": file}
                for device, boot, first, last in where
            ]
            execute_many(connection, insert_into(connection, ARCHIVED), places)


def _old(connection: Connection, device: int, device_id: str, month: Month) -> Iterator[OldReading]:
    """Read what one device measured in a month and the database still holds, but for the last reading of each boot.

    That one stays, so that what a device said last is always at hand.
    """
    there = hours_between(connection, device, month.low, month.high)
    if not there:
        return
    gone = moved_ranges(connection, device)
    left = together(
        (boot, *gap)
        for boot, first, last in spread(there)
        for gap in ([(first, last)] if boot == UNCOUNTED else between(gone.get(boot, ()), start=first, end=last))
    )
    ledger, ends = read_ledger(connection, device), last_of_boots(connection, device, left)
    sql = for_each(connection, "boot, low, high", _COLUMNS, "reading", RANGE.format(device=int(device)))
    for row in rows_of(connection, sql, spread(left)):
        known_at = row.received_at if row.known_at is None else row.known_at
        kept = Kept(row.boot, row.seq, row.key_id, row.observed_at, row.received_at, known_at, row.body)
        at = dated(kept, device_id, ledger)
        if month.low <= at < month.high and row.seq != ends.get(row.boot):
            yield OldReading(
                device_id=device_id,
                boot=row.boot,
                seq=row.seq,
                measured_at=at,
                observed_at=row.observed_at,
                received_at=row.received_at,
                known_at=row.known_at,
                measurements=row.measurements,
                key_id=row.key_id,
                body=row.body,
                payload=row.payload,
            )


def _runs(rows: Sequence[_Old]) -> list[tuple[int, int, int, int]]:
    seqs: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for old in rows:
        seqs[old.device, old.reading.boot].append(old.reading.seq)
    return [
        (device, boot, *run)
        for (device, boot), found in seqs.items()
        for run in ([(seq, seq) for seq in found] if boot == UNCOUNTED else runs(found))
    ]


def _months(first: datetime, before: datetime) -> Iterator[Month]:
    """Give the whole calendar months from that of ``first`` up to ``before``."""
    at = datetime(first.year, first.month, 1, tzinfo=UTC)
    while (end := datetime(at.year + at.month // 12, at.month % 12 + 1, 1, tzinfo=UTC)) <= before:
        yield Month(f"{at:%Y-%m}", microseconds(at), microseconds(end))
        at = end
