"""Landsat Collection 2 Level 2 from the files of the archive to means per field, on pixels that the eye can add up."""

from datetime import UTC, datetime

import numpy as np
import pytest
import rasterio
from affine import Affine
from shapely import box

from cropcredit.errors import EmptyInput
from cropcredit.fields import reproject
from cropcredit.model import Scene

LC09 = "LC09_L2SP_122036_20250601_20250603_02_T1"
LE07 = "LE07_L2SP_122036_20030602_20200915_02_T1"
LANDSAT_PIXEL_M = 30
WEST, NORTH = 500_025.0, 4_000_005.0
"""Corners of Landsat pixels lie 15 m beside the whole multiples of 30 m."""
RED, NIR = 9091, 18182
"""Reflectance 0.05 and 0.3: NDVI 0.25 / 0.35 = 0.714."""
CLEAR, WATER, CLOUD, DILATED = 21824, 21952, 22280, 21762
"""Values of QA_PIXEL as they stand in the archive."""


def write_landsat(folder, scene, *, crs="EPSG:32650", north=NORTH, qa=CLEAR, **bands):
    """Write the files of one scene of 20 x 20 pixels."""
    folder.mkdir(parents=True, exist_ok=True)
    transform = Affine(LANDSAT_PIXEL_M, 0, WEST, 0, -LANDSAT_PIXEL_M, north)
    profile = {"driver": "GTiff", "count": 1, "height": 20, "width": 20, "dtype": "uint16"}
    for name, value in {**bands, "QA_PIXEL": qa}.items():
        pixels = np.broadcast_to(np.asarray(value, dtype=np.uint16), (20, 20))
        with rasterio.open(folder / f"{scene}_{name}.TIF", "w", crs=crs, transform=transform, **profile) as raster:
            raster.write(pixels, 1)
    return folder


def pixels(left, top, width, height, *, crs="EPSG:32650", north=NORTH):
    """Give a rectangle of whole pixels, EPSG:4326."""
    x, y = WEST + left * LANDSAT_PIXEL_M, north - top * LANDSAT_PIXEL_M
    return reproject(box(x, y - height * LANDSAT_PIXEL_M, x + width * LANDSAT_PIXEL_M, y), crs, "EPSG:4326")


def test_a_field_gets_the_index_of_its_clear_pixels(cropcredit, draw, measure, tmp_path):
    """Of 16 pixels one is a cloud; two cells around it count as cloud too: 3 x 3 of the field remain unclear."""
    qa = np.full((20, 20), CLEAR)
    qa[4, 4] = CLOUD
    write_landsat(tmp_path / "l", LC09, SR_B4=RED, SR_B5=NIR, qa=qa)
    draw(f1=pixels(4, 4, 4, 4), far=pixels(12, 12, 4, 4))
    added = cropcredit("scenes", "add", tmp_path / "l", "--product", "landsat-c2-l2")
    assert (added.code, "1 added" in added.out) == (0, True)
    assert "fields: 2 observed" in cropcredit("ndvi", "run", "--as-of", "2025-07-01").out
    run, [ndvi] = measure()
    assert run.indices == ("NDVI", "EVI2")
    assert [ndvi[name].mean for name in ("f1", "far")] == pytest.approx([0.25 / 0.35] * 2, abs=1e-4)
    assert [ndvi[name].clear for name in ("f1", "far")] == pytest.approx([7 / 16, 1], abs=1e-3)
    _, [evi2] = measure("EVI2")
    assert evi2["f1"].mean == pytest.approx(2.5 * 0.25 / (0.3 + 2.4 * 0.05 + 1), abs=1e-4)


def test_a_dilated_cloud_is_dropped_and_spreads_no_further_and_water_counts_in_a_paddy(
    cropcredit, draw, measure, tmp_path
):
    qa = np.full((20, 20), CLEAR)
    qa[4, 4:6], qa[12:16, 12:16] = DILATED, WATER
    write_landsat(tmp_path / "l", LC09, SR_B4=RED, SR_B5=NIR, qa=qa)
    draw(f1=pixels(4, 4, 4, 4), flooded=pixels(12, 12, 4, 2), paddy=pixels(12, 14, 4, 2), crop=["", "", "rice"])
    cropcredit("scenes", "add", tmp_path / "l", "--product", "landsat-c2-l2")
    run, [ndvi] = measure()
    assert [ndvi[name].clear for name in ("f1", "flooded", "paddy")] == pytest.approx([14 / 16, 0, 1], abs=1e-3)
    assert run.unobserved == (("flooded", "never_clear"),)


