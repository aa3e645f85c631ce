"""Season metrics on curves that can be drawn by hand."""

from __future__ import annotations

import numpy as np

from cropcredit.agronomy import DailyCurves, season_metrics

START = np.datetime64("2025-03-01")


def curves(values, every=5):
    values = np.atleast_2d(values)
    observed = np.zeros(values.shape, dtype=bool)
    observed[:, ::every] = True
    return DailyCurves(first_on=START, values=values, observed=observed)


def triangle(low=0.2, high=0.8, rise=50, fall=50):
    """Rise in ``rise`` days from ``low`` to ``high``, fall in ``fall`` days back."""
    return np.concatenate([np.linspace(low, high, rise + 1), np.linspace(high, low, fall + 1)[1:]])


def measure(values, start=0, end=None, every=5):
    end = values.shape[-1] - 1 if end is None else end
    return season_metrics(curves(values, every), np.array([start]), np.array([end]))


def test_a_triangle_starts_at_a_quarter_peaks_at_its_tip_and_ends_near_its_foot():
    metrics = measure(triangle())

    assert metrics.peak[0] == 50
    assert 12 <= metrics.sos[0] <= 13  # a quarter of 50 days up
    assert 92 <= metrics.eos[0] <= 94  # 85 % of 50 days down
    assert metrics.peak_value[0] == 0.8
    assert metrics.base_value[0] == 0.2


def test_the_small_integral_is_what_lies_above_the_base():
    metrics = measure(triangle())

    days = metrics.eos[0] - metrics.sos[0]
    assert np.isclose(metrics.large_integral[0] - metrics.small_integral[0], 0.2 * days)


def test_a_season_still_growing_has_no_end():
    metrics = measure(triangle()[:40])

    assert np.isnan(metrics.eos[0])
    assert 9 <= metrics.sos[0] <= 11  # a quarter of what has grown so far


def test_bare_soil_is_no_season():
    metrics = measure(np.full(60, 0.2))

    assert np.isnan(metrics.sos[0])
    assert np.isnan(metrics.large_integral[0])
    assert metrics.qa_flag[0] == 0


def test_a_field_that_was_never_smoothed_has_no_metrics():
    metrics = measure(np.full(60, np.nan))

    assert np.isnan(metrics.peak_value[0])
    assert np.isnan(metrics.vigour[0])


def test_two_crops_on_one_field_are_two_seasons():
    year = np.concatenate([triangle(), triangle(high=0.9)[1:]])
    own = curves(np.vstack([year, year]))

    metrics = season_metrics(own, np.array([0, 100]), np.array([100, 200]))

    assert metrics.peak.tolist() == [50, 150]
    assert metrics.peak_value.tolist() == [0.8, 0.9]


def test_the_flag_says_which_phases_were_well_seen():
    values = triangle()
    observed = np.zeros((4, 101), dtype=bool)
    green_up, peak, green_down = [5, 15, 25], [45, 50, 55], [75, 85, 95]
    for row, looks in enumerate(([*green_up, *peak, *green_down], [*green_up, *peak], peak, [5, 50, 95])):
        observed[row, looks] = True
    own = DailyCurves(first_on=START, values=np.tile(values, (4, 1)), observed=observed)

    metrics = season_metrics(own, np.zeros(4, dtype=int), np.full(4, 100))

    assert metrics.qa_flag.tolist() == [10, 9, 6, 0]
    assert metrics.clear_dates.tolist() == [9, 6, 3, 3]
    assert metrics.seen_share.tolist() == [0.95, 0.55, 0.55, 0.95]


def test_vigour_weighs_the_weeks_before_harvest_more_than_those_after_sowing():
    early, late = np.full(100, 0.3), np.full(100, 0.3)
    early[20:30], late[70:80] = 0.8, 0.8

    assert measure(late).vigour[0] > measure(early).vigour[0] > 0.3


def test_a_window_outside_the_curve_sees_nothing():
    metrics = measure(triangle(), start=200, end=300)

    assert metrics.clear_dates[0] == 0
    assert metrics.seen_share[0] == 0
    assert np.isnan(metrics.vigour[0])
