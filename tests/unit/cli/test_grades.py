"""telemetry grade, as an operator types it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cropcredit.bootstrap import build
from cropcredit.cli import app
from cropcredit.config import Settings
from cropcredit.errors import MalformedInput, UnknownRecord
from cropcredit.model import Clock, Measurement, Planting, Reading
from cropcredit.usecases.device_tables import installation

SOWN = datetime(2026, 4, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def run(*words: object, home: Path) -> Result:
    return CliRunner().invoke(app, ["telemetry", "grade", *map(str, words), "--home", str(home)])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "desk"
    assert CliRunner().invoke(app, ["init", "--home", str(folder)]).exit_code == 0
    opened = build(Settings.load(folder))
    planting = Planting(
        id="p", known_at=SOWN, field_id="f", season_id="2026-summer", crop="maize", declared_area_ha=1.0,
        sowing_on=SOWN.date(), harvest_on=SOWN.date() + timedelta(days=100),
    )  # fmt: skip
    opened.facts.add(planting, installation(device_id="d", channel="*", from_at=SOWN, field_id="f", known_at=SOWN))
    said = []
    for seq in range(1, 241):
        measured = (Measurement(quantity="air.temperature", value=20.0, channel=""),)
        reading = Reading(
            device_id="d", boot=1, seq=seq, clock=Clock.NTP, up_ms=0, observed_at=SOWN + seq * HOUR,
            measurements=measured, key_id="k1",
        )  # fmt: skip
        said.append((reading, b"%d" % seq))
    opened.ingest_messages.store.add(said, (), received_at=SOWN + 241 * HOUR)
    return folder


def test_a_grade_comes_with_its_reasons_and_what_they_call_for(home: Path):
    said = run("--field", "f", "--as-of", "2026-04-11", "--days", 10, home=home)
    assert said.exit_code == 0
    assert "C, maintenance: Air temperature stood still for 224 hours." in " ".join(said.stdout.split())
    told = json.loads(run("--field", "f", "--as-of", "2026-04-11", "--json", home=home).stdout)
    assert (told[0]["device"], told[0]["evidence"]["grade"]) == ("d", "C")
    assert told[0]["suspicion"] > 0.9


def test_every_question_can_be_seen_also_those_left_open(home: Path):
    shown = run("--field", "f", "--as-of", "2026-04-11", "--days", 10, "--checks", home=home).stdout
    assert "open: no neighbours" in shown


def test_a_season_is_shown_month_by_month(home: Path):
    shown = run("--planting", "p", "--as-of", "2026-04-11", home=home).stdout
    assert "stuck 1x" in shown
    assert json.loads(run("--planting", "p", "--as-of", "2026-04-11", "--json", home=home).stdout)["d"]["grade"] == "C"


def test_a_place_without_devices_says_what_to_do(home: Path):
    assert "devices place" in run("--store", "nowhere", home=home).stdout


def test_exactly_one_place_is_asked_for(home: Path):
    for words in ((), ("--field", "f", "--store", "s")):
        assert isinstance(run(*words, home=home).exception, MalformedInput)
    assert isinstance(run("--planting", "nobody", home=home).exception, UnknownRecord)
