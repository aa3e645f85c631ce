"""From scattered looks to daily curves."""

from __future__ import annotations

import numpy as np

from cropcredit.agronomy.series import despike, smooth, usable, whittaker

DAYS = np.arange(0, 90, 10)


def one_field(*values: float) -> np.ndarray:
    return np.array([values])


def kept(mean, days=None, neighbours=None):
    days = np.arange(0, 10 * mean.shape[1], 10) if days is None else days
    return despike(mean, np.isfinite(mean), days, neighbours=neighbours)


def test_a_date_counts_from_half_a_clear_core():
    mean, clear = np.array([[0.5, 0.5, np.nan]]), np.array([[0.5, 0.49, 1.0]])

    assert usable(mean, clear).tolist() == [[True, False, False]]


def test_a_single_dip_on_a_flat_curve_is_a_missed_cloud():
    assert kept(one_field(0.8, 0.8, 0.3, 0.8, 0.8)).tolist() == [[True, True, False, True, True]]


def test_a_dip_smaller_than_the_noise_stays():
    assert kept(one_field(0.8, 0.8, 0.75, 0.8, 0.8)).all()


def test_first_and_last_looks_are_never_dropped():
    assert kept(one_field(0.1, 0.8, 0.8, 0.1)).all()


def test_the_bare_soil_between_two_crops_stays_though_seen_once():
    wheat_falls_bare_maize_rises = one_field(0.85, 0.7, 0.2, 0.45, 0.75)

    assert kept(wheat_falls_bare_maize_rises).all()


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


def test_a_curve_needs_two_days():
    values = np.array([[0.5, np.nan], [0.5, 0.5]])

    curve = whittaker(values, np.ones((2, 2)), np.array([0, 9]), 10)

    assert np.isnan(curve[0]).all()
    np.testing.assert_allclose(curve[1], 0.5, atol=1e-9)


def test_nothing_is_extrapolated_beyond_the_first_and_last_look():
    curve = whittaker(np.array([[0.2, 0.8]]), np.ones((1, 2)), np.array([10, 20]), 31)[0]

    np.testing.assert_allclose(curve[:10], 0.2, atol=1e-6)
    np.testing.assert_allclose(curve[15], 0.5, atol=1e-6)
    np.testing.assert_allclose(curve[21:], 0.8, atol=1e-6)


def test_a_clearer_look_pulls_harder():
    values, days = np.array([[0.4, 0.9, 0.4]]), np.array([0, 10, 20])

    clear = whittaker(values, np.array([[1.0, 1.0, 1.0]]), days, 21)[0, 10]
    hazy = whittaker(values, np.array([[1.0, 0.1, 1.0]]), days, 21)[0, 10]

    assert clear > hazy


def test_many_fields_at_once_are_as_each_alone():
    rng = np.random.default_rng(1)
    values, weights = rng.uniform(0, 1, (5, 9)), rng.uniform(0.5, 1, (5, 9))

    together = whittaker(values, weights, DAYS, 90)

    alone = np.vstack([whittaker(values[[i]], weights[[i]], DAYS, 90) for i in range(5)])
    np.testing.assert_allclose(together, alone, atol=1e-9)


def test_looks_after_the_last_day_are_not_looked_at():
    dates = np.datetime64("2025-03-01") + DAYS
    mean = np.linspace(0.2, 0.8, 9)[None, :]
    changed = mean.copy()
    changed[0, 5:] = 0.0

    cut = np.datetime64("2025-03-01") + 45
    before, after = (smooth(m, np.ones((1, 9)), dates, until=cut) for m in (mean, changed))

    assert before.values.shape == (1, 46)
    np.testing.assert_array_equal(before.values, after.values)
