"""The demo region: its weather, growth, land, sky and people are what its page says they are."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
import shapely

from cropcredit.demo import market
from cropcredit.demo.generate import World, imagine
from cropcredit.demo.ground import lay_ground
from cropcredit.demo.growth import Stands, grow, ndvi
from cropcredit.demo.history import look_back
from cropcredit.demo.land import doubtful
from cropcredit.demo.parameters import load_region
from cropcredit.demo.people import DOUBTFUL
from cropcredit.demo.sensors import read
from cropcredit.demo.sky import overpasses, take
from cropcredit.demo.stocks import fill, tables
from cropcredit.demo.weather import DAYS_OF_MONTH, simulate
from cropcredit.errors import MalformedInput


@pytest.fixture(scope="module")
def world() -> World:
    return imagine(load_region())


def test_a_region_file_of_another_form_is_refused_by_name(tmp_path):
    file = tmp_path / "region.toml"
    file.write_text("seed = 'seven'\n")
    with pytest.raises(MalformedInput, match=r"region\.toml: is not a demo region"):
        load_region(file)


def test_weather_of_many_years_has_the_monthly_normals_it_was_asked_for(world):
    weather, climate = world.weather, world.region.weather
    days = np.datetime64(weather.first_on) + np.arange(len(weather.rain_mm))
    month = days.astype("datetime64[M]").astype(int) % 12
    common = np.flatnonzero(np.array([unit.rain_factor for unit in world.region.township]) == 1.0)[0]
    rain = np.array([weather.rain_mm[month == m, common].mean() * DAYS_OF_MONTH[m] for m in range(12)])
    assert rain.sum() == pytest.approx(sum(climate.rain_mm), rel=0.1)
    warm = np.array([weather.t_mean_c[month == m].mean() for m in range(12)])
    assert np.abs(warm - climate.t_mean_c).max() < 1.5


def test_two_runs_make_the_same_weather_and_another_seed_makes_another(world):
    again = simulate(world.region)
    other = simulate(replace(world.region, seed=7))
    assert np.array_equal(again.rain_mm, world.weather.rain_mm)
    assert not np.array_equal(other.rain_mm, world.weather.rain_mm)


def stands(world: World, crop: str, **changed: Any) -> Stands:
    """Two equal plantings of the story's year."""
    model = world.region.crop[crop]
    sown = world.weather.day(model.sown_on(2026))
    plain_soil = {"fc": 0.27, "wp": 0.13, "vigour": 1.0, "unseen": 1.0}
    two: dict[str, Any] = {name: np.full(2, value) for name, value in plain_soil.items()}
    plain = Stands(
        township=np.zeros(2, dtype=int),
        sown=np.full(2, sown),
        days=(model.harvested_on(2026) - model.sown_on(2026)).days,
        irrigations=np.full(2, 2),
        trend=np.ones(2),
        depletion=np.full(2, 0.4),
        **two,
    )
    return replace(plain, **changed)


@pytest.mark.parametrize("crop", ["winter_wheat", "maize", "cotton"])
def test_a_dry_year_costs_yield_and_shows_from_above(world, crop):
    dry = replace(world.weather, rain_mm=world.weather.rain_mm * 0.3)
    parched = grow(world.region.crop[crop], stands(world, crop, irrigations=np.zeros(2, dtype=int)), dry)
    watered = grow(world.region.crop[crop], stands(world, crop, irrigations=np.full(2, 4)), world.weather)
    assert (parched.yield_t_ha < 0.8 * watered.yield_t_ha).all()
    assert ndvi(parched.lai).sum() < ndvi(watered.lai).sum()


def test_what_is_unseen_lowers_the_yield_and_not_the_index(world):
    grown = grow(world.region.crop["maize"], stands(world, "maize", unseen=np.array([1.0, 0.8])), world.weather)
    assert grown.yield_t_ha[1] == pytest.approx(0.8 * grown.yield_t_ha[0])
    assert np.array_equal(grown.lai[:, 0], grown.lai[:, 1])


def test_wheat_is_followed_by_maize_on_the_same_ground(world):
    wheat, maize, cotton = world.season.crops
    assert np.array_equal(wheat.plots, maize.plots)
    assert (wheat.sown + len(wheat.growth.lai) < maize.sown).all()
    assert not np.intersect1d(wheat.plots, cotton.plots).size


def test_parcels_tile_their_blocks_without_overlap_and_lie_in_the_tile(world):
    plots, tile = world.plots, world.region.tile
    assert shapely.is_valid(plots.boundary).all()
    pairs = shapely.STRtree(plots.boundary).query(plots.boundary, predicate="overlaps")
    shared = shapely.area(shapely.intersection(plots.boundary[pairs[0]], plots.boundary[pairs[1]]))
    assert shared.max(initial=0.0) < 1.0
    inside = shapely.box(tile.west_m, tile.north_m - tile.size_m, tile.west_m + tile.size_m, tile.north_m)
    assert shapely.within(plots.boundary, inside).all()


def test_four_hundred_small_fields_of_every_township_are_registered(world):
    rows = world.plots.registered
    assert len(rows) == len(set(world.plots.field_id[rows])) == 400
    assert set(world.plots.township[rows]) == {0, 1, 2, 3, 4}
    area = world.plots.area_ha[rows]
    assert 0.05 < area.min() < 0.2
    assert 1.5 < area.max() <= 3.0
    assert 0.25 < np.median(area) < 0.45


def test_three_entries_of_the_register_are_doubtful_each_in_its_own_way(world):
    crossing, overlap, outside = doubtful(world.plots, world.region).values()
    fields = world.plots.boundary[world.plots.registered]
    assert not crossing.is_valid
    shares = shapely.area(shapely.intersection(fields, overlap)) / overlap.area
    assert shares.max() > 0.5
    assert outside.centroid.x > world.region.tile.west_m + world.region.tile.size_m


