"""One ingest per identity: a lock that dies with its holder, so a killed service can be restarted at once."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zlib import crc32

from sqlalchemy import Engine, text

from cropcredit.adapters.database.engine import reading
from cropcredit.errors import StateConflict


@contextmanager
def lease(engine: Engine, name: str) -> Iterator[None]:
    """Hold the right to be the one called ``name`` on this database.

    A file lock beside an SQLite file, an advisory lock of the session in PostgreSQL.

    Raises
    ------
    StateConflict
        If another process holds it.
    """
    holder = _file_lock(engine, name) if engine.dialect.name == "sqlite" else _advisory_lock(engine, name)
    with holder:
        yield


@contextmanager
def _file_lock(engine: Engine, name: str) -> Iterator[None]:
    path = Path(f"{engine.url.database}.{name}.lock")
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _taken(name) from None
        yield


@contextmanager
def _advisory_lock(engine: Engine, name: str) -> Iterator[None]:
    with reading(engine) as connection:
        got = connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": crc32(name.encode())})
        connection.commit()  # the lock belongs to the session; an open transaction would hold back vacuum
        if not got:
            raise _taken(name)
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": crc32(name.encode())})


def _taken(name: str) -> StateConflict:
    return StateConflict(f"another {name!r} is already at work on this database: stop it first")
