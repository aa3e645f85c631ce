"""``cropcredit ingest`` as a process: told when it is well, ended when it hangs, clean when it is asked to stop."""

from __future__ import annotations

import json
import signal
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from cropcredit.adapters.database.readings import DatabaseReadings
from cropcredit.errors import StoreUnavailable
from cropcredit.service import HUNG, RECORD
from tests.integration.telemetry.line import Line, until

pytestmark = pytest.mark.debian


END_ALL = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"""


def health(line: Line) -> dict[str, Any]:
    """Give what /healthz says; empty before it says anything."""
    try:
        url = json.loads((line.home / RECORD).read_text())["http"]
        with urllib.request.urlopen(url + "/healthz", timeout=10) as answer:
            return dict(json.load(answer))
    except urllib.error.HTTPError as error:
        with error:
            return dict(json.load(error))
    except (FileNotFoundError, urllib.error.URLError):
        return {}


def is_held(line: Line) -> bool:
    try:
        return bool(line.app.ingest_lease().holder())
    except StoreUnavailable:  # a connection of our own that ended too
        return False


@pytest.fixture
def mosquitto_line(make_line: Callable[..., Line], debian_tool: Callable[[str], Path]) -> Line:
    debian_tool("mosquitto")
    return make_line("mosquitto")


def test_health_follows_the_broker_and_a_stop_is_clean(mosquitto_line):
    line = mosquitto_line
    line.broker.start()
    ingest = line.ingest()
    until(lambda: bool(health(line).get("ok")))
    line.broker.kill()
    until(lambda: "not connected to the broker" in health(line)["problems"])
    line.broker.start()
    until(lambda: health(line)["ok"])
    ingest.send_signal(signal.SIGTERM)
    assert ingest.wait(60) == 0
    assert not (line.home / RECORD).exists()


def test_an_ingest_whose_commit_hangs_is_ended_and_says_so(mosquitto_line):
    line = mosquitto_line
    line._environment["CROPCREDIT_INGEST_HANG_S"] = "2"
    line.register(["a"])
    line.broker.start()
    ingest = line.ingest()
    until(lambda: bool(health(line).get("ok")))
    with sqlite3.connect(line.home / "cropcredit.db") as other:  # longer than the watchdog waits
        other.execute("BEGIN IMMEDIATE")
        simulator = line.simulator("run", "--readings", "1", "--seconds", "1", "--patience", "1", "--quiet")
        assert ingest.wait(60) == HUNG
        other.rollback()
    other.close()
    simulator.communicate(timeout=60)
    assert "ingest hangs: its loop has not turned for" in (line.home / "ingest.log").read_text()


def test_a_restarted_postgres_costs_the_lease_for_a_moment_and_the_stop_stays_clean(
    make_url: Callable[[str], str], make_line: Callable[..., Line], debian_tool: Callable[[str], Path]
):
    debian_tool("mosquitto")
    url = make_url("postgresql")
    line = make_line("mosquitto", url)
    line.broker.start()
    ingest = line.ingest()
    until(lambda: bool(health(line).get("ok")))
    store = line.app.ingest_messages.store
    assert isinstance(store, DatabaseReadings)
    engine = store._engine
    with engine.connect() as connection:
        connection.execute(text(END_ALL))
    until(lambda: is_held(line) and health(line)["ok"])
    ingest.send_signal(signal.SIGTERM)
    assert ingest.wait(60) == 0
    engine.dispose()
