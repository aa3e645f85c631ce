"""Every grade below A names its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from cropcredit.model import FIRST_SESSION, Clock, Measurement, Source, microseconds
from cropcredit.telemetry import Evidence, Grade, Heard, grade_window
from cropcredit.telemetry.heard import ARRIVAL, BOOT, CLOCK, NETWORK, WRONG, messages_of
from cropcredit.telemetry.messages import boots_crossed
from tests.courses import track_of

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One message, and how it was dated."""

    at: datetime
    boot: int = 1
    dating: int = NETWORK
    key_id: str = "k1"
    source: Source = Source.CONTRACT
    case_open: bool | None = None
    clock: Clock = Clock.NTP
    up_ms: int = 0
    measurements: tuple[Measurement, ...] = ()


def hourly(count: int = 240, **more: Any) -> list[Sent]:
    return [Sent(at=NOON + i * HOUR, **more) for i in range(count)]


def said(sent: Sequence[Sent]) -> Heard:
    """Put messages into columns, in the order given."""
    at_us = [microseconds(one.at) for one in sent]
    messages = messages_of(
        sent,
        boot=[one.boot for one in sent],
        seq=range(1, len(sent) + 1),
        claimed_us=at_us,
        received_us=at_us,
        signed=[bool(one.key_id) for one in sent],
    )
    return Heard(
        messages=messages, at_us=np.array(at_us, np.int64), dating=np.array([one.dating for one in sent], np.int8)
    )


def graded(sent: Sequence[Sent], *, series=None, missing: int = 0, days: int = 10) -> tuple[str, list[str]]:
    tracks = [track_of(quantity, channel, samples) for (quantity, channel), samples in (series or {}).items()]
    evidence = grade_window(said(sent), tracks, missing=missing, days=days)
    return evidence.grade.value, [reason.code for reason in evidence.reasons]


def test_a_signed_complete_well_dated_window_is_an_a():
    assert graded(hourly()) == ("A", [])


@pytest.mark.parametrize(
    ("sent", "more", "grade", "code"),
    [
        pytest.param(hourly(key_id=""), {}, "B", "unsigned", id="only the broker vouches for it"),
        pytest.param(hourly(case_open=True), {}, "C", "case_open", id="somebody opened the case"),
        pytest.param(hourly(), {"missing": 10}, "B", "missing", id="4 percent missing"),
        pytest.param(hourly(), {"missing": 60}, "C", "missing", id="20 percent missing"),
        pytest.param(hourly(), {"missing": 240}, "D", "missing", id="half missing"),
        pytest.param(hourly(), {"days": 15}, "C", "silent_days", id="silent on 4 days of 15"),
        pytest.param(hourly(dating=CLOCK), {}, "B", "clock_free", id="a free-running clock"),
        pytest.param(hourly(dating=BOOT), {}, "B", "clock_free", id="dated by its boot"),
        pytest.param(hourly(dating=ARRIVAL), {}, "C", "clock_none", id="dated by arrival"),
        pytest.param(hourly(dating=WRONG), {}, "C", "clock_wrong", id="a wrong clock"),
        pytest.param(hourly(11), {"days": 1}, "D", "too_few", id="too few to judge"),
        pytest.param([], {}, "D", "too_few", id="nothing at all"),
    ],
)
def test_each_weakness_has_its_grade_and_its_reason(sent, more, grade, code):
    assert graded(sent, **more) == (grade, [code])


def test_silence_within_the_declared_interval_is_no_silence():
    rare = hourly()[::24]  # once a day for ten days, over a window of thirty
    sparse = [*rare, *hourly()[1:4]]
    for interval_s, codes in ((3 * 86_400, []), (86_400, ["silent_days"])):
        evidence = grade_window(said(sparse), [], missing=0, days=30, interval_s=interval_s)
        assert [reason.code for reason in evidence.reasons] == codes


def test_a_few_wrong_clocks_cost_less_than_many():
    few = [*hourly(230), *hourly(10, dating=WRONG)]
    assert graded(few, days=9) == ("B", ["clock_wrong"])
    assert graded([*hourly(230), *hourly(10, dating=ARRIVAL)], days=9) == ("B", ["clock_none"])


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
    evidence: Evidence = grade_window(said(hourly(key_id="", case_open=True)), [], missing=240, days=10)
    assert evidence.grade is Grade.D
    assert [reason.code for reason in evidence.reasons] == ["missing", "case_open", "unsigned"]
    assert dict(evidence.reasons[0].facts) == {"share": 0.5}


def spoken(boot: int, start: timedelta, hours: int, **more: Any) -> list[Sent]:
    return [replace(one, at=one.at + start, boot=boot) for one in hourly(hours, **more)]


def test_readings_that_a_network_server_vouches_for_are_worth_a_b():
    mixed = [*hourly(60), *spoken(1, 60 * HOUR, 180, key_id="", source=Source.CHIRPSTACK)]
    evidence = grade_window(said(mixed), [], missing=0, days=10)
    assert (evidence.grade, [(r.code, dict(r.facts)) for r in evidence.reasons]) == (
        Grade.B,
        [("broker_durable", {"share": 0.75})],
    )


def test_restarts_that_lie_within_one_another_are_counted():
    assert boots_crossed(said([*spoken(1, 0 * HOUR, 20), *spoken(2, 20 * HOUR, 20)])) == 0
    assert boots_crossed(said([*spoken(1, 0 * HOUR, 20), *spoken(2, 5 * HOUR, 20)])) == 1


def test_minutes_after_a_restart_are_forgiven():
    assert boots_crossed(said([*spoken(1, 0 * HOUR, 20), *spoken(2, 18.95 * HOUR, 20)])) == 0
    assert boots_crossed(said([*spoken(1, 0 * HOUR, 20), *spoken(2, 18.5 * HOUR, 20)])) == 1


def test_clocks_that_nobody_set_and_sessions_without_order_do_not_cross():
    assert boots_crossed(said([*spoken(1, 0 * HOUR, 20), *spoken(2, 5 * HOUR, 20, dating=CLOCK)])) == 0
    assert boots_crossed(said([*spoken(FIRST_SESSION + 1, 0 * HOUR, 20), *spoken(FIRST_SESSION, 5 * HOUR, 20)])) == 0


def test_what_the_values_say_counts_with_how_they_came():
    still = track_of("air.temperature", "", [(NOON + i * HOUR, 20.0) for i in range(120)])
    evidence = grade_window(said(hourly(120, key_id="")), [still], missing=0, days=5, until=NOON + 120 * HOUR)
    assert [reason.code for reason in evidence.reasons][-2:] == ["stuck", "unsigned"]
    assert evidence.suspicion > 0.8
