"""Seasons by warmth and by calendar, and the index summed over their parts."""

from __future__ import annotations

import numpy as np
import pytest

from cropcredit.agronomy.season_clock import accumulated, season_clock, season_integrals

START, END = np.array([10, 10]), np.array([29, 29])


def halves() -> np.ndarray:
    """Twenty days from day 10: 1 °C day each in the first ten, 3 in the others."""
    return np.where(np.arange(40) < 20, 1.0, 3.0)[None]


def test_warmth_moves_the_middle_of_the_season():
    clock = season_clock(START, END, gdd=halves(), row=np.array([0, -1]))

    assert clock.thermal.tolist() == [True, False]
    assert clock.total.tolist() == [40.0, 20.0]
    np.testing.assert_allclose(clock.share(np.array([19, 19])), [0.25, 0.5])
    np.testing.assert_allclose(clock.share(np.array([29, 29])), 1.0)
    moments = np.array([[10, 20 + 10 / 3, 30], [10, 20, 30]])
    np.testing.assert_allclose(clock.reached(np.array([0.0, 0.5, 1.0])), moments)


def test_before_sowing_the_calendar_counts_below_zero():
    clock = season_clock(np.array([10]), np.array([29]))

    assert clock.share(np.array([4]))[0] == pytest.approx(-5 / 20)


@pytest.mark.parametrize(
    ("start", "end", "unknown"),
    [
        pytest.param(10, 29, [15], id="a day of the season is unknown"),
        pytest.param(-3, 29, [], id="sown before the weather begins"),
        pytest.param(10, 60, [], id="harvested after all that is known or expected"),
    ],
)
def test_without_all_its_days_a_season_goes_by_the_calendar(start, end, unknown):
    gdd = halves()
    gdd[0, unknown] = np.nan

    clock = season_clock(np.array([start]), np.array([end]), gdd=gdd, row=np.array([0]))

    assert not clock.thermal[0]
    assert clock.total[0] == end - start + 1


def test_a_season_without_any_warmth_goes_by_the_calendar():
    clock = season_clock(np.array([0]), np.array([9]), gdd=np.zeros((1, 20)), row=np.array([0]))

    assert not clock.thermal[0]


def test_the_index_is_summed_over_parts_of_equal_warmth():
    clock = season_clock(START, END, gdd=halves(), row=np.array([0, -1]))
    values = np.tile(np.where(np.arange(40) < 20, 0.2, 0.6), (2, 1))

    parts = season_integrals(values, clock, parts=2)

    # by warmth: 10 °C day at 0.2 and 10 at 0.6, then 20 at 0.6; by calendar: ten days each
    np.testing.assert_allclose(parts, [[2 + 6, 12], [2, 6]])


def test_parts_that_are_not_over_are_unknown():
    clock = season_clock(START, END, gdd=halves(), row=np.array([0, -1]))
    values = np.full((2, 40), 0.5)

    parts = season_integrals(values, clock, until=20, parts=4)

    assert np.isfinite(parts).tolist() == [[True, False, False, False], [True, True, False, False]]


def test_a_season_that_began_before_the_curve_is_unknown():
    clock = season_clock(np.array([-1]), np.array([9]))

    assert np.isnan(season_integrals(np.full((1, 20), 0.5), clock)).all()


def test_shares_may_differ_from_planting_to_planting():
    clock = season_clock(START, END)

    found = accumulated(np.ones((2, 40)), clock, np.array([[0.1, 0.5], [0.2, 1.0]]))

    np.testing.assert_allclose(found, [[2, 10], [4, 20]])


def test_fields_without_a_curve_stay_unknown():
    clock = season_clock(START, END)

    assert np.isnan(season_integrals(np.full((2, 40), np.nan), clock)).all()


def test_what_is_unknown_before_sowing_does_not_matter():
    clock = season_clock(np.array([0, 10]), np.array([19, 29]))  # summed in one block, from the first sowing on
    values = np.full((2, 40), 0.5)
    values[1, :10] = np.nan

    np.testing.assert_allclose(season_integrals(values, clock, parts=1), [[10], [10]])
