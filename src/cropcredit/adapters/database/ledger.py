"""Where a device's readings are: by hour where roll-ups hold them, by seq where they do not yet.

Nothing here is written when a reading arrives. A window of time is found through the hours that roll-ups have kept;
what they do not hold is the difference between what is settled and what is rolled up, and is looked through whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Connection, select

from cropcredit.adapters.database import settled
from cropcredit.adapters.database.bodies import read_body
from cropcredit.adapters.database.dialects import for_each, rows_of, tuples_of
from cropcredit.adapters.database.moved import moved
from cropcredit.adapters.database.tables import ROLLED, ROLLED_DEVICE, UNROLLED
from cropcredit.model import MICROSECOND, Boot, Reading, instant, microseconds
from cropcredit.telemetry.dating import AHEAD, date_reading
from cropcredit.telemetry.ranges import Range, between, merged
from cropcredit.telemetry.rollup import BEHIND, HOUR_US
from cropcredit.telemetry.tracks import Ints

Where = dict[int, list[Range]]
"""Ranges of seqs by boot, of one device; ascending, disjoint."""

MINUTE_US = 60_000_000
AHEAD_US, BEHIND_US = AHEAD // MICROSECOND, BEHIND // MICROSECOND
UNKNOWN_START = 0
LONG_AGO = -(2**62)
UNCOUNTED = 0
"""The boot of messages that carry no counter: no ranges of seqs can hold them."""

_COLUMNS = """
reading.boot, reading.seq, reading.key_id, reading.observed_at, reading.received_at,
COALESCE(reading.known_at, reading.received_at) AS known_at, reading.body"""
_ALL = f"SELECT {_COLUMNS} FROM reading WHERE reading.device = {{device}}"  # noqa: S608 - all of it is ours
RANGE = """
reading.device = {device} AND reading.boot = wanted.boot AND reading.seq BETWEEN wanted.low AND wanted.high"""
"""Condition on a reading in one of the wanted ranges."""
_HOURS = """
WITH wanted (low, high) AS (VALUES {{keys}}) SELECT boot, first, last FROM rolled_hour, wanted
 WHERE device = {device} AND start > wanted.low AND start < wanted.high"""
_LAST = """
WITH wanted (boot) AS (VALUES {{keys}})
SELECT boot, (SELECT MAX(seq) FROM reading WHERE device = {device} AND reading.boot = wanted.boot) FROM wanted"""


class Kept(NamedTuple):
    """A stored reading, as its row says; instants in us since 1970."""

    boot: int
    seq: int
    key_id: str
    observed_at: int | None
    received_at: int
    known_at: int
    body: bytes

    def identity(self) -> tuple[int, int]:
        """Name it: (boot, seq)."""
        return self.boot, self.seq

    def reading(self, device_id: str) -> Reading:
        """Decode it."""
        return read_body(self.body, device_id, self.boot, self.seq, self.key_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What the roll-ups of one device hold, and what they do not."""

    version: int
    """-1: they hold nothing yet."""
    zone: str
    rolled: Where
    leans_on: Mapping[int, int]
    """Boots of which some readings were dated by the start of the boot: the start they were dated by."""
    starts: Mapping[int, int]
    """Start of each boot as now known, whole minutes."""
    unrolled: Where
    """Readings that no roll-up holds."""
    again: frozenset[tuple[int, int]]
    """Those (boot, seq) of them that only UNROLLED names."""
    stale: frozenset[int]
    """Boots whose start is now known better than when they were rolled up."""

    def start(self, boot: int) -> int:
        """Give what a reading of that boot leans on when its own clock does not date it."""
        return self.starts.get(boot, UNKNOWN_START)


def read_ledger(connection: Connection, device: int) -> Ledger:
    """Read the ledger of one device: first what is settled, so that nothing newer counts as rolled up."""
    held = {boot: ranges for (_, boot), ranges in settled.load_devices(connection, [device]).items()}
    again = {(row.boot, row.seq) for row in connection.execute(select(UNROLLED).where(UNROLLED.c.device == device))}
    about = connection.execute(select(ROLLED_DEVICE).where(ROLLED_DEVICE.c.device == device)).first()
    rolled: defaultdict[int, list[Range]] = defaultdict(list)
    leans_on: dict[int, int] = {}
    for row in connection.execute(select(ROLLED).where(ROLLED.c.device == device).order_by(ROLLED.c.first)):
        rolled[row.boot].append((row.first, row.last))
        if row.leans_on is not None:
            leans_on[row.boot] = row.leans_on
    boots = settled.load_boots(connection, [device])
    starts = {boot: _minute(microseconds(b.started_at)) for (_, boot), b in boots.items() if b.started_at}
    stale = frozenset(boot for boot, start in leans_on.items() if start != starts.get(boot, UNKNOWN_START))
    return Ledger(
        version=-1 if about is None else about.version,
        zone="" if about is None else about.zone,
        rolled=dict(rolled),
        leans_on=leans_on,
        starts=starts,
        unrolled=_unrolled(held, rolled, again, stale),
        again=frozenset(again),
        stale=stale,
    )


