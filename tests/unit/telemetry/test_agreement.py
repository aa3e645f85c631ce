"""Soil and gauges answer to rain that others measured; a roof, a film and a dry season are honest."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cropcredit.telemetry import agreement
from cropcredit.telemetry.agreement import Rain
from cropcredit.telemetry.tracks import daily_means
from tests.unit.telemetry.nature import DAYS, GRID, dice, doubt, rain, reason, soil, track, weather

PROBE = track("soil.moisture", soil(), channel="d20", depth_cm=20.0, texture="loam", kind="volumetric")
GAUGE = track("weather.rain", np.arange(30.0))
FELL = Rain(mm=rain(), gauges=3)
WET, UNDER_FILM = (daily_means(soil(answers=answers), GRID) for answers in (True, False))
WARM = np.full(DAYS, 15.0)


def test_soil_answers_to_soaking_rain():
    found = agreement.no_rain_answer(PROBE, WET, WARM, FELL)
    assert (found.suspicion, dict(found.facts)) == (0.0, {"missed": 0.0, "rains": 3.0})


def test_soil_that_never_answers_is_asked_about_and_costs_no_more_than_a_b():
    found = agreement.no_rain_answer(PROBE, UNDER_FILM, WARM, FELL)
    assert reason(found).grade == "B"


@pytest.mark.parametrize(
    ("change", "because"),
    [
        pytest.param({"rain": None}, "no_weather", id="nobody measured rain"),
        pytest.param({"rain": Rain(mm=np.zeros(DAYS), gauges=3)}, "no_rain", id="a dry season"),
        pytest.param({"warmth": np.full(DAYS, -2.0)}, "no_rain", id="frozen soil"),
        pytest.param({"days": np.full(DAYS, 40.0)}, "no_rain", id="soil that is full already"),
        pytest.param({"track": replace(PROBE, depth_cm=90.0)}, "quiet", id="deep soil"),
    ],
)
def test_where_no_answer_is_due_none_is_asked_for(change, because):
    asked = {"track": PROBE, "days": UNDER_FILM, "warmth": WARM, "rain": FELL} | change
    assert agreement.no_rain_answer(**asked).because == because


def gauged(days: np.ndarray, others: Rain | None = FELL) -> dict[str, Any]:
    return {check.code: check for check in agreement.gauge(GAUGE, days, others)}


def test_a_gauge_that_counts_what_others_count_is_sound():
    found = gauged(rain() * 0.9)
    assert max(doubt(check) for check in found.values()) < 0.05


def test_a_gauge_that_counts_nothing_is_clogged_a_case_for_maintenance():
    found = gauged(rain() * 0.05)["gauge_silent"]
    assert (reason(found).grade, reason(found).meaning) == ("B", "maintenance")


def test_rain_on_dry_days_is_somebody_elses_unless_only_a_far_station_says_so():
    poured = rain()
    poured[20] = 30.0
    assert doubt(gauged(poured)["rain_alone"]) > 0.5
    assert doubt(gauged(poured, Rain(mm=rain(), gauges=0))["rain_alone"]) < 0.5
    shifted = np.roll(rain(), 1)
    assert doubt(gauged(shifted)["rain_alone"]) == 0.0, "another midnight is no other rain"


def test_showers_differ_from_hamlet_to_hamlet():
    spared = rain() * 0.25
    others = Rain(mm=rain(), gauges=3, each=np.array([rain(), rain() * 1.2, rain() * 0.3]))
    roofed = replace(others, each=np.array([rain(), rain() * 1.2, np.zeros(DAYS)]))
    assert doubt(gauged(spared, others)["gauge_silent"]) < 0.3, "one neighbour had as little"
    assert doubt(gauged(spared, roofed)["gauge_silent"]) > 0.5, "a gauge under a roof is no witness"
    shower = rain()
    shower[20] = 30.0
    seen_by_one = replace(others, each=np.array([rain(), rain(), shower]))
    assert doubt(gauged(shower, others)["rain_alone"]) > 0.5
    assert doubt(gauged(shower, seen_by_one)["rain_alone"]) == 0.0
    silent = replace(others, each=np.zeros((3, DAYS)))
    assert gauged(spared, silent)["gauge_silent"].because == "no_rain"


def test_without_rain_or_others_a_gauge_is_not_judged():
    assert gauged(np.zeros(DAYS), Rain(mm=np.zeros(DAYS), gauges=3))["gauge_silent"].because == "no_rain"
    assert {check.because for check in gauged(rain(), None).values()} == {"no_weather"}


def test_warm_days_are_the_stations_warm_days():
    air = track("air.temperature", weather(), step_s=86_400)
    near = weather() + dice().normal(0, 0.8, DAYS)
    assert doubt(agreement.weather_apart(air, near, weather())) < 0.1
    assert doubt(agreement.weather_apart(air, weather(8), weather())) > 0.5
    assert agreement.weather_apart(air, near, None).because == "no_weather"
    assert agreement.weather_apart(air, np.where(np.arange(DAYS) < 8, near, np.nan), weather()).because == "too_short"
    assert doubt(agreement.weather_apart(air, np.full(DAYS, 5.0), weather())) > 0.5


def test_soil_under_water_that_satellites_saw_is_not_dry():
    seen = np.zeros(DAYS)
    seen[10] = 1.0
    assert doubt(agreement.dry_under_water(PROBE, np.full(DAYS, 9.0), seen)) > 0.5
    assert doubt(agreement.dry_under_water(PROBE, np.full(DAYS, 40.0), seen)) == 0.0
    assert agreement.dry_under_water(PROBE, WET, None).because == "no_water"
    assert agreement.dry_under_water(PROBE, np.full(DAYS, np.nan), seen).because == "too_short"


def rises(*rows: np.ndarray, depths=(20.0, 50.0, 90.0), rained: Rain | None = FELL):
    return agreement.rises_dry(np.array(rows), depths[: len(rows)], rained)


def test_soil_dries_between_rains_also_when_nobody_measured_them():
    assert doubt(rises(WET)) < 0.05
    assert doubt(rises(WET, rained=None)) < 0.05


def test_soil_that_rises_while_nothing_wets_it_is_a_drifting_calibration():
    found = rises(15 + 0.25 * np.arange(DAYS))
    assert (reason(found).grade, reason(found).meaning) == ("C", "maintenance")


def test_irrigation_is_no_drift():
    watered = UNDER_FILM + 6 * (np.arange(DAYS) // 7)
    assert doubt(rises(watered)) < 0.05


def test_water_on_its_way_for_two_days_after_irrigation_is_no_drift():
    moves = np.tile([5.0, 0.3, 0.3, 0.0, 0.0], DAYS // 5)
    assert doubt(rises(20 + np.cumsum(moves), rained=None)) < 0.05


def test_water_that_seeps_from_one_depth_to_the_next_is_no_drift():
    sinking = np.arange(DAYS) * 0.12
    assert doubt(rises(25 - sinking, 25 + sinking)) < 0.1
    assert doubt(rises(25 + sinking, depths=(50.0,))) > 0.5, "nothing above it lost the water"


def test_drift_is_asked_only_where_days_are_quiet_and_near():
    assert rises(WET, depths=(90.0,)).because == "too_short"
    assert rises(WET[:4]).because == "too_short"
    wet_season = Rain(mm=np.full(DAYS, 8.0), gauges=3)
    assert rises(WET, rained=wet_season).because == "too_short"
