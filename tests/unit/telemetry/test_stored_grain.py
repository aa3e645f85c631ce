"""Stored grain: counted down from what was inspected, never up."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cropcredit.errors import MalformedInput
from cropcredit.model import GrainMovement, StoreInspection
from cropcredit.telemetry.stored_grain import (
    CHUNG_PFOST,
    Alarm,
    StoreWatch,
    book_kg,
    climate_alarms,
    haircut,
    heating_alarms,
    missing_share,
    quantity,
    relative_humidity,
    weight_alarms,
)

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def inspected(
    kg: float = 10_000, *, moisture: float = 12.5, at: datetime = NOON, impurity: float = 0
) -> StoreInspection:
    return StoreInspection(
        id="i",
        known_at=at,
        lot_id="l",
        at=at,
        weight_kg=kg,
        moisture_pct=moisture,
        impurity_pct=impurity,
        inspector="w",
    )


def carried(kg: float, *, after_days: float = 3) -> GrainMovement:
    at = NOON + after_days * DAY
    return GrainMovement(id=f"m{after_days}", known_at=at, lot_id="l", at=at, weight_kg=kg)


def days(*values: float) -> dict[date, float]:
    return {NOON.date() + timedelta(n): value for n, value in enumerate(values, 1)}


def count(
    inspection: StoreInspection | None, *movements: GrainMovement, missing: float = 0, watch: StoreWatch | None = None
):
    return quantity("winter_wheat", 12.5, inspection, movements, missing=missing, watch=watch or StoreWatch())


@pytest.mark.parametrize(
    ("crop", "moisture_pct", "celsius", "humidity"),
    # equilibrium tables of extension services: maize 14 % and paddy 13.6 % stand at 70 % and 25 °C
    [("maize", 14.0, 25, 0.70), ("maize", 15.4, 10, 0.70), ("winter_wheat", 14.4, 25, 0.70), ("rice", 13.6, 25, 0.70)],
)
def test_the_air_between_kernels_is_as_damp_as_the_tables_say(crop, moisture_pct, celsius, humidity):
    assert relative_humidity(crop, moisture_pct, celsius) == pytest.approx(humidity, abs=0.03)


@given(
    crop=st.sampled_from(sorted(CHUNG_PFOST)),
    moisture=st.floats(5, 30),
    celsius=st.floats(0, 45),
    more=st.floats(0.1, 5),
)
def test_wetter_or_warmer_grain_has_damper_air(crop, moisture, celsius, more):
    here = relative_humidity(crop, moisture, celsius)
    assert here is not None
    assert 0 <= here <= 1
    assert (relative_humidity(crop, moisture + more, celsius) or 0) >= here
    assert (relative_humidity(crop, moisture, celsius + more) or 0) >= here


@pytest.mark.parametrize("moisture", [12.5, 14.0, 15.5, 17.0])
@pytest.mark.parametrize("celsius", [5.0, 15.0, 25.0, 35.0])
def test_maize_agrees_with_the_other_equation_of_the_standard(moisture, celsius):
    """The modified Henderson equation for yellow dent of ASAE D245, fitted apart; they part where grain is bone dry."""
    dry_basis = 100 * moisture / (100 - moisture)
    henderson = 1 - math.exp(-8.6541e-5 * (celsius + 49.810) * dry_basis**1.8634)
    assert relative_humidity("maize", moisture, celsius) == pytest.approx(henderson, abs=0.045)


def test_a_crop_without_the_equation_has_no_humidity():
    assert relative_humidity("cotton", 10, 20) is None


def test_the_standard_takes_off_water_and_dirt():
    assert count(inspected(moisture=25.0, impurity=3.0)).standard_kg == pytest.approx(10_000 * 0.98 * 75 / 87.5)


def test_without_an_inspection_nothing_can_be_pledged():
    nothing = count(None, carried(5_000))
    assert (nothing.inspected_kg, nothing.pledgeable_kg) == (None, 0)


@given(
    missing=st.floats(0, 1),
    moisture=st.floats(0, 40),
    moved=st.lists(st.floats(-20_000, 20_000), max_size=4),
)
def test_nothing_that_sensors_or_the_owner_say_raises_what_was_inspected(missing, moisture, moved):
    before = count(inspected())
    watch = StoreWatch(moisture_pct=days(moisture), probes_c={"p": days(20.0)})
    movements = [carried(kg, after_days=n) for n, kg in enumerate(moved, 1)]
    after = count(inspected(), *movements, missing=missing, watch=watch)
    assert after.standard_kg <= before.standard_kg
    assert after.pledgeable_kg <= after.standard_kg


def test_what_was_carried_out_counts_at_once_and_what_came_in_only_when_inspected():
    assert count(inspected(), carried(-2_000), carried(5_000)).standard_kg == pytest.approx(8_000)


def test_a_wetter_probe_lowers_the_standard_weight_and_a_drier_one_does_not_raise_it():
    assert count(inspected(), watch=StoreWatch(moisture_pct=days(15.0))).standard_kg == pytest.approx(
        10_000 * 85 / 87.5
    )
    assert count(inspected(), watch=StoreWatch(moisture_pct=days(9.0))).standard_kg == pytest.approx(10_000)
    assert count(inspected(), watch=StoreWatch(moisture_pct=days(12.9))).standard_kg == pytest.approx(10_000)


def test_the_book_is_the_last_inspection_and_what_was_carried_since():
    again = inspected(7_000, at=NOON + 10 * DAY)
    both = [inspected(), again]
    moved = [carried(-1_000, after_days=3), carried(500, after_days=12)]
    assert book_kg(both, moved, NOON - DAY) == 0
    assert book_kg(both, moved, NOON + 5 * DAY) == 9_000
    assert book_kg(both, moved, NOON + 11 * DAY) == 7_000
    assert book_kg(both, moved, NOON + 13 * DAY) == 7_500


def test_what_is_carried_while_somebody_weighs_is_in_what_was_weighed():
    assert book_kg([inspected()], [carried(-1_000, after_days=0)], NOON) == 10_000


def missing(watch: StoreWatch, book: dict[date, float], carried: dict[date, float] | None = None) -> float:
    """Ask for the missing share; unless told otherwise, what the book says was carried."""
    return missing_share(watch, book, book if carried is None else carried, NOON.date())


def test_another_lot_that_is_inspected_later_and_lay_there_all_the_time_is_not_missing():
    steady, book = StoreWatch(weight_kg=days(10_000, 10_000, 10_000)), days(6_000, 6_000, 10_000)
    assert missing(steady, book, carried=days(0, 0, 0)) == 0
    assert missing(steady, book, carried=days(0, 0, 4_000)) == pytest.approx(0.4), "it was carried in, the scale stayed"
    stolen = StoreWatch(weight_kg=days(10_000, 10_000, 7_000))
    assert missing(stolen, book, carried=days(0, 0, 0)) == pytest.approx(0.3)


def test_another_lot_that_is_found_smaller_is_not_missing_twice():
    eaten = StoreWatch(weight_kg=days(10_000, 10_000, 9_000))
    assert missing(eaten, days(10_000, 10_000, 9_000), carried=days(0, 0, 0)) == 0


def test_the_scale_is_compared_with_itself():
    watch = StoreWatch(weight_kg=days(4_000, 3_900, 3_000))  # it stands under half of the heap
    book = dict.fromkeys(watch.weight_kg, 10_000.0)
    assert missing(watch, book) == pytest.approx(0.25)


def test_a_loss_that_the_book_explains_is_none_and_creep_is_none():
    sold = StoreWatch(weight_kg=days(10_000, 10_000, 6_000))
    assert missing(sold, days(10_000, 10_000, 6_000)) == 0
    creeping = StoreWatch(weight_kg=days(10_000, 9_950, 9_850))
    assert missing(creeping, dict.fromkeys(creeping.weight_kg, 10_000.0)) == 0


def test_a_loss_just_beyond_the_tolerance_is_believed_from_the_first_day_on():
    watch = StoreWatch(weight_kg=days(10_000, 9_990, 9_790))
    assert missing(watch, dict.fromkeys(watch.weight_kg, 10_000.0)) == pytest.approx(0.021)


def test_what_dried_away_is_not_missing():
    dried = StoreWatch(weight_kg=days(10_000, 9_550), moisture_pct=days(16.0, 12.0))
    book = dict.fromkeys(dried.weight_kg, 10_000.0)
    assert missing(dried, book) == 0
    wetter = StoreWatch(weight_kg=days(10_000, 9_550), moisture_pct=days(12.0, 16.0))
    assert missing(wetter, book) == pytest.approx(0.045)


def test_stones_on_the_scale_add_nothing():
    watch = StoreWatch(weight_kg=days(10_000, 15_000))
    assert missing(watch, dict.fromkeys(watch.weight_kg, 10_000.0)) == 0
    assert [a.code for a in weight_alarms(watch, *_nothing_said(watch))] == ["unexplained_rise"]


def _nothing_said(watch: StoreWatch) -> tuple[dict[date, float], dict[date, float]]:
    """Ten tonnes in the book all the time, and nothing carried."""
    return dict.fromkeys(watch.weight_kg, 10_000.0), dict.fromkeys(watch.weight_kg, 0.0)


def test_a_heap_that_lay_there_before_its_inspection_did_not_go_when_it_was_inspected():
    watch = StoreWatch(weight_kg=days(10_000, 10_000, 10_000))
    expected = dict(zip(sorted(watch.weight_kg), (0.0, 10_000.0, 10_000.0), strict=True))
    assert weight_alarms(watch, expected, dict.fromkeys(watch.weight_kg, 0.0)) == []


def test_what_is_brought_in_and_inspected_at_once_needs_no_movement_and_what_is_carried_needs_no_inspection():
    watch = StoreWatch(weight_kg=days(10_000, 15_000))
    first, second = sorted(watch.weight_kg)
    grown, still = {first: 10_000.0, second: 15_000.0}, dict.fromkeys(watch.weight_kg, 0.0)
    assert weight_alarms(watch, grown, still) == []
    assert weight_alarms(watch, grown, {first: 0.0, second: 5_000.0}) == []


def test_a_night_s_theft_is_named_with_its_day():
    watch = StoreWatch(weight_kg=days(10_000, 10_000, 8_000))
    (alarm,) = weight_alarms(watch, *_nothing_said(watch))
    assert (alarm.code, dict(alarm.facts)) == ("sudden_loss", {"on": "2026-07-04", "kg": 2_000.0})


def test_one_probe_that_warms_against_the_others_is_heating_and_a_hot_week_is_not():
    calm = {name: days(20, 20.5, 21, 21) for name in ("p1", "p3")}
    assert [
        dict(a.facts)["probe"] for a in heating_alarms(StoreWatch(probes_c={**calm, "p2": days(20, 22, 25, 27)}))
    ] == ["p2"]
    summer = {name: days(20, 23, 26, 29) for name in ("p1", "p2", "p3")}
    assert heating_alarms(StoreWatch(probes_c=summer)) == []


def test_a_probe_that_was_always_warm_by_less_than_the_bound_is_let_be():
    assert heating_alarms(StoreWatch(probes_c={"p1": days(24, 24, 24), "p2": days(20, 20, 20)})) == []


def test_a_probe_is_heating_from_the_bound_on_and_only_within_the_week():
    calm = days(*[20.0] * 10)
    assert len(heating_alarms(StoreWatch(probes_c={"p1": days(25, 25), "p2": days(20, 20)}))) == 1
    slow = days(*[20 + 0.6 * n for n in range(8)], 24.2, 24.2)  # 4.2 above, and so much less than a week ago
    assert heating_alarms(StoreWatch(probes_c={"p1": slow, "p2": calm, "p3": calm})) == []


def test_the_haircut_of_each_alarm_is_as_decided_and_two_take_from_each_other():
    cuts = {code: haircut([Alarm(code=code)]) for code in ("damp", "mouldy", "heating", "sudden_loss")}
    assert cuts == pytest.approx({"damp": 0.10, "mouldy": 0.30, "heating": 0.25, "sudden_loss": 0.0})
    assert haircut([Alarm(code="mouldy"), Alarm(code="heating"), Alarm(code="heating")]) == pytest.approx(0.475)


def test_damp_and_mouldy_take_off_more_and_more():
    warm = StoreWatch(probes_c={"p": days(25.0)})
    codes = {m: [a.code for a in climate_alarms("winter_wheat", m, warm)] for m in (12.5, 15.0, 17.0)}
    assert codes == {12.5: [], 15.0: ["damp"], 17.0: ["mouldy"]}
    cuts = [count(inspected(moisture=m), watch=warm).haircut for m in (12.5, 15.0, 17.0)]
    assert cuts[0] == 0 < cuts[1] < cuts[2]


def test_an_inspection_that_cannot_be_is_refused():
    with pytest.raises(MalformedInput, match="cannot be of grain"):
        inspected(moisture=100)
