"""The append-only fact store: one table for every kind of record, each version kept for ever."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Select, func, insert, select, tuple_

from cropcredit.adapters.database.engine import reading, writing
from cropcredit.adapters.database.tables import FACT, FACT_KEY
from cropcredit.errors import StateConflict, UnknownRecord
from cropcredit.model import EPOCH, Record, RecordT, canonical_bytes, decode, digest, microseconds

CHUNK = 500
"""Ids per statement: SQLite takes a limited number of parameters."""


T = TypeVar("T")


class DatabaseFacts:
    """FactStore on SQLite or PostgreSQL."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, *records: Record, new: bool = False) -> int:
        """Append records in one transaction; see :class:`cropcredit.ports.FactStore`."""
        with writing(self._engine) as connection:
            latest = _latest_versions(connection, records)
            rows: list[dict[str, Any]] = []
            for record in records:
                row = _row(record)
                name = (row["kind"], row["id"])
                known = latest.get(name)
                if known and new:
                    raise StateConflict(f"{row['kind']} {record.id!r} exists already")
                if known and known["substance"] == row["substance"] and known["known_at"] <= row["known_at"]:
                    continue
                latest[name] = row | {"version": known["version"] + 1 if known else 1}
                rows.append(latest[name])
            _insert(connection, rows, records)
        return len(rows)

    def get(self, kind: type[RecordT], record_id: str, *, as_of: datetime | None = None) -> RecordT:
        """Read one version; see :class:`cropcredit.ports.FactStore`."""
        found = self._read(kind, [record_id], as_of)
        if not found:
            raise UnknownRecord(kind.__name__, record_id)
        return found[0]

    def find(self, kind: type[RecordT], *, as_of: datetime | None = None, **keys: str) -> list[RecordT]:
        """Read matching records; see :class:`cropcredit.ports.FactStore`."""
        assert set(keys) <= set(kind.KEYS), f"{kind.__name__} is found by {kind.KEYS}"
        if not keys:
            return self._read(kind, None, as_of)
        name, value = next(iter(keys.items()))
        wanted = select(FACT_KEY.c.id).where(
            FACT_KEY.c.kind == kind.__name__, FACT_KEY.c.name == name, FACT_KEY.c.value == value
        )
        with reading(self._engine) as connection:
            ids = list(connection.scalars(wanted))
        # An id whose earlier version carried the key may have moved on: the record itself decides.
        return [r for r in self._read(kind, ids, as_of) if all(getattr(r, k) == v for k, v in keys.items())]

    def history(self, kind: type[RecordT], record_id: str) -> list[RecordT]:
        """Read every version, oldest first."""
        query = (
            select(FACT.c.body)
            .where(FACT.c.kind == kind.__name__, FACT.c.id == record_id)
            .order_by(FACT.c.known_at, FACT.c.version)
        )
        with reading(self._engine) as connection:
            return [decode(kind, body) for body in connection.scalars(query)]

    def by_hash(self, kind: type[RecordT], sha256: str) -> RecordT:
        """Read the version an offer cites."""
        query = select(FACT.c.body).where(FACT.c.sha256 == sha256, FACT.c.kind == kind.__name__)
        with reading(self._engine) as connection:
            body = connection.scalars(query).first()
        if body is None:
            raise UnknownRecord(kind.__name__, sha256)
        return decode(kind, body)

    def _read(self, kind: type[RecordT], ids: Sequence[str] | None, as_of: datetime | None) -> list[RecordT]:
        chunks: Iterator[Sequence[str] | None] = iter([None]) if ids is None else _chunks(sorted(set(ids)))
        with reading(self._engine) as connection:
            bodies = [b for chunk in chunks for b in connection.scalars(_latest_bodies(kind.__name__, chunk, as_of))]
        return [decode(kind, body) for body in bodies]


def _latest_bodies(kind: str, ids: Sequence[str] | None, as_of: datetime | None) -> Select[bytes]:
    rank = func.row_number().over(partition_by=FACT.c.id, order_by=(FACT.c.known_at.desc(), FACT.c.version.desc()))
    ranked = select(FACT.c.id, FACT.c.body, rank.label("rank")).where(FACT.c.kind == kind)
    if as_of is not None:
        ranked = ranked.where(FACT.c.known_at <= microseconds(as_of))
    if ids is not None:
        ranked = ranked.where(FACT.c.id.in_(ids))
    table = ranked.subquery()
    return select(table.c.body).where(table.c.rank == 1).order_by(table.c.id)


def _latest_versions(connection: Connection, records: Sequence[Record]) -> dict[tuple[str, str], dict[str, Any]]:
    """Read what stands highest under each (kind, id) that is about to be written."""
    names = sorted({(type(record).__name__, record.id) for record in records})
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for chunk in _chunks(names):
        query = (
            select(FACT.c.kind, FACT.c.id, FACT.c.version, FACT.c.known_at, FACT.c.substance)
            .where(tuple_(FACT.c.kind, FACT.c.id).in_(chunk))
            .order_by(FACT.c.version)
        )
        found |= {(row["kind"], row["id"]): dict(row) for row in connection.execute(query).mappings()}
    return found


def _insert(connection: Connection, rows: Sequence[dict[str, Any]], records: Sequence[Record]) -> None:
    if not rows:
        return
    connection.execute(insert(FACT), list(rows))
    written = {(row["kind"], row["id"]) for row in rows}
    keys = {
        (type(r).__name__, name, str(getattr(r, name)), r.id)
        for r in records
        if (type(r).__name__, r.id) in written
        for name in type(r).KEYS
    }
    if keys:
        on_conflict = _insert_ignoring(connection)
        connection.execute(
            on_conflict, [dict(zip(("kind", "name", "value", "id"), key, strict=True)) for key in sorted(keys)]
        )


def _insert_ignoring(connection: Connection) -> Any:
    from sqlalchemy.dialects import postgresql, sqlite  # noqa: PLC0415 - only the dialect in use needs loading

    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(FACT_KEY).on_conflict_do_nothing()


def _chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))


def _row(record: Record) -> dict[str, Any]:
    body = canonical_bytes(record)
    return {
        "kind": type(record).__name__,
        "id": record.id,
        "known_at": microseconds(record.known_at),
        "sha256": digest(body),
        "substance": digest(replace(record, known_at=EPOCH)),
        "body": body,
    }
