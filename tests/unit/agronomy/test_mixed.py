"""The mixed model finds what was put into the data, and nothing else."""

import json
from dataclasses import replace

import numpy as np
import pytest

from cropcredit.agronomy import mixed
from cropcredit.agronomy.mixed import MixedModel, fit_mixed
from cropcredit.agronomy.mixed_likelihood import START, Blocks, Seasons, objective, solve

REGIONS, YEARS, PARTS = 12, 15, 3


def world(*, response=0.0, trend=0.0, drift=0.0, noise=0.2, seed=0):
    """Level of the region + trend + a walk of its own + response to the mean anomaly + noise, t/ha."""
    rng = np.random.default_rng(seed)
    region, year = (part.ravel() for part in np.meshgrid(np.arange(REGIONS), np.arange(YEARS), indexing="ij"))
    common = rng.normal(0, 0.7, (YEARS, PARTS))[year]
    own = common + rng.normal(0, 0.7, (len(region), PARTS))
    walk = np.cumsum(rng.normal(0, drift, (REGIONS, YEARS)), axis=1)[region, year] if drift else 0.0
    t_ha = rng.normal(5, 1, REGIONS)[region] + trend * year / 10 + walk + response * own.mean(axis=1)
    names = np.array([f"r{k:02}" for k in region])
    return Seasons(region=names, year=2000 + year, own=own, common=common), t_ha + rng.normal(0, noise, len(region))


def some(seasons: Seasons, rows) -> Seasons:
    return Seasons(
        region=seasons.region[rows], year=seasons.year[rows], own=seasons.own[rows], common=seasons.common[rows]
    )


def test_the_gradient_is_that_of_the_likelihood():
    seasons, t_ha = world(response=0.5)
    data = Blocks.of(some(seasons, slice(0, 100)), (t_ha[:100] - 5) / 1.2, 2007.0)  # regions of unequal length
    names, point = tuple(START), np.log(list(START.values())) + 0.3

    gradient = objective(point, data, names)[1]
    step = 1e-5
    numeric = [
        (objective(point + step * unit, data, names)[0] - objective(point - step * unit, data, names)[0]) / (2 * step)
        for unit in np.eye(len(names))
    ]

    np.testing.assert_allclose(gradient, numeric, rtol=1e-5, atol=1e-5)


def test_the_pieces_are_those_of_the_whole_covariance_matrix():
    seasons, t_ha = world(response=0.5)
    rows = np.random.default_rng(3).permutation(len(t_ha))[:60]
    seasons, y = some(seasons, rows), t_ha[rows] - 5
    data = Blocks.of(seasons, y, 2007.0)
    v = dict(START)

    decades, apart = (seasons.year - 2007.0) / 10, np.abs(seasons.year[:, None] - seasons.year)
    same = seasons.region[:, None] == seasons.region
    mine = v["level"] + v["trend"] * np.outer(decades, decades) + v["drift"] * np.exp(-apart / v["drift_years"])
    mine = mine + v["response"] * np.outer(seasons.vigour, seasons.vigour)
    whole = same * mine + v["noise"] * np.eye(60) + 1e3 + v["common_trend"] * np.outer(decades, decades)
    whole += v["index"] * seasons.own @ seasons.own.T + v["common_index"] * seasons.common @ seasons.common.T
    whole += v["year"] * (apart == 0) + v["common_drift"] * np.exp(-apart / v["common_drift_years"])

    solved = solve(data, v)

    np.testing.assert_allclose(solved.weight[data.place], np.linalg.solve(whole, y), rtol=1e-6, atol=1e-8)
    assert solved.log_det == pytest.approx(np.linalg.slogdet(whole)[1])


def test_the_response_to_the_season_is_found():
    seasons, t_ha = world(response=1.0)
    model = fit_mixed(some(seasons, seasons.year < 2014), t_ha[seasons.year < 2014])
    last = seasons.year == 2014

    assert np.corrcoef(model.predict(some(seasons, last)), t_ha[last])[0, 1] > 0.95


