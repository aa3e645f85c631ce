"""Observations side by side: the series, the cube."""

from datetime import UTC, datetime

import numpy as np
import pytest

from cropcredit.imagery import assemble, cube
from cropcredit.model import FieldObservations


def seen(day, values, *, index="NDVI", ids=("a", "b"), clear=(1.0, 1.0), hour=3, quantiles=()):
    numbers = np.array(values, dtype=float)
    zeros = np.zeros(len(ids))
    return FieldObservations(
        scene_id=f"s{day}-{hour}",
        tile="t",
        acquired_at=datetime(2025, 6, day, hour, tzinfo=UTC),
        index=index,
        field_ids=np.array(ids),
        mean=numbers + 0.1,
        std=zeros,
        clear_fraction=np.array(clear),
        covered_pixels=zeros + 20,
        core_mean=numbers,
        core_std=numbers / 10,
        core_clear_fraction=np.array(clear),
        core_pixels=zeros + 9,
        core_buffer_m=zeros + 10,
        mixed_pixel=zeros == 1,
        flagged=zeros == 1,
        data_fraction=zeros + 1,
        quantiles={name: numbers + k for k, name in enumerate(quantiles)},
    )


def test_a_series_has_its_dates_in_order_whatever_the_order_of_the_scenes():
    got = assemble([seen(9, [0.5, 0.6]), seen(1, [0.2, 0.3])], "NDVI")
    assert got.acquired_at.astype(str).tolist() == ["2025-06-01", "2025-06-09"]
    assert got.mean.tolist() == [[0.2, 0.5], [0.3, 0.6]]


def test_of_two_scenes_on_a_day_the_clearer_counts_field_by_field():
    got = assemble([seen(1, [0.2, 0.3], clear=(0.4, 0.9)), seen(1, [0.5, 0.6], clear=(0.8, 0.8), hour=5)], "NDVI")
    assert got.mean.tolist() == [[0.5], [0.3]]
    assert got.std is not None
    np.testing.assert_allclose(got.std, [[0.05], [0.03]])


def test_asked_for_fields_come_in_the_order_asked_and_the_unseen_are_empty():
    got = assemble([seen(1, [0.2, 0.3])], "NDVI", ["z", "b"])
    assert got.field_ids == ("z", "b")
    np.testing.assert_array_equal(got.mean, [[np.nan], [0.3]])
    assert got.clear_fraction.tolist() == [[0.0], [1.0]]


def test_fields_of_two_tiles_stand_in_one_table():
    got = assemble([seen(1, [0.2, 0.3]), seen(1, [0.7], ids=("c",), clear=(1.0,))], "NDVI")
    assert got.mean.ravel().tolist() == [0.2, 0.3, 0.7]


def test_nothing_seen_is_an_empty_series():
    got = assemble([], "NDVI", ["a"])
    assert got.mean.shape == (1, 0)
    assert assemble([], "NDVI").field_ids == ()


PLACES = {"a": (117.0, 36.1), "b": (117.1, 36.2)}


def test_a_cube_has_fields_by_times_and_one_group_of_variables_per_index():
    days = [seen(1, [0.2, 0.3]), seen(1, [0.1, 0.1], index="EVI2"), seen(9, [0.5], ids=("b",), clear=(0.5,))]
    got = cube(days, PLACES)
    assert got.sizes == {"field": 2, "time": 2}
    np.testing.assert_allclose(got["ndvi_mean"].sel(field="b"), [0.3, 0.5], rtol=1e-6)
    assert np.isnan(got["ndvi_mean"].sel(field="a").values[1])
    assert got["evi2_whole_mean"].sel(field="a").values[0] == pytest.approx(0.2)
    assert got["core_buffer_m"].values.tolist() == [10, 10]


def test_a_cube_says_what_it_holds_as_the_climate_and_forecast_conventions_ask():
    got = cube([seen(1, [0.2, 0.3])], PLACES)
    assert got.attrs["Conventions"] == "CF-1.11"
    assert got["ndvi_mean"].attrs == {
        "long_name": "NDVI mean over the clear core",
        "units": "1",
        "cell_methods": "area: mean",
        "standard_name": "normalized_difference_vegetation_index",
    }
    assert (got["time"].attrs["standard_name"], got["field"].attrs["cf_role"]) == ("time", "timeseries_id")
    assert got["lon"].values.tolist() == [117.0, 117.1]
    assert got["lat"].attrs["units"] == "degrees_north"


def test_a_cube_holds_the_quantiles_that_were_asked_for():
    got = cube([seen(1, [0.2, 0.3]), seen(9, [0.4, 0.5], quantiles=("q10", "core_q10", "q97.5"))], PLACES)
    np.testing.assert_allclose(got["ndvi_whole_q10"].sel(field="b"), [np.nan, 0.5], rtol=1e-6)
    np.testing.assert_allclose(got["ndvi_q10"].sel(field="b"), [np.nan, 1.5], rtol=1e-6)
    assert got["ndvi_q10"].attrs["long_name"] == "10 % quantile of NDVI, clear core"
    assert got["ndvi_whole_q97_5"].attrs["long_name"] == "97.5 % quantile of NDVI, clear whole field"
