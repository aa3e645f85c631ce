"""Whatever devices say, grading gives an answer, and a worse world never gives a better grade."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cropcredit.telemetry import Around, Evidence, Neighbour, PastDays, Track, WeatherDays, grade_values, grid_for
from cropcredit.telemetry.evidence import COSTS, Grade, grade_of
from cropcredit.telemetry.season import season_grade
from cropcredit.telemetry.tracks import DAY_S

QUANTITIES = (
    "air.temperature", "air.relativeHumidity", "soil.moisture", "soil.temperature", "soil.ec", "weather.rain",
    "store.weight", "store.grainMoisture", "wind.speed",
)  # fmt: skip
STEPS_S = st.sampled_from([60, 900, 3600, 21_600, 86_400])


@st.composite
def tracks(draw: st.DrawFn) -> Track:
    quantity = draw(st.sampled_from(QUANTITIES))
    count, step_s = draw(st.integers(1, 300)), draw(STEPS_S)
    dice = np.random.default_rng(draw(st.integers(0, 9)))
    shape = draw(st.sampled_from(["noise", "still", "walk", "huge", "zero"]))
    values = {
        "noise": dice.normal(20, 5, count),
        "still": np.full(count, 20.0),
        "walk": 20 + np.cumsum(dice.normal(0, 1, count)),
        "huge": dice.normal(0, 1e12, count),
        "zero": np.zeros(count),
    }[shape]
    at_s = draw(st.integers(-40, 40)) * DAY_S + np.arange(count, dtype=np.float64) * step_s
    return Track(
        quantity=quantity, channel=draw(st.sampled_from(["", "d10", "d30", "p1"])), at_s=at_s, values=values,
        depth_cm=draw(st.sampled_from([None, 10.0, 30.0, 150.0])), texture=draw(st.sampled_from(["", "loam", "peat"])),
        cumulative=quantity == "weather.rain",
    )  # fmt: skip


@st.composite
def worlds(draw: st.DrawFn) -> Around:
    others = draw(st.lists(st.lists(tracks(), min_size=1, max_size=3), max_size=5))
    past_days = draw(st.integers(1, 60))
    mean = np.where(np.arange(past_days) % 7 == 3, np.nan, 15.0 + np.arange(past_days))
    past = PastDays(quantity="air.temperature", channel="", start_s=-50 * DAY_S, low=mean - 1, mean=mean, high=mean + 1)
    weather = WeatherDays(start_s=-3 * DAY_S, rain_mm=mean, mean_c=mean)
    return Around(
        neighbours=tuple(Neighbour(device_id=f"n{i}", tracks=tuple(one)) for i, one in enumerate(others)),
        past=(past,) if draw(st.booleans()) else (),
        weather=weather if draw(st.booleans()) else None,
        moves=draw(st.sampled_from([None, (), ((DAY_S * 2.0, 500.0), (DAY_S * 4.0, -100.0))])),
        stock_taken_s=draw(st.sampled_from([(), (DAY_S * 3.0,)])),
        water_seen_s=draw(st.sampled_from([(), (DAY_S * 1.0, 1e12)])),
        flooded=draw(st.booleans()),
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(tracks(), max_size=4), worlds(), st.integers(1, 40), st.sampled_from([0.0, 19_800.0, -3600.0]))
def test_every_window_gets_an_answer_and_every_suspicion_is_a_share(own, around, days, offset_s):
    grid = grid_for(own, 0.0, days * DAY_S, offset_s=offset_s)
    for check in grade_values(own, around, grid):
        assert check.code in COSTS
        assert (check.suspicion is None) == bool(check.because)
        assert check.suspicion is None or 0 <= check.suspicion <= 1
        assert all(isinstance(value, str) or np.isfinite(value) for _, value in check.facts), check


@given(st.lists(st.sampled_from(list(Grade)), min_size=1, max_size=12), st.integers(0, 11))
def test_a_worse_window_never_makes_a_better_season(grades, at):
    def season(some: list[Grade]) -> Grade:
        return season_grade([Evidence(grade=grade, reasons=()) for grade in some]).grade

    worse = [Grade.D if i == at % len(grades) else grade for i, grade in enumerate(grades)]
    assert season(worse) >= season(grades)
    assert min(grades) <= season(grades) <= max(grades)


@settings(max_examples=20, deadline=None)
@given(st.lists(tracks(), min_size=1, max_size=3))
def test_two_devices_with_one_key_are_never_better_than_a_d(own):
    checks = grade_values(own, Around(forks=1), grid_for(own, 0.0, 30 * DAY_S))
    assert grade_of([], checks).grade is Grade.D
