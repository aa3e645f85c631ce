"""Every grade below A names its reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cropcredit.model import Clock, Reading
from cropcredit.telemetry import Dated, Dating, Evidence, Grade, grade_window, track_of

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def hourly(
    count: int = 240, *, dating: Dating = Dating.NETWORK, key: str = "k1", opened: bool | None = None
) -> list[Dated]:
    return [
        Dated(
            Reading(
                device_id="a",
                boot=1,
                seq=i + 1,
                clock=Clock.NTP,
                up_ms=0,
                observed_at=None,
                measurements=(),
                key_id=key,
                case_open=opened,
            ),
            NOON + i * HOUR,
            dating,
            NOON + i * HOUR,
        )
        for i in range(count)
    ]


def graded(readings: list[Dated], *, series=None, missing: int = 0, days: int = 10) -> tuple[str, list[str]]:
    tracks = [track_of(quantity, channel, samples) for (quantity, channel), samples in (series or {}).items()]
    evidence = grade_window(readings, tracks, missing=missing, days=days)
    return evidence.grade.value, [reason.code for reason in evidence.reasons]


def test_a_signed_complete_well_dated_window_is_an_a():
    assert graded(hourly()) == ("A", [])


@pytest.mark.parametrize(
    ("readings", "more", "grade", "code"),
    [
        pytest.param(hourly(key=""), {}, "B", "unsigned", id="only the broker vouches for it"),
        pytest.param(hourly(opened=True), {}, "C", "case_open", id="somebody opened the case"),
        pytest.param(hourly(), {"missing": 10}, "B", "missing", id="4 percent missing"),
        pytest.param(hourly(), {"missing": 60}, "C", "missing", id="20 percent missing"),
        pytest.param(hourly(), {"missing": 240}, "D", "missing", id="half missing"),
        pytest.param(hourly(), {"days": 15}, "C", "silent_days", id="silent on 4 days of 15"),
        pytest.param(hourly(dating=Dating.CLOCK), {}, "B", "clock_free", id="a free-running clock"),
        pytest.param(hourly(dating=Dating.BOOT), {}, "B", "clock_free", id="dated by its boot"),
        pytest.param(hourly(dating=Dating.ARRIVAL), {}, "C", "clock_none", id="dated by arrival"),
        pytest.param(hourly(dating=Dating.WRONG), {}, "C", "clock_wrong", id="a wrong clock"),
        pytest.param(hourly(11), {"days": 1}, "D", "too_few", id="too few to judge"),
        pytest.param([], {}, "D", "too_few", id="nothing at all"),
    ],
)
def test_each_weakness_has_its_grade_and_its_reason(readings, more, grade, code):
    assert graded(readings, **more) == (grade, [code])


def test_a_few_wrong_clocks_cost_less_than_many():
    few = [*hourly(230), *hourly(10, dating=Dating.WRONG)]
    assert graded(few, days=9) == ("B", ["clock_wrong"])
    assert graded([*hourly(230), *hourly(10, dating=Dating.ARRIVAL)], days=9) == ("B", ["clock_none"])


def series(quantity: str, values: list[float]) -> dict[tuple[str, str], list[tuple[datetime, float]]]:
    return {(quantity, ""): [(NOON + i * HOUR, value) for i, value in enumerate(values)]}


def test_air_that_never_changes_is_a_stuck_sensor():
    assert graded(hourly(), series=series("air.temperature", [20.0] * 60)) == ("C", ["stuck"])


def test_soil_water_may_stand_still():
    assert graded(hourly(), series=series("soil.moisture", [20.0] * 60)) == ("A", [])


def test_one_jump_is_forgiven_two_are_not():
    calm, leap = [10.0, 10.1] * 10, [10.0, 40.0]
    assert graded(hourly(), series=series("air.temperature", [*calm, 40.0]))[0] == "A"
    assert graded(hourly(), series=series("air.temperature", calm + leap)) == ("A", [])
    assert graded(hourly(), series=series("air.temperature", leap * 2)) == ("C", ["jump"])


def test_a_change_over_a_gap_is_no_jump():
    far = [(NOON, 10.0), (NOON + 6 * HOUR, 40.0), (NOON + 12 * HOUR, 10.0)]
    assert graded(hourly(), series={("air.temperature", ""): far}) == ("A", [])


def test_the_worst_answer_is_the_grade_and_stands_first():
    evidence: Evidence = grade_window(hourly(key="", opened=True), [], missing=240, days=10)
    assert evidence.grade is Grade.D
    assert [reason.code for reason in evidence.reasons] == ["missing", "case_open", "unsigned"]
    assert dict(evidence.reasons[0].facts) == {"share": 0.5}
