"""The arriving half of the store of readings: committed before anybody is told so."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, insert, select

from cropcredit.adapters.database import settled
from cropcredit.adapters.database.bodies import microseconds, write_body
from cropcredit.adapters.database.dialects import chunks, device_keys, execute_many, insert_into, storable
from cropcredit.adapters.database.engine import reading, writing
from cropcredit.adapters.database.settled import BootKey
from cropcredit.adapters.database.tables import CONFLICT, DEVICE_STATE, QUARANTINE, READING, UNROLLED
from cropcredit.errors import StateConflict, StoreUnavailable
from cropcredit.model import UNCOUNTED, Ack, Added, Boot, DeviceState, Reading, Rejection
from cropcredit.telemetry.ranges import Range, holds


class Arrivals:
    """What comes in: readings, quarantine, device states, and what each device may forget."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._keys: dict[str, int] = {}  # of devices whose rows are committed: a key never changes

    def add(
        self,
        readings: Sequence[tuple[Reading, bytes]],
        rejections: Sequence[Rejection],
        *,
        received_at: datetime,
        known_at: datetime | None = None,
        tied: bool = False,
    ) -> Added:
        """Commit one batch in one transaction; see :class:`cropcredit.ports.ReadingStore`."""
        if not readings and not rejections:
            return Added(stored={})
        named = [r for r in rejections if r.device_id and r.boot is not None and r.seq is not None]
        ids = {r.device_id for r, _ in readings} | {r.device_id for r in named}
        at = microseconds(received_at)
        try:
            with writing(self._engine) as connection:
                keys = self._keys_of(connection, ids, create=True)
                rows = [_row(keys[r.device_id], r, payload, at) for r, payload in readings]
                if known_at is not None:  # a replay: nobody knew of it before
                    rows = [row | {"known_at": microseconds(known_at)} for row in rows]
                poison = [(keys[r.device_id], r.boot or 0, r.seq or 0, r.reason) for r in named]
                seqs = [(row["device"], row["boot"], row["seq"]) for row in rows] + [name[:3] for name in poison]
                seqs = [seq for seq in seqs if seq[1] != UNCOUNTED]  # such seqs do not follow one another: no ranges
                before = settled.load(connection, {(device, boot) for device, boot, _ in seqs})
                fresh, conflicts = _store(connection, rows, before)
                poison += [(row["device"], row["boot"], row["seq"], "conflict") for row in conflicts]
                _set_aside(connection, rejections, at, tied=tied)
                settled.reject(connection, [name for name in poison if name[1] != UNCOUNTED], at=at)
                settled.extend(connection, before, seqs)
            self._keys |= keys
        except StateConflict as error:  # another writer was between our look and our insert: the batch is tried again
            raise StoreUnavailable(str(error)) from error
        names, new = {key: device for device, key in keys.items()}, Counter(row["device"] for row in fresh)
        return Added(
            stored={names[key]: count for key, count in new.items()},
            repeated=len(rows) - len(fresh) - len(conflicts),
            conflicts=len(conflicts),
        )

    def settled(self, boots: Iterable[tuple[str, int]]) -> list[Ack]:
        """Tell what is settled per (device, boot); see :class:`cropcredit.ports.ReadingStore`."""
        wanted = list(dict.fromkeys(boots))
        with reading(self._engine) as connection:
            keys = self._keys_of(connection, {device for device, _ in wanted})
            known = {(keys[device], boot) for device, boot in wanted if device in keys}
            ranges, told = settled.load(connection, known), settled.load_boots(connection, sorted(keys.values()))
            poison = settled.rejected(connection, known)
        names = [(device, boot, (keys.get(device, 0), boot)) for device, boot in wanted]
        return [
            settled.ack(device, boot, ranges.get(key, []), low=told.get(key, Boot()).low, poison=poison.get(key, []))
            for device, boot, key in names
        ]

    def _keys_of(self, connection: Connection, ids: AbstractSet[str], *, create: bool = False) -> dict[str, int]:
        found = {device: self._keys[device] for device in ids if device in self._keys}
        return found | device_keys(connection, ids - found.keys(), create=create)

    def save_states(self, states: Sequence[DeviceState]) -> None:
        """Append device states."""
        if not states:
            return
        with writing(self._engine) as connection:
            keys = device_keys(connection, {state.device_id for state in states}, create=True)
            rows = [
                {
                    "device": keys[state.device_id],
                    "received_at": microseconds(state.received_at),
                    "body": msgspec.json.encode(state),
                }
                for state in states
            ]
            connection.execute(insert(DEVICE_STATE), rows)
            settled.hold(connection, [(keys[state.device_id], state) for state in states])


