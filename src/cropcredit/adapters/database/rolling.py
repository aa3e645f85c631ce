"""One pass of rolling up one device: what is new, the hours it touches, and those hours computed whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection

from cropcredit.adapters.database.dialects import for_each, rows_of
from cropcredit.adapters.database.ledger import UNCOUNTED, Kept, Ledger, Where, dated, kept, own_clock, spread, together
from cropcredit.telemetry.ranges import between, merged
from cropcredit.telemetry.rollup import LocalHours, Samples, Window, joined, windows

Named = dict[tuple[int, str, str], Window]
"""Windows by (start, quantity, channel)."""

MOST = 20_000
"""Readings that one pass takes: what is held in memory at once."""

_SPANS = "SELECT start, boot, first, last FROM rolled_hour WHERE device = {device} AND start IN (VALUES {{keys}})"
_HOURS = "SELECT start FROM rolled_hour WHERE device = {device} AND boot IN (VALUES {{keys}})"
_WINDOW = """
start, quantity, channel, samples, rollup.low, total, rollup.high, rollup.first, rollup.last, rise, resets"""
_BEGINS = "device = {device} AND hours = {hours} AND start >= wanted.low AND start < wanted.high"


class Hour(NamedTuple):
    """Where the readings of one boot in one hour are: a row of ROLLED_HOUR."""

    start: int
    boot: int
    first: int
    last: int
    readings: int
    known_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What one pass changes for one device."""

    device: int
    ledger: Ledger
    """As it was."""
    rolled: Where
    """What the roll-ups hold afterwards."""
    leans_on: Mapping[int, int]
    again: AbstractSet[tuple[int, int]]
    """(boot, seq) that UNROLLED need not name any more."""
    touched: AbstractSet[int]
    """Starts of the hours that are replaced."""
    days: AbstractSet[int]
    """Starts of the days that are replaced."""
    hours: Sequence[Hour]
    by_hour: Named
    by_day: Named
    readings: int


def next_pass(connection: Connection, device: int, device_id: str, ledger: Ledger, clock: LocalHours) -> Pass | None:
    """Compute what is to be done next for one device; None: its roll-ups hold everything.

    Boots whose start is known better now are first taken out of the roll-ups, whole; the next pass puts them back.
    """
    taken = {} if ledger.stale else _first(ledger.unrolled, MOST)
    if not taken and not ledger.stale:
        return None
    fresh = {(row.boot, row.seq): row for row in kept(connection, device, taken)}
    at = {name: dated(row, device_id, ledger) for name, row in fresh.items()}
    hour_of = clock.hours_of(at)
    touched = {*hour_of.values(), *_hours_of_boots(connection, device, ledger.stale)}
    spans = [row for row in _spans(connection, device, touched) if row[1] not in ledger.stale]
    there = together((boot, first, last) for _, boot, first, last in spans)
    old = {(r.boot, r.seq): r for r in kept(connection, device, _without(there, taken)) if (r.boot, r.seq) not in fresh}
    old_at = {name: dated(row, device_id, ledger) for name, row in old.items()}
    hour_of |= {name: hour for name, hour in clock.hours_of(old_at).items() if hour in touched}
    rows = {name: row for name, row in (fresh | old).items() if name in hour_of}
    by_hour = summed(rows, at | old_at, hour_of, device_id)
    days = {clock.day(hour) for hour in touched}
    leaning = {row.boot: ledger.start(row.boot) for row in fresh.values() if not own_clock(row)}
    rolled = {boot: ranges for boot, ranges in ledger.rolled.items() if boot not in ledger.stale}
    counted = {boot: merged([*rolled.get(boot, []), *new]) for boot, new in taken.items() if boot != UNCOUNTED}
    return Pass(
        device=device,
        ledger=ledger,
        rolled=rolled | counted,
        leans_on={b: start for b, start in (dict(ledger.leans_on) | leaning).items() if b not in ledger.stale},
        again={(boot, seq) for boot, seq in ledger.again if _in(taken, boot, seq)},
        touched=touched,
        days=days,
        hours=_located(rows, hour_of),
        by_hour=by_hour,
        by_day=_days(connection, device, days, touched, by_hour, clock),
        readings=len(fresh),
    )


