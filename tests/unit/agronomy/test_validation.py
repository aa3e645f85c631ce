"""Leaving out years, and the gate that reads the result."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cropcredit.agronomy.models import CANDIDATES
from cropcredit.agronomy.validation import best_candidate, gate, leave_one_year_out
from tests.unit.agronomy.worlds import regions

FEW = CANDIDATES[:2]


def test_a_model_that_sees_the_season_beats_the_average_and_passes():
    validation = leave_one_year_out(regions(), horizon=6, candidates=FEW)
    decided = gate(validation)

    assert decided.use == "model"
    assert 0 < decided.skill_low < decided.skill < decided.skill_high
    assert validation.scores("model").nrmse < validation.scores("average").nrmse


@pytest.mark.parametrize("seed", range(5))
def test_an_index_that_says_nothing_does_not_pass(seed):
    validation = leave_one_year_out(regions(signal=0.0, seed=seed), horizon=6, candidates=FEW)
    decided = gate(validation)

    assert decided.use == decided.baseline
    assert decided.skill_low <= 0


def test_without_candidates_the_better_baseline_is_used():
    decided = gate(leave_one_year_out(regions(), horizon=6, candidates=()))

    assert decided.use == decided.baseline == "average"
    assert decided.skill == 0


def test_a_rising_region_is_better_served_by_the_trend():
    table = regions(common=0.05, own=0.05, signal=0.0)
    rising = replace(table, t_ha=table.t_ha + 0.2 * (table.year - 2000))

    assert gate(leave_one_year_out(rising, horizon=6, candidates=())).use == "trend"


def test_the_left_out_years_yields_change_nothing_in_their_own_prediction():
    table = regions(years=6, count=4)
    lied_about = replace(table, t_ha=np.where(table.year == 2003, 9.9, table.t_ha))

    honest, lied = (leave_one_year_out(t, horizon=6, candidates=FEW) for t in (table, lied_about))

    out = honest.year == 2003
    for name in ("average", "trend", "model"):
        np.testing.assert_allclose(honest.predicted[name][out], lied.predicted[name][out], rtol=1e-9)
        np.testing.assert_allclose(honest.low[name][out], lied.low[name][out], rtol=1e-9)
        assert not np.allclose(honest.predicted[name][~out], lied.predicted[name][~out])


def test_later_parts_of_a_season_are_not_looked_at_before_their_time():
    table = regions(years=6, count=4)
    later = table.parts.copy()
    later[:, 3:] = 0.9

    early, changed = (leave_one_year_out(t, horizon=3, candidates=FEW) for t in (table, replace(table, parts=later)))

    np.testing.assert_array_equal(early.predicted["model"], changed.predicted["model"])


def test_scores_of_a_perfect_and_of_a_constant_guess():
    validation = leave_one_year_out(regions(years=6, count=2), horizon=6, candidates=())
    perfect = replace(validation, predicted={"average": validation.t_ha})
    constant = replace(validation, predicted={"average": np.full_like(validation.t_ha, validation.t_ha.mean())})

    assert perfect.scores("average").nrmse == 0
    assert perfect.scores("average").r2 == 1
    assert constant.scores("average").r2 == pytest.approx(0)


def test_progress_counts_every_year_once():
    told: list[int] = []

    leave_one_year_out(regions(years=6, count=2), horizon=6, candidates=(), done=told.append)

    assert sum(told) == 6


def test_the_final_choice_is_one_of_the_candidates():
    table = regions(years=6, count=4)

    assert best_candidate(table, horizon=6, candidates=FEW) in FEW
    assert best_candidate(replace(table, parts=np.full_like(table.parts, np.nan)), horizon=6) is None
