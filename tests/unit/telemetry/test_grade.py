"""Every grade below A names its reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from cropcredit.model import FIRST_SESSION, Clock, Reading, Source
from cropcredit.telemetry import Dated, Dating, Evidence, Grade, grade_window, track_of
from cropcredit.telemetry.messages import boots_crossed

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


def test_silence_within_the_declared_interval_is_no_silence():
    rare = hourly()[::24]  # once a day for ten days, over a window of thirty
    sparse = [*rare, *hourly()[1:4]]
    assert [r.code for r in grade_window(sparse, [], missing=0, days=30, interval_s=3 * 86_400).reasons] == []
    assert [r.code for r in grade_window(sparse, [], missing=0, days=30, interval_s=86_400).reasons] == ["silent_days"]


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


def sent(boot: int, start: timedelta, hours: int, *, clock: Dating = Dating.NETWORK, source: Source = Source.CONTRACT):
    return [
        replace(
            dated,
            reading=msgspec.structs.replace(dated.reading, boot=boot, source=source),
            at=dated.at + start,
            dating=clock,
        )
        for dated in hourly(hours, key="" if source is not Source.CONTRACT else "k1")
    ]


def test_readings_that_a_network_server_vouches_for_are_worth_a_b():
    mixed = [*hourly(60), *sent(1, 60 * HOUR, 180, source=Source.CHIRPSTACK)]
    evidence = grade_window(mixed, [], missing=0, days=10)
    assert (evidence.grade, [(r.code, dict(r.facts)) for r in evidence.reasons]) == (
        Grade.B,
        [("broker_durable", {"share": 0.75})],
    )


def test_restarts_that_lie_within_one_another_are_counted():
    assert boots_crossed([*sent(1, 0 * HOUR, 20), *sent(2, 20 * HOUR, 20)]) == 0
    assert boots_crossed([*sent(1, 0 * HOUR, 20), *sent(2, 5 * HOUR, 20)]) == 1


def test_minutes_after_a_restart_are_forgiven():
    assert boots_crossed([*sent(1, 0 * HOUR, 20), *sent(2, 18.95 * HOUR, 20)]) == 0
    assert boots_crossed([*sent(1, 0 * HOUR, 20), *sent(2, 18.5 * HOUR, 20)]) == 1


def test_clocks_that_nobody_set_and_sessions_without_order_do_not_cross():
    assert boots_crossed([*sent(1, 0 * HOUR, 20), *sent(2, 5 * HOUR, 20, clock=Dating.CLOCK)]) == 0
    assert boots_crossed([*sent(FIRST_SESSION + 1, 0 * HOUR, 20), *sent(FIRST_SESSION, 5 * HOUR, 20)]) == 0


def test_what_the_values_say_counts_with_how_they_came():
    still = track_of("air.temperature", "", [(NOON + i * HOUR, 20.0) for i in range(120)])
    evidence = grade_window(hourly(120, key=""), [still], missing=0, days=5, until=NOON + 120 * HOUR)
    assert [reason.code for reason in evidence.reasons][-2:] == ["stuck", "unsigned"]
    assert evidence.suspicion > 0.8
