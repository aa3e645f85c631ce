"""Real databases for the store tests: SQLite on disk, and a PostgreSQL server started as an unprivileged user."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from cropcredit.adapters.database import open_database
from tests.postgres import Postgres


def free_port() -> int:
    """Give a TCP port of localhost that nobody listens on, below those that connections take for themselves.

    A broker that is killed must find its port free when it comes back.
    """
    while True:
        port = 10_000 + secrets.randbelow(22_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


@pytest.fixture(scope="session")
def postgres_server(debian_tool: Callable[[str], Path]) -> Iterator[str]:
    """Start a throw-away PostgreSQL server on localhost; give the URL of its maintenance database."""
    server = Postgres(debian_tool, port=free_port())
    try:
        yield server.url
    finally:
        server.remove()


@pytest.fixture
def make_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Give a function: kind of database -> URL of an empty one."""

    def make(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path / 'store.db'}"
        server = str(request.getfixturevalue("postgres_server"))
        name = f"t{os.urandom(6).hex()}"
        engine = create_engine(server, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        return server.removesuffix("postgres") + name

    return make


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, make_url: Callable[[str], str]) -> str:
    """Give the URL of an empty database, once per kind that we support."""
    return make_url(request.param)


@pytest.fixture
def opened() -> Iterator[Callable[[str], Engine]]:
    """Give ``open_database``, and close what it opened when the test ends."""
    engines: list[Engine] = []

    def open_one(url: str) -> Engine:
        engines.append(open_database(url))
        return engines[-1]

    yield open_one
    for engine in engines:
        engine.dispose()


@pytest.fixture
def engine(database_url: str, opened: Callable[[str], Engine]) -> Engine:
    """Open that database, migrated."""
    return opened(database_url)
