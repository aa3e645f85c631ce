"""The same ups and downs as the neighbours, no growing distance, no other level, alive."""

from __future__ import annotations

import numpy as np
import pytest

from cropcredit.telemetry.neighbours import against_neighbours, soil_drift
from tests.unit.telemetry.nature import DAY, DAYS, dice, doubt, track, weather

AIR = track("air.temperature", weather(), step_s=86_400)
OTHERS = np.array([weather() + dice(seed).normal(0, 0.3, DAYS) + offset for seed, offset in ((1, 0), (2, 1), (3, -1))])


def asked(days: np.ndarray, others: np.ndarray = OTHERS, one=AIR) -> dict[str, float]:
    return {check.code: doubt(check) for check in against_neighbours(one, days, others)}


def test_an_honest_device_goes_with_its_neighbours():
    found = asked(weather() + dice(9).normal(0, 0.3, DAYS))
    assert set(found) == {"drift", "apart", "level", "too_still"}
    assert max(found.values()) < 0.15


@pytest.mark.parametrize(
    ("days", "code"),
    [
        pytest.param(weather(3), "apart", id="another year's weather"),
        pytest.param(weather() + 0.3 * DAY, "drift", id="nine degrees a month away"),
        pytest.param(weather() + 12, "level", id="twelve degrees warmer"),
        pytest.param(15 + dice(4).normal(0, 0.1, DAYS), "too_still", id="hardly any change"),
    ],
)
def test_what_goes_its_own_way_is_found(days, code):
    found = asked(days)
    assert found[code] > 0.5


def test_a_device_heard_on_few_days_is_judged_on_these_only():
    honest = weather() + dice(9).normal(0, 0.3, DAYS)
    honest[12:] = np.nan
    assert max(asked(honest).values()) < 0.3


def test_few_days_prove_less_than_many():
    upside_down = 30 - weather()
    few = asked(np.where(DAY < 11, upside_down, np.nan))
    assert few["apart"] < 0.9 * asked(upside_down)["apart"]


def test_too_few_neighbours_or_days_are_not_assessed():
    few = against_neighbours(AIR, weather(), OTHERS[:1])
    assert {check.because for check in few} == {"no_neighbours"}
    silent = np.where(DAY < 5, weather(), np.nan)
    assert {check.because for check in against_neighbours(AIR, silent, OTHERS)} == {"too_short"}


def test_soil_water_is_the_farmers_own_and_the_weather_does_not_reach_deep():
    assert against_neighbours(track("soil.moisture", weather()), weather(), OTHERS) == []
    deep = track("soil.temperature", weather(), depth_cm=150.0)
    assert "apart" not in asked(weather(), one=deep)


def wet(seed: int) -> np.ndarray:
    return 25 + np.cumsum(dice(seed).normal(-0.05, 0.3, DAYS))


def test_all_depths_that_leave_the_neighbours_together_drift_one_does_not():
    depths, others = (
        np.array([wet(s) for s in (1, 2, 3)]),
        np.array([[wet(10 * s + n) for n in range(4)] for s in (4, 5, 6)]),
    )
    assert doubt(soil_drift(depths, others)) < 0.2
    one = depths + np.array([[0.5], [0], [0]]) * DAY
    assert doubt(soil_drift(one, others)) < 0.5
    drifted = soil_drift(depths + 0.5 * DAY, others)
    assert doubt(drifted) > 0.5
    assert drifted.quantity == "soil.moisture"


def test_drift_needs_neighbours_with_days():
    assert soil_drift(wet(1)[None], np.empty((1, 0, DAYS))).because == "no_neighbours"
    assert soil_drift(wet(1)[None], np.full((1, 3, DAYS), np.nan)).because == "too_short"
    short = np.where(DAY < 6, wet(1), np.nan)
    assert soil_drift(short[None], np.array([[wet(n) for n in range(3)]])).because == "too_short"
