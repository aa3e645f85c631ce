"""Made-up stations: on time, plausible, the same for the same seed."""

from __future__ import annotations

from itertools import pairwise

from firmware_sim.synthetic import Synthetic

NOON = 1_767_268_800_000


def taken(**settings):
    source = Synthetic(("a", "b"), interval_s=10, start_ms=NOON, seconds=100, **settings)
    return source, source.take(1000, now_ms=NOON + 100_000)


def test_each_station_measures_once_per_interval():
    source, readings = taken()
    assert [sum(r.device_id == name for r in readings) for name in ("a", "b")] == [10, 10]
    assert source.exhausted
    times = [r.at_ms for r in readings if r.device_id == "a"]
    assert {later - earlier for earlier, later in pairwise(times)} == {10_000}


def test_nothing_is_measured_before_its_time():
    source = Synthetic(("a",), interval_s=10, start_ms=NOON, seconds=100)
    assert source.take(1000, now_ms=NOON - 1) == []
    assert len(source.take(1000, now_ms=NOON + 5_000)) == 1
    assert not source.exhausted


def test_a_number_of_readings_can_be_asked_for():
    source, readings = taken(each=3)
    assert len(readings) == 6
    assert source.exhausted


def test_the_same_seed_gives_the_same_readings_and_another_seed_others():
    assert taken(seed=1)[1] == taken(seed=1)[1]
    assert taken(seed=1)[1] != taken(seed=2)[1]


def test_the_rain_gauge_only_counts_up():
    source = Synthetic(("a",), interval_s=600, start_ms=NOON, seconds=600 * 2000)
    readings = source.take(10_000, now_ms=NOON + 600_000 * 2000)
    rain = [float(v) for r in readings for q, v, _ in r.values if q == "weather.rain"]
    assert rain == sorted(rain)
    assert rain[-1] > 0
