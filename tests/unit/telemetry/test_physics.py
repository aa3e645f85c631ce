"""What nature does passes; what it never does is found."""

from __future__ import annotations

import numpy as np
import pytest

from cropcredit.telemetry import Grid, physics
from tests.unit.telemetry.nature import DAILY, GRID, HOURS, air, dice, doubt, soil, track, weather


def humidity(seed: int = 1) -> np.ndarray:
    return np.clip(70 - 2.5 * (air(0) - 15) + dice(seed).normal(0, 2, len(HOURS)), 5, 100)


def test_air_has_days_and_nights():
    honest = air()
    assert doubt(physics.no_daily_cycle(track("air.temperature", honest), honest, GRID)) < 0.05
    flat = 15 + dice().normal(0, 0.2, len(HOURS))
    assert doubt(physics.no_daily_cycle(track("air.temperature", flat), flat, GRID)) > 0.9


def test_the_daily_wave_of_soil_may_be_small_with_depth_and_is_not_asked_for_in_frost():
    faint = 12 + 0.2 * np.cos(2 * np.pi * HOURS / 24) + dice().normal(0, 0.05, len(HOURS))
    near, deeper = (track("soil.temperature", faint, channel=f"d{d}", depth_cm=d) for d in (5.0, 20.0))
    assert doubt(physics.no_daily_cycle(near, faint, GRID)) > 0.5 > doubt(physics.no_daily_cycle(deeper, faint, GRID))
    deep = track("soil.temperature", faint, channel="d60", depth_cm=60.0)
    assert physics.no_daily_cycle(deep, faint, GRID).because == "quiet"
    frozen = np.full(len(HOURS), 0.1)
    assert physics.no_daily_cycle(track("soil.temperature", frozen, depth_cm=10.0), frozen, GRID).because == "cold"


def test_a_cycle_needs_days_with_a_course():
    short = np.where(HOURS < 72, air(), np.nan)
    assert physics.no_daily_cycle(track("air.temperature", short), short, GRID).because == "too_short"
    assert physics.no_daily_cycle(track("air.temperature", weather()), weather(), DAILY).because == "too_short"


@pytest.mark.parametrize(("depth_cm", "found"), [(10.0, True), (60.0, False)], ids=["near the surface", "deep"])
def test_a_lively_value_that_stands_still_for_days_is_stuck_deep_soil_may(depth_cm, found):
    values = air(swing=2)
    values[100:190] = values[100]
    check = physics.stuck(track("soil.temperature", values, depth_cm=depth_cm))
    assert (check.suspicion or 0) > 0.5 if found else check.because == "quiet"
    assert doubt(physics.stuck(track("air.temperature", air()))) < 0.01


def test_soil_water_may_stand_still_and_a_counter_must():
    for quantity in ("soil.moisture", "weather.rain"):
        assert physics.stuck(track(quantity, np.full(200, 20.0))).because == "quiet"
    assert physics.longest_standstill(track("soil.moisture", np.empty(0))) == (0.0, 0)


def test_leaps_are_counted_but_one():
    values = air(noise=0.1)
    values[300] += 40
    assert doubt(physics.jump(track("air.temperature", values))) == pytest.approx(0.5)  # there and back
    values[500] += 40
    assert doubt(physics.jump(track("air.temperature", values))) == pytest.approx(0.9)
    assert physics.jump(track("air.pressure", values)).because == "quiet"


def test_values_drawn_one_by_one_have_no_memory_a_quiet_sensor_is_no_lottery():
    drawn, quiet = 20 + dice().normal(0, 2, len(HOURS)), 20 + dice().normal(0, 0.15, len(HOURS))
    assert doubt(physics.no_memory(track("soil.moisture", drawn), drawn, GRID)) > 0.6
    assert doubt(physics.no_memory(track("soil.moisture", quiet), quiet, GRID)) < 0.1
    assert doubt(physics.no_memory(track("soil.moisture", soil()), soil(), GRID)) < 0.05
    assert physics.no_memory(track("soil.ec", soil()), soil(), GRID).because == "quiet"
    assert physics.no_memory(track("soil.moisture", weather()), weather(), DAILY).because == "too_short"


def test_four_readings_a_day_remember_the_day_before():
    six_hourly = Grid(start_s=0.0, step_s=6 * 3600, count=4 * 30)
    honest, drawn = air()[::6], 15 + dice().normal(0, 5, 120)
    assert doubt(physics.no_memory(track("air.temperature", honest, step_s=21_600), honest, six_hourly)) < 0.2
    assert doubt(physics.no_memory(track("air.temperature", drawn, step_s=21_600), drawn, six_hourly)) > 0.7


def test_air_flickers_a_drawn_line_does_not():
    drawn = air(noise=0.0)
    quarter = np.interp(np.arange(0, len(HOURS) - 1, 0.25), HOURS, drawn)
    assert doubt(physics.too_smooth(track("air.temperature", drawn))) < 0.5, "once an hour a sine is no proof"
    assert doubt(physics.too_smooth(track("air.temperature", quarter, step_s=900))) > 0.5
    shaken = quarter + dice().normal(0, 0.1, len(quarter))
    assert doubt(physics.too_smooth(track("air.temperature", shaken, step_s=900))) < 0.1
    assert physics.too_smooth(track("soil.temperature", drawn)).because == "quiet"
    assert physics.too_smooth(track("air.temperature", weather(), step_s=86_400)).because == "too_short"
    assert doubt(physics.too_smooth(track("air.temperature", np.full(500, 20.0)))) < 0.1, "stuck is another matter"


def test_warm_air_is_dry_air():
    damp = track("air.relativeHumidity", humidity())
    assert doubt(physics.damp_when_warm(damp, humidity(), air(), GRID)) < 0.05
    upside_down = 140 - humidity()
    assert doubt(physics.damp_when_warm(damp, upside_down, air(), GRID)) > 0.7
    assert physics.damp_when_warm(damp, humidity(), None, GRID).because == "no_air"
    fog = np.full(len(HOURS), 100.0)
    assert physics.damp_when_warm(damp, fog, air(), GRID).because == "too_short"
