"""A store of an earlier version opens, and says the same: ``upgrades/`` holds what that version itself had written."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, MetaData, create_engine, func, insert, select, text

from cropcredit.adapters import database
from cropcredit.adapters.database.credentials import DatabaseCredentials
from cropcredit.adapters.database.readings import DatabaseReadings
from cropcredit.adapters.database.rollups import DatabaseRollups
from cropcredit.model import Clock, Reading

START = datetime(2026, 5, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
HELD = Path(__file__).parent / "upgrades"


def as_then(url: str, schema: str) -> None:
    """Make a database of that schema and fill it with what the code of that time wrote into it."""
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parents[1] / "migrations"))
    engine = create_engine(url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, schema)
    tables = MetaData()
    tables.reflect(engine)
    with engine.begin() as connection:
        for name, rows in json.loads((HELD / f"schema-{schema}.json").read_text("utf-8")).items():
            connection.execute(insert(tables.tables[name]), [{k: _plain(v) for k, v in row.items()} for row in rows])
            _count_on(connection, tables.tables[name])
    engine.dispose()


def _plain(value: Any) -> Any:
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value


def _count_on(connection: Any, table: Any) -> None:
    """Let PostgreSQL's own counting go on after the rows that were written with their numbers."""
    (key, *more) = table.primary_key.columns
    if connection.dialect.name == "postgresql" and not more and key.autoincrement is not False:
        owned = connection.scalar(text("SELECT pg_get_serial_sequence(:t, :c)"), {"t": table.name, "c": key.name})
        if owned:
            connection.execute(select(func.setval(owned, select(func.max(key)).scalar_subquery())))


@pytest.fixture
def upgraded(database_url: str, opened: Callable[[str], Engine]) -> Engine:
    as_then(database_url, "0002")
    return opened(database_url)


def test_what_was_stored_before_reads_the_same(upgraded):
    store = DatabaseReadings(upgraded)
    found = list(store.readings(["probe-1", "probe-2"]))
    assert [(r.device_id, r.boot, r.seq) for r, _ in found] == [
        *(("probe-1", 1, seq) for seq in (1, 2, 3, 6)),
        ("probe-2", 7, 1),
    ]
    first, received_at = found[0]
    assert (first.observed_at, first.clock, first.battery_v, first.key_id) == (START + HOUR, Clock.NTP, 3.6, "k1")
    assert [(m.quantity, m.value, m.channel) for m in first.measurements] == [
        ("soil.moisture", 20.5, "d30"),
        ("weather.rain", 0.25, ""),
    ]
    assert received_at == START + 9 * HOUR
    assert store.counts() == {"readings": 5, "measurements": 8, "conflicts": 1, "quarantined": 2}
    assert store.spans(["probe-1"]) == {("probe-1", 1): [(1, 4), (6, 6)]}
    assert store.states()["probe-2"].firmware == "2.4.1"
    assert list(DatabaseCredentials(upgraded).keys("probe-1")) == ["k1"]


def test_what_came_later_works_on_what_was_stored_before(upgraded):
    store, rollups = DatabaseReadings(upgraded), DatabaseRollups(upgraded, zone="Asia/Kolkata")
    (wet, rain) = rollups.rollups(["probe-1"], since=START - 24 * HOUR, until=START + 24 * HOUR)
    assert (wet.count, rain.rise) == (4, 1.25)
    assert [r.boot for r, _ in store.readings(["probe-2"], since=START + 28 * HOUR, until=START + 31 * HOUR)] == [7]
    (conflict,) = store.conflicts()
    assert (conflict.stands.measurements[0].value, conflict.said.measurements[0].value) == (20.5, 99.0)
    assert [(e.rejection.reason, e.tied, e.outcome) for e in store.quarantine(after=0)] == [
        ("quantity", True, ""),  # it settled its seq, so it was certain who sent it
        ("json", False, ""),
    ]
    late = Reading(
        device_id="probe-1", boot=1, seq=4, clock=Clock.NTP, up_ms=1, observed_at=START + 4 * HOUR, measurements=()
    )
    store.add([(late, b"")], [], received_at=START + 9 * HOUR, known_at=START + 99 * HOUR)
    assert [r.seq for r, _ in store.readings(["probe-1"])] == [1, 2, 3, 4, 6]
    store.add([(late, b"")], [], received_at=START + 9 * HOUR)
    assert store.counts()["readings"] == 6