def test_a_forecast_is_that_of_the_whole_covariance_matrix():
    seasons, t_ha = world(response=0.5, drift=0.2)
    then = some(
        seasons, np.random.default_rng(5).permutation(len(t_ha))[:90]
    )  # regions of unequal length, in any order
    model = fit_mixed(then, t_ha[:90])
    now = replace(some(seasons, slice(30, 50)), region=np.append(seasons.region[30:49], "elsewhere"))
    v, origin = model.variances, then.year.mean()

    apart = np.abs(now.year[:, None] - then.year)
    decades, past = (now.year - origin) / 10, (then.year - origin) / 10
    mine = v["level"] + v["trend"] * np.outer(decades, past) + v["drift"] * np.exp(-apart / v["drift_years"])
    mine += v["response"] * np.outer(now.own.mean(axis=1), then.own.mean(axis=1))
    shared = v["common_drift"] * np.exp(-apart / v["common_drift_years"]) + v["year"] * (apart == 0)
    lent = ((now.region[:, None] == then.region) * mine + shared) @ model.weight
    fixed = np.hstack([np.ones((20, 1)), decades[:, None], now.own, now.common]) @ model.coef

    np.testing.assert_allclose(model.predict(now), model.mean + model.spread * (fixed + lent), rtol=1e-10)


def test_of_very_many_regions_some_tell_the_variances_and_all_their_levels(monkeypatch):
    seasons, t_ha = world(response=1.0)
    whole = fit_mixed(seasons, t_ha)
    monkeypatch.setattr(mixed, "MOST_REGIONS", 6)

    thrifty = fit_mixed(seasons, t_ha)

    assert thrifty.variances != whole.variances
    np.testing.assert_allclose(thrifty.predict(seasons), whole.predict(seasons), atol=0.1)


@pytest.mark.parametrize(
    ("put_in", "found", "absent"),
    [
        pytest.param({"trend": 3.0}, "common_trend", ("index", "drift"), id="a trend of all"),
        pytest.param({"drift": 0.3}, "drift", ("index", "common_trend"), id="regions drift"),
        pytest.param({"response": 1.0}, "index", ("common_trend", "drift"), id="the index"),
    ],
)
def test_only_terms_that_the_data_support_get_a_variance(put_in, found, absent):
    variances = fit_mixed(*world(**put_in)).variances

    assert variances[found] > 0.03
    assert all(variances[name] < variances[found] / 4 for name in absent)


def test_an_unknown_region_gets_what_all_share_and_a_far_year_forgets_the_drift():
    seasons, t_ha = world(drift=0.3)
    model = fit_mixed(seasons, t_ha)

    def ask(region, year):
        nothing = np.zeros((1, PARTS))
        return model.predict(Seasons(region=np.array([region]), year=np.array([year]), own=nothing, common=nothing))[0]

    assert ask("elsewhere", 2007) == pytest.approx(t_ha.mean(), abs=0.5)
    ends = {r: t_ha[(seasons.region == r) & (seasons.year == 2014)][0] for r in np.unique(seasons.region)}
    moved = max(ends, key=lambda r: abs(ends[r] - t_ha[seasons.region == r].mean()))  # the region that drifted furthest
    assert abs(ask(moved, 2015) - ends[moved]) < 0.5 * abs(ask(moved, 2060) - ends[moved])


def test_a_stored_model_predicts_the_same_numbers():
    seasons, t_ha = world(response=0.5)
    model = fit_mixed(seasons, t_ha)

    copy = MixedModel.from_json(json.loads(json.dumps(model.to_json())))

    np.testing.assert_array_equal(copy.predict(seasons), model.predict(seasons))


def test_yields_are_never_negative_and_one_value_is_no_error():
    seasons, t_ha = world(response=1.0)
    drought = Seasons(
        region=seasons.region[:1],
        year=seasons.year[:1],
        own=np.full((1, PARTS), -50.0),
        common=np.full((1, PARTS), -50.0),
    )

    assert fit_mixed(seasons, t_ha).predict(drought).tolist() == [0.0]
    np.testing.assert_allclose(fit_mixed(seasons, np.full_like(t_ha, 3.0)).predict(seasons), 3.0, rtol=1e-3)


def test_a_search_begun_elsewhere_ends_at_the_same_forecast():
    seasons, t_ha = world(response=0.7)
    once = fit_mixed(seasons, t_ha)
    again = fit_mixed(seasons, t_ha, start=once.variances)

    np.testing.assert_allclose(again.predict(seasons), once.predict(seasons), atol=0.02)