def test_bands_are_taken_by_the_sensor_that_made_them(workspace, cropcredit, draw, measure, tmp_path):
    """Band 4 is red on Landsat 8 and 9, near infrared before: exchanged, the index would be negative."""
    write_landsat(tmp_path / "l", LE07, SR_B3=RED, SR_B4=NIR, SR_B5=12000)
    draw(f1=pixels(4, 4, 4, 4))
    cropcredit("scenes", "add", tmp_path / "l", "--product", "landsat-c2-l2")
    _, [ndvi] = measure()
    assert ndvi["f1"].mean == pytest.approx(0.25 / 0.35, abs=1e-4)
    [scene] = workspace.facts.find(Scene)
    assert {band.name for band in scene.bands} == {"red", "nir", "swir16", "qa"}


def test_the_name_tells_tile_day_pass_and_when_it_was_there(workspace, cropcredit, tmp_path):
    write_landsat(tmp_path / "l", LC09, SR_B4=RED, SR_B5=NIR)
    write_landsat(tmp_path / "l" / "older", LC09.replace("_T1", "_RT").replace("0603", "0601"), SR_B4=RED, SR_B5=9000)
    said = cropcredit("scenes", "add", tmp_path / "l", "--product", "landsat-c2-l2")
    assert "note: LC09_L2SP_122036_20250601_20250601_02_RT: real time: its position and calibration are" in said.err
    final, early = sorted(workspace.facts.find(Scene), key=lambda scene: scene.id, reverse=True)
    assert (final.tile, final.datatake, final.processing_baseline) == ("122036", "LC09_122036_20250601", "02")
    assert (final.acquired_at, final.available_at) == (
        datetime(2025, 6, 1, tzinfo=UTC),
        datetime(2025, 6, 4, tzinfo=UTC),
    )
    assert early.datatake == final.datatake


def test_of_one_pass_the_final_processing_counts(cropcredit, draw, measure, tmp_path):
    write_landsat(tmp_path / "l", LC09, SR_B4=RED, SR_B5=NIR)
    write_landsat(tmp_path / "l", LC09.replace("_T1", "_RT").replace("0603", "0601"), SR_B4=RED, SR_B5=9000)
    draw(f1=pixels(4, 4, 4, 4))
    cropcredit("scenes", "add", tmp_path / "l", "--product", "landsat-c2-l2")
    _, [first] = measure(as_of=datetime(2025, 6, 3, tzinfo=UTC))
    _, [second] = measure()
    assert first["f1"].mean < 0 < second["f1"].mean == pytest.approx(0.25 / 0.35, abs=1e-4)


def test_southern_scenes_come_in_a_northern_zone_with_negative_northings(cropcredit, draw, measure, tmp_path):
    """So the archive ships them: a reader who adds a hemisphere of his own lands 10,000 km off."""
    south = {"crs": "EPSG:32637", "north": -1_500_015.0}
    write_landsat(tmp_path / "l", LC09.replace("122036", "166070"), SR_B4=RED, SR_B5=NIR, **south)
    draw(f1=pixels(4, 4, 4, 4, **south))
    cropcredit("scenes", "add", tmp_path / "l", "--product", "landsat-c2-l2")
    _, [ndvi] = measure()
    assert pixels(4, 4, 4, 4, **south).centroid.y == pytest.approx(-13.57, abs=0.01)
    assert (ndvi["f1"].mean, ndvi["f1"].pixels) == pytest.approx((0.25 / 0.35, 16), abs=1e-3)


def test_a_scene_without_its_near_infrared_is_refused(cropcredit, tmp_path):
    write_landsat(tmp_path / "l", LC09, SR_B4=RED)
    said = cropcredit("scenes", "add", tmp_path / "l", "--product", "landsat-c2-l2")
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert f"{LC09}: has no band nir" in said.err


def test_files_under_other_names_are_no_landsat_scene(workspace, tmp_path):
    write_landsat(tmp_path / "l", "mine", SR_B4=RED, SR_B5=NIR)
    with pytest.raises(EmptyInput, match="holds no landsat-c2-l2 scene"):
        workspace.add_scenes([str(tmp_path / "l")], product="landsat-c2-l2")
