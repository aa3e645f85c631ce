"""yield features, as an agronomist types it: from a register, plantings and a station, before any scene is there."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest
from typer.testing import CliRunner

from cropcredit.agronomy.event_signs import EventKind
from cropcredit.cli import app
from cropcredit.cli.field_features import told
from cropcredit.errors import UnknownRecord
from cropcredit.usecases.field_events import FieldEvent

SOWN = date(2025, 6, 12)


@pytest.fixture
def home(tmp_path):
    square = [[[115.0, 37.0], [115.002, 37.0], [115.002, 37.002], [115.0, 37.002], [115.0, 37.0]]]
    field = {
        "type": "Feature",
        "properties": {"id": "F1", "admin_unit": "371523"},
        "geometry": {"type": "Polygon", "coordinates": square},
    }
    (tmp_path / "f.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [field]}), "utf-8")
    (tmp_path / "p.csv").write_text(
        "id,field_id,season,crop,declared_area,area_unit,sowing_on,harvest_on,known_at\n"
        f"P1,F1,2025-summer,maize,3,ha,{SOWN},2025-10-01,2025-06-20\n",
        "utf-8",
    )
    days = [SOWN - timedelta(10) + timedelta(n) for n in range(79)]
    rows = [f"3715,s,{day},{4 if n % 4 == 0 else 0},20,30,{day}" for n, day in enumerate(days)]
    (tmp_path / "w.csv").write_text(
        "\n".join(["region,source,date,rain_mm,t_min_c,t_max_c,known_at", *rows]) + "\n", "utf-8"
    )
    bank = tmp_path / "bank"
    for words in (
        ("init", "--synthetic-today", "2025-08-20"),
        ("fields", "import", tmp_path / "f.geojson"),
        ("import", "plantings", tmp_path / "p.csv"),
        ("import", "weather", tmp_path / "w.csv"),
    ):
        done = run(*words, "--home", bank)
        assert done.exit_code == 0, done.output
    return bank


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_features_are_told_with_where_they_come_from(home):
    done = run("yield", "features", "--home", home, "--json")

    (told,) = json.loads(done.stdout)
    assert (told["planting_id"], told["clock"], told["calendar_because"]) == ("P1", "calendar", "no_normal_weather")
    assert told["water"]["rain_from"] == "weather"
    assert told["water"]["texture_assumed"]
    assert told["events"] == []


def test_the_table_names_the_clock_and_one_planting_can_be_asked_for(home):
    done = run("yield", "features", "P1", "--home", home)

    assert done.exit_code == 0
    assert "no_normal" in done.stdout
    refused = run("yield", "features", "P9", "--home", home)
    assert isinstance(refused.exception, UnknownRecord)
    assert str(refused.exception) == "yield features: no planting with id 'P9'"


def test_an_event_is_told_with_its_days_its_depth_and_its_evidence():
    flood = FieldEvent(
        kind=EventKind.FLOOD,
        after_on=date(2025, 7, 1),
        on=date(2025, 7, 13),
        depth=7.5,
        stage=0.25,
        clock="thermal",
        evidence=("vv_drop", "index_drop"),
        neighbours=0.6,
        confirmed=True,
    )
    drought = replace(flood, kind=EventKind.DROUGHT, depth=0.3, evidence=("index_deficit",), neighbours=None)

    assert told(flood) == (
        "flood between 2025-07-01 and 2025-07-13, 25% of the season, 7.50 dB; vv_drop, index_drop,"
        " 60% of the neighbours too"
    )
    assert told(replace(drought, confirmed=False)) == (
        "drought (not confirmed) between 2025-07-01 and 2025-07-13, 25% of the season, 30% of the usual index lacking;"
        " index_deficit"
    )
