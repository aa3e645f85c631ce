"""Anomalies against own years, neighbours and region, on numbers that can be checked in the head."""

from __future__ import annotations

import numpy as np
import pytest

from cropcredit.agronomy.anomalies import against_history, against_neighbours, ranks

NAN = np.nan


def test_a_season_is_held_against_the_fields_own_years():
    past = np.array([[0.5, 0.6, 0.7, NAN], [0.5, 0.6, NAN, NAN]])

    found = against_history(np.array([0.4, 0.4]), past)

    assert found.years.tolist() == [3, 2]
    assert found.normal[0] == pytest.approx(0.6)
    assert found.difference[0] == pytest.approx(-0.2)
    assert found.z[0] == pytest.approx(-0.2 / (0.1 * np.sqrt(4 / 3)))
    assert found.percentile[0] == pytest.approx(100 / 8)  # lowest of four seasons
    assert np.isnan([found.normal[1], found.z[1], found.percentile[1]]).all()  # two years are no history


def test_steady_years_do_not_turn_noise_into_an_anomaly():
    found = against_history(np.array([0.59]), np.full((1, 3), 0.6))

    assert found.z[0] == pytest.approx(-0.01 / (0.02 * np.sqrt(4 / 3)))
    assert found.percentile[0] == pytest.approx(100 / 8)


def test_history_is_held_phase_by_phase():
    past = np.array([[[0.2, 0.5], [0.2, 0.6], [0.2, 0.7]]])

    found = against_history(np.array([[0.2, NAN]]), past)

    assert found.difference.shape == (1, 2)
    assert found.difference[0, 0] == pytest.approx(0)
    assert found.percentile[0, 0] == pytest.approx(50)
    assert np.isnan(found.difference[0, 1])
    assert found.normal[0, 1] == pytest.approx(0.6)


def test_a_field_is_held_against_the_median_of_its_neighbours():
    values = np.array([[0.5], [0.6], [0.7], [0.8], [0.2], [0.9], [0.9]])
    group = np.array(["a", "a", "a", "a", "a", "b", "b"])

    z = against_neighbours(values, group)

    # median 0.6, distances 0.1 0.0 0.1 0.2 0.4: MAD 0.1
    np.testing.assert_allclose(z[:5, 0], np.array([-0.1, 0, 0.1, 0.2, -0.4]) / 0.14826)
    assert np.isnan(z[5:]).all()  # two are no neighbourhood


def test_who_is_not_seen_that_day_does_not_count():
    values = np.array([[0.5, 0.5], [0.6, NAN], [0.7, 0.7], [0.8, 0.8], [0.2, 0.2], [0.4, 0.4]])

    z = against_neighbours(values, np.zeros(6))

    # first day, six: median 0.55, distances .05 .05 .15 .25 .35 .15: MAD .15
    assert z[0, 0] == pytest.approx(-0.05 / (1.4826 * 0.15))
    # second day, five: median 0.5, distances 0 .2 .3 .3 .1: MAD .2
    assert z[4, 1] == pytest.approx(-0.3 / (1.4826 * 0.2))
    assert np.isnan(z[1, 1])


def test_alike_neighbours_do_not_turn_noise_into_an_anomaly():
    z = against_neighbours(np.array([[0.5]] * 5 + [[0.51]]), np.zeros(6))

    assert z[5, 0] == pytest.approx(0.5)


def test_ranks_are_within_the_group_and_need_five_fields():
    growth = np.array([0.1, 0.5, 0.3, 0.2, 0.4, 0.9, 0.8, NAN])
    group = np.array(["a"] * 5 + ["b", "b", "a"])

    found = ranks(growth, group)

    np.testing.assert_allclose(found[:5], [0.1, 0.9, 0.5, 0.3, 0.7])
    assert np.isnan(found[5:]).all()


def test_nobody_has_no_anomaly():
    assert against_neighbours(np.empty((0, 3)), np.empty(0)).shape == (0, 3)
    assert ranks(np.empty(0), np.empty(0)).shape == (0,)
