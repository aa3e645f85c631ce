"""The little in which our two databases differ, and the whole numbers that stand for device ids."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Table, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite

from cropcredit.adapters.database.tables import DEVICE_KEY

CHUNK = 900
"""Values per IN list."""
_NAMED = select(DEVICE_KEY.c.device_id, DEVICE_KEY.c.key).where(
    DEVICE_KEY.c.device_id.in_(bindparam("ids", expanding=True))
)

T = TypeVar("T")


def insert_into(connection: Connection, table: Table) -> Any:
    """Give the dialect's own insert, which knows ON CONFLICT."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table)


def execute_many(connection: Connection, statement: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Run an insert for many rows of plain values; on this path SQLAlchemy's per-row work costs more than the row."""
    if not rows:
        return
    compiled = statement.compile(dialect=connection.dialect, column_keys=list(rows[0]))
    names = compiled.positiontup
    parameters = [tuple(row[name] for name in names) for row in rows] if names else list(rows)
    connection.exec_driver_sql(str(compiled), parameters)


def rows_of(connection: Connection, sql: str, keys: Iterable[tuple[int, ...]]) -> Iterator[Any]:
    """Run a query whose ``{keys}`` is a list of rows of whole numbers, written into it: a thousand parameters are slow.

    Examples
    --------
    ``rows_of(connection, "SELECT … WHERE (device, boot) IN (VALUES {keys})", [(1, 3), (2, 3)])``
    """
    for chunk in chunks(sorted(keys)):
        # a row at a time would cost twice as much
        yield from connection.exec_driver_sql(sql.format(keys=_literal(chunk))).fetchall()


def tuples_of(connection: Connection, sql: str, keys: Iterable[tuple[int, ...]]) -> Iterator[Any]:
    """Do as :func:`rows_of`, but give the driver's plain tuples: SQLAlchemy's rows cost as much as the query."""
    for chunk in chunks(sorted(keys)):
        result = connection.exec_driver_sql(sql.format(keys=_literal(chunk)))
        assert result.cursor is not None
        yield from result.cursor.fetchall()
        result.close()


def write_numbers(connection: Connection, sql: str, rows: Iterable[tuple[int, ...]]) -> None:
    """Run an insert whose ``{rows}`` is a list of rows of whole numbers, written into it; see :func:`rows_of`."""
    for chunk in chunks(sorted(rows)):
        connection.exec_driver_sql(sql.format(rows=_literal(chunk)))


def _literal(rows: Sequence[tuple[int, ...]]) -> str:
    one = f"({','.join(['%d'] * len(rows[0]))})"  # %d takes nothing but numbers
    return ",".join([one] * len(rows)) % tuple(chain.from_iterable(rows))


def for_each(connection: Connection, names: str, columns: str, table: str, where: str) -> str:
    """Word a query, for :func:`rows_of`, that looks rows up for each of its keys, which it knows as ``wanted.NAME``.

    Left to itself PostgreSQL joins some hundred ranges with a device's thousands of rows, each with each; a lateral
    query with an offset is the loop over an index that SQLite makes of a cross join anyway.
    """
    wanted = f"WITH wanted ({names}) AS (VALUES {{keys}}) SELECT"
    if connection.dialect.name == "postgresql":
        found = f"SELECT {columns} FROM {table} WHERE {where} OFFSET 0"  # noqa: S608 - all of it is ours
        return f"{wanted} found.* FROM wanted CROSS JOIN LATERAL ({found}) AS found"
    return f"{wanted} {columns} FROM wanted CROSS JOIN {table} WHERE {where}"


def greatest(connection: Connection, left: ColumnElement[int], right: ColumnElement[int]) -> ColumnElement[int]:
    """Give the larger of two values of one row: ``max`` in SQLite, ``greatest`` in PostgreSQL."""
    return func.greatest(left, right) if connection.dialect.name == "postgresql" else func.max(left, right)


def least(connection: Connection, left: ColumnElement[int], right: ColumnElement[int]) -> ColumnElement[int]:
    """Give the smaller of two values of one row: ``min`` in SQLite, ``least`` in PostgreSQL."""
    return func.least(left, right) if connection.dialect.name == "postgresql" else func.min(left, right)


def chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut a list into pieces that fit one statement."""
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))


def device_keys(connection: Connection, ids: AbstractSet[str] | None, *, create: bool = False) -> dict[str, int]:
    """Look up the keys of devices (None: of all); ``create`` makes those that are missing."""
    if ids is None:
        return {row.device_id: row.key for row in connection.execute(select(DEVICE_KEY))}
    found = _keys(connection, sorted(ids))
    missing = sorted(ids - found.keys())
    if missing and create:
        arrivals = insert_into(connection, DEVICE_KEY).on_conflict_do_nothing()
        connection.execute(arrivals, [{"device_id": device} for device in missing])
        found |= _keys(connection, missing)
    return found


def storable(text: str) -> str:
    """Replace what PostgreSQL cannot hold in text: NUL and lone surrogates."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode("utf-8")


def _keys(connection: Connection, ids: Sequence[str]) -> dict[str, int]:
    found = (connection.execute(_NAMED, {"ids": chunk}) for chunk in chunks(ids))
    return {device_id: key for rows in found for device_id, key in rows}
