"""The ledger of settled seqs per device and boot: what an acknowledgement may say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, func, select

from cropcredit.adapters.database.dialects import (
    chunks,
    for_each,
    greatest,
    insert_into,
    least,
    tuples_of,
    write_numbers,
)
from cropcredit.adapters.database.tables import HELD, REJECTED, SETTLED
from cropcredit.model import FIRST_SESSION, Ack, Boot, DeviceState, instant, microseconds
from cropcredit.telemetry.ranges import Range, contiguous, merged, runs

BootKey = tuple[int, int]
"""(device key, boot)."""

MOST_NAMED = 64
"""Ranges, and rejected seqs, in one ack (the latter: ``nth`` in the query below)."""

_OF_BOOT = "{table}.device = wanted.device AND {table}.boot = wanted.boot"
_RANGES = "settled.device, settled.boot, first, last"
_LATEST = (
    "rejected.device, rejected.boot, seq, reason, "
    "row_number() OVER (PARTITION BY rejected.device, rejected.boot ORDER BY at DESC, seq DESC) AS nth"
)
_GROWN = """
INSERT INTO settled (device, boot, first, last) VALUES {rows}
ON CONFLICT (device, boot, first) DO UPDATE SET last = excluded.last"""
_NAMED = "SELECT device, boot, seq, reason FROM ({latest}) AS ranked WHERE nth <= 64 ORDER BY 1, 2, 3"
_HELD = "SELECT device, boot, low, started_at FROM held WHERE device IN (VALUES {keys})"


def load(connection: Connection, boots: AbstractSet[BootKey]) -> dict[BootKey, list[Range]]:
    """Read the settled ranges of these boots."""
    sql = _of_boots(connection, _RANGES, "settled") + " ORDER BY 1, 2, 3"
    return _collected(tuples_of(connection, sql, boots))


def load_devices(connection: Connection, devices: Iterable[int]) -> dict[BootKey, list[Range]]:
    """Read the settled ranges of all boots of these devices."""
    sql = for_each(connection, "device", _RANGES, "settled", "settled.device = wanted.device") + " ORDER BY 1, 2, 3"
    return _collected(tuples_of(connection, sql, ((device,) for device in devices)))


def extend(connection: Connection, before: Mapping[BootKey, list[Range]], seqs: Mapping[BootKey, list[int]]) -> None:
    """Add the seqs that came of each boot to the ledger, which held ``before``."""
    gone, changed = [], []
    for (device, boot), new in seqs.items():
        old, came = before.get((device, boot), []), runs(new)
        if old and len(came) == 1 and came[0][0] == old[-1][1] + 1:  # in live traffic all: it goes on where it stood
            changed.append((device, boot, old[-1][0], came[0][1]))
            continue
        now = merged([*old, *came])
        if now == old:
            continue
        starts, was = {first for first, _ in now}, set(old)
        gone += [{"d": device, "b": boot, "f": first} for first, _ in old if first not in starts]
        changed += [(device, boot, *range_) for range_ in now if range_ not in was]
    if gone:
        same = and_(
            SETTLED.c.device == bindparam("d"), SETTLED.c.boot == bindparam("b"), SETTLED.c.first == bindparam("f")
        )
        connection.execute(delete(SETTLED).where(same), gone)
    write_numbers(connection, _GROWN, changed)


def reject(connection: Connection, poison: Sequence[tuple[int, int, int, str]], *, at: int) -> None:
    """Remember (device key, boot, seq, reason), so that the device can be told which seqs were refused and why."""
    if not poison:
        return
    arrival = insert_into(connection, REJECTED)
    again = arrival.on_conflict_do_update(
        index_elements=["device", "boot", "seq"], set_={"at": arrival.excluded.at, "reason": arrival.excluded.reason}
    )
    unique = {(d, b, s): {"device": d, "boot": b, "seq": s, "reason": reason, "at": at} for d, b, s, reason in poison}
    connection.execute(again, list(unique.values()))


def rejected(connection: Connection, boots: AbstractSet[BootKey]) -> dict[BootKey, list[tuple[int, str]]]:
    """Read the (seq, reason) that were refused last of each of these boots, at most as many as an ack may name."""
    found: defaultdict[BootKey, list[tuple[int, str]]] = defaultdict(list)
    sql = _NAMED.format(latest=_of_boots(connection, _LATEST, "rejected"))
    for device, boot, seq, reason in tuples_of(connection, sql, boots):
        found[device, boot].append((seq, reason))
    return dict(found)


def hold(connection: Connection, told: Iterable[tuple[int, DeviceState]]) -> None:
    """Remember what (device key, state) tell about the boot; a low that falls is an old message, and ignored."""
    rows = [
        {"device": device, "boot": state.boot, "low": state.low or 1, "started_at": _started_at(state)}
        for device, state in told
        if state.boot is not None
    ]
    if not rows:
        return
    arrival = insert_into(connection, HELD)
    new = arrival.excluded
    best = {
        "low": greatest(connection, HELD.c.low, new.low),
        "started_at": least(
            connection,
            func.coalesce(HELD.c.started_at, new.started_at),
            func.coalesce(new.started_at, HELD.c.started_at),
        ),
    }
    connection.execute(arrival.on_conflict_do_update(index_elements=["device", "boot"], set_=best), rows)


def lows(connection: Connection, boots: AbstractSet[BootKey]) -> dict[BootKey, int]:
    """Read the oldest seq that each of these boots still holds, where its device told one."""
    found = tuples_of(connection, _of_boots(connection, "held.device, held.boot, low", "held"), boots)
    return {(device, boot): low for device, boot, low in found}


def load_boots(connection: Connection, devices: Iterable[int]) -> dict[BootKey, Boot]:
    """Read what these devices' states told about their boots."""
    return {
        (device, boot): Boot(low, None if started_at is None else instant(started_at))
        for device, boot, low, started_at in tuples_of(connection, _HELD, ((device,) for device in devices))
    }


