"""The ledger of settled seqs per device and boot: what an acknowledgement may say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

from sqlalchemy import Connection, Select, and_, bindparam, delete, func, select, tuple_

from cropcredit.adapters.database.bodies import instant, microseconds
from cropcredit.adapters.database.dialects import chunks, greatest, insert_into, least
from cropcredit.adapters.database.tables import HELD, REJECTED, SETTLED
from cropcredit.model import Ack, Boot, DeviceState
from cropcredit.telemetry.ranges import Range, contiguous, merged

BootKey = tuple[int, int]
"""(device key, boot)."""

MOST_NAMED = 64
"""Ranges, and rejected seqs, in one ack."""


def load(connection: Connection, boots: AbstractSet[BootKey]) -> dict[BootKey, list[Range]]:
    """Read the settled ranges of these boots."""
    found: defaultdict[BootKey, list[Range]] = defaultdict(list)
    for chunk in chunks(sorted(boots)):
        _collect(connection, select(SETTLED).where(tuple_(SETTLED.c.device, SETTLED.c.boot).in_(chunk)), found)
    return dict(found)


def load_devices(connection: Connection, devices: Sequence[int]) -> dict[BootKey, list[Range]]:
    """Read the settled ranges of all boots of these devices."""
    found: defaultdict[BootKey, list[Range]] = defaultdict(list)
    for chunk in chunks(devices):
        _collect(connection, select(SETTLED).where(SETTLED.c.device.in_(chunk)), found)
    return dict(found)


def extend(connection: Connection, before: dict[BootKey, list[Range]], seqs: Iterable[tuple[int, int, int]]) -> None:
    """Add (device key, boot, seq) to the ledger."""
    arrived: defaultdict[BootKey, list[Range]] = defaultdict(list)
    for device, boot, seq in seqs:
        arrived[device, boot].append((seq, seq))
    gone, changed = [], []
    for (device, boot), new in arrived.items():
        old = before.get((device, boot), [])
        now = merged([*old, *new])
        starts, was = {first for first, _ in now}, set(old)
        gone += [{"d": device, "b": boot, "f": first} for first, _ in old if first not in starts]
        changed += [{"device": device, "boot": boot, "first": f, "last": t} for f, t in now if (f, t) not in was]
    if gone:
        same = and_(
            SETTLED.c.device == bindparam("d"), SETTLED.c.boot == bindparam("b"), SETTLED.c.first == bindparam("f")
        )
        connection.execute(delete(SETTLED).where(same), gone)
    if changed:
        arrival = insert_into(connection, SETTLED)
        longer = arrival.on_conflict_do_update(
            index_elements=["device", "boot", "first"], set_={"last": arrival.excluded.last}
        )
        connection.execute(longer, changed)


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
    newest = (REJECTED.c.at.desc(), REJECTED.c.seq.desc())
    rank = func.row_number().over(partition_by=(REJECTED.c.device, REJECTED.c.boot), order_by=newest)
    found: defaultdict[BootKey, list[tuple[int, str]]] = defaultdict(list)
    for chunk in chunks(sorted(boots)):
        ranked = (
            select(REJECTED, rank.label("rank")).where(tuple_(REJECTED.c.device, REJECTED.c.boot).in_(chunk)).subquery()
        )
        query = select(ranked).where(ranked.c.rank <= MOST_NAMED).order_by(ranked.c.seq)
        for row in connection.execute(query):
            found[row.device, row.boot].append((row.seq, row.reason))
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


def load_boots(connection: Connection, devices: Sequence[int]) -> dict[BootKey, Boot]:
    """Read what these devices' states told about their boots."""
    return {
        (row.device, row.boot): Boot(row.low, None if row.started_at is None else instant(row.started_at))
        for chunk in chunks(devices)
        for row in connection.execute(select(HELD).where(HELD.c.device.in_(chunk)))
    }


def highest_boots(connection: Connection, devices: Sequence[int]) -> dict[int, int]:
    """Give the highest boot ever seen of each device, in readings or states."""
    found: dict[int, int] = {}
    for table in (SETTLED, HELD):
        for chunk in chunks(devices):
            query = select(table.c.device, func.max(table.c.boot).label("boot")).where(table.c.device.in_(chunk))
            for row in connection.execute(query.group_by(table.c.device)):
                found[row.device] = max(row.boot, found.get(row.device, 0))
    return found


def ack(device_id: str, boot: int, ranges: Sequence[Range], *, low: int, poison: Sequence[tuple[int, str]]) -> Ack:
    """Word what one device may forget of one boot: below ``low`` it holds nothing, so nobody waits for it."""
    held = merged([*ranges, (1, low - 1)] if low > 1 else ranges)
    upto = contiguous(held)
    beyond = tuple((first, last) for first, last in held if first > upto)
    return Ack(device_id=device_id, boot=boot, upto=upto, ranges=beyond[:MOST_NAMED], rejected=tuple(poison))


def _started_at(state: DeviceState) -> int | None:
    return None if state.up_ms is None else microseconds(state.received_at) - 1000 * state.up_ms


def _collect(connection: Connection, query: Select[int, int, int, int], into: dict[BootKey, list[Range]]) -> None:
    for row in connection.execute(query.order_by(SETTLED.c.device, SETTLED.c.boot, SETTLED.c.first)):
        into[row.device, row.boot].append((row.first, row.last))
