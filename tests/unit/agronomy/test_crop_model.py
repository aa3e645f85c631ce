"""What is learned of a crop, stored and asked again."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from cropcredit.agronomy import crop_model
from cropcredit.agronomy.crop_model import CropModel, learn
from cropcredit.agronomy.features import RegionTable, SeasonCalendar
from tests.unit.agronomy.worlds import regions

CALENDARS = {"": SeasonCalendar(288, 166)}


@pytest.fixture(scope="module")
def learned() -> CropModel:
    return learn("winter_wheat", regions(years=8, count=5, common=0.1), CALENDARS)[0]


def now(parts: float, *, seen: int = 6, region: str = "r0") -> RegionTable:
    values = np.full((1, 6), parts)
    values[:, seen:] = np.nan
    return RegionTable(region=np.array([region]), year=np.array([2030]), t_ha=np.array([np.nan]), parts=values)


def test_a_greener_season_is_forecast_higher(learned):
    brown, green = (learned.forecast(now(parts))["r0", 2030] for parts in (0.36, 0.40))

    assert brown.method == green.method == "model"
    assert brown.t_ha < green.t_ha
    assert green.reasons == ()


def test_before_half_of_the_season_the_baseline_answers(learned):
    forecast = learned.forecast(now(0.4, seen=2))["r0", 2030]

    assert forecast.method == forecast.baseline
    assert forecast.t_ha == forecast.baseline_t_ha
    assert forecast.reasons == ("season_not_seen",)


def test_a_model_that_looks_at_an_index_which_is_late_waits_for_it(monkeypatch):
    monkeypatch.setattr(crop_model, "HORIZONS", (6,))  # the end of the season is enough here
    table = regions(years=8, count=5, common=0.1)
    late = replace(
        table, parts=np.random.default_rng(5).normal(0.4, 0.03, table.parts.shape), views={"fapar": table.parts}
    )
    model = learn("winter_wheat", late, CALENDARS)[0]
    season = replace(now(0.4), region=np.array(["r0"]))

    assert "fapar" in model.horizons[6].made_of
    assert model.forecast(replace(season, views={"fapar": season.parts}))["r0", 2030].method == "model"
    waiting = model.forecast(season)["r0", 2030]
    assert waiting.method == waiting.baseline


def test_a_region_without_labels_is_wider_and_named(learned):
    known, unknown = (learned.forecast(now(0.4, region=r))[r, 2030] for r in ("r0", "elsewhere"))

    assert "region_without_labels" in unknown.reasons
    assert unknown.offsets[0] < known.offsets[0]
    assert unknown.sd_t_ha > known.sd_t_ha


def test_it_comes_back_from_json_as_it_went(learned):
    copy = CropModel.from_json(json.loads(json.dumps(learned.to_json())))

    assert copy.to_json() == learned.to_json()
    assert copy.forecast(now(0.4)) == learned.forecast(now(0.4))


def test_without_an_index_it_says_so():
    table = regions(years=6, count=3)
    blind = replace(table, parts=np.full_like(table.parts, np.nan))

    model, validations = learn("winter_wheat", blind, CALENDARS)

    assert set(validations) == {0}
    assert model.forecast(now(0.4))["r0", 2030].reasons == ("no_regional_index",)


def test_an_index_without_skill_is_not_used_and_it_says_so(monkeypatch):
    monkeypatch.setattr(crop_model, "HORIZONS", (3, 6))
    model, _ = learn("winter_wheat", regions(years=8, count=4, signal=0.0, seed=2), CALENDARS)

    assert model.forecast(now(0.4))["r0", 2030].reasons == ("model_no_skill",)