def _row(device: int, message: Reading, payload: bytes, at: int) -> dict[str, Any]:
    return {
        "device": device,
        "boot": message.boot,
        "seq": message.seq,
        "observed_at": None if message.observed_at is None else microseconds(message.observed_at),
        "received_at": at,
        "measurements": len(message.measurements),
        "key_id": message.key_id,
        "body": write_body(message),
        "payload": payload,
    }


def _store(
    connection: Connection, rows: Sequence[dict[str, Any]], before: dict[BootKey, list[Range]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Insert what is new, pass over repetitions, set apart what contradicts a stored reading; gives new and latter."""
    seen: dict[tuple[int, int, int], bytes] = {}
    # Only a seq that was settled before this batch can be in the table already, so only those are looked up.
    old = [
        row
        for row in rows
        if row["boot"] == UNCOUNTED or holds(before.get((row["device"], row["boot"]), ()), row["seq"])
    ]
    if old:
        seen = _bodies(connection, old)
    fresh, conflicts = [], []
    for row in rows:
        body = seen.setdefault((row["device"], row["boot"], row["seq"]), row["body"])
        if body is row["body"]:
            fresh.append(row)
        elif body != row["body"]:
            conflicts.append(_conflict(row))
    execute_many(connection, insert_into(connection, READING).on_conflict_do_nothing(), fresh)
    execute_many(connection, insert_into(connection, CONFLICT).on_conflict_do_nothing(), conflicts)
    if old:  # refused then, valid now: the ledger of roll-ups cannot see by the seq alone that it is new
        again = {(row["device"], row["boot"], row["seq"]) for row in old}
        late = [{name: row[name] for name in ("device", "boot", "seq")} for row in fresh]
        late = [row for row in late if tuple(row.values()) in again]
        execute_many(connection, insert_into(connection, UNROLLED).on_conflict_do_nothing(), late)
    return fresh, conflicts


def _bodies(connection: Connection, rows: Sequence[dict[str, Any]]) -> dict[tuple[int, int, int], bytes]:
    seqs: defaultdict[BootKey, set[int]] = defaultdict(set)
    for row in rows:
        seqs[row["device"], row["boot"]].add(row["seq"])
    found: dict[tuple[int, int, int], bytes] = {}
    for (device, boot), wanted in seqs.items():
        for chunk in chunks(sorted(wanted)):
            query = select(READING.c.seq, READING.c.body).where(
                READING.c.device == device, READING.c.boot == boot, READING.c.seq.in_(chunk)
            )
            found |= {(device, boot, row.seq): row.body for row in connection.execute(query)}
    return found


def _conflict(row: dict[str, Any]) -> dict[str, Any]:
    kept = {name: row[name] for name in ("device", "boot", "seq", "received_at", "body", "payload")}
    return kept | {"sha256": hashlib.sha256(row["body"]).hexdigest()}


def _set_aside(connection: Connection, rejections: Sequence[Rejection], at: int, *, tied: bool) -> None:
    """Quarantine; the same message rejected for the same reason again only counts up."""
    if not rejections:
        return
    rows = [
        {
            "sha256": hashlib.sha256(b"\0".join((r.topic.encode(), r.reason.encode(), r.payload))).hexdigest(),
            "first_at": at,
            "last_at": at,
            "times": 1,
            "topic": storable(r.topic),
            "payload": r.payload,
            "reason": r.reason,
            "detail": storable(r.detail),
            "device_id": storable(r.device_id),
            "boot": r.boot,
            "seq": r.seq,
            "tied": tied,
        }
        for r in rejections
    ]
    arrived = insert_into(connection, QUARANTINE)
    again = {"last_at": arrived.excluded.last_at, "times": QUARANTINE.c.times + 1}
    connection.execute(arrived.on_conflict_do_update(index_elements=["sha256"], set_=again), rows)
