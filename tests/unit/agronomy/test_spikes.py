"""Clouds out, troughs kept."""

from __future__ import annotations

import numpy as np
import pytest

from cropcredit.agronomy import despike
from cropcredit.agronomy.spikes import judge_dips
from tests.unit.agronomy import skies


def one_field(*values: float) -> np.ndarray:
    return np.array([values])


def kept(mean, days=None, neighbours=None):
    days = np.arange(0, 10 * mean.shape[1], 10) if days is None else days
    return despike(mean, np.isfinite(mean), days, neighbours=neighbours)


def test_a_single_dip_on_a_flat_curve_is_a_missed_cloud():
    assert kept(one_field(0.8, 0.8, 0.3, 0.8, 0.8)).tolist() == [[True, True, False, True, True]]


def test_a_dip_smaller_than_the_noise_stays():
    assert kept(one_field(0.8, 0.8, 0.75, 0.8, 0.8)).all()


def test_first_and_last_looks_are_never_dropped():
    assert kept(one_field(0.1, 0.8, 0.8, 0.1)).all()


def test_the_bare_soil_between_two_crops_stays_though_seen_once():
    wheat_falls_bare_maize_rises = one_field(0.85, 0.7, 0.2, 0.45, 0.75)

    assert kept(wheat_falls_bare_maize_rises).all()


@pytest.mark.parametrize(
    "values",
    [
        pytest.param((0.85, 0.83, 0.2, 0.5, 0.8), id="the rise after it tells"),
        pytest.param((0.85, 0.5, 0.2, 0.65, 0.7), id="the fall before it tells"),
    ],
)
def test_one_flank_is_enough_to_believe_a_trough(values):
    dips = judge_dips(one_field(*values), np.ones((1, 5), dtype=bool), np.arange(0, 80, 16))

    assert dips.kept.all()
    assert dips.believed[0, 2]


@pytest.mark.parametrize("values", [(0.3, 0.4, 0.1, 0.6, 0.7), (0.8, 0.7, 0.2, 0.5, 0.4)])
def test_a_cloud_on_a_steady_flank_is_no_trough(values):
    assert kept(one_field(*values)).tolist() == [[True, True, False, True, True]]


def test_two_missed_clouds_in_a_row_both_go():
    assert kept(one_field(0.8, 0.8, 0.3, 0.25, 0.8, 0.8)).tolist() == [[True, True, False, False, True, True]]


def test_a_drop_that_half_of_the_neighbours_share_stays():
    flat, dip = [0.8, 0.8, 0.8, 0.8, 0.8], [0.8, 0.8, 0.3, 0.8, 0.8]
    mean = np.array([dip, dip, dip, flat, flat, flat])

    assert kept(mean).all()


def test_a_drop_shared_only_with_another_township_goes():
    flat, dip = [0.8, 0.8, 0.8, 0.8, 0.8], [0.8, 0.8, 0.3, 0.8, 0.8]
    mean = np.array([dip, flat, flat, flat, flat, flat, dip, dip, dip, dip, dip])
    township = np.array([0] * 6 + [1] * 5)

    looks = kept(mean, neighbours=township)

    assert not looks[0, 2]
    assert looks[6:].all()


def test_neighbours_in_time_more_than_sixty_days_apart_say_nothing():
    assert kept(one_field(0.8, 0.3, 0.8), days=np.array([0, 31, 62])).all()
    assert not kept(one_field(0.8, 0.3, 0.8), days=np.array([0, 30, 60])).all()


def test_beyond_sixty_days_other_fields_must_have_stayed_green_that_day():
    mean = np.array([[0.8, 0.3, 0.8], *[[0.8, 0.8, 0.8]] * 5])
    days = np.array([0, 40, 80])

    assert not kept(mean, days=days)[0, 1]
    assert kept(mean, days=days, neighbours=np.array([0, 1, 1, 1, 1, 1])).all()
    assert kept(mean, days=np.array([0, 51, 102])).all()


def test_fields_without_a_look_are_no_trouble():
    assert not kept(np.full((3, 4), np.nan)).any()
    assert despike(np.empty((3, 0)), np.empty((3, 0), dtype=bool), np.empty(0, dtype=int)).shape == (3, 0)