def test_a_clear_pixel_shows_the_index_of_the_crop_that_stands_there(world):
    region = replace(world.region, sky=replace(world.region.sky, cloud_mean=(1e-9,) * 12, registration_sigma_m=0.0))
    picture = take(region, lay_ground(region, world.villages, world.plots), world.season, date(2026, 4, 30))
    red, nir = ((band.astype(float) + region.sky.offset) / 10_000 for band in (picture.red, picture.nir))
    rows = world.plots.registered
    large = rows[np.argsort(-world.plots.area_ha[rows])][:20]
    off = []
    for row in large:
        at = world.plots.boundary[row].centroid
        y, x = int((region.tile.north_m - at.y) / 10), int((at.x - region.tile.west_m) / 10)
        seen = (nir[y, x] - red[y, x]) / (nir[y, x] + red[y, x])
        off.append(seen - ndvi(world.season.lai[world.season.day(date(2026, 4, 30)), row]))
    assert np.abs(off).mean() < 0.03
    assert picture.cloud_share == 0


def test_clouds_are_bright_and_mostly_known_to_the_classification(world):
    region = replace(world.region, sky=replace(world.region.sky, cloud_mean=(0.5,) * 12))
    ground = lay_ground(region, world.villages, world.plots)
    picture = take(region, ground, world.season, date(2026, 7, 14))
    covered = np.isin(picture.scl, (8, 9))
    assert picture.cloud_share > 0.02
    assert np.median(picture.red[::2, ::2][covered]) > 1.5 * np.median(picture.red[::2, ::2][picture.scl == 4])
    assert 0.7 < covered.mean() / picture.cloud_share < 1.3


def test_the_sky_is_seen_on_more_than_25_days_and_never_after_the_present(world):
    days = overpasses(world.region)
    assert len(days) >= 25
    assert max(days) < world.region.today.date()


def test_past_yields_cover_14_years_of_every_township_and_hide_what_is_not_published_yet(world):
    yields, index = look_back(world.region, world.weather)
    assert {y.harvest_year for y in yields} == set(range(2012, 2026))
    assert len(yields) == 14 * 5 * 3
    assert max(look.on for look in index) <= world.region.today.date()
    assert max(y.published_on for y in yields) < world.region.today.date()


def test_every_application_rests_on_plantings_its_party_operates(world):
    people = world.people
    owners, plantings = people.owners(), {planting.id: planting for planting in people.plantings}
    for application in people.applications:
        assert application.planting_ids
        for planting_id in application.planting_ids:
            assert owners[plantings[planting_id].field_id] == application.party_id
        assert application.known_at < world.region.today


def test_exactly_one_applicant_has_not_consented(world):
    asked = {consent.party_id for consent in world.people.consents}
    silent = [a.id for a in world.people.applications if a.party_id not in asked]
    assert silent == [world.people.applications[-1].id]


def test_everything_made_says_so(world):
    people, region = world.people, world.region
    assert all(party.synthetic and "合成" in party.name for party in people.parties)
    assert all(application.synthetic for application in people.applications)
    assert all(region.label in price.source for price in market.farm_gate(region))
    assert all(region.label in series.source for series in market.world(region))
    assert all(region.label in sheet.source for sheet in market.cost_sheets(region))


def test_doubtful_fields_have_an_operator_and_no_planting(world):
    assert set(DOUBTFUL) <= set(world.people.owners())
    assert not {p.field_id for p in world.people.plantings} & set(DOUBTFUL)


def test_sixty_devices_read_values_that_follow_the_world(world):
    stations = world.stations
    assert len(stations) == 60
    assert len({s.store_id for s in stations if s.store_id}) == 20
    stocks = fill(world.region, {s.store_id: (date(2026, 6, 20), 4_000.0) for s in stations if s.store_id})
    some = [next(s for s in stations if s.kind == kind) for kind in ("soil", "weather", "store")]
    values = list(read(world.region, world.plots, world.season, world.weather, some, stocks))
    rain = [v.value for v in values if v.quantity == "weather.rain"]
    assert rain == sorted(rain)
    fallen = world.weather.rain_mm[:, world.plots.township[some[1].plot]]
    first, last = (world.weather.day(d) for d in (world.region.sensors.from_on, world.region.today.date()))
    assert rain[-1] - rain[0] == pytest.approx(fallen[first:last].sum(), abs=12)
    grain = [v for v in values if v.quantity == "store.grainMoisture"]
    assert min(v.observed_at.date() for v in grain) > date(2026, 6, 5)
    assert all(10 < v.value < 14.5 for v in grain)
    soil = [v.value for v in values if v.quantity == "soil.moisture"]
    assert 3 < min(soil) < max(soil) < 45


def test_what_the_scale_of_an_honest_store_says_stands_in_its_book_and_one_owner_told_nothing(world):
    made = {s.store_id: (date(2026, 6, 20), 4_000.0) for s in world.stations if s.store_id}
    stocks = fill(world.region, made)
    lots, inspections, movements = (list(table.rows) for table in tables(world.region, stocks))
    assert len(lots) == len(inspections) == len(made)
    silent = [stock.owner for stock in stocks.values() if not stock.told]
    assert len(silent) == 1
    assert {row[0] for row in lots} - {row[1] for row in movements} == {f"lot-{silent[0]}"}
    honest = next(stock for stock in stocks.values() if stock.told)
    age = float((world.region.today.date() - honest.loaded_on).days)
    carried = sum(float(str(row[3])) for row in movements if row[1] == f"lot-{honest.owner}")
    assert 4_000 + carried == pytest.approx(4_000 * (1 - honest.sold(np.array([age]))[0]), abs=1)
