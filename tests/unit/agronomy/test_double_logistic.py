"""Start and end of season by the shape of a season."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cropcredit.agronomy import DailyCurves, find_seasons, refine_seasons, season_metrics, season_windows, smooth
from cropcredit.agronomy.double_logistic import MOST_SPARSE, _curve, _slopes
from tests.unit.agronomy import skies


def refined(truth, looks):
    """True, measured and refined dates of the first season of each field."""
    curves = smooth(looks.mean, looks.clear, looks.dates)
    windows = season_windows(curves.values)
    seasons = season_metrics(curves, *windows)
    better = refine_seasons(curves, seasons, windows, looks.mean, looks.dates)
    drawn = DailyCurves(first_on=skies.FIRST, values=truth, observed=np.ones(truth.shape, dtype=bool))
    return find_seasons(drawn), seasons, better


def test_refined_starts_and_ends_are_nearer_the_truth_than_those_of_the_smoother():
    rng = np.random.default_rng(21)
    truth = skies.one_season(150, rng)
    true, seasons, better = refined(truth, skies.look(truth, rng))

    took = better.refined[:, 0]
    errors = {
        name: [float(np.median(np.abs(getattr(way, name) - getattr(true, name))[took, 0])) for way in (seasons, better)]
        for name in ("sos", "eos")
    }
    print(took.mean(), errors)  # noqa: T201
    assert took.mean() > 0.8
    for smoothed, fitted in errors.values():
        assert fitted <= smoothed
        assert fitted <= 3


def test_both_of_two_seasons_are_refined():
    rng = np.random.default_rng(22)
    truth = skies.wheat_then_maize(40, rng)
    true, _, better = refined(truth, skies.look(truth, rng, cloud=0.3))

    both = better.refined[:, :2].all(axis=1)
    assert both.mean() > 0.5
    assert np.median(np.abs(better.sos - true.sos)[both, 1]) <= 3
    assert (better.eos[both, 0] < better.sos[both, 1]).mean() > 0.95


@pytest.mark.parametrize("looks", [pytest.param(MOST_SPARSE, id="nine"), pytest.param(MOST_SPARSE + 1, id="ten")])
def test_with_nine_looks_or_fewer_nothing_is_refined(looks):
    rng = np.random.default_rng(23)
    truth = skies.one_season(1, rng)
    days = np.linspace(150, 360, looks).astype(int)
    mean, dates = truth[:, days], skies.FIRST + days
    observed = np.isin(np.arange(365), days)[None, :]
    curves = DailyCurves(first_on=skies.FIRST, values=truth, observed=observed)
    windows = np.array([100]), np.array([364])
    seasons = season_metrics(curves, *windows)

    better = refine_seasons(curves, seasons, windows, mean, dates)

    assert seasons.clear_dates[0] == looks
    assert better.refined[0] == (looks > MOST_SPARSE)
    if looks <= MOST_SPARSE:
        np.testing.assert_array_equal(better.sos, seasons.sos)


def test_an_open_season_is_left_as_it_was_measured():
    rng = np.random.default_rng(24)
    truth = skies.one_season(5, rng)
    days = np.arange(0, 260, 5)
    mean = truth[:, days]
    curves = smooth(mean, np.ones_like(mean), skies.FIRST + days)
    windows = season_windows(curves.values)
    seasons = season_metrics(curves, *windows)

    better = refine_seasons(curves, seasons, windows, mean, skies.FIRST + days)

    assert not better.refined.any()
    np.testing.assert_array_equal(better.sos, seasons.sos)


def test_a_fit_that_lands_elsewhere_is_not_taken():
    rng = np.random.default_rng(25)
    truth = skies.one_season(3, rng)
    days = np.arange(0, 365, 5)
    mean = truth[:, days]
    curves = smooth(mean, np.ones_like(mean), skies.FIRST + days)
    windows = season_windows(curves.values)
    seasons = season_metrics(curves, *windows)
    shifted = replace(seasons, sos=seasons.sos - 60)

    better = refine_seasons(curves, shifted, windows, mean, skies.FIRST + days)

    assert not better.refined.any()
    np.testing.assert_array_equal(better.sos, shifted.sos)


def test_one_window_per_field_gives_one_entry_per_field():
    rng = np.random.default_rng(26)
    truth = skies.one_season(4, rng)
    days = np.arange(0, 365, 5)
    mean = truth[:, days]
    curves = smooth(mean, np.ones_like(mean), skies.FIRST + days)
    windows = np.full(4, 120), np.full(4, 360)

    better = refine_seasons(curves, season_metrics(curves, *windows), windows, mean, skies.FIRST + days)

    assert better.sos.shape == better.refined.shape == (4,)
    assert better.refined.all()


def test_the_slopes_are_the_derivatives_of_the_curve():
    p, t = np.array([0.2, 0.8, 0.25, 100.0, 9.0, 200.0, 7.0]), np.arange(60.0, 260.0, 10)
    step = 1e-5

    numeric = [(_curve(p + step * axis, t) - _curve(p - step * axis, t)) / (2 * step) for axis in np.eye(7)]

    np.testing.assert_allclose(_slopes(p, t), np.column_stack(numeric), atol=1e-7)
