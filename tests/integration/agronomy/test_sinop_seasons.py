"""Two crops a year where soy is followed by maize: real MODIS scenes, one of them all cloud, 32 days apart."""

from __future__ import annotations

import pytest
import xarray as xr

from cropcredit.agronomy import curves_of, seasons_of
from tests.integration.agronomy.sinop import season_counts, sinop_cube

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def sinop(real_data, tmp_path_factory):
    path, labels = sinop_cube(real_data, tmp_path_factory.mktemp("sinop"))
    with xr.open_dataset(path) as cube:
        return cube.load(), labels


def test_most_fields_of_soy_and_maize_show_two_seasons(sinop):
    cube, labels = sinop

    counts = season_counts(seasons_of(cube), labels)

    print(counts)  # noqa: T201 - the counts of the other classes are for the reader
    assert counts["Soy_Corn"].get(2, 0) >= 6


def test_a_cube_as_ndvi_run_writes_it_becomes_curves_without_a_workspace(sinop):
    cube, labels = sinop

    curves = curves_of(cube)

    assert set(curves["field"]) == set(labels)
    assert curves.groupby("field").size().unique().tolist() == [350]  # 2013-09-14 to 2014-08-29
    assert curves["value"].between(0, 1).all()
    assert curves.loc[curves["observed"], "sd"].max() < curves["sd"].max()


def test_looks_32_days_apart_are_too_few_to_refine_one_of_two_seasons(sinop):
    cube, _ = sinop

    seasons = seasons_of(cube)

    second = seasons[seasons["season"] == 2]
    assert len(second) >= 6
    assert not second["refined"].any()
    assert (second["qa_flag"] < 10).all()
