"""The ledger of settled seqs per device and boot: what an acknowledgement may say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, func, select

from cropcredit.adapters.database.dialects import chunks, greatest, insert_into, least, tuples_of, write_numbers
from cropcredit.adapters.database.tables import HELD, REJECTED, SETTLED
from cropcredit.model import FIRST_SESSION, Ack, Boot, DeviceState, instant, microseconds
from cropcredit.telemetry.ranges import Range, contiguous, merged, runs

BootKey = tuple[int, int]
"""(device key, boot)."""

MOST_NAMED = 64
"""Ranges, and rejected seqs, in one ack (the latter: ``nth`` in the query below)."""

_SETTLED = "SELECT device, boot, first, last FROM settled WHERE {of} IN (VALUES {keys}) ORDER BY device, boot, first"
_GROWN = """
INSERT INTO settled (device, boot, first, last) VALUES {rows}
ON CONFLICT (device, boot, first) DO UPDATE SET last = excluded.last"""
_REJECTED = """
SELECT device, boot, seq, reason FROM (
  SELECT rejected.*, row_number() OVER (PARTITION BY device, boot ORDER BY at DESC, seq DESC) AS nth FROM rejected
  WHERE (device, boot) IN (VALUES {keys})
) AS ranked WHERE nth <= 64 ORDER BY device, boot, seq"""
_HELD = "SELECT device, boot, low, started_at FROM held WHERE device IN (VALUES {keys})"


def load(connection: Connection, boots: AbstractSet[BootKey]) -> dict[BootKey, list[Range]]:
    """Read the settled ranges of these boots."""
    return _collected(tuples_of(connection, _SETTLED.format(of="(device, boot)", keys="{keys}"), boots))


def load_devices(connection: Connection, devices: Iterable[int]) -> dict[BootKey, list[Range]]:
    """Read the settled ranges of all boots of these devices."""
    return _collected(tuples_of(connection, _SETTLED.format(of="device", keys="{keys}"), ((d,) for d in devices)))


def extend(connection: Connection, before: Mapping[BootKey, list[Range]], seqs: Mapping[BootKey, list[int]]) -> None:
    """Add the seqs that came of each boot to the ledger, which held ``before``."""
    gone, changed = [], []
    for (device, boot), new in seqs.items():
        old = before.get((device, boot), [])
        now = merged([*old, *runs(new)])
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
    for device, boot, seq, reason in tuples_of(connection, _REJECTED, boots):
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


def _started_at(state: DeviceState) -> int | None:
    return None if state.up_ms is None else microseconds(state.received_at) - 1000 * state.up_ms


def _collected(rows: Iterable[Any]) -> dict[BootKey, list[Range]]:
    found: defaultdict[BootKey, list[Range]] = defaultdict(list)
    for device, boot, first, last in rows:
        found[device, boot].append((first, last))
    return dict(found)
