"""From a region's forecast to one field, with and without local labels."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cropcredit.agronomy.cold_start import official_forecast
from cropcredit.agronomy.downscale import FieldSpread, field_yield, trust
from cropcredit.agronomy.forecasts import RegionForecast
from cropcredit.errors import MissingEvidence
from cropcredit.model import YieldLabel

SPREAD = FieldSpread(cv=0.2, correlation=0.5)
REGION = RegionForecast(
    t_ha=5.0,
    offsets=(-1.6, -1.2, -0.6, 0.0, 0.6, 1.2, 1.6),
    sd_t_ha=1.0,
    method="model",
    baseline="average",
    baseline_t_ha=4.8,
    skill=0.2,
)
NAN = float("nan")


def width(estimate):
    return estimate.t_ha[-1] - estimate.t_ha[0]


def test_the_middle_field_of_a_region_gives_what_the_region_gives():
    assert field_yield(REGION, SPREAD, 0.5, 1.0).t_ha[3] == 5.0


def test_better_growth_is_a_higher_estimate_and_a_narrower_one_than_no_look_at_all():
    good, poor, unseen = (field_yield(REGION, SPREAD, rank, 1.0) for rank in (0.9, 0.1, NAN))

    assert poor.t_ha[3] < 5.0 < good.t_ha[3]
    assert width(good) < width(unseen)
    assert unseen.t_ha[3] == 5.0


def test_without_trust_growth_moves_nothing():
    assert field_yield(REGION, SPREAD, 0.9, 0.0) == field_yield(REGION, SPREAD, NAN, 1.0)


def test_the_shared_share_is_the_regions_part_of_the_variance():
    assert field_yield(REGION, SPREAD, NAN, 1.0).shared_share == pytest.approx(1.0 / (1.0 + (5.0 * 0.2) ** 2))


def test_no_harvest_is_below_nothing():
    poor = RegionForecast(
        t_ha=0.5, offsets=REGION.offsets, sd_t_ha=1.0, method="m", baseline="b", baseline_t_ha=0.5, skill=None
    )

    assert field_yield(poor, SPREAD, 0.1, 1.0).t_ha[0] == 0.0


def test_trust_grows_with_the_season_and_with_clear_looks_and_shrinks_for_mixed_pixels():
    assert trust(0.2, 20, mixed_pixel=False) == 0.0
    assert 0 < trust(0.5, 20, mixed_pixel=False) < trust(0.9, 20, mixed_pixel=False) == 1.0
    assert trust(0.9, 5, mixed_pixel=False) == 0.5
    assert trust(0.9, 20, mixed_pixel=True) == 0.6


def label(region: str, year: int, t_ha: float) -> YieldLabel:
    known = datetime(2025, 1, 1, tzinfo=UTC)
    return YieldLabel(
        id=f"{region}/{year}", known_at=known, crop="maize", harvest_year=year, t_ha=t_ha, region=region, source="test"
    )


def test_one_official_yield_is_the_expectation_with_a_wide_spread():
    forecast = official_forecast([label("a", 2024, 6.0), label("b", 2024, 2.0)], "maize", "a")

    assert forecast.t_ha == 6.0
    assert forecast.skill is None
    assert forecast.reasons == ("cold_start",)
    assert forecast.offsets[-1] > 6.0 * 0.2 * 1.645


def test_more_years_narrow_the_cold_start():
    one = official_forecast([label("a", 2024, 6.0)], "maize", "a")
    four = official_forecast([label("a", 2020 + i, t) for i, t in enumerate((5.8, 6.2, 5.9, 6.1))], "maize", "a")

    assert four.sd_t_ha < one.sd_t_ha


def test_a_region_without_labels_borrows_and_says_so():
    forecast = official_forecast([label("b", 2024, 2.0)], "maize", "a")

    assert forecast.t_ha == 2.0
    assert forecast.reasons == ("cold_start", "region_without_labels")
    assert forecast.sd_t_ha > official_forecast([label("b", 2024, 2.0)], "maize", "b").sd_t_ha


def test_without_any_label_there_is_no_number():
    with pytest.raises(MissingEvidence, match="no yield of 'maize' is known anywhere"):
        official_forecast([], "maize", "a")
