"""Real databases for the store tests: SQLite on disk, and a PostgreSQL server started as an unprivileged user."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from cropcredit.adapters.database import open_database


def free_port() -> int:
    """Give a TCP port of localhost that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def postgres_server(debian_tool: Callable[[str], Path]) -> Iterator[str]:
    """Start a throw-away PostgreSQL server on localhost; give the URL of its maintenance database."""
    initdb, pg_ctl = debian_tool("initdb"), debian_tool("pg_ctl")
    root = os.geteuid() == 0
    user = "nobody" if root else pwd.getpwuid(os.geteuid()).pw_name
    room = Path(tempfile.mkdtemp(prefix="cropcredit-pg-", dir="/tmp"))  # a socket path must be short
    room.chmod(0o700)
    if root:
        shutil.chown(room, user)

    def run(*command: object) -> None:
        with (room / "log").open("a") as log:
            done = subprocess.run(
                [str(part) for part in command],
                user=user if root else None,
                cwd=room,
                env={"HOME": str(room), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
                stdout=log,
                stderr=subprocess.STDOUT,
                check=False,
            )
        assert done.returncode == 0, (room / "log").read_text()

    port = free_port()
    run(initdb, "-D", room / "data", "-U", "cropcredit", "--auth=trust", "--no-sync", "-E", "UTF8")
    run(pg_ctl, "-D", room / "data", "-w", "-o", f"-p {port} -k {room} -c listen_addresses=127.0.0.1", "start")
    try:
        yield f"postgresql+psycopg://cropcredit@127.0.0.1:{port}/postgres"
    finally:
        run(pg_ctl, "-D", room / "data", "-m", "immediate", "stop")
        shutil.rmtree(room)


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
