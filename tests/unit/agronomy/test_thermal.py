"""Growing degree days by hand, gaps of a few days, and the warmth that is still to come."""

from __future__ import annotations

import numpy as np
import pytest

from cropcredit.agronomy.thermal import LONGEST_GAP_DAYS, fill_gaps, growing_degree_days, with_normals
from cropcredit.errors import RefusedInput

NAN = np.nan


@pytest.mark.parametrize(
    ("low", "high", "triangle", "average"),
    [
        pytest.param(2.0, 8.0, 0.0, 0.0, id="cold all day"),
        pytest.param(12.0, 24.0, 8.0, 8.0, id="between base and ceiling both are the mean"),
        pytest.param(6.0, 18.0, 32 / 12, 4.0, id="a cold night takes nothing away, or counts as the base"),
        pytest.param(20.0, 34.0, (150 + 80) / 14, 15.0, id="heat beyond the ceiling adds nothing"),
        pytest.param(32.0, 36.0, 20.0, 20.0, id="hot all day"),
        pytest.param(15.0, 15.0, 5.0, 5.0, id="no range at all"),
        pytest.param(4.0, 40.0, (400 / 2 + 10 * 20) / 36, 10.0, id="both limits in one day"),
    ],
)
def test_growing_degree_days_are_as_counted_by_hand(low, high, triangle, average):
    day = np.array([low]), np.array([high])

    assert growing_degree_days(*day, 10, 30)[0] == pytest.approx(triangle)
    assert growing_degree_days(*day, 10, 30, method="average")[0] == pytest.approx(average)


def test_an_unknown_temperature_gives_an_unknown_warmth():
    found = growing_degree_days(np.array([NAN, 12.0]), np.array([20.0, NAN]), 10, 30)

    assert np.isnan(found).all()


def test_exchanged_columns_are_refused_with_their_first_day():
    with pytest.raises(RefusedInput, match=r"exceeds the highest on 1 day.*20 > 5 °C; exchange the columns"):
        growing_degree_days(np.array([1.0, 20.0]), np.array([9.0, 5.0]), 0, 30)


def test_a_ceiling_below_the_base_and_an_unknown_method_are_refused():
    warm = np.array([20.0])
    with pytest.raises(RefusedInput, match=r"base 30 °C is not below the ceiling 10 °C"):
        growing_degree_days(warm, warm, 30, 10)
    with pytest.raises(RefusedInput, match=r"unknown method 'sine'; one of \('triangle', 'average'\)"):
        growing_degree_days(warm, warm, 0, 30, method="sine")


def test_gaps_of_three_days_are_filled_and_counted_and_longer_ones_are_not():
    assert LONGEST_GAP_DAYS == 3
    row = np.array([[NAN, 2.0, NAN, NAN, NAN, 6.0, NAN, NAN, NAN, NAN, 9.0, NAN, NAN]])

    found = fill_gaps(row)

    np.testing.assert_allclose(found.values, [[2, 2, 3, 4, 5, 6, NAN, NAN, NAN, NAN, 9, 9, 9]])
    assert found.filled.sum() == 6
    assert np.isnan(fill_gaps(np.full((1, 2), NAN)).values).all()  # nothing to fill from


def test_what_is_still_to_come_is_expected_as_in_three_years_before():
    first = np.datetime64("2021-01-01")
    days = int((np.datetime64("2024-03-01") - first).astype(int))
    warm = np.tile(np.arange(days) // 365, (2, 1)).astype(float)  # 0, 1, 2 °C day in three years
    warm[1, :400] = NAN  # of this station the first year is unknown

    found = with_normals(warm, first, days - 1, days + 60)

    np.testing.assert_array_equal(found[0, :days], warm[0])
    np.testing.assert_allclose(found[0, days + 10 :], 1.0)
    assert np.isnan(found[1, days + 10 :]).all()


def test_nothing_after_the_last_day_known_changes_what_is_expected():
    first = np.datetime64("2020-01-01")
    warm = np.random.default_rng(1).uniform(0, 20, (3, 1500))
    later = warm.copy()
    later[:, 1200:] = 99.0

    one, two = (with_normals(values, first, 1199, 1400) for values in (warm, later))

    np.testing.assert_array_equal(one, two)
