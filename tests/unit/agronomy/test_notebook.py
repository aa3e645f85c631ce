"""Cubes in, tables out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from cropcredit.adapters.cubes import write_cube
from cropcredit.agronomy import curves_of, find_seasons, gate, seasons_of, smooth, table_of, validate
from cropcredit.agronomy.models import CANDIDATES
from cropcredit.errors import EmptyInput, MalformedInput, UnknownName
from cropcredit.imagery import cube as lay_out
from cropcredit.model import FieldObservations
from tests.unit.agronomy import skies


@pytest.fixture(scope="module")
def looks():
    rng = np.random.default_rng(31)
    truth = np.vstack([skies.wheat_then_maize(3, rng), skies.one_season(2, rng), np.full((1, 365), 0.2)])
    return skies.look(truth, rng, cloud=0.3, missed=0.05)


@pytest.fixture(scope="module")
def cube(looks, tmp_path_factory):
    """Written as a run writes it, and read as a notebook reads it."""
    ids = np.array([f"f{row}" for row in range(len(looks.mean))])
    start = datetime(2024, 10, 1, 3, tzinfo=UTC)
    seen = [observed(ids, looks, at, start + timedelta(days=int(day))) for at, day in enumerate(looks.days)]
    dataset = lay_out(seen, {str(name): (117.0, 37.0) for name in ids})
    path = tmp_path_factory.mktemp("cube") / "season.nc"
    write_cube(dataset, str(path))
    with xr.open_dataset(path) as opened:
        return opened.load()


def observed(ids, looks, at, acquired_at):
    there = looks.clear[:, at] > 0
    mean, clear, count = looks.mean[there, at], looks.clear[there, at], int(there.sum())
    return FieldObservations(
        scene_id=f"s{at}",
        tile="50SNG",
        index="NDVI",
        acquired_at=acquired_at,
        field_ids=ids[there],
        mean=mean,
        std=np.zeros(count),
        clear_fraction=clear,
        flagged=np.zeros(count, dtype=bool),
        data_fraction=np.ones(count),
        covered_pixels=np.full(count, 30.0),
        core_mean=mean,
        core_std=np.zeros(count),
        core_clear_fraction=clear,
        core_pixels=np.full(count, 20.0),
        core_buffer_m=np.full(count, 10.0),
        mixed_pixel=np.zeros(count, dtype=bool),
    )


def test_a_cube_gives_the_curves_that_the_arrays_give(cube, looks):
    table = curves_of(cube)

    own = smooth(looks.mean, looks.clear, looks.dates)
    wide = table.pivot_table(index="field", columns="on", values="value").to_numpy()
    np.testing.assert_allclose(wide, own.values, atol=1e-5)  # the cube holds 32-bit floats
    np.testing.assert_array_equal(table["observed"].to_numpy(), own.observed.ravel())


def test_a_cube_gives_the_seasons_that_the_arrays_give(cube, looks):
    table = seasons_of(cube, refine=False)

    own = find_seasons(smooth(looks.mean, looks.clear, looks.dates))
    assert table["field"].value_counts().sort_index().tolist() == [2, 2, 2, 1, 1, 1]
    real = table[table["season"] > 0]
    expected = skies.FIRST + own.peak[np.isfinite(own.sos)].astype("timedelta64[D]")
    np.testing.assert_array_equal(real["peak"].to_numpy().astype("datetime64[D]"), expected)
    np.testing.assert_array_equal(real["qa_flag"].to_numpy(), own.qa_flag[np.isfinite(own.sos)])
    assert not table["refined"].any()


def test_a_field_without_a_season_has_one_row_that_says_so(cube):
    bare = seasons_of(cube).set_index("field").loc["f5"]

    assert (bare["season"], bare["qa_flag"], bare["refined"]) == (0, 0, False)
    assert bare[["sos", "peak", "eos", "amplitude"]].isna().all()


def test_refined_dates_and_lengths_agree(cube):
    table = seasons_of(cube)

    fine = table[table["refined"]]
    assert len(fine) >= 5
    np.testing.assert_allclose(fine["length"], (fine["eos"] - fine["sos"]).dt.days)


def test_scenes_after_the_last_day_are_not_looked_at(cube):
    day = "2025-04-15"

    cut, short = curves_of(cube, until=day), curves_of(cube.sel(time=slice(None, "2025-04-15T12")), until=day)

    np.testing.assert_array_equal(cut["value"], short["value"])
    assert str(cut["on"].max())[:10] == day


def test_of_two_scenes_of_a_day_the_clearer_one_counts():
    on = np.array(["2025-03-01T03", "2025-03-01T05", "2025-03-11T03"], dtype="datetime64[ns]")
    cube = xr.Dataset(
        {
            "ndvi_mean": (("field", "time"), [[0.2, 0.6, 0.6], [0.6, 0.2, 0.6]]),
            "ndvi_clear_fraction": (("field", "time"), [[0.6, 0.9, 1.0], [0.9, np.nan, 1.0]]),
        },
        {"field": ["a", "b"], "time": on},
    )

    np.testing.assert_allclose(curves_of(cube)["value"], 0.6)


def test_an_index_the_cube_does_not_hold_is_named(cube):
    with pytest.raises(UnknownName, match="cube: unknown variable 'evi2_mean'; known: ndvi_mean, "):
        curves_of(cube, "evi2")


def test_a_cube_with_other_dims_is_refused(cube):
    with pytest.raises(MalformedInput, match=r"cube: ndvi_mean has dims .*'plot'.*; give one with dims"):
        seasons_of(cube.rename(field="plot"))


def test_a_day_before_the_first_scene_is_refused(cube):
    with pytest.raises(EmptyInput, match="cube: no scene up to 2020-01-01; give a later day"):
        seasons_of(cube, until="2020-01-01")


def test_a_day_that_is_no_date_is_refused(cube):
    with pytest.raises(MalformedInput, match="until: 'June' is no date; write it as 2025-06-30"):
        curves_of(cube, until="June")


def test_a_table_of_looks_gives_what_the_cube_gives(cube):
    long = cube[["ndvi_mean", "ndvi_clear_fraction"]].to_dataframe().reset_index()[::-1]

    pd.testing.assert_frame_equal(seasons_of(long), seasons_of(cube))
    short = long[["field", "time", "ndvi_mean"]].rename(columns={"ndvi_mean": "ndvi"})  # every value counts as clear
    assert seasons_of(short)["field"].nunique() == 6


def test_tables_that_are_no_looks_are_refused_in_one_line(cube):
    long = cube[["ndvi_mean"]].to_dataframe().reset_index()

    with pytest.raises(UnknownName, match="cube: unknown column 'field'; known: a"):
        seasons_of(pd.DataFrame({"a": [1]}))
    with pytest.raises(MalformedInput, match=r"f0 is seen twice at 2024-10-01.*keep one row per field and look"):
        seasons_of(pd.concat([long, long.iloc[:1]]))
    with pytest.raises(MalformedInput, match=r"ndvi .* is outside of -1\.\.1; scale it first"):
        seasons_of(long.assign(ndvi_mean=long["ndvi_mean"] * 10_000))


def years_of_wheat():
    rng = np.random.default_rng(2)
    yields, looks = [], []
    for region, year in product(("A", "B", "C"), range(2010, 2019)):
        anomaly = rng.normal(0, 0.08)
        yields.append((region, year, 4 + 10 * anomaly))
        days = pd.date_range(f"{year - 1}-10-01", f"{year}-08-01", freq="10D")
        peak = np.exp(-(((days - pd.Timestamp(year, 4, 20)).days / 40) ** 2))
        looks += [(region, day, 0.2 + (0.5 + anomaly) * height) for day, height in zip(days, peak, strict=True)]
    return (
        pd.DataFrame(yields, columns=["region", "harvest_year", "t_ha"]),
        pd.DataFrame(looks, columns=["region", "date", "ndvi"]),
    )


def test_yields_and_an_index_in_tables_are_judged_without_a_workspace():
    yields, index = years_of_wheat()

    judged = validate(table_of(yields, index, sowing_doy=285, harvest_doy=165), horizon=6, candidates=CANDIDATES[:1])

    assert len(judged.t_ha) == 27
    assert gate(judged).use == "model"


def test_tables_that_are_no_yields_are_refused_in_one_line():
    yields, index = years_of_wheat()
    days: Any = {"sowing_doy": 285, "harvest_doy": 165}

    with pytest.raises(UnknownName, match="yields: unknown column 't_ha'; known: region, harvest_year, yield"):
        table_of(yields.rename(columns={"t_ha": "yield"}), **days)
    with pytest.raises(MalformedInput, match="yields: A 2010 stands twice"):
        table_of(pd.concat([yields, yields.iloc[:1]]), **days)
    with pytest.raises(MalformedInput, match="yields: t_ha -1 is not in 0 to inf"):
        table_of(yields.assign(t_ha=-1.0), **days)
    with pytest.raises(MalformedInput, match=r"index: ndvi .* is not in -1 to 1"):
        table_of(yields, index.assign(ndvi=index["ndvi"] * 200), **days)
    with pytest.raises(EmptyInput, match="yields: has no rows"):
        table_of(yields.iloc[:0], **days)
