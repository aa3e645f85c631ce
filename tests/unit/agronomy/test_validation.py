"""Leaving out years, and the gate that reads the result."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cropcredit.agronomy.fits import Fits, fit_best
from cropcredit.agronomy.models import CANDIDATES
from cropcredit.agronomy.validation import fold_count, gate, validate
from tests.unit.agronomy.worlds import regions

FEW = CANDIDATES[:2]


def test_a_model_that_sees_the_season_beats_the_average_and_passes():
    validation = validate(regions(), horizon=6, candidates=FEW)
    decided = gate(validation)

    assert decided.use == "model"
    assert 0 < decided.skill_low < decided.skill < decided.skill_high
    assert validation.scores("model").nrmse < validation.scores("average").nrmse


def test_one_judged_year_is_no_evidence_of_skill():
    validation = validate(regions(years=6, count=6), horizon=6, scheme="forward", candidates=FEW)
    decided = gate(validation)

    assert set(validation.year.tolist()) == {2005}
    assert decided.skill_low > 0
    assert decided.use == decided.baseline


@pytest.mark.parametrize("seed", range(5))
def test_an_index_that_says_nothing_does_not_pass(seed):
    validation = validate(regions(signal=0.0, seed=seed), horizon=6, candidates=FEW)
    decided = gate(validation)

    assert decided.use == decided.baseline
    assert decided.skill_low <= 0


def test_without_candidates_the_better_baseline_is_used():
    decided = gate(validate(regions(), horizon=6, candidates=()))

    assert decided.use == decided.baseline == "average"
    assert decided.skill == 0


def test_a_rising_region_is_better_served_by_the_trend():
    table = regions(common=0.05, own=0.05, signal=0.0)
    rising = replace(table, t_ha=table.t_ha + 0.2 * (table.year - 2000))

    assert gate(validate(rising, horizon=6, candidates=())).use == "trend"


def test_the_left_out_years_yields_change_nothing_in_their_own_prediction():
    table = regions(years=6, count=4)
    lied_about = replace(table, t_ha=np.where(table.year == 2003, 9.9, table.t_ha))

    honest, lied = (validate(t, horizon=6, candidates=FEW) for t in (table, lied_about))

    out = honest.year == 2003
    for name in ("average", "trend", "model"):
        np.testing.assert_allclose(honest.predicted[name][out], lied.predicted[name][out], rtol=1e-9)
        np.testing.assert_allclose(honest.low[name][out], lied.low[name][out], rtol=1e-9)
        assert not np.allclose(honest.predicted[name][~out], lied.predicted[name][~out])


def test_later_parts_of_a_season_are_not_looked_at_before_their_time():
    table = regions(years=6, count=4)
    later = table.parts.copy()
    later[:, 3:] = 0.9

    early, changed = (validate(t, horizon=3, candidates=FEW) for t in (table, replace(table, parts=later)))

    np.testing.assert_array_equal(early.predicted["model"], changed.predicted["model"])


def test_scores_of_a_perfect_and_of_a_constant_guess():
    validation = validate(regions(years=6, count=2), horizon=6, candidates=())
    perfect = replace(validation, predicted={"average": validation.t_ha})
    constant = replace(validation, predicted={"average": np.full_like(validation.t_ha, validation.t_ha.mean())})

    assert perfect.scores("average").nrmse == 0
    assert perfect.scores("average").r2 == 1
    assert constant.scores("average").r2 == pytest.approx(0)


def test_progress_counts_every_year_once():
    told: list[int] = []

    validate(regions(years=6, count=2), horizon=6, candidates=(), done=told.append)

    assert sum(told) == 6


def test_the_final_model_is_made_of_the_candidates():
    table = regions(years=6, count=4)

    found = fit_best(Fits.of(table, 6, FEW))
    assert found is not None
    choice, model = found

    assert {method for method, _ in choice.weights} <= {*FEW, "average", "trend"}
    assert sum(weight for _, weight in choice.weights) == pytest.approx(1)
    assert np.isfinite(model.predict(table)).all()
    assert fit_best(Fits.of(replace(table, parts=np.full_like(table.parts, np.nan)), 6)) is None


def test_what_a_validation_has_fitted_is_not_fitted_again_for_the_final_choice():
    table = regions(years=6, count=4)
    fits = Fits.of(table, 6, FEW)

    judged = validate(table, horizon=6, fits=fits)
    before = len(fits.found)
    shared, alone = fit_best(fits), fit_best(Fits.of(table, 6, FEW))

    assert before == 6 + 15  # each year left out, and each pair of years
    assert len(fits.found) == before
    assert judged.candidates == len(FEW)
    assert shared is not None
    assert alone is not None
    assert shared[0] == alone[0]
    np.testing.assert_array_equal(shared[1].predict(table), alone[1].predict(table))


def test_going_forward_nothing_is_learned_from_later_years():
    table = regions(years=9, count=4)
    lied_about = replace(table, t_ha=np.where(table.year > 2006, 9.9, table.t_ha))

    honest, lied = (validate(t, horizon=6, scheme="forward", candidates=FEW) for t in (table, lied_about))

    assert sorted(set(honest.year.tolist())) == [2005, 2006, 2007, 2008]
    early = honest.year <= 2007
    for name in ("average", "trend", "model"):
        np.testing.assert_allclose(honest.predicted[name][early], lied.predicted[name][early], rtol=1e-9)
        np.testing.assert_allclose(honest.high[name][early], lied.high[name][early], rtol=1e-9)


def test_regions_left_out_are_guessed_from_the_others():
    table = regions(years=6, count=9)
    lied_about = replace(table, t_ha=np.where(table.region == "r0", 9.9, table.t_ha))

    honest, lied = (validate(t, horizon=6, scheme="regions", candidates=FEW) for t in (table, lied_about))

    out = np.isin(honest.region, ["r0", "r1"])  # nine regions make eight groups, the first of two
    np.testing.assert_allclose(honest.predicted["model"][out], lied.predicted["model"][out], rtol=1e-9)
    assert fold_count(table, "regions") == 8
    assert len(honest.t_ha) == len(table.t_ha)


def test_a_region_with_a_single_yield_is_not_judged_against_its_own_past():
    table = regions(years=6, count=3)
    lonely = replace(table, t_ha=np.where((table.region == "r0") & (table.year > 2000), np.nan, table.t_ha))

    validation = validate(lonely, horizon=6, candidates=())

    assert validation.without_past == 1
    assert "r0" not in set(validation.region.tolist())
