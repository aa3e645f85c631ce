"""Opens SQLite or PostgreSQL by URL and brings the schema to the version of this code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError

from cropcredit.errors import CropcreditError, RefusedInput, StateConflict, StoreUnavailable

BUSY_MS = 15_000
"""How long a writer of SQLite waits for another one."""
FORMS = "use sqlite:///… or postgresql+psycopg://USER:PASSWORD@HOST/NAME (in a password write @ : / as %40 %3A %2F)"
CHECKPOINT_PAGES = 10_000
"""Length of SQLite's log (40 MB) at which its pages move into the database: pages that change with every batch of
readings move once for many of them, which halves what a commit waits for the disk."""


def open_database(url: str) -> Engine:
    """Open a database and migrate it to the current schema.

    Parameters
    ----------
    url : str
        ``sqlite:///path`` (WAL, synchronous=FULL) or ``postgresql+psycopg://…``.

    Raises
    ------
    RefusedInput
        If the URL names no database we speak, or the schema is newer than this code.
    StoreUnavailable
        If the database does not answer.
    """
    try:
        engine = create_engine(url, connect_args=_as_bytes(url))
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError, ValueError) as error:  # ValueError: no such port
        cure = (
            "use sqlite:///… or postgresql+psycopg://USER:PASSWORD@HOST/NAME, with @ : / in a password as %40 %3A %2F"
        )
        raise RefusedInput(f"no database can be opened by {_masked(url)!r}", cure=cure) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _durable_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    try:
        with mapped():
            _migrate(engine)
    except CropcreditError:
        engine.dispose()
        raise
    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction; committed whole or not at all. Database errors come out as ours."""
    with mapped(), engine.begin() as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Look at the store without waiting for a writer: of SQLite one snapshot, of PostgreSQL one for each statement.

    PostgreSQL gives no more by default (READ COMMITTED), so its two messages about a transaction are spared: whoever
    asks twice reads first what may only grow.
    """
    spared = {"isolation_level": "AUTOCOMMIT"} if engine.dialect.name == "postgresql" else {}
    with mapped(), engine.connect().execution_options(reader=True, **spared) as connection:
        yield connection


@contextmanager
def mapped() -> Iterator[None]:
    """Turn errors of the database into ours."""
    try:
        yield
    except IntegrityError as error:
        raise StateConflict(f"somebody else stored this first: {error.orig}") from error
    except DBAPIError as error:
        raise unavailable(error.orig) from error


def unavailable(error: object) -> StoreUnavailable:
    """Say in one line, and with a cure, what the database's driver says in several."""
    said = " ".join(str(error).split())
    return StoreUnavailable(f"the database did not answer: {said}; see that it runs, and that database_url is right")


def _as_bytes(url: str) -> dict[str, Any]:
    """Let PostgreSQL send numbers and bodies as they are, not written out: a tenth less work for a month's readings."""
    if not url.startswith("postgresql+psycopg:"):
        return {}
    from psycopg import Cursor  # noqa: PLC0415 - only where PostgreSQL is used
    from psycopg.pq import Format  # noqa: PLC0415

    class Binary(Cursor[Any]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self.format = Format.BINARY

    return {"cursor_factory": Binary}


def _durable_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy's "begin" event opens our transactions, not the driver
    durable = ("journal_mode=WAL", "synchronous=FULL", f"wal_autocheckpoint={CHECKPOINT_PAGES}")
    for pragma in (*durable, "foreign_keys=ON", f"busy_timeout={BUSY_MS}"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    """Make writers take their turn at the start, so none fails half way; readers see a snapshot and wait for nobody."""
    reader = connection.get_execution_options().get("reader", False)
    connection.exec_driver_sql("BEGIN" if reader else "BEGIN IMMEDIATE")


def _migrate(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parents[1] / "migrations"))
    scripts = ScriptDirectory.from_config(config)
    with reading(engine) as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    if current == scripts.get_current_head():
        return
    if current is not None and current not in {script.revision for script in scripts.walk_revisions()}:
        raise RefusedInput(
            f"the database has schema {current}, which this version does not know", cure="update cropcredit"
        )
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(20250601)")  # two processes may open at once
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _masked(url: str) -> str:
    """Leave out whatever may be a password."""
    scheme, found, rest = url.partition("://")
    if not found:
        return "…" if ":" in url or "@" in url else url
    return f"{scheme}://…@{rest.rpartition('@')[2]}" if "@" in rest else url
