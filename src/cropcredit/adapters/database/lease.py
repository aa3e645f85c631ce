"""One ingest per identity: a lock that dies with its holder, so a killed service can be restarted at once.

A lock may also be lost while its holder lives: PostgreSQL's ends with its session when the server restarts, a file's
when somebody removes the file. So the holder asks before it commits (:meth:`Lease.renew`): what was lost is taken
again, or, when another one has it, the holder learns that its time is over.
"""

from __future__ import annotations

import fcntl
import os
import socket
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Protocol, Self, TextIO
from zlib import crc32

from sqlalchemy import Connection, Engine, text

from cropcredit.adapters.database.engine import mapped
from cropcredit.errors import CropcreditError, StateConflict


class Lease(Protocol):
    """The right to be the one of a name; hold it as a context manager."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...
    def renew(self) -> None:
        """Make sure that it is still held; from any thread.

        Raises
        ------
        StateConflict
            If another one has it.
        StoreUnavailable
            If the database does not answer, so nobody can tell.
        """
        ...

    def holder(self) -> str:
        """Say who holds it, in words; empty: nobody."""
        ...


def lease(engine: Engine, name: str) -> Lease:
    """Give the right to be the one called ``name`` on this database, to be held.

    A file lock beside an SQLite file, an advisory lock of the session in PostgreSQL. Entering it raises StateConflict
    if another process holds it.
    """
    if engine.dialect.name == "sqlite":
        return _FileLease(Path(f"{engine.url.database}.{name}.lock"), name)
    return _SessionLease(engine, name)


class _FileLease:
    def __init__(self, path: Path, name: str) -> None:
        self._path, self._name = path, name
        self._file: TextIO | None = None
        self._one = Lock()

    def __enter__(self) -> Self:
        self.renew()
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def renew(self) -> None:
        with self._one:
            if self._file is None or not self._stands(self._file):
                self._take()

    def holder(self) -> str:
        try:
            with self._path.open() as file:
                return "" if _locked(file, fcntl.LOCK_SH) else file.read() or "somebody"
        except FileNotFoundError:
            return ""

    def _stands(self, file: TextIO) -> bool:
        """Say whether the file that is locked is still the one of that name."""
        try:
            return os.path.samestat(os.fstat(file.fileno()), self._path.stat())
        except FileNotFoundError:
            return False

    def _take(self) -> None:
        with ExitStack() as undo:
            file = undo.enter_context(self._path.open("a+"))
            if not _locked(file, fcntl.LOCK_EX):
                raise _taken(self._name)
            file.truncate(0)
            file.write(_who())
            file.flush()
            undo.pop_all()
        if self._file is not None:
            self._file.close()
        self._file = file


class _SessionLease:
    def __init__(self, engine: Engine, name: str) -> None:
        self._engine, self._name, self._key = engine, name, crc32(name.encode())
        self._connection: Connection | None = None
        self._one = Lock()

    def __enter__(self) -> Self:
        self.renew()
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            with suppress(CropcreditError), mapped():  # a session that has ended holds nothing
                self._connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": self._key})
            self._forget()

    def renew(self) -> None:
        with self._one:
            if self._connection is not None and not self._stands(self._connection):
                self._forget()
            if self._connection is None:
                self._take()

    def holder(self) -> str:
        with mapped(), self._engine.connect() as connection:
            row = connection.execute(text(_HOLDER), {"key": self._key}).first()
        return "" if row is None else f"process {row[0]} from {row[1]} since {row[2]}"

    def _stands(self, connection: Connection) -> bool:
        try:
            with mapped():
                return bool(connection.scalar(text(_HELD), {"key": self._key}))
        except CropcreditError:
            return False

    def _take(self) -> None:
        with mapped(), ExitStack() as undo:
            # Without a transaction: an open one would hold back vacuum for as long as ingest runs.
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            undo.callback(connection.close)
            if not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": self._key}):
                raise _taken(self._name)
            undo.pop_all()
        self._connection = connection

    def _forget(self) -> None:
        if self._connection is not None:
            with suppress(CropcreditError), mapped():
                self._connection.invalidate()  # its server side may hold the lock: it must not go back into the pool
                self._connection.close()
        self._connection = None


_HELD = """
SELECT count(*) FROM pg_locks
WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid() AND classid = 0 AND objid = :key AND objsubid = 1"""
_HOLDER = """
SELECT activity.pid, coalesce(host(activity.client_addr), 'this machine'),
  to_char(activity.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"')
FROM pg_locks JOIN pg_stat_activity AS activity USING (pid)
WHERE locktype = 'advisory' AND granted AND classid = 0 AND objid = :key AND objsubid = 1
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""


def _locked(file: TextIO, how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _who() -> str:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return f"process {os.getpid()} on {socket.gethostname()} since {now}"


def _taken(name: str) -> StateConflict:
    return StateConflict(f"another {name!r} is already at work on this database: stop it first")
