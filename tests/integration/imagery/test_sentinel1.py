"""Sentinel-1 backscatter as a second witness: from files to mean power per field, by head and on real weeks."""

from datetime import UTC, datetime

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import xarray as xr
from exactextract import exact_extract

from cropcredit.model import Scene
from cropcredit.usecases.add_scenes import Declared
from cropcredit.usecases.import_fields import FieldForm
from tests.rasterfiles import square, write_raster

NAME = "S1A_IW_GRDH_1SDV_20240304T172345_20240304T172410_052852_0665A0_7C2B"
ADD = ("--product", "sentinel-1-rtc", "--tile", "50SMJ")


def write_pass(folder, name=NAME, *, vv=0.1, vh=0.02, suffixes=("_VV", "_VH")):
    """Write both polarisations of one pass, 40 x 40 pixels of 10 m."""
    for value, suffix in zip((vv, vh), suffixes, strict=True):
        pixels = np.broadcast_to(np.asarray(value, dtype=np.float32), (40, 40))
        write_raster(folder / f"{name}{suffix}.tif", pixels)
    return folder


def test_a_field_gets_the_mean_of_the_power_and_the_border_is_no_data(cropcredit, draw, measure, tmp_path):
    """Two columns of 0.1 and two of 0.01: 0.055. Zeros along the border were never measured."""
    vv = np.full((40, 40), 0.1)
    vv[:, 7:] = 0.01
    vv[:, 20:] = 0
    write_pass(tmp_path / "s1", vv=vv, vh=np.where(vv > 0, 0.02, 0))
    draw(f1=square(50, 50, 40), rim=square(180, 50, 40), border=square(250, 50, 40))
    added = cropcredit("scenes", "add", tmp_path / "s1", *ADD)
    assert (added.code, "1 added" in added.out) == (0, True)
    cube = tmp_path / "radar.nc"
    said = cropcredit("ndvi", "run", "--product", "sentinel-1-rtc", "--as-of", "2024-04-01", "--cube", cube)
    assert "sentinel-1-rtc as of 2024-04-01" in said.out
    assert (said.code, "2 observed" in said.out) == (1, True)
    assert said.err.strip().endswith("field border: no data; the scenes pass over it without data: add those of the "
                                     "neighbouring orbit")  # fmt: skip
    run, [vv_seen] = measure("VV")
    _, [vh_seen] = measure("VH")
    assert run.indices == ("VV", "VH")
    assert vv_seen["f1"].mean == pytest.approx(0.055, abs=1e-4)
    assert vh_seen["f1"].mean == pytest.approx(0.02, abs=1e-4)
    assert (vv_seen["rim"].mean, vv_seen["rim"].data) == pytest.approx((0.01, 0.5), abs=2e-3)
    assert np.isnan(vv_seen["border"].mean)
    with xr.open_dataset(cube) as opened:
        assert opened["vv_mean"].sel(field="f1").item() == pytest.approx(0.055, abs=1e-4)
        told = opened["vh_mean"].attrs
        assert (told["standard_name"], told["units"]) == ("surface_backwards_scattering_coefficient_of_radar_wave", "1")


def test_decibels_give_the_same_mean_of_power(cropcredit, draw, measure, tmp_path):
    """-10 dB and -20 dB are 0.1 and 0.01; the mean of the decibels, -15, would be 0.032."""
    vv = np.full((40, 40), -10.0)
    vv[:, 7:] = -20
    write_pass(tmp_path / "s1", vv=vv, vh=-17)
    draw(f1=square(50, 50, 40))
    cropcredit("scenes", "add", tmp_path / "s1", *ADD)
    _, [seen] = measure("VV")
    assert seen["f1"].mean == pytest.approx(0.055, abs=1e-4)


def test_under_cloud_radar_still_sees_and_is_never_mixed_with_the_optical(cropcredit, draw, measure, tmp_path):
    write_pass(tmp_path / "s1")
    write_raster(tmp_path / "ndvi_2024-03-04.tif", np.full((40, 40), np.nan, dtype=np.float32))
    draw(f1=square(50, 50, 40))
    cropcredit("scenes", "add", tmp_path / "s1", *ADD)
    cropcredit("scenes", "add", tmp_path / "ndvi_2024-03-04.tif", "--product", "ndvi", "--tile", "50SMJ")
    undecided = cropcredit("ndvi", "run", "--as-of", "2024-04-01")
    assert (undecided.code, undecided.err.count("\n")) == (2, 1)
    assert "there are scenes of ndvi, sentinel-1-rtc; name one with --product" in undecided.err
    optical, _ = measure(product="ndvi")
    radar, [seen] = measure("VV", product="sentinel-1-rtc")
    assert optical.unobserved == (("f1", "no_data"),)
    assert radar.unobserved == ()
    assert seen["f1"].mean == pytest.approx(0.1)


