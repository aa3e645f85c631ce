"""What a pass of rolling up has computed, written in one transaction: each touched window is replaced whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Table, and_, bindparam, delete, update

from cropcredit.adapters.database.bulk import insert_new
from cropcredit.adapters.database.dialects import chunks, execute_many, insert_into
from cropcredit.adapters.database.ledger import rolled_rows
from cropcredit.adapters.database.rolling import Pass
from cropcredit.adapters.database.rollup_view import DAY, HOUR
from cropcredit.adapters.database.tables import ROLLED, ROLLED_DEVICE, ROLLED_HOUR, ROLLUP, UNROLLED


def write_passes(connection: Connection, passes: Sequence[Pass], zone: str) -> list[Pass]:
    """Write what was computed, but for devices that somebody else has rolled up meanwhile; gives what was written."""
    first = insert_into(connection, ROLLED_DEVICE).on_conflict_do_nothing()
    new = [work.device for work in passes if work.ledger.version < 0]
    execute_many(connection, first, [{"device": device, "version": -1, "zone": zone} for device in new])
    won = [work for work in passes if _claim(connection, work)]
    for work in won:
        if work.ledger.version >= 0:
            _clear(connection, work)
        _enter(connection, work)
    _insert(connection, ROLLED_HOUR, ((work.device, *hour) for work in won for hour in work.hours))
    _insert(connection, ROLLUP, (row for work in won for row in _windows(work)))
    return won


def _claim(connection: Connection, work: Pass) -> bool:
    """Count the version up; false if it is no longer the one that was computed from."""
    mine = and_(ROLLED_DEVICE.c.device == work.device, ROLLED_DEVICE.c.version == work.ledger.version)
    counted = update(ROLLED_DEVICE).where(mine).values(version=ROLLED_DEVICE.c.version + 1)
    return connection.execute(counted).rowcount == 1


def _clear(connection: Connection, work: Pass) -> None:
    """Take out every window that was touched."""
    hour, day = ((ROLLUP.c.device == work.device) & (ROLLUP.c.hours == hours) for hours in (HOUR, DAY))
    located = ROLLED_HOUR.c.device == work.device
    for table, own, starts in (
        (ROLLUP, hour, work.touched),
        (ROLLUP, day, work.days),
        (ROLLED_HOUR, located, work.touched),
    ):
        for some in chunks(sorted(starts)):
            connection.execute(delete(table).where(own, table.c.start.in_(some)))


def _enter(connection: Connection, work: Pass) -> None:
    """Write down which readings the roll-ups hold."""
    own = ROLLED.c.device == work.device
    before = rolled_rows(work.ledger.rolled, work.ledger.leans_on)
    after = rolled_rows(work.rolled, work.leans_on)
    gone = [{"b": boot, "f": first} for (boot, first), row in before.items() if after.get((boot, first)) != row]
    if gone:
        same = (ROLLED.c.boot == bindparam("b")) & (ROLLED.c.first == bindparam("f"))
        connection.execute(delete(ROLLED).where(own, same), gone)
    grown = ((work.device, *name, *row) for name, row in after.items() if before.get(name) != row)
    _insert(connection, ROLLED, grown)
    if work.again:
        same = (UNROLLED.c.boot == bindparam("b")) & (UNROLLED.c.seq == bindparam("s"))
        seqs = [{"b": boot, "s": seq} for boot, seq in work.again]
        connection.execute(delete(UNROLLED).where(UNROLLED.c.device == work.device, same), seqs)


def _insert(connection: Connection, table: Table, rows: Iterable[tuple[Any, ...]]) -> None:
    insert_new(connection, table, [column.name for column in table.columns], list(rows))


def _windows(work: Pass) -> Iterator[tuple[Any, ...]]:
    for hours, found in ((HOUR, work.by_hour), (DAY, work.by_day)):
        for (start, quantity, channel), window in found.items():
            yield work.device, hours, start, quantity, channel, *window
