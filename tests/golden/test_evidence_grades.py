"""Grades of the Cook farm's real stations: how often each reason is given to honest farmers' sensors."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from cropcredit.telemetry.evidence import Evidence, Meaning, grade_of
from tests.benchmarks.cook_farm import CookFarm

pytestmark = pytest.mark.real_data
GOLDEN = json.loads(Path(__file__).with_name("evidence_grades.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def graded(real_data) -> list[Evidence]:
    farm = CookFarm(real_data / "telemetry" / "cookfarm")
    windows = list(farm.windows())[:: GOLDEN["every"]]
    return [grade_of([], farm.honest(name, first).checks()) for name, first in windows]


def test_grades_of_real_stations_keep_their_distribution(graded):
    assert len(graded) == GOLDEN["windows"]
    found = Counter(evidence.grade.value for evidence in graded)
    assert found == pytest.approx(GOLDEN["grades"], abs=GOLDEN["tolerance"]["windows"])


def test_reasons_given_to_real_stations_stay_as_rare_as_they_were(graded):
    found = Counter(code for evidence in graded for code in {reason.code for reason in evidence.reasons})
    known = GOLDEN["reasons"]
    assert {code: found[code] for code in known} == pytest.approx(known, abs=GOLDEN["tolerance"]["windows"])
    assert sum(count for code, count in found.items() if code not in known) <= GOLDEN["tolerance"]["windows"]


def test_hardly_any_honest_station_is_doubted(graded):
    doubted = [e for e in graded if any(reason.meaning is Meaning.DOUBT for reason in e.reasons)]
    assert len(doubted) / len(graded) <= GOLDEN["doubted_at_most"]


def test_what_has_nothing_to_compare_with_stays_open(graded):
    because = {check.because for evidence in graded for check in evidence.checks if check.suspicion is None}
    assert {"no_air", "quiet", "no_rain"} <= because
