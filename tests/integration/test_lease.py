"""The lease of ingest: one holder, found lost when it is lost, free at once when its holder ends."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from cropcredit.adapters.database.lease import lease
from cropcredit.errors import StateConflict
from tests.integration.telemetry.line import until

HOLDER = """
import sys
from cropcredit.adapters.database import open_database
from cropcredit.adapters.database.lease import lease
with lease(open_database(sys.argv[1]), "ingest"):
    print("held", flush=True)
    sys.stdin.read()
"""


def lose(engine: Engine) -> None:
    """Take every lease of ingest away, as a restart of the server or a careless hand does."""
    if engine.dialect.name == "sqlite":
        Path(f"{engine.url.database}.ingest.lock").unlink()
        return
    end_holders = """
    SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
    with engine.connect() as connection:
        connection.execute(text(end_holders))


def test_there_is_one_holder_and_the_next_one_comes_when_it_has_left(engine: Engine):
    with lease(engine, "ingest") as first:
        first.renew()
        with pytest.raises(StateConflict, match="another 'ingest' is already at work"), lease(engine, "ingest"):
            pytest.fail("there were two")
        with lease(engine, "another"):
            pass
        first.renew()
    with lease(engine, "ingest"):
        pass


def test_it_says_who_holds_it(engine: Engine):
    mine = lease(engine, "ingest")
    assert mine.holder() == ""
    with lease(engine, "ingest"):
        assert mine.holder().startswith("process ")
        assert " since 2" in mine.holder()
    assert mine.holder() == ""


def test_what_was_lost_is_taken_again(engine: Engine):
    with lease(engine, "ingest") as held:
        lose(engine)
        held.renew()
        with pytest.raises(StateConflict, match="already at work"), lease(engine, "ingest"):
            pytest.fail("it was not taken again")


def test_who_lost_it_to_another_one_learns_so(engine: Engine):
    with lease(engine, "ingest") as held:
        lose(engine)
        with lease(engine, "ingest"), pytest.raises(StateConflict, match="already at work"):
            held.renew()


def test_who_lost_it_may_leave_without_a_word(engine: Engine):
    with lease(engine, "ingest"):
        lose(engine)
    with lease(engine, "ingest"):
        pass


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_it_is_free_at_once_when_its_holder_is_killed(kind: str, make_url: Callable[[str], str], opened):
    url = make_url(kind)
    engine = opened(url)
    command = [sys.executable, "-c", HOLDER, url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            with pytest.raises(StateConflict, match="already at work"), lease(engine, "ingest"):
                pytest.fail("there were two")
        finally:
            holder.kill()
    until(lambda: lease(engine, "ingest").holder() == "")
    with lease(engine, "ingest"):
        pass
