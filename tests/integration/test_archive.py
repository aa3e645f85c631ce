"""Old readings move to Parquet: whoever asks does not see it, and a death at any instant loses and doubles nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine, text

from cropcredit.adapters.database import archive
from cropcredit.adapters.database.archive import DatabaseArchive
from cropcredit.adapters.database.moved import keep_old_readings_in
from cropcredit.adapters.database.readings import DatabaseReadings
from cropcredit.adapters.database.rollups import DatabaseRollups
from cropcredit.adapters.parquet.readings import write_old_readings
from cropcredit.errors import MalformedInput, StateConflict, StoreUnavailable
from cropcredit.model import Clock, Measurement, Reading, Source
from cropcredit.usecases.retain import RetainReadings
from tests.fakes import FakeClock

START = datetime(2025, 1, 20, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOW = START + 500 * DAY
EVER: Any = {"since": START - DAY, "until": NOW}


@dataclass(frozen=True)
class Farm:
    """Devices a and b, a reading every six hours for forty days, over three months."""

    engine: Engine
    folder: Path

    @property
    def store(self) -> DatabaseReadings:
        return DatabaseReadings(self.engine)

    def fill(self) -> None:
        for device in ("a", "b"):
            self.store.add(
                [(said(device, seq), f"{device}{seq}".encode()) for seq in range(1, 161)],
                [],
                received_at=NOW - 400 * DAY,
            )

    def retain(self, older_than: timedelta = 400 * DAY) -> int:
        rollups = DatabaseRollups(self.engine, zone="Asia/Kolkata")
        retain = RetainReadings(archive=DatabaseArchive(self.engine), rollups=rollups, clock=FakeClock(NOW))
        return retain(older_than=older_than).readings

    def rows(self) -> int:
        with self.engine.connect() as connection:
            return int(connection.execute(text("SELECT COUNT(*) FROM reading")).scalar_one())

    def everything(self) -> list[Any]:
        store, rollups = self.store, DatabaseRollups(self.engine, zone="Asia/Kolkata")
        middle = {"since": START + 5 * DAY, "until": START + 15 * DAY}
        return [
            list(store.readings(["a", "b"])),
            list(store.readings(["a", "b"], **middle)),
            list(store.readings(["a"], known_by=NOW - 401 * DAY)),
            store.latest(["a", "b"]),
            store.spans(),
            store.counts(),
            rollups.rollups(["a", "b"], **EVER),
            rollups.rollups(["a", "b"], hours=1, **middle),
        ]


def said(device: str, seq: int, *, value: float | None = None) -> Reading:
    wet = Measurement(quantity="soil.moisture", value=seq % 7 if value is None else value, channel="d30")
    return Reading(
        device_id=device,
        boot=1 + seq // 100,
        seq=seq,
        clock=Clock.NTP,
        up_ms=0,
        observed_at=START + 6 * seq * HOUR,
        measurements=(wet,),
        key_id="k1",
    )


@pytest.fixture
def farm(engine: Engine, tmp_path: Path) -> Farm:
    keep_old_readings_in(engine, tmp_path / "readings")
    found = Farm(engine, tmp_path / "readings")
    found.fill()
    return found


def test_what_moved_is_found_as_before_and_the_files_say_the_same(farm):
    before = farm.everything()
    assert farm.retain(475 * DAY) == 2 * 47, "what was measured in January: whole months move"
    assert farm.everything() == before
    assert farm.retain() == 2 * (160 - 47 - 2), "the last reading of each boot stays"
    assert farm.rows() == 4
    assert farm.everything() == before
    tables = [pq.read_table(path, partitioning=None) for path in sorted(farm.folder.rglob("*.parquet"))]
    assert sum(table.num_rows for table in tables) == 316
    (payload,) = {row["payload"] for t in tables for row in t.to_pylist() if (row["device_id"], row["seq"]) == ("b", 9)}
    assert payload == b"b9"


def test_moving_again_moves_nothing(farm):
    farm.retain()
    kept = sorted(farm.folder.rglob("*"))
    assert farm.retain() == 0
    assert sorted(farm.folder.rglob("*")) == kept


def test_a_moved_reading_that_is_sent_again_is_not_stored_again_and_a_contradiction_is_kept_apart(farm):
    farm.retain()
    before, rows = farm.everything(), farm.rows()
    added = farm.store.add([(said("a", 3), b"again"), (said("b", 3), b"again")], [], received_at=NOW)
    assert (dict(added.stored), added.repeated, farm.rows()) == ({}, 2, rows)
    assert farm.everything() == before
    farm.store.add([(said("a", 3, value=99.0), b"other")], [], received_at=NOW)
    (conflict,) = farm.store.conflicts()
    assert (conflict.stands, conflict.said.measurements[0].value) == (said("a", 3), 99.0)


def test_a_late_reading_of_a_moved_month_is_rolled_up_with_what_moved_and_moves_itself_later(farm):
    late = said("a", 200)
    late = Reading(
        **{f: getattr(late, f) for f in late.__struct_fields__} | {"observed_at": START + 6 * HOUR + HOUR / 4}
    )
    farm.retain()
    farm.store.add([(late, b"late")], [], received_at=NOW - 200 * DAY)
    farm.store.add([(said("a", 201), b"later")], [], received_at=NOW - 200 * DAY)
    rollups = DatabaseRollups(farm.engine, zone="Asia/Kolkata")
    first = rollups.rollups(["a"], hours=1, since=START, until=START + 7 * HOUR)
    assert [hour.count for hour in first] == [2]
    before = farm.everything()
    assert farm.retain() == 1
    assert farm.everything() == before


def test_readings_without_a_counter_are_moved_and_found_too_in_another_zone_as_well(farm):
    for minute in range(0, 300, 50):
        one = said("a", 1, value=minute)
        named = {field: getattr(one, field) for field in one.__struct_fields__}
        named |= {"boot": 0, "seq": minute << 21, "observed_at": START + minute * HOUR / 60, "source": Source.SENML}
        farm.store.add([(Reading(**named), b"[]")], [], received_at=NOW - 400 * DAY)
    before = farm.everything()
    farm.retain()
    assert farm.everything() == before
    moved = DatabaseRollups(farm.engine, zone="UTC").rollups(["a"], hours=1, since=START, until=START + 5 * HOUR)
    assert [hour.count for hour in moved] == [2, 1, 1, 1, 1]
    early = farm.store.readings(["a"], since=START, until=START + HOUR)
    assert [reading.boot for reading, _ in early] == [0, 0]


class Died(Exception):
    """The process is killed."""


def struck(*_: Any, **__: Any) -> Any:
    raise Died


@pytest.mark.parametrize(
    "instant", ["before the file", "before its name", "before it is read back", "before the names"]
)
def test_a_death_at_any_instant_loses_and_doubles_nothing(farm, monkeypatch, instant):
    before = farm.everything()
    monkeypatch.setattr(archive, "MOST", 60)
    calls: Counter[str] = Counter()

    def nth(name: str, whole: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **more: Any) -> Any:
            calls[name] += 1
            return struck() if calls[name] == 2 else whole(*given, **more)  # the first part has moved

        return call

    module, name = {
        "before the file": (pq, "write_table"),
        "before its name": (Path, "replace"),
        "before it is read back": (pq, "read_table"),
        "before the names": (archive, "execute_many"),
    }[instant]
    with monkeypatch.context() as death:
        death.setattr(module, name, nth(name, getattr(module, name)))
        with pytest.raises(Died):
            farm.retain()
    assert farm.everything() == before
    farm.retain()
    assert farm.rows() == 4
    assert farm.everything() == before


def test_a_file_that_reads_back_differently_moves_nothing(farm, monkeypatch):
    before, whole = farm.everything(), pq.read_table
    with monkeypatch.context() as rot:
        rot.setattr(pq, "read_table", lambda *given, **more: whole(*given, **more).slice(1))
        with pytest.raises(StoreUnavailable, match="does not read back as it was written"):
            farm.retain()
    assert (farm.rows(), farm.everything()) == (320, before)


def test_two_that_move_at_once_move_once(farm, monkeypatch):
    before, write = farm.everything(), write_old_readings

    def meanwhile(*given: Any) -> Any:
        monkeypatch.setattr(archive, "write_old_readings", write)
        farm.retain()
        return write(*given)

    monkeypatch.setattr(archive, "write_old_readings", meanwhile)
    with pytest.raises(StateConflict, match="nothing was lost"):
        farm.retain()
    assert farm.everything() == before


def test_a_lost_file_is_named_and_an_old_window_is_not_silently_empty(farm):
    farm.retain()
    for path in farm.folder.rglob("*.parquet"):
        path.unlink()
    with pytest.raises(StoreUnavailable, match="restore it from a backup"):
        list(farm.store.readings(["a"], until=START + 5 * DAY))
    assert list(farm.store.readings(["a"], since=START + 45 * DAY)) == [], "what is young needs no file"


def test_young_readings_stay(farm):
    with pytest.raises(MalformedInput, match="last 31 days stay"):
        farm.retain(30 * DAY)
