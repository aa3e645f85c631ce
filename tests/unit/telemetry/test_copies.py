"""Honest neighbours share the weather and not their sensors' noise; who copies shares both."""

from __future__ import annotations

import numpy as np
import pytest

from cropcredit.telemetry.alike import fingerprint, lagged_correlation, paired
from cropcredit.telemetry.copies import Others, Past, copied, days_in, replayed, rows_of
from tests.unit.telemetry.nature import DAILY, DAYS, GRID, HOURS, air, dice, doubt, soil, weather

IDS = ("n0", "n1", "n2", "n3")


def device(seed: int) -> np.ndarray:
    """Three channels of one honest device, shape (3, steps)."""
    return np.array([air(seed), soil(seed), 15 + 0.5 * (air(seed + 50, swing=2) - 15)])


def village(n: int = 4) -> Others:
    return Others(ids=IDS[:n], values=np.array([device(10 * (i + 1)) for i in range(n)]))


def ask(values: np.ndarray, others: Others | None = None, grid=GRID):
    return copied(values[None], others or village(), grid)


def test_an_honest_device_is_no_copy_of_its_neighbours():
    assert doubt(ask(device(99))) < 0.2


@pytest.mark.parametrize(
    ("change", "late"),
    [
        pytest.param(lambda x: x, 0.0, id="to the last digit"),
        pytest.param(lambda x: 1.1 * x - 2.0, 0.0, id="stretched and shifted"),
        pytest.param(lambda x: x + dice(5).normal(0, 0.15, x.shape), 0.0, id="with noise of its own"),
        pytest.param(lambda x: np.roll(x, 3, axis=1), 3.0, id="three hours late"),
        pytest.param(lambda x: np.roll(x, 50, axis=1), 50.0, id="two days late"),
    ],
)
def test_a_copy_is_found_whatever_is_done_to_it(change, late):
    found = ask(change(village().values[2]))
    facts = dict(found.facts)
    assert doubt(found) > 0.7
    assert (facts["other"], facts["hours_later"]) == ("n2", late)


def test_who_was_copied_is_not_accused():
    victim = device(99)
    thief = np.roll(victim, 3, axis=1)
    noisy = victim + dice(5).normal(0, 0.2, victim.shape)
    for copy in (thief, noisy):
        others = Others(ids=IDS, values=np.array([copy, *village().values[:3]]))
        assert doubt(ask(victim, others)) == 0.0


def test_a_copy_late_by_less_than_a_step_is_found_by_shifting():
    quarter = np.arange(0, len(HOURS), 0.25)
    fine = [np.interp(quarter, HOURS, row) + dice(n).normal(0, 0.1, len(quarter)) for n, row in enumerate(device(3))]
    hourly = np.array([row.reshape(-1, 4).mean(axis=1) for row in fine])
    late = [np.array([np.roll(row, 2 - n).reshape(-1, 4).mean(axis=1) for row in fine]) for n in range(4)]
    others = Others(ids=IDS, values=np.array([hourly, *village().values[:3]]))
    found = copied(np.array(late), others, GRID, shift_s=900.0)
    assert doubt(found) > 0.8
    assert dict(found.facts)["hours_later"] == 0.5


def test_with_one_neighbour_what_is_usual_is_assumed():
    assert doubt(ask(device(99), village(1))) < 0.3
    assert doubt(ask(village().values[0], village(1))) > 0.8


def test_daily_values_are_compared_as_courses_too():
    days = np.array([air(seed).reshape(-1, 24).mean(axis=1) for seed in range(6)])
    level = [np.cumsum(dice(seed).normal(0, 0.4, DAYS)) for seed in range(20, 26)]
    stations = np.array([[t, w] for t, w in zip(days, level, strict=True)])
    others = Others(ids=IDS, values=stations[1:5])
    assert doubt(ask(stations[5], others, DAILY)) < 0.4
    assert doubt(ask(stations[2], others, DAILY)) > 0.6


def test_nothing_to_compare_with_is_not_assessed():
    assert ask(device(1), Others(ids=(), values=np.empty((0, 3, len(HOURS))))).because == "no_neighbours"
    silent = Others(ids=IDS, values=np.full((4, 3, len(HOURS)), np.nan))
    assert ask(device(1), silent).because == "too_short"
    still = Others(ids=IDS, values=np.ones((4, 3, len(HOURS))))
    assert ask(device(1), still).because == "too_short"


def past(days: np.ndarray, *, ago: int) -> Past:
    """Put days that lie ``ago`` back into 400 other days."""
    other = [np.concatenate([weather(100 + 20 * row + part) for part in range(14)])[:400] for row in range(len(days))]
    held = np.array(other)
    held[:, 400 - ago : 400 - ago + days.shape[1]] = days
    return Past(days_ago=400, values=held)


def told() -> np.ndarray:
    return rows_of([(weather(s) - 5, weather(s), weather(s) + 5 + dice(s).normal(0, 0.3, DAYS)) for s in (1, 2)])


def test_last_years_readings_are_recognised_also_with_noise():
    found = replayed(told() + dice(3).normal(0, 0.1, told().shape), past(told(), ago=365))
    assert doubt(found) > 0.8
    assert dict(found.facts)["days"] == 365.0


def test_another_year_is_another_year():
    assert doubt(replayed(told(), past(told()[:, ::-1] + 3, ago=365))) < 0.4


def test_without_a_past_there_is_nothing_to_repeat():
    assert replayed(told(), None).because == "no_history"
    assert replayed(told()[:, :8], past(told(), ago=365)).because == "no_history"
    assert replayed(told(), Past(days_ago=5, values=told()[:, :5])).because == "no_history"
    assert replayed(told(), Past(days_ago=1, values=told()[:, :1])).because == "no_history"
    assert replayed(told(), Past(days_ago=400, values=np.full((6, 400), np.nan))).because == "too_short"


def test_the_fingerprint_takes_trend_and_usual_day_away():
    line = np.tile(np.linspace(0, 5, len(HOURS)) + 3 * np.cos(2 * np.pi * HOURS / 24), (2, 1))
    left = fingerprint(line, GRID)
    assert np.nanmax(np.abs(left)) < 1e-9
    assert np.isnan(left[:, [0, -1]]).all()


def test_a_lag_says_how_many_steps_ours_comes_after():
    moves = dice().normal(0, 1, (1, 200))
    found, lags = lagged_correlation(np.roll(moves, 4, axis=1), moves, earliest=-10, latest=10)
    assert int(lags[np.nanargmax(found[0])]) == 4
    gone = np.where(np.arange(200) < 192, np.nan, moves)
    assert np.isnan(lagged_correlation(gone, moves, earliest=0, latest=0)[0]).all()
    assert np.isnan(paired(gone, moves)).all()


def test_days_are_counted_from_midnight_to_midnight():
    assert days_in(GRID, -86_400.0 * 3) == 3
    assert rows_of([]).shape == (0, 0)
