"""Readings as rows of their table: the new is stored, the repeated passed over, the contradicting kept apart."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from cropcredit.adapters.database.bodies import write_body
from cropcredit.adapters.database.bulk import insert_new
from cropcredit.adapters.database.dialects import chunks, execute_many, insert_into
from cropcredit.adapters.database.moved import moved_bodies
from cropcredit.adapters.database.settled import BootKey
from cropcredit.adapters.database.tables import CONFLICT, READING, UNROLLED
from cropcredit.model import UNCOUNTED, Reading, microseconds
from cropcredit.telemetry.ranges import Range, holds

Identity = tuple[int, int, int]
"""(device key, boot, seq)."""


class Row(msgspec.Struct, frozen=True, gc=False):
    """One line of READING; instants in microseconds since 1970, UTC."""

    device: int
    boot: int
    seq: int
    observed_at: int | None
    received_at: int
    measurements: int
    key_id: str
    body: bytes
    payload: bytes
    known_at: int | None

    @property
    def identity(self) -> Identity:
        return self.device, self.boot, self.seq


def row_of(device: int, reading: Reading, payload: bytes, *, received_at: int, known_at: int | None) -> Row:
    """Write a reading as a row."""
    return Row(
        device=device,
        boot=reading.boot,
        seq=reading.seq,
        observed_at=None if reading.observed_at is None else microseconds(reading.observed_at),
        received_at=received_at,
        measurements=len(reading.measurements),
        key_id=reading.key_id,
        body=write_body(reading),
        payload=payload,
        known_at=known_at,
    )


def store(
    connection: Connection, rows: Sequence[Row], before: Mapping[BootKey, list[Range]]
) -> tuple[list[Row], list[Row]]:
    """Insert what is new, pass over repetitions, set apart what contradicts a stored reading.

    Parameters
    ----------
    connection : Connection
        In a transaction that no other writer of readings works beside.
    rows : sequence of Row
        In the order of arrival: of two under one identity the first stands.
    before : mapping
        The seqs that were settled before, by boot. Only these can be in the table already, so only they are looked up.

    Returns
    -------
    fresh, conflicts
    """
    again = [row for row in rows if row.boot == UNCOUNTED or holds(before.get((row.device, row.boot), ()), row.seq)]
    fresh, conflicts = _compared(rows, _bodies(connection, again) if again else {})
    inserted = insert_new(connection, READING, Row.__struct_fields__, [msgspec.structs.astuple(row) for row in fresh])
    if inserted < len(fresh):  # some stood there that the ledger of settled seqs had forgotten
        conflicts += _compared(fresh, _bodies(connection, fresh))[1]
    kept_apart = insert_into(connection, CONFLICT).on_conflict_do_nothing()
    execute_many(connection, kept_apart, [_conflict(row) for row in conflicts])
    if again:  # refused then, valid now: the ledger of roll-ups cannot see by the seq alone that it is new
        settled_before = {row.identity for row in again}
        late = [_named(row) for row in fresh if row.identity in settled_before]
        execute_many(connection, insert_into(connection, UNROLLED).on_conflict_do_nothing(), late)
    return fresh, conflicts


def _compared(rows: Iterable[Row], stored: dict[Identity, bytes]) -> tuple[list[Row], list[Row]]:
    """Part what has no equal yet from what contradicts what is stored, or came before it; repetitions fall away."""
    fresh, conflicts = [], []
    for row in rows:
        body = stored.setdefault((row.device, row.boot, row.seq), row.body)
        if body is row.body:
            fresh.append(row)
        elif body != row.body:
            conflicts.append(row)
    return fresh, conflicts


def _bodies(connection: Connection, rows: Sequence[Row]) -> dict[Identity, bytes]:
    seqs: defaultdict[BootKey, set[int]] = defaultdict(set)
    for row in rows:
        seqs[row.device, row.boot].add(row.seq)
    found: dict[Identity, bytes] = {}
    for (device, boot), wanted in seqs.items():
        for chunk in chunks(sorted(wanted)):
            query = select(READING.c.seq, READING.c.body).where(
                READING.c.device == device, READING.c.boot == boot, READING.c.seq.in_(chunk)
            )
            found |= {(device, boot, row.seq): row.body for row in connection.execute(query)}
    elsewhere = [row.identity for row in rows if row.identity not in found]
    return found | moved_bodies(connection, elsewhere)


def _named(row: Row) -> dict[str, Any]:
    return {"device": row.device, "boot": row.boot, "seq": row.seq}


def _conflict(row: Row) -> dict[str, Any]:
    said = {"received_at": row.received_at, "body": row.body, "payload": row.payload}
    return _named(row) | said | {"sha256": hashlib.sha256(row.body).hexdigest()}
