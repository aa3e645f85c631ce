"""The smoother, plain and robust."""

from __future__ import annotations

import numpy as np
import pytest

from cropcredit.agronomy import robust_whittaker, whittaker
from cropcredit.agronomy.spikes import judge_dips
from tests.unit.agronomy import skies

DAYS = np.arange(0, 90, 10)


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


def test_a_clean_series_is_smoothed_once_and_keeps_its_weights():
    values, weights = np.linspace(0.2, 0.8, 9)[None, :], np.full((1, 9), 0.7)

    curve, final = robust_whittaker(values, weights, DAYS, 90)

    np.testing.assert_array_equal(curve, whittaker(values, weights, DAYS, 90))
    np.testing.assert_array_equal(final, weights)


def test_looks_far_below_the_curve_lose_their_weight_and_looks_above_keep_theirs():
    values, days = np.full((2, 24), 0.7), np.arange(0, 240, 10)
    values[0, [8, 16]], values[1, [8, 16]] = 0.2, 1.2

    curve, final = robust_whittaker(values, np.ones((2, 24)), days, 240)

    assert (final[0, [8, 16]] < 0.05).all()
    assert (final[1, [8, 16]] == 1).all()
    assert curve[0].min() > 0.65


def test_a_believed_trough_keeps_its_weight():
    values, days = np.full((1, 24), 0.7), np.arange(0, 240, 10)
    values[0, [8, 16]] = 0.2
    believed = np.arange(24)[None, :] == 8

    _, final = robust_whittaker(values, np.ones((1, 24)), days, 240, believed=believed)

    assert final[0, 8] == 1
    assert final[0, 16] < 0.05


@pytest.mark.parametrize(("low", "kept"), [pytest.param(3, True, id="shared"), pytest.param(1, False, id="alone")])
def test_a_low_that_neighbours_share_within_days_keeps_its_weight(low, kept):
    values, days = np.full((6, 24), 0.7), np.arange(0, 240, 10)
    values[:low, 8] = 0.2

    _, final = robust_whittaker(values, np.ones((6, 24)), days, 240)

    assert (final[0, 8] == 1) == kept


@pytest.mark.parametrize(
    ("cloud", "missed", "plain", "robust"),
    [  # error of the plain smoother at least, of the robust one at most; were all clouds known: 0.028, 0.072, 0.088
        pytest.param(0.50, 0.10, 0.055, 0.034, id="half cloudy, one look in ten a missed cloud"),
        pytest.param(0.75, 0.10, 0.088, 0.077, id="three quarters cloudy, one in ten"),
        pytest.param(0.75, 0.25, 0.120, 0.097, id="three quarters cloudy, one in four"),
    ],
)
def test_robust_weights_help_where_contamination_is_heavy_and_harm_nowhere(cloud, missed, plain, robust):
    rng = np.random.default_rng(5)
    truth = skies.one_season(1_500, rng)
    looks = skies.look(truth, rng, cloud=cloud, missed=missed)

    raw, despiked, final = errors(truth, looks)

    assert raw > plain
    assert final < robust
    assert final < despiked + 0.001


def test_robust_weights_do_not_fill_the_trough_between_two_crops():
    rng = np.random.default_rng(6)
    truth = skies.wheat_then_maize(600, rng)
    looks = skies.look(truth, rng)

    _, despiked, final = errors(truth, looks)

    assert final < despiked + 0.003


def errors(truth, looks):
    """RMSE of the curves: all looks, after de-spiking, after de-spiking with robust weights."""
    dips = judge_dips(looks.mean, looks.clear > 0, looks.days)
    weights = np.where(dips.kept, looks.clear, 0.0)
    curves = (
        whittaker(looks.mean, looks.clear, looks.days, 365),
        whittaker(looks.mean, weights, looks.days, 365),
        robust_whittaker(looks.mean, weights, looks.days, 365, believed=dips.believed)[0],
    )
    return [float(np.sqrt(np.mean((curve - truth) ** 2))) for curve in curves]


def test_looks_of_hardly_any_weight_are_not_there_and_the_least_that_is_has_a_curve():
    values, days = np.array([[0.5, 0.6], [0.5, 0.6]]), np.array([0, 1])
    weights = np.array([[1e-3, 1e-3], [1e-30, 1e-30]])

    curve = whittaker(values, weights, days, 3_000)

    np.testing.assert_allclose(curve[0, :2], [0.5, 0.6], atol=0.01)
    assert np.isnan(curve[1]).all()
