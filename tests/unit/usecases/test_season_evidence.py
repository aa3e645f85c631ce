"""A season is worth what most of its windows are worth, and one bad month is not washed out."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from cropcredit.errors import UnknownRecord
from cropcredit.model import Clock, Measurement, Planting, Reading
from cropcredit.telemetry import Grade
from cropcredit.telemetry.evidence import Evidence, GradeReason
from cropcredit.telemetry.season import season_grade
from cropcredit.units import Quantity
from cropcredit.usecases.device_tables import installation
from cropcredit.usecases.season_evidence import GradeSeason
from cropcredit.usecases.telemetry import SummariseSensors
from tests.fakes import FakeFacts, FakeReadings

SOWN = datetime(2026, 4, 1, tzinfo=UTC)
DAY = timedelta(days=1)
MOISTURE = Quantity(name="soil.moisture", unit="%", low=0, high=100)


class Today:
    def now(self) -> datetime:
        return SOWN + 75 * DAY


def season(*, harvest: date = date(2026, 9, 1)) -> tuple[FakeReadings, GradeSeason]:
    planting = Planting(
        id="p", known_at=SOWN, field_id="f", season_id="2026-summer", crop="maize", declared_area_ha=1.0,
        sowing_on=SOWN.date(), harvest_on=harvest,
    )  # fmt: skip
    place = installation(device_id="d", channel="*", from_at=SOWN - DAY, field_id="f", known_at=SOWN - DAY)
    facts, store = FakeFacts(planting, place), FakeReadings()
    look = SummariseSensors(
        facts=facts, readings=store, clock=Today(), quantities={"soil.moisture": MOISTURE}, zone="UTC"
    )
    return store, GradeSeason(facts=facts, summarise=look, clock=Today(), zone="UTC")


def say(store: FakeReadings, day: float, seq: int, *, key: str = "k1", late: timedelta = timedelta(0)) -> None:
    at = SOWN + day * DAY
    measured = (Measurement(quantity="soil.moisture", value=20.0 - 0.1 * (seq % 7), channel="d20"),)
    reading = Reading(
        device_id="d", boot=1, seq=seq, clock=Clock.NTP, up_ms=0, observed_at=at, measurements=measured, key_id=key
    )
    store.add([(reading, b"")], (), received_at=at + late)


def test_a_season_is_graded_by_its_windows():
    store, grade = season()
    for seq in range(1, 300):
        say(store, seq / 4, seq, key="" if seq >= 120 else "k1")
    found = grade("p")["d"]
    assert (found.windows, found.grade) == ((Grade.A, Grade.B, Grade.B), Grade.B)
    assert [(reason.code, reason.windows) for reason in found.reasons] == [("unsigned", 2)]


def test_windows_are_thirty_days_and_a_short_rest_belongs_to_the_one_before():
    planting = season()[1].facts.get(Planting, "p")
    cut = season()[1].windows(planting, SOWN + 95 * DAY)
    assert [(end - begun).days for begun, end in cut] == [30, 30, 35]
    assert [(end - begun).days for begun, end in season()[1].windows(planting, SOWN + 5 * DAY)] == [5]
    assert season()[1].windows(planting, SOWN - DAY) == []


def test_the_season_ends_with_the_harvest():
    _, grade = season(harvest=date(2026, 4, 20))
    ((begun, end),) = grade.windows(grade.facts.get(Planting, "p"), SOWN + 75 * DAY)
    assert (begun, end.date()) == (SOWN, date(2026, 4, 20))


def test_a_past_window_knows_what_arrived_later_but_not_after_the_instant_asked_for():
    store, grade = season()
    for seq in range(1, 300):
        say(store, seq / 4, seq, late=40 * DAY if seq < 100 else timedelta(0))
    assert grade("p")["d"].windows[0] is Grade.A
    assert grade("p", as_of=SOWN + 31 * DAY)["d"].grade is Grade.D


def test_a_planting_nobody_knows_is_refused():
    with pytest.raises(UnknownRecord, match="nobody"):
        season()[1]("nobody")


def test_one_bad_month_is_not_washed_out_by_three_good_ones():
    good, bad = (Evidence(grade=grade, reasons=()) for grade in (Grade.A, Grade.D))
    assert season_grade([good, good, good, bad]).grade is Grade.C
    assert season_grade([good, good, good, good]).grade is Grade.A


def test_the_worst_reasons_stand_first_then_those_that_stood_longest():
    def window(*codes: tuple[str, Grade]) -> Evidence:
        reasons = tuple(GradeReason(code=code, grade=grade) for code, grade in codes)
        return Evidence(grade=max((r.grade for r in reasons), default=Grade.A), reasons=reasons)

    found = season_grade(
        [
            window(("drift", Grade.B), ("drift", Grade.C), ("unsigned", Grade.B)),
            window(("unsigned", Grade.B)),
            window(("copied", Grade.D)),
            window(),
        ]
    )
    assert [(r.code, r.grade.value, r.windows) for r in found.reasons] == [
        ("copied", "D", 1), ("drift", "C", 1), ("unsigned", "B", 2),
    ]  # fmt: skip
    assert found.grade is Grade.C
