"""Made-up villages: reproducible, physical, and alike where neighbours are."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from firmware_sim import signals
from firmware_sim.errors import BadInput
from firmware_sim.soil import DEPTHS, TEXTURES
from firmware_sim.stations import Series

WINTER_MS = 1_767_225_600_000
DAY_ROWS = 96
NAMES = tuple(f"d{i:02d}" for i in range(12))


@pytest.fixture(scope="module")
def summer() -> signals.Village:
    return signals.village(3, NAMES, days=30, start_ms=signals.SPRING_2026_MS + 50 * 86_400_000)


def daily(values: np.ndarray) -> np.ndarray:
    return values.reshape(-1, DAY_ROWS)


def fallen(series: Series) -> np.ndarray:
    return np.diff(series["weather.rain", ""], prepend=series["weather.rain", ""][0])


def test_the_same_seed_gives_the_same_readings_and_another_seed_others():
    one, same, other = (signals.village(seed, ["a"], days=3).devices["a"] for seed in (1, 1, 2))
    assert all(np.array_equal(one[key], same[key]) for key in one)
    assert not np.array_equal(one["air.temperature", ""], other["air.temperature", ""])


def test_a_device_measures_the_same_whoever_else_stands_there_and_however_long_the_window_is():
    alone = signals.village(1, ["a"], days=3).devices["a"]
    among = signals.village(1, ["b", "a", "c"], days=6).devices["a"]
    truth = ("weather.rain", ""), ("soil.moisture", "d30")
    for key in truth:
        assert np.allclose(alone[key], among[key][: len(alone[key])], atol=1.0), "up to the noise of the sensor"


def test_the_air_is_warmest_in_the_afternoon_and_driest_then(summer):
    series, local_hour = summer.devices["d00"], (summer.times_ms / 3.6e6 + 113.7 / 15) % 24
    mean_at = [np.mean(series["air.temperature", ""][local_hour // 1 == hour]) for hour in range(24)]
    assert 13 <= int(np.argmax(mean_at)) <= 16
    assert int(np.argmin(mean_at)) in range(1, 7)
    assert np.corrcoef(series["air.temperature", ""], series["air.relativeHumidity", ""])[0, 1] < -0.5


def test_the_soil_is_the_calmer_and_the_later_the_deeper(summer):
    series = summer.devices["d00"]
    swings = [np.ptp(daily(series["soil.temperature", channel]), axis=1).mean() for channel in DEPTHS]
    assert np.ptp(daily(series["air.temperature", ""]), axis=1).mean() > swings[0] > swings[1] > swings[2]
    peaks = [np.argmax(daily(series["soil.temperature", c]).mean(axis=0)) for c in ("d10", "d30")]
    assert peaks[0] != peaks[1]


def test_neighbours_get_the_same_rain_days_in_like_amounts_but_not_to_the_digit(summer):
    rains = np.array([daily(fallen(summer.devices[name])).sum(axis=1) for name in NAMES])
    rainy = rains.max(axis=0) > 5
    assert rainy.sum() >= 3
    assert np.corrcoef(rains).min() > 0.85
    assert (rains[:, rainy].std(axis=0) / rains[:, rainy].mean(axis=0)).max() < 0.5
    assert len({tuple(row) for row in rains.round(1)}) == len(NAMES)


def test_soil_moisture_rises_with_rain_at_once_above_and_later_below_and_falls_between(summer):
    series = summer.devices["d00"]
    rain, upper, lower = fallen(series), series["soil.moisture", "d10"], series["soil.moisture", "d60"]
    day = int(np.argmax(daily(rain).sum(axis=1)[1:25])) + 1
    row = day * DAY_ROWS
    assert upper[row : row + 2 * DAY_ROWS].max() > upper[row - 1] + 3
    dry = [r for r in range(DAY_ROWS, len(rain) - DAY_ROWS, DAY_ROWS) if rain[r - DAY_ROWS : r + DAY_ROWS].sum() == 0]
    assert np.mean([upper[r + DAY_ROWS - 1] - upper[r] for r in dry]) < 0
    assert np.ptp(lower) < np.ptp(upper)


@pytest.mark.parametrize("texture", sorted(TEXTURES))
def test_water_stays_between_wilting_and_saturation_of_the_texture(texture):
    series = signals.village(5, NAMES[:3], days=20, step_s=3600, texture=texture).devices
    lowest, highest = TEXTURES[texture].wilting, TEXTURES[texture].saturation
    for name, channel in product(NAMES[:3], DEPTHS):
        water = series[name]["soil.moisture", channel]
        assert lowest * 0.8 - 4 < water.min()
        assert water.max() < highest * 1.15 + 4


def test_sand_drains_before_clay():
    def left(texture: str) -> float:
        water = signals.village(3, ["a"], days=20, texture=texture, climate="monsoon").devices["a"]
        return float(np.median(water["soil.moisture", "d10"]))

    assert left("sand") < left("loam") < left("clay")


def test_a_dry_season_knows_no_rain_and_an_irrigated_field_is_wetted_without_it():
    dry = signals.village(1, NAMES[:2], days=30, climate="dry", site={"d00": "rainfed", "d01": "irrigated"})
    rainfed, irrigated = (dry.devices[name] for name in NAMES[:2])
    assert fallen(rainfed).sum() < 5
    assert np.diff(rainfed["soil.moisture", "d10"]).max() < 3
    assert np.ptp(irrigated["soil.moisture", "d10"]) > 8


def test_a_paddy_stands_under_water_and_a_greenhouse_sees_no_rain():
    kept = signals.village(1, NAMES[:2], days=30, site={"d00": "paddy", "d01": "greenhouse"})
    paddy = kept.devices["d00"]["soil.moisture", "d10"]
    assert np.mean(paddy > 0.9 * TEXTURES["loam"].saturation) > 0.4
    assert fallen(kept.devices["d01"]).sum() == 0


def test_frozen_soil_reads_dry_and_its_temperature_rests_near_zero():
    winter = signals.village(2, ["a"], days=40, start_ms=WINTER_MS).devices["a"]
    frozen = winter["soil.temperature", "d10"] < -0.3
    assert frozen.sum() > DAY_ROWS
    water = winter["soil.moisture", "d10"]
    assert water[frozen].mean() < water[winter["soil.temperature", "d10"] > 0.5].mean() - 1
    assert winter["soil.temperature", "d10"].min() > winter["air.temperature", ""].min() + 4


def test_a_store_changes_by_what_came_and_went_and_little_else():
    stores = signals.village(1, NAMES, days=60, kind="grain")
    for name in NAMES[:4]:
        weight, moves = stores.devices[name]["store.weight", ""], stores.deliveries(name)
        moved = np.diff(weight)
        rows = {row for row, _ in moves}
        for row, kg in moves:
            assert moved[row - 1] == pytest.approx(kg, rel=0.1, abs=40)
        others = [abs(step) for i, step in enumerate(moved, start=1) if i not in rows]
        assert max(others) < 0.004 * weight.max() + 15
        moisture = stores.devices[name]["store.grainMoisture", "p2"]
        assert np.ptp(moisture) < 3
        assert 9 < moisture.mean() < 16


def test_the_core_of_a_heap_knows_no_day():
    store = signals.village(1, ["a"], days=10, kind="grain").devices["a"]
    by_day = [np.ptp(daily(store["store.grainTemperature", probe]), axis=1).mean() for probe in ("p1", "p3")]
    assert by_day[0] > by_day[1]


def test_last_year_is_another_year_of_the_same_device():
    here = signals.village(1, ["a"], days=10)
    now, then = here.devices["a"], here.history["a"]
    assert now.keys() == then.keys()
    assert not np.array_equal(now["air.temperature", ""], then["air.temperature", ""])
    earlier = signals.village(1, ["a"], days=10, start_ms=signals.SPRING_2026_MS - signals.YEAR_MS).devices["a"]
    assert all(np.array_equal(then[key], earlier[key]) for key in then)


def test_the_neighbour_is_the_nearest_of_the_same_kind():
    mixed = signals.village(1, NAMES, kind={name: "soil" if i % 2 else "weather" for i, name in enumerate(NAMES)})
    place = mixed.place
    near = mixed.neighbour("d00")
    assert int(near[1:]) % 2 == 0
    assert near == min(NAMES[2::2], key=lambda name: np.hypot(*np.subtract(place[name], place["d00"])))
    assert signals.village(1, ["a"]).neighbour("a") == "a"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"climate": "lunar"}, "climate 'lunar' is not known; known: continental"),
        ({"texture": "mud"}, "texture 'mud' is not known"),
        ({"kind": "cow"}, "kind 'cow' is not known; known: soil, weather, grain"),
        ({"site": {"a": "moon"}}, "site 'moon' is not known"),
        ({"days": 0.001}, "hold no reading"),
    ],
)
def test_what_is_not_known_is_refused_by_name(wrong, said):
    with pytest.raises(BadInput, match=said):
        signals.village(1, ["a"], **wrong)