def summed(
    rows: Mapping[tuple[int, int], Kept],
    at: Mapping[tuple[int, int], int],
    hour_of: Mapping[tuple[int, int], int],
    device_id: str,
) -> Named:
    """Sum up readings, by (boot, seq), into the hours they are dated in."""
    names: dict[tuple[str, str], int] = {}
    columns: list[tuple[int, int, int, int, int, float]] = []
    for name, row in rows.items():
        place = (hour_of[name], at[name], row.boot, row.seq)
        for measured in row.reading(device_id).measurements:
            series = names.setdefault((measured.quantity, measured.channel), len(names))
            columns.append((series, *place, measured.value))
    if not columns:
        return {}
    arrays = [np.array(column) for column in zip(*columns, strict=True)]
    found = windows(Samples(arrays[0], arrays[1], np.array(arrays[2:5]), arrays[5].astype(np.float64)))
    known = list(names)
    return {(start, *known[number]): window for (start, number), window in found.items()}


def stored_windows(
    connection: Connection, device: int, hours: int, where: Iterable[tuple[int, int]]
) -> dict[tuple[int, str, str], Window]:
    """Read the device's windows of one length that begin in these [low, high)."""
    begins = _BEGINS.format(device=int(device), hours=int(hours))
    sql = for_each(connection, "low, high", _WINDOW, "rollup", begins)
    return {(row[0], row[1], row[2]): Window(*row[3:]) for row in rows_of(connection, sql, where)}


def made_of(hours: Named, clock: LocalHours) -> Named:
    """Make days of their hours."""
    parts: dict[tuple[int, str, str], list[Window]] = {}
    day_of = {start: clock.day(start) for start in {start for start, _, _ in hours}}
    for (start, quantity, channel), window in sorted(hours.items()):
        parts.setdefault((day_of[start], quantity, channel), []).append(window)
    return {name: joined(found) for name, found in parts.items()}


def _days(
    connection: Connection,
    device: int,
    days: AbstractSet[int],
    touched: AbstractSet[int],
    new: Named,
    clock: LocalHours,
) -> Named:
    where = [(day, clock.next_day(day)) for day in days]
    rest = {name: w for name, w in stored_windows(connection, device, 1, where).items() if name[0] not in touched}
    return made_of(rest | new, clock)


def _located(rows: Mapping[tuple[int, int], Kept], hour_of: Mapping[tuple[int, int], int]) -> list[Hour]:
    found: dict[tuple[int, int], Hour] = {}
    for (boot, seq), row in rows.items():
        start = hour_of[boot, seq]
        h = found.get((start, boot)) or Hour(start, boot, seq, seq, 0, row.known_at)
        found[start, boot] = Hour(
            start, boot, min(h.first, seq), max(h.last, seq), h.readings + 1, max(h.known_at, row.known_at)
        )
    return list(found.values())


def _spans(connection: Connection, device: int, starts: Iterable[int]) -> list[tuple[int, int, int, int]]:
    sql = _SPANS.format(device=int(device))
    return [tuple(row) for row in rows_of(connection, sql, ((start,) for start in starts))]


def _hours_of_boots(connection: Connection, device: int, boots: AbstractSet[int]) -> list[int]:
    sql = _HOURS.format(device=int(device))
    return [row.start for row in rows_of(connection, sql, ((boot,) for boot in boots))]


def _first(where: Where, most: int) -> Where:
    """Take the first ranges, so many that they hold at most ``most`` seqs."""
    found: Where = {}
    left = most
    for boot, first, last in spread(where):
        if left <= 0:
            break
        found.setdefault(boot, []).append((first, min(last, first + left - 1)))
        left -= min(last - first + 1, left)
    return found


def _without(where: Where, taken: Where) -> Where:
    return {
        boot: left
        for boot, ranges in where.items()
        if (left := [gap for first, last in ranges for gap in between(taken.get(boot, ()), start=first, end=last)])
    }


def _in(where: Where, boot: int, seq: int) -> bool:
    return any(first <= seq <= last for first, last in where.get(boot, ()))
