import numpy as np
import pytest
from scipy.special import ndtri

from cropcredit.credit.sampling import YIELD_TAIL, Draws, QuantileLaw, Risk, scores
from cropcredit.errors import MalformedInput
from cropcredit.model import PROBABILITIES

LAW = QuantileLaw(PROBABILITIES, (3.0, 3.5, 4.5, 5.0, 5.5, 6.5, 7.0), YIELD_TAIL)


def test_a_law_meets_its_own_quantiles():
    assert LAW.at(ndtri(PROBABILITIES)) == pytest.approx(LAW.values)


def test_a_normal_law_is_met_between_its_quantiles():
    normal = QuantileLaw(PROBABILITIES, tuple(6 + ndtri(p) for p in PROBABILITIES), YIELD_TAIL)
    inside = np.array([-1.6, -0.3, 0.0, 0.9])
    assert normal.at(inside) == pytest.approx(6 + inside)


def test_below_the_lowest_quantile_the_harvest_may_fail_entirely():
    at = LAW.at(ndtri([0.05, 0.05 / 16, 0.05 / 10_000]))
    assert at == pytest.approx([3.0, 1.5, 0.3])


def test_above_the_highest_quantile_nothing_is_promised():
    assert LAW.at(np.array([2.0, 5.0])) == pytest.approx([7.0, 7.0])


def test_the_centre_of_a_left_skewed_law_is_its_mean_and_of_a_right_skewed_one_its_median():
    left = QuantileLaw((0.05, 0.5, 0.95), (2.0, 6.0, 7.0), YIELD_TAIL)
    right = QuantileLaw((0.05, 0.5, 0.95), (5.0, 6.0, 10.0), YIELD_TAIL)
    assert left.centre < 6.0
    assert right.centre == 6.0


def test_a_narrowed_law_keeps_its_median():
    assert LAW.narrowed(0.5).values == (4.0, 4.25, 4.75, 5.0, 5.25, 5.75, 6.0)
    assert set(LAW.narrowed(1.0).values) == {5.0}


@pytest.mark.parametrize(
    ("levels", "values"),
    [
        pytest.param((0.1, 0.9), (5.0, 4.0), id="descending quantiles"),
        pytest.param((0.9, 0.1), (4.0, 5.0), id="descending levels"),
        pytest.param((0.1, 0.9), (-1.0, 4.0), id="negative"),
        pytest.param((0.0, 0.9), (1.0, 4.0), id="level zero"),
        pytest.param((0.5,), (1.0,), id="one quantile"),
        pytest.param((0.1, 0.9), (1.0, float("nan")), id="not a number"),
    ],
)
def test_what_is_not_a_law_is_refused(levels, values):
    with pytest.raises(MalformedInput, match="not a law"):
        QuantileLaw(levels, values, YIELD_TAIL)


def test_a_law_without_a_tail_is_refused():
    with pytest.raises(MalformedInput, match="tail"):
        QuantileLaw((0.1, 0.9), (1.0, 2.0), 0.0)


DRAWS = Draws(number=20_000, seed=7)


def correlation(*risks: Risk, tie: float = 0.0) -> np.ndarray:
    pairs = scores(risks, DRAWS, correlation=tie)
    return np.corrcoef([column for pair in pairs for column in pair])


def test_fields_of_one_crop_region_and_season_rise_and_fall_together():
    both = scores([Risk(group="w", shared_share=0.3)] * 2, DRAWS, correlation=0.0)
    assert np.array_equal(both[0][0], both[1][0])


def test_two_crops_of_one_household_share_what_is_not_shared_with_their_groups():
    found = correlation(Risk(group="maize", shared_share=0.36), Risk(group="wheat", shared_share=0.36))
    assert found[0, 2] == pytest.approx(0.64, abs=0.02)


def test_only_the_shared_part_of_a_yield_is_tied_to_the_price():
    found = correlation(Risk(group="w", shared_share=0.25), tie=-0.4)
    assert found[0, 1] == pytest.approx(-0.4 * 0.5, abs=0.02)


def test_scores_are_standard_normal_and_the_same_each_time():
    (yields, prices), *_ = scores([Risk(group="w", shared_share=0.5)], DRAWS, correlation=-0.3)
    again, *_ = scores([Risk(group="other name", shared_share=0.5)], DRAWS, correlation=-0.3)
    assert np.array_equal(yields, again[0])
    assert np.array_equal(prices, again[1])
    assert (yields.mean(), yields.std()) == pytest.approx((0, 1), abs=0.02)


def test_another_seed_draws_another_world():
    assert not np.array_equal(DRAWS.normal(0), Draws(number=20_000, seed=8).normal(0))
    with pytest.raises(ValueError, match="read-only"):
        DRAWS.normal(0)[0] = 1.0
