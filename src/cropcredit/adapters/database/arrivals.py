"""The arriving half of the store of readings: committed before anybody is told so."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

import msgspec
from sqlalchemy import Connection, Engine, insert

from cropcredit.adapters.database import settled
from cropcredit.adapters.database.bulk import take_turns
from cropcredit.adapters.database.dialects import device_keys, insert_into, storable
from cropcredit.adapters.database.engine import reading, writing
from cropcredit.adapters.database.reading_rows import row_of, store
from cropcredit.adapters.database.settled import BootKey
from cropcredit.adapters.database.tables import DEVICE_STATE, QUARANTINE
from cropcredit.errors import StateConflict, StoreUnavailable
from cropcredit.model import UNCOUNTED, Ack, Added, DeviceState, Reading, Rejection, microseconds


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
        at, known = microseconds(received_at), None if known_at is None else microseconds(known_at)
        try:
            with writing(self._engine) as connection:
                take_turns(connection)
                keys = self._keys_of(connection, ids, create=True)
                rows = [
                    row_of(keys[r.device_id], r, payload, received_at=at, known_at=known) for r, payload in readings
                ]
                poison = [(keys[r.device_id], r.boot or 0, r.seq or 0, r.reason) for r in named]
                seqs = _counted([*((row.device, row.boot, row.seq) for row in rows), *(name[:3] for name in poison)])
                before = settled.load(connection, seqs.keys())
                fresh, conflicts = store(connection, rows, before)
                poison += [(row.device, row.boot, row.seq, "conflict") for row in conflicts]
                _set_aside(connection, rejections, at, tied=tied)
                settled.reject(connection, [name for name in poison if name[1] != UNCOUNTED], at=at)
                settled.extend(connection, before, seqs)
            self._keys |= keys
        except StateConflict as error:  # another writer was between our look and our insert: the batch is tried again
            raise StoreUnavailable(str(error)) from error
        names, new = {key: device for device, key in keys.items()}, Counter(row.device for row in fresh)
        return Added(
            stored={names[key]: count for key, count in new.items()},
            repeated=len(rows) - len(fresh) - len(conflicts),
            conflicts=Counter(names[row.device] for row in conflicts),
        )

    def settled(self, boots: Iterable[tuple[str, int]]) -> list[Ack]:
        """Tell what is settled per (device, boot); see :class:`cropcredit.ports.ReadingStore`."""
        wanted = list(dict.fromkeys(boots))
        with reading(self._engine) as connection:
            keys = self._keys_of(connection, {device for device, _ in wanted})
            known = {(keys[device], boot) for device, boot in wanted if device in keys}
            ranges, lows = settled.load(connection, known), settled.lows(connection, known)
            poison = settled.rejected(connection, known)
        names = [(device, boot, (keys.get(device, 0), boot)) for device, boot in wanted]
        return [
            settled.ack(device, boot, ranges.get(key, []), low=lows.get(key, 1), poison=poison.get(key, []))
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


def _counted(identities: Iterable[tuple[int, int, int]]) -> dict[BootKey, list[int]]:
    """Gather the seqs of each boot, but of those whose seqs do not follow one another."""
    seqs: defaultdict[BootKey, list[int]] = defaultdict(list)
    for device, boot, seq in identities:
        if boot != UNCOUNTED:
            seqs[device, boot].append(seq)
    return seqs


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