def turnarounds(truth, looks, kept):
    """Count fields with a clear look into the bare weeks between two crops, and those of them that lost all such."""
    into_trough = (truth[:, looks.days] < 0.45) & (looks.days >= 230) & (looks.days <= 310) & (looks.clear > 0)
    into_trough &= ~looks.cloudy
    had = into_trough.any(axis=1)
    return int(had.sum()), int((had & ~(into_trough & kept).any(axis=1)).sum())


def v_filter(looks):
    """Drop every dip, as a plain 3-point filter does."""
    keep, out = looks.clear > 0, looks.clear > 0
    for field in range(len(keep)):
        seen = np.flatnonzero(keep[field])
        t, v = looks.days[seen], looks.mean[field, seen]
        line = v[:-2] + (v[2:] - v[:-2]) * (t[1:-1] - t[:-2]) / (t[2:] - t[:-2])
        out[field, seen[1:-1]] = (line - v[1:-1] <= 0.08) | (t[2:] - t[:-2] > 60)
    return out


@pytest.mark.parametrize(
    ("every", "group", "lost", "caught"),
    [  # share of turnarounds lost at most, share of deep missed clouds (>= 0.15) caught at least
        pytest.param(5, 20, 0.03, 0.85, id="5 days, villages"),
        pytest.param(5, 1, 0.03, 0.85, id="5 days, each field alone"),
        pytest.param(16, 20, 0.03, 0.25, id="16 days, villages"),
        pytest.param(16, 1, 0.05, 0.20, id="16 days, each field alone"),
    ],
)
def test_wheat_and_maize_keep_their_turnaround_and_lose_their_clouds(every, group, lost, caught):
    rng = np.random.default_rng(1)
    truth = skies.wheat_then_maize(600, rng)
    looks = skies.look(truth, rng, every=every)

    kept = despike(looks.mean, looks.clear > 0, looks.days, neighbours=np.arange(600) // group)

    had, gone = turnarounds(truth, looks, kept)
    _, gone_by_v = turnarounds(truth, looks, v_filter(looks))
    deep = looks.cloudy & (truth[:, looks.days] - looks.mean >= 0.15)
    print(f"turnarounds {had}, lost {gone} (V filter {gone_by_v}); clouds caught {1 - kept[deep].mean():.3f}")  # noqa: T201
    assert gone <= lost * had
    assert gone < gone_by_v / 3
    assert 1 - kept[deep].mean() >= caught


@pytest.mark.parametrize(("every", "caught"), [(5, 0.90), (16, 0.40)])
def test_fields_of_one_crop_lose_their_clouds_and_nothing_else(every, caught):
    rng = np.random.default_rng(2)
    truth = skies.one_season(600, rng)
    looks = skies.look(truth, rng, every=every)

    kept = despike(looks.mean, looks.clear > 0, looks.days, neighbours=np.arange(600) // 20)

    deep, clear = looks.cloudy & (truth[:, looks.days] - looks.mean >= 0.15), (looks.clear > 0) & ~looks.cloudy
    print(f"caught {1 - kept[deep].mean():.3f}, clear looks dropped {1 - kept[clear].mean():.4f}")  # noqa: T201
    assert 1 - kept[deep].mean() >= caught
    assert 1 - kept[clear].mean() <= 0.015


def test_one_missed_cloud_over_a_third_of_the_village_goes_as_others_do():
    rng = np.random.default_rng(3)
    truth = skies.one_season(600, rng)
    looks = skies.look(truth, rng, patch=1.0)

    kept = despike(looks.mean, looks.clear > 0, looks.days)

    deep = looks.cloudy & (truth[:, looks.days] - looks.mean >= 0.15)
    assert 1 - kept[deep].mean() >= 0.85


def test_a_low_that_the_next_look_repeats_is_believed_and_a_lone_one_is_not():
    low_twice, low_once = one_field(0.8, 0.8, 0.3, 0.35, 0.6), one_field(0.8, 0.8, 0.55, 0.35, 0.2)

    close, apart = np.arange(0, 100, 20), np.array([0, 20, 40, 90, 110])

    assert judge_dips(low_twice, np.ones((1, 5), dtype=bool), close).believed[0, 2:4].all()
    assert not judge_dips(low_twice, np.ones((1, 5), dtype=bool), apart).believed[0, 2:4].any()
    assert not judge_dips(low_once, np.ones((1, 5), dtype=bool), close).believed[0, 2:].any()