def _unrolled(held: Where, rolled: Where, again: Iterable[tuple[int, int]], stale: frozenset[int]) -> Where:
    found: Where = {}
    for boot, ranges in held.items():
        done = () if boot in stale else rolled.get(boot, ())
        missing = [gap for first, last in ranges for gap in between(done, start=first, end=last)]
        if missing:
            found[boot] = missing
    for boot, seq in again:
        found[boot] = merged([*found.get(boot, []), (seq, seq)])
    return found


def hours_between(connection: Connection, device: int, since: int | None, until: int | None) -> Where:
    """Find the seqs of all rolled hours that have an instant in [since, until)."""
    low, high = LONG_AGO if since is None else since - HOUR_US, -LONG_AGO if until is None else until
    return together(tuples_of(connection, _HOURS.format(device=int(device)), [(low, high)]))


def together(*spans: Iterable[tuple[int, int, int]]) -> Where:
    """Collect (boot, first, last) into ranges by boot."""
    found: defaultdict[int, list[Range]] = defaultdict(list)
    for some in spans:
        for boot, first, last in some:
            found[boot].append((first, last))
    return {boot: merged(ranges) for boot, ranges in found.items()}


def spread(where: Where) -> Iterator[tuple[int, int, int]]:
    """Give (boot, first, last) of every range."""
    return ((boot, first, last) for boot, ranges in where.items() for first, last in ranges)


def kept(connection: Connection, device: int, where: Where) -> Iterator[Kept]:
    """Read the device's readings in these ranges, moved ones too, in no particular order."""
    sql = for_each(connection, "boot, low, high", _COLUMNS, "reading", RANGE.format(device=int(device)))
    return _with_moved(connection, device, tuples_of(connection, sql, spread(where)), where)


def all_kept(connection: Connection, device: int) -> Iterator[Kept]:
    """Read all of the device's readings, moved ones too, in no particular order."""
    return _with_moved(connection, device, connection.exec_driver_sql(_ALL.format(device=int(device))), None)


def _with_moved(connection: Connection, device: int, rows: Iterable[Any], where: Where | None) -> Iterator[Kept]:
    """Add what lies in Parquet; first the table is read, so that nothing that moves meanwhile is missed."""
    here = list(map(Kept._make, rows))
    yield from here
    seen: set[tuple[int, int]] | None = None
    for old in moved(connection, device, where):
        seen = {row.identity() for row in here} if seen is None else seen
        if (old.boot, old.seq) not in seen:
            known_at = old.received_at if old.known_at is None else old.known_at
            yield Kept(old.boot, old.seq, old.key_id, old.observed_at, old.received_at, known_at, old.body)


def last_of_boots(connection: Connection, device: int, boots: Iterable[int]) -> dict[int, int]:
    """Give the highest seq that is held of each of these boots."""
    sql = _LAST.format(device=int(device))
    return {boot: seq for boot, seq in rows_of(connection, sql, ((boot,) for boot in boots)) if seq is not None}


def own_clock(row: Kept) -> bool:
    """Say whether the device's own clock dates the reading: it neither runs ahead nor was reset."""
    claimed = row.observed_at
    return claimed is not None and row.received_at - BEHIND_US <= claimed <= row.received_at + AHEAD_US


def dated(row: Kept, device_id: str, ledger: Ledger) -> int:
    """Say when a reading was measured, us since 1970: by its own clock, the start of its boot, or its arrival.

    The start of a boot counts as whole minutes here: every state of the device moves it by milliseconds, and with it
    readings would wander from hour to hour.
    """
    if row.observed_at is not None and own_clock(row):
        return row.observed_at
    received_at, start = instant(row.received_at), ledger.start(row.boot)
    boots = {(device_id, row.boot): Boot(started_at=instant(start) if start else None)}
    found = date_reading(row.reading(device_id), received_at, boots, not_before=received_at - BEHIND)
    return microseconds(found.at)


def dates(rows: Sequence[Kept], device_id: str, ledger: Ledger) -> Ints:
    """Say when readings were measured, as :func:`dated` does one: most by their own clocks, without looking at each."""
    received = np.array([row.received_at for row in rows], np.int64)
    claimed = np.array([LONG_AGO if row.observed_at is None else row.observed_at for row in rows], np.int64)
    own = (received - BEHIND_US <= claimed) & (claimed <= received + AHEAD_US)
    for place in np.flatnonzero(~own).tolist():
        claimed[place] = dated(rows[place], device_id, ledger)
    return claimed


def _minute(at: int) -> int:
    return at - at % MINUTE_US


def rolled_rows(where: Where, leans_on: Mapping[int, int]) -> dict[tuple[int, int], tuple[int, int | None]]:
    """Give the rows of ROLLED of a device: (boot, first) -> (last, leans_on)."""
    return {(boot, first): (last, leans_on.get(boot)) for boot, first, last in spread(where)}