def highest_boots(connection: Connection, devices: Sequence[int]) -> dict[int, int]:
    """Give the highest boot ever seen of each device, in readings or states."""
    found: dict[int, int] = {}
    for table in (SETTLED, HELD):
        for chunk in chunks(devices):
            counted = table.c.device.in_(chunk) & (table.c.boot < FIRST_SESSION)  # a session's number orders nothing
            query = select(table.c.device, func.max(table.c.boot).label("boot")).where(counted)
            for row in connection.execute(query.group_by(table.c.device)):
                found[row.device] = max(row.boot, found.get(row.device, 0))
    return found


def ack(device_id: str, boot: int, ranges: Sequence[Range], *, low: int, poison: Sequence[tuple[int, str]]) -> Ack:
    """Word what one device may forget of one boot: below ``low`` it holds nothing, so nobody waits for it."""
    held = merged([*ranges, (1, low - 1)]) if low > 1 else ranges
    upto = contiguous(held)
    beyond = tuple([(first, last) for first, last in held if first > upto])
    return Ack(device_id=device_id, boot=boot, upto=upto, ranges=beyond[:MOST_NAMED], rejected=tuple(poison))


def _of_boots(connection: Connection, columns: str, table: str) -> str:
    """Word a query by (device, boot): for pairs in an IN list SQLite walks through the whole table."""
    return for_each(connection, "device, boot", columns, table, _OF_BOOT.format(table=table))


def _started_at(state: DeviceState) -> int | None:
    return None if state.up_ms is None else microseconds(state.received_at) - 1000 * state.up_ms


def _collected(rows: Iterable[Any]) -> dict[BootKey, list[Range]]:
    found: defaultdict[BootKey, list[Range]] = defaultdict(list)
    for device, boot, first, last in rows:
        found[device, boot].append((first, last))
    return dict(found)
