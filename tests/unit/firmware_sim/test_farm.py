"""The made-up village as a source: on time, reproducible, old readings first, each device in its part."""

from __future__ import annotations

from itertools import pairwise

import pytest

from firmware_sim import farm as farms
from firmware_sim.errors import BadInput
from firmware_sim.farm import Farm
from firmware_sim.scenario import Cast, Role

NOON = 1_767_268_800_000
HOUR_MS = 3_600_000


def made(seconds=100, *, roles: dict[str, Role] | None = None, seed=0, **settings) -> Farm:
    cast = Cast(climate="continental", roles=roles or {"a": Role(), "b": Role()})
    return Farm(cast, seed=seed, start_ms=NOON, seconds=seconds, **{"interval_s": 10, **settings})


def everything(farm: Farm, until_ms: int = NOON + 100_000_000):
    taken = []
    while not farm.exhausted:
        taken += farm.take(1000, now_ms=until_ms)
    return taken


def test_each_station_measures_once_per_interval():
    farm = made()
    readings = everything(farm)
    assert [sum(r.device_id == name for r in readings) for name in ("a", "b")] == [10, 10]
    times = [r.at_ms for r in readings if r.device_id == "a"]
    assert {later - earlier for earlier, later in pairwise(times)} == {10_000}


def test_nothing_is_measured_before_its_time():
    farm = made(roles={"a": Role()})
    assert farm.take(1000, now_ms=NOON - 1) == []
    assert len(farm.take(1000, now_ms=NOON + 5_000)) == 1
    assert not farm.exhausted


def test_a_number_of_readings_can_be_asked_for():
    assert len(everything(made(each=3))) == 6


def test_the_same_seed_gives_the_same_readings_and_another_seed_others():
    assert everything(made(seed=1)) == everything(made(seed=1))
    assert everything(made(seed=1)) != everything(made(seed=2))


def test_the_backlog_is_measured_before_the_run_and_the_live_part_goes_on_from_it():
    farm = made(seconds=3600, interval_s=600, backlog_days=2)
    old, new = list(farm.backlog()), everything(farm)
    assert [r.device_id for r in old] == ["a"] * 288 + ["b"] * 288
    assert max(r.at_ms for r in old) < NOON <= min(r.at_ms for r in new)
    assert farm.begun_ms("a") == NOON - 2 * 24 * HOUR_MS
    moisture = [
        float(next(v for q, v, c in r.values if (q, c) == ("soil.moisture", "d60")))
        for r in old + new
        if r.device_id == "a"
    ]
    assert max(abs(later - earlier) for earlier, later in pairwise(moisture)) < 1.5


def test_a_month_of_minutes_is_43200_readings():
    farm = made(backlog_days=30, backlog_step_s=60, roles={"a": Role()})
    assert sum(1 for _ in farm.backlog()) == 43_200


def test_without_a_backlog_the_boot_begins_now():
    assert made().begun_ms("a") is None
    assert list(made().backlog()) == []


def test_a_change_shows_in_the_device_that_has_it_from_its_beginning_on():
    roles = {"a": Role(change="bucket", begins=0.5), "b": Role()}
    honest, attacked = (
        list(made(interval_s=900, backlog_days=10, roles=r).backlog()) for r in ({"a": Role(), "b": Role()}, roles)
    )
    half = 5 * 96
    same = [x.values == y.values for x, y in zip(honest, attacked, strict=True)]
    assert all(same[: half - 1])
    assert not any(same[half + 1 : 960])
    assert all(same[960:])


def test_a_stolen_device_measures_no_more_and_a_lapsed_card_is_silence_not_loss():
    roles = {"a": Role(change="theft", begins=0.5), "b": Role(change="sim_lapsed", begins=0.2), "c": Role()}
    farm = made(roles=roles)
    readings = everything(farm)
    assert {name: sum(r.device_id == name for r in readings) for name in roles} == {"a": 5, "b": 10, "c": 10}
    assert farm.gone == {"a": NOON + 50_000}
    first, last = farm.silent["b"]
    assert first == NOON + 20_000
    assert first < last < NOON + 100_000


def test_from_a_store_the_grain_is_stolen_and_the_device_stays():
    farm = made(roles={"a": Role(kind="grain", change="theft")}, interval_s=900, backlog_days=10)
    weights = [float(next(v for q, v, _ in r.values if q == "store.weight")) for r in farm.backlog()]
    assert farm.gone == {}
    assert min(later / earlier for earlier, later in pairwise(weights)) < 0.92


def test_numbers_are_written_without_a_zero_that_costs_airtime():
    values = [value for reading in everything(made()) for _, value, _ in reading.values]
    assert values
    assert not any(value.endswith(".0") or (value.startswith("-0") and float(value) == 0) for value in values)


def test_more_than_fits_into_memory_is_refused_with_the_cure(monkeypatch):
    monkeypatch.setattr(farms, "MOST_VALUES", 100)
    with pytest.raises(BadInput, match="live values do not fit into memory: fewer devices"):
        made()
