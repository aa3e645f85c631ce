"""Suspicions become reasons and grades; what was not assessed costs nothing."""

from __future__ import annotations

import pytest

from cropcredit.telemetry import Grade, Meaning
from cropcredit.telemetry.evidence import COSTS, GradeReason, answer, grade_of, not_assessed, suspicion
from tests.unit.telemetry.nature import air, reason, track

AIR = track("air.temperature", air())


def test_a_suspicion_of_one_half_is_a_reason_and_a_strong_one_costs_more():
    assert answer("copied", 0.49).reason is None
    assert [reason(answer("copied", share)).grade for share in (0.5, 0.89, 0.9)] == [Grade.C, Grade.C, Grade.D]
    assert [reason(answer("drift", share)).grade for share in (0.6, 0.95)] == [Grade.B, Grade.C]


def test_what_was_not_assessed_is_no_reason_and_no_suspicion():
    found = grade_of([], [not_assessed("copied", "no_neighbours"), answer("stuck", 0.2, AIR)])
    assert (found.grade, found.reasons, found.suspicion) == (Grade.A, (), 0.2)
    assert [check.because for check in found.checks] == ["no_neighbours", ""]


def test_a_reason_names_what_was_measured_and_its_facts_as_a_reader_wants_them():
    assert reason(answer("stuck", 0.7, AIR, hours=52.125)).facts == (
        ("quantity", "air.temperature"),
        ("channel", ""),
        ("hours", 52.1),
    )
    assert reason(answer("copied", 1.0, other="wx-1", alike=0.98765)).facts == (("other", "wx-1"), ("alike", 0.988))


def test_the_worst_reason_is_the_grade_and_stands_first():
    few = GradeReason(code="unsigned", grade=Grade.B)
    found = grade_of([few], [answer("stuck", 0.7, AIR), answer("cloned", 1.0)])
    assert (found.grade, [reason.code for reason in found.reasons]) == (Grade.D, ["cloned", "stuck", "unsigned"])


def test_what_has_everyday_causes_counts_half_and_never_costs_much():
    roofed = answer("gauge_silent", 0.95, AIR)
    assert (roofed.weight, reason(roofed).grade) == (0.475, Grade.B)
    assert grade_of([], [roofed]).suspicion == 0.475


def test_maintenance_is_never_a_d_and_transport_has_a_meaning_of_its_own():
    maintenance = [code for code, cost in COSTS.items() if cost.meaning is Meaning.MAINTENANCE]
    assert {"stuck", "drift", "creep", "gauge_silent", "rises_dry"} <= set(maintenance)
    assert all(COSTS[code].strong < Grade.D for code in maintenance)
    assert GradeReason(code="missing", grade=Grade.B).meaning is Meaning.TRANSPORT
    assert GradeReason(code="drift", grade=Grade.B).meaning is Meaning.MAINTENANCE


@pytest.mark.parametrize(("found", "half"), [(-3.0, 0.0), (0.0, 0.0), (2.0, 0.5), (4.0, 0.8)])
def test_a_finding_at_its_threshold_is_half_a_suspicion(found, half):
    assert suspicion(found, at=2.0) == pytest.approx(half)
