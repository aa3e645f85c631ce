"""Scores whose numbers can be worked out by hand."""

import json
from dataclasses import replace

import numpy as np
import pytest

from cropcredit.agronomy.scores import Guesses, Scores

REGION = np.repeat(["a", "b", "c"], 3)
YEAR = np.tile([2001, 2002, 2003], 3)
T_HA = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0])


def guessed(predicted, half=1.0):
    predicted = np.asarray(predicted, dtype=float)
    return Guesses(
        region=REGION, year=YEAR, t_ha=T_HA, predicted=predicted, low=predicted - half, high=predicted + half
    )


def test_a_constant_error_of_one_tonne():
    scores = guessed(T_HA + 1, half=0.75).scores()

    assert scores.nrmse == pytest.approx(20)
    assert scores.mape == pytest.approx(100 * np.mean(1 / T_HA))
    assert (scores.coverage, scores.width_t_ha) == (0.0, 1.5)
    assert scores.interval_score == pytest.approx(1.5 + 20 * 0.25)
    assert (scores.spatial_r, scores.temporal_r, scores.anomaly_r) == pytest.approx((1, 1, 1))


def test_a_harvest_of_nothing_has_no_percentage_and_equal_yields_no_r2():
    with_zero = replace(guessed(T_HA + 1), t_ha=np.append(0.0, T_HA[1:]))
    equal = replace(guessed(T_HA), t_ha=np.full(9, 5.0))

    assert with_zero.scores().mape == pytest.approx(100 * np.mean(1 / T_HA[1:]))
    assert [year.year for year in replace(equal, t_ha=np.where(YEAR == 2002, 0.0, T_HA)).per_year()] == [2001, 2003]
    assert equal.scores().to_json()["r2"] is None
    assert np.isnan(Scores.from_json(json.loads(json.dumps(equal.scores().to_json()))).r2)
    assert Scores.from_json(with_zero.scores().to_json()) == with_zero.scores()


def test_space_is_known_and_time_is_not():
    backwards = guessed([3, 2, 1, 6, 5, 4, 9, 8, 7]).scores()
    level = guessed(np.repeat([2.0, 5.0, 8.0], 3)).scores()

    assert (backwards.spatial_r, backwards.temporal_r, backwards.anomaly_r) == pytest.approx((1, -1, -1))
    assert level.spatial_r == pytest.approx(1)
    assert (level.temporal_r, level.anomaly_r) == (None, None)


def test_years_are_scored_one_by_one_and_by_their_median():
    found = guessed(T_HA + np.where(YEAR == 2003, 3.0, 0.0))

    last = found.per_year()[-1]

    assert (last.year, last.labels, last.nrmse) == (2003, 3, pytest.approx(50))
    assert last.coverage == 0
    assert found.medians() == (0, 0, 1)
