"""Baselines and the residual model."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

from cropcredit.agronomy.baselines import Expectation, fit_expectation
from cropcredit.agronomy.features import damped_quadratic
from cropcredit.agronomy.models import (
    CANDIDATES,
    ResidualModel,
    Stack,
    candidates_for,
    fit_all,
    learnable,
    model_from_json,
)
from cropcredit.agronomy.regressor import MixedRegressor, MonotoneBoosting, ResidualRegressor
from cropcredit.agronomy.responses import _grown, features, with_integral
from tests.unit.agronomy.worlds import regions

YEARS = np.array([2010, 2011, 2012, 2013, 2014])
WHERE = np.array(["a"] * 5)


@parametrize_with_checks([ResidualRegressor(), MonotoneBoosting(rounds=20), MixedRegressor()])
def test_the_estimator_keeps_the_rules_of_scikit_learn(estimator, check):
    check(estimator)


def test_the_average_of_a_region_and_of_all_where_it_is_unknown():
    line = fit_expectation(
        "average", np.array(["a", "a", "b"]), np.array([2010, 2011, 2010]), np.array([1.0, 3.0, 8.0])
    )

    assert line.predict(np.array(["a", "b", "new"]), np.array([2020] * 3)).tolist() == [2.0, 8.0, 4.0]


def test_the_trend_goes_on_and_never_below_zero():
    line = fit_expectation("trend", WHERE, YEARS, np.array([5.0, 4.0, 3.0, 2.0, 1.0]))

    np.testing.assert_allclose(line.predict(np.array(["a", "a"]), np.array([2009, 2020])), [6.0, 0.0])


def test_four_years_have_no_trend():
    line = fit_expectation("trend", WHERE[:4], YEARS[:4], np.array([1.0, 2.0, 3.0, 4.0]))

    assert line.predict(np.array(["a"]), np.array([2020])).tolist() == [2.5]


def test_a_region_with_one_label_leans_on_the_others():
    args = np.array(["a", "b", "b", "b"]), np.array([2010, 2010, 2011, 2012]), np.array([8.0, 2.0, 2.0, 2.0])

    alone = fit_expectation("average", *args).lines["a"][0]
    leaning = fit_expectation("average", *args, shrink=0.5).lines["a"][0]

    assert alone == 8.0
    assert leaning == pytest.approx((8.0 + 0.5 * 3.5) / 1.5)


def test_the_features_stand_for_a_gaussian_kernel():
    x = np.random.default_rng(0).normal(0, 1, (20, 4))
    distance = ((x[:, None] - x[None]) ** 2).sum(axis=2)

    features = damped_quadratic(x, 0.01)

    np.testing.assert_allclose(features @ features.T, np.exp(-0.01 * distance), atol=1e-3)


def test_far_from_anything_seen_the_model_says_no_deviation():
    rng = np.random.default_rng(0)
    seen = rng.normal(0, 0.05, (40, 3))
    model = ResidualRegressor().fit(seen, seen.sum(axis=1))

    assert abs(model.predict(np.full((1, 3), 100.0))[0]) < 1e-6


def test_a_stored_model_predicts_the_same_numbers():
    table = regions()
    models = fit_all(table, 6, CANDIDATES)
    stack = Stack(members=tuple((1 / len(models), model) for model in models.values()))

    assert tuple(models) == CANDIDATES
    for model in (*models.values(), stack):
        copy = model_from_json(json.loads(json.dumps(model.to_json())))
        np.testing.assert_array_equal(copy.predict(table), model.predict(table))


def test_a_stored_expectation_is_the_same():
    line = fit_expectation("trend", WHERE, YEARS, np.array([1.0, 2.0, 3.0, 4.0, 5.0]))

    assert Expectation.from_json(json.loads(json.dumps(line.to_json()))) == line


def test_a_season_that_was_not_seen_gets_the_bare_expectation():
    table = regions()
    unseen = replace(table, parts=np.full_like(table.parts, np.nan))

    for model in fit_all(table, 6, CANDIDATES).values():
        if isinstance(model, ResidualModel):
            np.testing.assert_array_equal(model.predict(unseen), model.expectation.predict(table.region, table.year))


def test_the_stored_trees_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    seen = rng.normal(0, 1, (300, 4))
    left = np.sin(seen[:, 0]) + seen[:, 3] + rng.normal(0, 0.1, 300)
    columns = with_integral(seen)
    peer = HistGradientBoostingRegressor(
        max_iter=60,
        learning_rate=0.06,
        max_leaf_nodes=6,
        l2_regularization=5.0,
        monotonic_cst=[0, 0, 0, 0, 1],
        early_stopping=False,
    ).fit(columns, left)

    np.testing.assert_allclose(MonotoneBoosting().fit(seen, left).predict(seen), peer.predict(columns), rtol=1e-9)


def test_a_greener_season_as_a_whole_never_means_less_to_the_trees():
    rng = np.random.default_rng(0)
    seen = rng.normal(0, 1, (300, 4))
    model = MonotoneBoosting().fit(seen, -seen[:, :2].mean(axis=1))  # the data say the opposite

    columns = np.tile(with_integral(seen[:1]), (50, 1))
    columns[:, -1] = np.linspace(-3, 3, 50)
    grown = [sum(_grown(tree, columns)[k] for tree in model.trees_) for k in range(50)]

    assert np.all(np.diff(grown) >= -1e-12)


def test_every_view_has_its_mixed_model_and_the_last_weeks_only_at_the_end():
    table = regions()
    table = replace(table, views={"fapar": table.parts, "recent": table.parts})

    assert {c.view for c in candidates_for(table, 6)} == {"", "fapar", "recent"}
    assert {c.view for c in candidates_for(table, 4)} == {"", "fapar"}
    fitted = fit_all(table, 6, [c for c in candidates_for(table, 6) if c.kind == "mixed"])
    (_, first), *others = fitted.items()
    for _, model in others:
        copy = model_from_json(json.loads(json.dumps(model.to_json())))
        np.testing.assert_allclose(copy.predict(table), first.predict(table))
    assert [str(c) for c in fitted] == ["mixed model", "mixed model (fapar)", "mixed model (last 90 days)"]
    assert str(CANDIDATES[-1]) == "ridge (3) over trend"


def test_trees_compete_where_there_are_labels_enough_to_part():
    few, many = regions(years=10, count=10), regions(years=10, count=20)

    assert "boosting" not in {c.kind for c in candidates_for(few, 6)}
    assert {c.kind for c in candidates_for(many, 6)} == {c.kind for c in CANDIDATES}


def test_peak_and_integral_are_those_of_the_region_and_of_all():
    seen = np.array([[1.0, 3.0, 2.0, 0.0, 4.0, 2.0]])

    assert features("peak", seen).tolist() == [[3.0, 4.0]]
    assert features("integral", seen).tolist() == [[2.0, 2.0]]


def test_without_an_index_there_is_nothing_to_learn():
    table = regions()
    blind = replace(table, parts=np.full_like(table.parts, np.nan))

    assert not learnable(blind, 3)
    assert learnable(table, 3)
    assert fit_all(blind, 3, CANDIDATES) == {}


def test_few_labels_move_the_estimate_less_than_many():
    seen = np.tile([-1.0, 1.0], 30)[:, None]
    left = seen[:, 0]  # one t/ha per standard deviation
    probe = np.array([[1.0]])

    few, many = (ResidualRegressor().fit(seen[:n], left[:n]).predict(probe)[0] for n in (6, 60))

    assert 0 < few < many < 1
