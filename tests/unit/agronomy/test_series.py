"""From scattered looks to daily curves."""

from __future__ import annotations

import numpy as np
import pytest

from cropcredit.agronomy import robust_whittaker, smooth, usable
from cropcredit.agronomy.spikes import judge_dips
from cropcredit.errors import EmptyInput, MalformedInput
from tests.unit.agronomy import skies

DAYS = np.arange(0, 90, 10)
MARCH = np.datetime64("2025-03-01")


def test_a_date_counts_from_half_a_clear_core():
    mean, clear = np.array([[0.5, 0.5, np.nan]]), np.array([[0.5, 0.49, 1.0]])

    assert usable(mean, clear).tolist() == [[True, False, False]]


def test_looks_after_the_last_day_are_not_looked_at():
    dates = MARCH + DAYS
    mean = np.linspace(0.2, 0.8, 9)[None, :]
    changed = mean.copy()
    changed[0, 5:] = 0.0

    cut = MARCH + 45
    before, after = (smooth(m, np.ones((1, 9)), dates, until=cut) for m in (mean, changed))

    assert before.values.shape == (1, 46)
    np.testing.assert_array_equal(before.values, after.values)


def test_a_look_that_lost_its_weight_does_not_count_as_seen():
    truth = skies.one_season(60, np.random.default_rng(3))
    looks = skies.look(truth, np.random.default_rng(4), cloud=0.5, missed=0.25)

    curves = smooth(looks.mean, looks.clear, looks.dates)

    seen = curves.observed[:, looks.days]
    deep = looks.cloudy & (truth[:, looks.days] - looks.mean > 0.2)
    assert seen[deep].mean() < 0.25
    assert seen[(looks.clear > 0) & ~looks.cloudy].mean() > 0.95


@pytest.mark.parametrize(
    "mean",
    [
        pytest.param(np.full((2, 9), np.nan), id="never clear"),
        pytest.param(np.where(np.arange(9) == 4, 0.5, np.nan)[None, :].repeat(2, axis=0), id="one clear date"),
    ],
)
def test_a_field_without_two_clear_dates_has_no_curve_and_no_error_of_it(mean):
    curves = smooth(mean, np.ones((2, 9)), MARCH + DAYS)

    assert np.isnan(curves.values).all()
    assert np.isnan(curves.sd).all()


def test_an_as_of_day_before_the_first_look_shows_nothing():
    curves = smooth(np.full((1, 9), 0.5), np.ones((1, 9)), MARCH + DAYS, until=MARCH - 40)

    assert np.isnan(curves.values).all()
    assert not curves.observed.any()
    assert np.isnan(curves.days_since_last_clear).all()


def test_no_date_at_all_needs_a_last_day():
    nothing, none = np.empty((3, 0)), np.empty(0, dtype="datetime64[D]")

    with pytest.raises(EmptyInput, match="acquired_on: a series without dates has no last day; give until"):
        smooth(nothing, nothing, none)
    assert np.isnan(smooth(nothing, nothing, none, until=MARCH).values).all()


def test_dates_out_of_order_are_refused():
    with pytest.raises(MalformedInput, match="acquired_on: dates do not ascend; sort the columns by date"):
        smooth(np.ones((1, 2)), np.ones((1, 2)), np.array(["2025-03-02", "2025-03-01"], dtype="datetime64[D]"))


def test_shapes_that_do_not_agree_are_refused():
    with pytest.raises(MalformedInput, match=r"mean \(1, 3\), clear_fraction \(1, 2\), acquired_on \(2,\)"):
        smooth(np.ones((1, 3)), np.ones((1, 2)), MARCH + np.arange(2))


def test_days_since_the_last_clear_look_count_to_the_last_day():
    mean = np.array([[0.5, 0.5, 0.5], [0.5, 0.5, np.nan]])

    curves = smooth(mean, np.ones((2, 3)), MARCH + np.array([0, 10, 20]), until=MARCH + 25)

    assert curves.days_since_last_clear.tolist() == [5, 15]


def test_curves_are_those_of_the_looks_that_despiking_and_robust_weights_leave():
    rng = np.random.default_rng(5)
    looks = skies.look(skies.one_season(200, rng), rng, cloud=0.75, missed=0.25)
    villages = np.arange(200) // 20

    curves = smooth(looks.mean, looks.clear, looks.dates, neighbours=villages)

    dips = judge_dips(looks.mean, looks.clear > 0, looks.days, neighbours=villages)
    weights = np.where(dips.kept, looks.clear, 0.0)
    values, final = robust_whittaker(looks.mean, weights, looks.days, 361, believed=dips.believed, neighbours=villages)
    np.testing.assert_array_equal(curves.values, values)
    np.testing.assert_array_equal(curves.observed[:, looks.days], dips.kept & (final > weights / 2))
    assert (dips.kept & (final <= weights / 2)).any()
    assert not np.array_equal(values, smooth(looks.mean, looks.clear, looks.dates).values)
