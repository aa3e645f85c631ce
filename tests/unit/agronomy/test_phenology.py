"""Season metrics on curves that can be drawn by hand."""

from __future__ import annotations

import numpy as np

from cropcredit.agronomy import DailyCurves, find_seasons, season_metrics

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


def test_the_flag_tells_every_pair_and_every_single_phase_apart():
    values = triangle()
    looks = {"up": [5, 15, 25], "peak": [45, 50, 55], "down": [75, 85, 95]}
    flags = {8: ("peak", "down"), 7: ("up", "down"), 5: ("up",), 4: ("down",)}
    observed = np.zeros((len(flags), 101), dtype=bool)
    for row, phases in enumerate(flags.values()):
        observed[row, [day for phase in phases for day in looks[phase]]] = True
    own = DailyCurves(first_on=START, values=np.tile(values, (len(flags), 1)), observed=observed)

    metrics = season_metrics(own, np.zeros(len(flags), dtype=int), np.full(len(flags), 100))

    assert metrics.qa_flag.tolist() == list(flags)


def test_vigour_weighs_the_weeks_before_harvest_more_than_those_after_sowing():
    early, late = np.full(100, 0.3), np.full(100, 0.3)
    early[20:30], late[70:80] = 0.8, 0.8

    assert measure(late).vigour[0] > measure(early).vigour[0] > 0.3


def test_a_window_outside_the_curve_sees_nothing():
    metrics = measure(triangle(), start=200, end=300)

    assert metrics.clear_dates[0] == 0
    assert metrics.seen_share[0] == 0
    assert np.isnan(metrics.vigour[0])


def test_values_and_slopes_of_a_triangle_can_be_worked_out_in_the_head():
    metrics = measure(triangle(low=0.2, high=0.8, rise=60, fall=40))

    assert np.isclose(metrics.sos_value[0], 0.35, atol=0.01)  # 0.2 and a quarter of 0.6
    assert np.isclose(metrics.eos_value[0], 0.29, atol=0.02)  # 0.2 and 15 % of 0.6
    assert np.isclose(metrics.sos_slope[0], 0.01, rtol=0.03)  # 0.6 in 60 days
    assert np.isclose(metrics.eos_slope[0], -0.015, rtol=0.05)  # 0.6 in 40 days
    assert np.isclose(metrics.amplitude[0], 0.6)
    assert metrics.length[0] == metrics.eos[0] - metrics.sos[0]


def test_an_open_season_has_a_start_with_value_and_slope_and_nothing_of_an_end():
    metrics = measure(triangle()[:40])

    assert np.isfinite([metrics.sos[0], metrics.sos_value[0], metrics.sos_slope[0], metrics.large_integral[0]]).all()
    assert np.isnan([metrics.eos[0], metrics.eos_value[0], metrics.eos_slope[0], metrics.length[0]]).all()


def test_seasons_found_in_the_curve_measure_as_those_of_the_calendar():
    year = curves(np.concatenate([triangle(), triangle(high=0.9)[1:]]))

    found = find_seasons(year)
    twice = curves(year.values.repeat(2, axis=0))
    given = season_metrics(twice, np.array([0, 100]), np.array([100, 200]))

    assert found.sos.shape == (1, 3)
    for name in ("sos", "peak", "eos", "sos_value", "eos_slope", "small_integral", "qa_flag"):
        np.testing.assert_array_equal(getattr(found, name)[0, :2], getattr(given, name))
    assert np.isnan(found.sos[0, 2])
    assert found.qa_flag[0, 2] == 0


def test_fields_without_any_season_are_flagged_and_have_no_numbers():
    found = find_seasons(curves(np.vstack([np.full(90, np.nan), np.full(90, 0.3)])))

    for name in ("sos", "peak", "eos", "amplitude", "large_integral", "vigour"):
        assert np.isnan(getattr(found, name)).all(), name
    assert (found.qa_flag == 0).all()
    assert (found.clear_dates == 0).all()


def test_a_day_before_sowing_is_no_season():
    metrics = measure(triangle(), start=150, end=260)

    assert np.isnan([metrics.sos[0], metrics.peak[0], metrics.amplitude[0]]).all()
    assert (metrics.qa_flag[0], metrics.clear_dates[0], metrics.seen_share[0]) == (0, 0, 0)


def test_no_planting_at_all_is_no_trouble():
    none = np.empty(0, dtype=int)

    metrics = season_metrics(curves(np.empty((0, 50))), none, none)

    assert metrics.sos.shape == metrics.qa_flag.shape == (0,)