def test_the_name_tells_instant_pass_and_ground_track(workspace, cropcredit, tmp_path):
    write_pass(tmp_path / "s1")
    cropcredit("scenes", "add", tmp_path / "s1", *ADD)
    [scene] = workspace.facts.find(Scene)
    assert (scene.id, scene.datatake, scene.relative_orbit) == (NAME, "S1A_20240304T172345", 105)
    assert scene.acquired_at == datetime(2024, 3, 4, 17, 23, 45, tzinfo=UTC)


def test_a_folder_of_the_archive_names_its_scene_and_two_orbits_of_one_day_are_two(
    workspace, cropcredit, draw, measure, tmp_path
):
    """One day, ascending and descending: both count. One pass processed twice counts once."""
    morning = NAME.replace("172345", "060102")
    again = NAME.replace("7C2B", "FFFF")
    for name, vv in ((NAME, 0.1), (again, 0.3), (morning, 0.2)):
        write_pass(tmp_path / "s1" / name, "iw", vv=vv, suffixes=("-vv.rtc", "-vh.rtc"))
    draw(f1=square(50, 50, 40))
    added = cropcredit("scenes", "add", tmp_path / "s1", *ADD)
    assert (added.code, "3 added" in added.out) == (0, True)
    assert {scene.id for scene in workspace.facts.find(Scene)} == {NAME, again, morning}
    _, seen = measure("VV")
    assert [look["f1"].mean for look in seen] == pytest.approx([0.2, 0.3])


def test_amplitudes_stop_the_run_in_one_line(cropcredit, draw, tmp_path):
    write_pass(tmp_path / "s1", vv=300, vh=100)
    draw(f1=square(50, 50, 40))
    cropcredit("scenes", "add", tmp_path / "s1", *ADD)
    said = cropcredit("ndvi", "run", "--as-of", "2024-04-01")
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert f"{NAME}: median VV of 25 dB is no backscatter of land; calibrate to gamma0 or sigma0" in said.err


@pytest.mark.real_data
@pytest.mark.parametrize("orbit", ["asc", "desc"])
def test_flemish_parcels_agree_with_exactextract_on_two_real_weeks(workspace, measure, real_data, tmp_path, orbit):
    """Ten parcels in the Belgian system over sigma0 in UTM; whole fields, both polarisations."""
    folder = real_data / "rasters" / "flanders-s2" / "markers"
    parcels = folder / "_inputdata" / "Prc_BEFL_2023_2023-07-24.gpkg"
    known = FieldForm(id_column="UID", known_at=datetime(2013, 1, 1, tzinfo=UTC))
    assert workspace.import_fields(str(parcels), known).stored == 10
    weeks = folder / "_images_periodic" / "roi_test" / f"s1-grd-sigma0-{orbit}-weekly"
    outcomes = workspace.add_scenes([str(weeks)], product="sentinel-1-rtc", declared=Declared(tile="31UFS"))
    assert [outcome.outcome for outcome in outcomes] == ["added", "added"]
    fields = gpd.GeoDataFrame(
        geometry=[field.boundary for field in workspace.import_fields.fields.read()], crs="EPSG:4326"
    )
    for number, polarisation in enumerate(("VV", "VH"), start=1):
        run, seen = measure(polarisation)
        assert run.outcomes["observed"] == 10
        for look, week in zip(seen, sorted(weeks.glob("*.tif")), strict=True):
            peer = _peer(week, number, fields, tmp_path)
            mine = [look[field.id].mean for field in workspace.import_fields.fields.read()]
            np.testing.assert_allclose(mine, peer, rtol=1e-4)
            assert -25 < 10 * np.log10(np.mean(mine)) < -5


def _peer(week, band, fields, folder):
    """Compute means with exactextract on its own, from one band written out."""
    with rasterio.open(week) as raster:
        profile = {**raster.profile, "count": 1}
        crs, pixels = raster.crs, raster.read(band)
    with rasterio.open(folder / "band.tif", "w", **profile) as raster:
        raster.write(pixels, 1)
    found = exact_extract(str(folder / "band.tif"), fields.to_crs(crs), ["mean"])
    return [row["properties"]["mean"] for row in found]
