"""Attacks and ageing: each changes what it says, from its first row on, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from firmware_sim import ageing, attacks, signals
from firmware_sim.site import Site

FIRST = 960
KINDS = {"s1": "soil", "s2": "soil", "w1": "weather", "w2": "weather", "g1": "grain", "g2": "grain"}
OF_KIND = {"soil": "s1", "weather": "w1", "grain": "g1"}
CHANGES = attacks.ATTACKS | ageing.AGEING
APPLIES = attacks.APPLIES | ageing.APPLIES
CASES = [pytest.param(name, kind, id=f"{name} of {kind}") for name in CHANGES for kind in APPLIES[name]]


@pytest.fixture(scope="module")
def village() -> signals.Village:
    return signals.village(4, list(KINDS), days=30, kind=KINDS, start_ms=signals.SPRING_2026_MS + 50 * 86_400_000)


def changed(village: signals.Village, name: str, device: str, *, first_row: int = 0, seed: int = 1):
    site = village.site(device, first_row=first_row)
    return site, CHANGES[name](np.random.default_rng(seed), site)


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_a_change_begins_at_its_first_row_and_leaves_its_input_alone(village, name, kind):
    before = {key: values.copy() for key, values in village.devices[OF_KIND[kind]].items()}
    site, out = changed(village, name, OF_KIND[kind], first_row=FIRST)
    assert out.keys() == site.series.keys()
    for key, values in site.series.items():
        assert np.array_equal(values, before[key])
        assert np.array_equal(out[key][:FIRST], values[:FIRST]), key
    assert any(not np.array_equal(out[key], site.series[key], equal_nan=True) for key in out)


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_a_change_is_the_same_for_the_same_dice(village, name, kind):
    _, one = changed(village, name, OF_KIND[kind])
    _, same = changed(village, name, OF_KIND[kind])
    assert all(np.array_equal(one[key], same[key], equal_nan=True) for key in one)


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_every_mode_says_in_one_line_what_it_is(name):
    line = (CHANGES[name].__doc__ or "").splitlines()[0]
    assert 20 < len(line) < 110
    assert line.endswith(".")


def test_a_bucket_is_wet_at_every_depth_and_knows_no_rain(village):
    site, out = changed(village, "bucket", "s1")
    for channel in ("d10", "d30", "d60"):
        assert np.ptp(out["soil.moisture", channel]) < 4
        assert out["soil.moisture", channel].mean() > 38
    assert np.array_equal(out["weather.rain", ""], site.series["weather.rain", ""])


def test_last_year_and_a_copied_neighbour_come_to_the_digit(village):
    site, out = changed(village, "last_year", "s1")
    assert all(np.array_equal(out[key], site.history[key]) for key in out)
    site, out = changed(village, "copied", "s1")
    assert all(np.array_equal(out[key], village.devices["s2"][key]) for key in out)


def test_a_late_copy_is_the_neighbour_some_steps_ago(village):
    site, out = changed(village, "copied_late", "s1")
    key = ("soil.temperature", "d10")
    lags = [lag for lag in range(1, 9) if np.array_equal(out[key][lag:], site.neighbour[key][:-lag])]
    assert len(lags) == 1


def test_a_noisy_copy_has_no_value_run_in_common_and_the_same_course(village):
    site, out = changed(village, "copied_noisy", "s1")
    key = ("soil.temperature", "d10")
    assert np.mean(out[key] == site.neighbour[key]) < 0.5
    assert np.corrcoef(out[key], site.neighbour[key])[0, 1] > 0.98


def test_a_borrowed_counter_goes_on_where_the_own_one_stood(village):
    _, out = changed(village, "copied", "w1", first_row=FIRST)
    counter = out["weather.rain", ""]
    assert np.diff(counter).min() >= -0.01


def test_invented_readings_have_the_noise_and_nothing_else(village):
    _, out = changed(village, "constant", "s1", first_row=FIRST)
    invented = out["soil.moisture", "d10"][FIRST:]
    assert 0.1 < invented.std() < 0.25
    assert np.ptp(out["weather.rain", ""][FIRST:]) == 0


@pytest.mark.parametrize("name", ["drift_gain", "drift_offset"])
def test_a_drift_is_nothing_at_first_and_much_at_the_end(village, name):
    for device, key in (("s1", ("soil.moisture", "d30")), ("g1", ("store.weight", ""))):
        site, out = changed(village, name, device, first_row=FIRST)
        added = out[key] - site.series[key]
        assert abs(added[FIRST]) < 0.2
        assert added[-1] > 0.1 * site.series[key][-1] * 0.9
        assert added[-1] > added[(FIRST + len(added)) // 2] > 0


def test_stones_weigh_and_are_no_grain(village):
    site, out = changed(village, "stones", "g1")
    added = out["store.weight", ""] - site.series["store.weight", ""]
    assert 0.02 * site.series["store.weight", ""][0] < added[-1] < 0.3 * site.series["store.weight", ""].max()
    assert 1 <= np.count_nonzero(np.diff(added)) <= 3
    assert np.array_equal(out["store.grainMoisture", "p1"], site.series["store.grainMoisture", "p1"])


def test_a_clogged_gauge_counts_less_and_never_back(village):
    site, out = changed(village, "clogged_gauge", "w1", first_row=FIRST)
    ours, true = out["weather.rain", ""], site.series["weather.rain", ""]
    assert np.ptp(true[FIRST:]) > 5
    assert np.ptp(ours[FIRST:]) < 0.35 * np.ptp(true[FIRST:])
    assert np.diff(ours).min() >= 0


def test_creep_breathes_with_the_warmth(village):
    site, out = changed(village, "creep", "g1")
    added = out["store.weight", ""] - site.series["store.weight", ""]
    warmth, sag = site.series["air.temperature", ""], np.linspace(0, 1, len(added))
    left = (
        added
        - np.column_stack((warmth, sag, np.ones_like(sag)))
        @ np.linalg.lstsq(np.column_stack((warmth, sag, np.ones_like(sag))), added)[0]
    )
    assert left.std() < 0.1 * added.std(), "warmth and time explain it"
    assert np.abs(added).max() < 0.02 * site.series["store.weight", ""].max()


def test_a_lapsed_card_is_silence_for_days_and_then_an_end(village):
    _, out = changed(village, "sim_lapsed", "s1")
    silent = np.isnan(out["soil.moisture", "d10"])
    assert 5 * 96 <= silent.sum() <= 20 * 96
    assert all(np.array_equal(np.isnan(values), silent) for values in out.values())


def test_theft_takes_grain_by_night_or_the_device_for_good(village):
    site, out = changed(village, "theft", "g1")
    gone = site.series["store.weight", ""] - out["store.weight", ""]
    row = int(np.flatnonzero(gone)[0])
    assert gone[row] > 0.09 * site.series["store.weight", ""][row]
    assert site.times_ms[row] // 3_600_000 % 24 in range(18, 22)
    _, out = changed(village, "theft", "s1")
    silent = np.isnan(out["soil.moisture", "d10"])
    assert silent[-1]
    assert np.array_equal(silent, np.arange(len(silent)) >= np.argmax(silent))


def test_a_loose_probe_reads_dry_and_as_warm_as_the_air(village):
    site, out = changed(village, "loose_probe", "s1")
    assert out["soil.moisture", "d30"].mean() < 0.5 * site.series["soil.moisture", "d30"].mean()
    assert np.ptp(out["soil.temperature", "d30"]) > np.ptp(site.series["soil.temperature", "d30"])


def test_a_stuck_sensor_repeats_itself_and_the_others_go_on(village):
    site, out = changed(village, "stuck", "s1", first_row=FIRST)
    still = [key for key in out if np.ptp(out[key][FIRST:]) == 0 and np.ptp(site.series[key][FIRST:]) > 0]
    assert len(still) == 1


def test_spikes_are_rare_and_large(village):
    site, out = changed(village, "spikes", "s1")
    moved = out["soil.moisture", "d10"] != site.series["soil.moisture", "d10"]
    assert 0.002 < moved.mean() < 0.03


def test_a_lone_device_can_still_be_attacked():
    site = signals.village(1, ["a"], days=2).site("a")
    assert isinstance(site, Site)
    assert attacks.ATTACKS["copied_noisy"](np.random.default_rng(0), site).keys() == site.series.keys()
