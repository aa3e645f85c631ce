"""Thousands of new rows in one go: what SQLAlchemy does per row costs more than the row.

SQLite gets one prepared insert and plain tuples; PostgreSQL gets them by COPY.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table

from cropcredit.adapters.database.engine import unavailable

_WRITERS = 20_250_602
"""Name of the lock that writers of readings hold in PostgreSQL."""


def take_turns(connection: Connection) -> None:
    """Wait for other writers of readings, until this transaction ends; SQLite lets one write at a time anyway.

    What is settled is read, extended and written back: two at once would each undo the other's ranges.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS})")


def insert_new(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> int:
    """Insert the rows whose keys are new to the table.

    Parameters
    ----------
    connection : Connection
        In a transaction.
    table : Table
        Columns that are not named get their defaults.
    columns : sequence of str
        Names of the values of each row.
    rows : sequence of tuple
        Plain values.

    Returns
    -------
    int
        How many were new.
    """
    if not rows:
        return 0
    names = ", ".join(columns)
    if connection.dialect.name == "postgresql":
        return _copied(connection, table, names, rows)
    marks = ", ".join("?" * len(columns))
    new = f"INSERT INTO {table.name} ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING"  # noqa: S608 - names are ours
    return connection.exec_driver_sql(new, list(rows)).rowcount


def _copied(connection: Connection, table: Table, names: str, rows: Sequence[tuple[Any, ...]]) -> int:
    """COPY straight in; only when some are there already, beside the table, to take over the others from there."""
    driver: Any = connection.dialect.loaded_dbapi
    kinds = [table.columns[name].type.compile(connection.dialect).lower() for name in names.split(", ")]
    try:
        try:
            with connection.begin_nested():
                _copy(connection, f"{table.name} ({names})", kinds, rows)
            return len(rows)
        except driver.IntegrityError:
            columns = ", ".join(f"{name} {kind}" for name, kind in zip(names.split(", "), kinds, strict=True))
            beside = f"arriving_{table.name}"
            connection.exec_driver_sql(f"CREATE TEMPORARY TABLE {beside} ({columns}) ON COMMIT DROP")
            _copy(connection, f"{beside} ({names})", kinds, rows)
    except driver.Error as error:
        raise unavailable(error) from error
    new = f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {beside} ON CONFLICT DO NOTHING"  # noqa: S608
    return connection.exec_driver_sql(new).rowcount


def _copy(connection: Connection, into: str, kinds: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types([kind.partition("(")[0] for kind in kinds])
        for row in rows:
            copy.write_row(row)
