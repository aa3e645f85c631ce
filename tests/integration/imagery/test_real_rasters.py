"""Real scenes: Sentinel-2 over Flemish parcels in another coordinate system, twelve MOD13Q1 scenes over Sinop."""

import json
import warnings
from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from exactextract import exact_extract

from cropcredit.errors import RadiometryError
from cropcredit.model import Offset
from cropcredit.usecases.add_scenes import Declared
from cropcredit.usecases.import_fields import FieldForm
from cropcredit.usecases.refresh_ndvi import latest_run

pytestmark = pytest.mark.real_data
GOLDEN = Path(__file__).parents[2] / "golden" / "sinop_ndvi.json"
LONG_AGO = datetime(2013, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def flanders(real_data):
    folder = real_data / "rasters" / "flanders-s2" / "markers"
    weeks = sorted((folder / "_images_periodic/roi_test/s2-agri-weekly").glob("*_mean.tif"))
    return weeks, folder / "_inputdata" / "Prc_BEFL_2023_2023-07-24.gpkg"


def add_week(workspace, week, offset=Offset.APPLIED, baseline=""):
    declared = Declared(tile="31UFS", offset=offset, processing_baseline=baseline)
    return workspace.add_scenes([str(week)], product="s2-l2a", declared=declared)


def peer_ndvi(week, parcels, folder):
    """Compute NDVI means with exactextract on its own: raster written out, parcels reprojected by geopandas."""
    with rasterio.open(week) as raster:
        red, nir = (
            raster.read(raster.descriptions.index(band) + 1).astype(np.float32) * 1e-4 for band in ("B04", "B08")
        )
        profile = {**raster.profile, "count": 1, "dtype": "float32", "nodata": float("nan")}
        crs = raster.crs
    with rasterio.open(folder / "ndvi.tif", "w", **profile) as raster:
        raster.write((nir - red) / (nir + red), 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # pyogrio remarks on column widths
        moved = gpd.read_file(parcels).to_crs(crs)
    found = exact_extract(str(folder / "ndvi.tif"), moved, ["mean", "stdev", "count"], include_cols="UID")
    return {row["properties"]["UID"]: row["properties"] for row in found}


def test_flemish_parcels_agree_with_exactextract_across_coordinate_systems(workspace, flanders, tmp_path):
    weeks, parcels = flanders
    form = FieldForm(id_column="UID", crop_column="GWSCOD_H", known_at=LONG_AGO)
    assert workspace.import_fields(str(parcels), form).stored == 10
    add_week(workspace, weeks[0])
    run = workspace.refresh_ndvi(as_of=datetime(2024, 4, 1, tzinfo=UTC))
    [_, ndvi] = workspace.refresh_ndvi.observations.read(run.units)
    peer = peer_ndvi(weeks[0], parcels, tmp_path)
    for name, column in (("mean", "mean"), ("stdev", "std"), ("count", "covered_pixels")):
        theirs = np.array([peer[str(field)][name] for field in ndvi.field_ids])
        np.testing.assert_allclose(getattr(ndvi, column), theirs, atol=1e-5 if name != "count" else 1e-3)
    assert ndvi.clear_fraction == pytest.approx(np.ones(10))


def test_two_weeks_with_the_same_pixels_are_pointed_out(workspace, flanders):
    weeks, _ = flanders
    add_week(workspace, weeks[0])
    [outcome] = add_week(workspace, weeks[1])
    assert "same pixels as" in outcome.reason


def test_taking_the_offset_out_twice_stops_on_real_pixels(workspace, flanders):
    weeks, parcels = flanders
    workspace.import_fields(str(parcels), FieldForm(id_column="UID", known_at=LONG_AGO))
    add_week(workspace, weeks[0], offset=Offset.NOT_APPLIED, baseline="05.10")
    with pytest.raises(RadiometryError, match="negative red reflectance: the offset was taken out twice"):
        workspace.refresh_ndvi(as_of=datetime(2024, 4, 1, tzinfo=UTC))


@pytest.fixture
def sinop(workspace, real_data, tmp_path):
    """Import squares of 500 m around the labelled points, and the twelve scenes."""
    folder = real_data / "rasters" / "sinop-modis"
    points = pd.read_csv(folder / "samples_sinop_crop.csv")
    squares = gpd.GeoDataFrame(
        {"id": [f"p{number:02}" for number in points["id"]], "crop": points["label"]},
        geometry=gpd.points_from_xy(points["longitude"], points["latitude"]),
        crs="EPSG:4326",
    ).to_crs("EPSG:32721")
    squares["geometry"] = squares.buffer(250, cap_style="square")
    squares.to_file(tmp_path / "sinop.gpkg")
    report = workspace.import_fields(str(tmp_path / "sinop.gpkg"), FieldForm(crop_column="crop", known_at=LONG_AGO))
    assert report.stored == 18
    outcomes = workspace.add_scenes([str(folder / "mod13q1")], product="mod13q1")
    assert [outcome.outcome for outcome in outcomes] == ["added"] * 12
    return workspace


def test_twelve_modis_scenes_become_a_series_around_each_point(sinop):
    run = sinop.refresh_ndvi(as_of=datetime(2014, 12, 31, tzinfo=UTC))
    series = sinop.refresh_ndvi.observations.series("NDVI", run.units)
    labels = {field.id: field.crop_code for field in sinop.import_fields.fields.read()}
    golden = json.loads(GOLDEN.read_text("utf-8"))
    assert series.acquired_at.astype(str).tolist() == golden["dates"]
    for label, expected in golden["mean_ndvi"].items():
        rows = [k for k, name in enumerate(series.field_ids) if labels[name] == label]
        assert len(rows) == expected["fields"], label
        np.testing.assert_allclose(series.mean[rows].mean(axis=0), expected["mean"], atol=golden["tolerance"])
    assert np.isfinite(series.mean).sum() == golden["observations"]
    assert series.mixed_pixel.all(), "a square of 500 m holds fewer than eight pixels of 232 m"


def test_the_scene_that_was_all_cloud_is_not_believed_before_and_known_after_the_next(sinop):
    soon = sinop.refresh_ndvi(as_of=datetime(2014, 3, 20, tzinfo=UTC))
    later = sinop.refresh_ndvi(as_of=datetime(2014, 12, 31, tzinfo=UTC))
    cloud = "TERRA_MODIS_012010_NDVI_2014-02-18"
    assert [(held.scene, held.verdict) for held in soon.held_back] == [(cloud, "unconfirmed")]
    assert [(held.scene, held.verdict) for held in later.held_back] == [(cloud, "missed_cloud")]
    assert latest_run(sinop.refresh_ndvi.runs, datetime(2014, 6, 1, tzinfo=UTC)).run_id == soon.run_id
    assert later.computed == 6, "what the earlier run had computed was not computed again"
