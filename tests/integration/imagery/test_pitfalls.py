"""The classic ways to get an index wrong, row by row, from files to means per field that can be checked by head.

Rows as in the pitfall table of our remote-sensing notes. What another test proves is not proven again here.

===  =====================================  ============================================================================
row  pitfall                                proven by
===  =====================================  ============================================================================
D1   offset by baseline, never by date;     here; unit/imagery/test_radiometry.py
     DN 0 is no data before the offset
D2   offset twice, not at all, declared     twice: test_cli_imagery.py and, on real pixels, test_real_rasters.py; here
     wrongly
D3   scale and offset do not cancel: EVI2   here
D4   negative reflectance                   here; property/test_imagery.py
D5   scene classes and their margin         here; unit/imagery/test_layers_and_zonal.py; paddy: test_refresh_ndvi.py
D6   shadows and clouds the mask missed     unit/imagery/test_collapse.py; on 68 real days test_real_clouds.py
D7   classes at 20 m: nearest               here; unit/imagery/test_grids.py
D8   tile overlap, edges of UTM zones       here; unit/fields/test_relations.py
D9   split datastrips, repeated items       here; newer processing: unit/usecases/test_refresh_ndvi.py
D10  angle of view                          the ground track is kept: test_scene_files.py, test_sentinel1.py
D11  MODIS: sinusoidal, reliability, fill   test_hdf4.py, test_real_rasters.py, unit/imagery/test_products.py
D12  NDVI saturates                         EVI2 and NDRE come along: unit/imagery/test_layers_and_zonal.py
D13  geometry: invalid, axes exchanged      unit/fields/test_boundary.py, test_axes.py; test_cli_imagery.py
D14  antimeridian                           here; unit/fields/test_meridian.py, unit/imagery/test_grids.py
D15  NaN beside nodata; overviews           here; untagged fill: test_worldcereal.py, unit/imagery/test_products.py
D16  half a pixel                           here; JPEG 2000: test_scene_files.py; on 16 real registers
                                            test_real_registers.py
D17  southern hemisphere                    here; Landsat's northern zones in the south: test_landsat.py
===  =====================================  ============================================================================

A raster cut short is refused where it is added (test_cli_imagery.py), and here where it was cut afterwards.
"""

import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
import rasterio
import shapely
from rasterio.enums import Resampling

from cropcredit.fields import reproject
from cropcredit.usecases.add_scenes import Declared
from cropcredit.usecases.ndvi_plan import NdviConfig
from tests.rasterfiles import square, write_raster, write_scene

S2 = ("--product", "s2-l2a")
HALF, THIRD = 0.5, 0.3
"""Two indices that are told apart."""


@pytest.fixture
def one_field(draw):
    """Import a field of ten by ten pixels."""
    draw(f1=square(50, 50, 100))


def write_dn(scene, *, red, nir):
    """Overwrite the digital numbers of a scene; as in the archive no tag tells what stands for no data."""
    for name, value in (("B04", red), ("B08", nir)):
        write_raster(scene / f"{name}.tif", np.broadcast_to(np.asarray(value, dtype=np.uint16), (40, 40)))


def middle(field, crs):
    """Give the middle of a field, metres."""
    x, y = shapely.get_coordinates(reproject(field.centroid, "EPSG:4326", crs))[0]
    return x, y


def one_line(said):
    assert said.err.count("\n") == 1
    return said.err


@pytest.mark.usefixtures("one_field")
def test_d1_the_baseline_decides_whatever_the_day(cropcredit, measure, tmp_path):
    """Red 0.05, nir 0.15: written as 1500 and 2500 on an old day reprocessed, as 500 and 1500 by an old baseline."""
    write_dn(write_scene(tmp_path / "s", day="2018-06-01", processing_baseline="05.00"), red=1500, nir=2500)
    write_dn(write_scene(tmp_path / "s", day="2025-06-01", processing_baseline="03.01"), red=500, nir=1500)
    cropcredit("scenes", "add", tmp_path / "s", *S2)
    _, seen = measure()
    assert [look["f1"].mean for look in seen] == pytest.approx([0.5, 0.5], abs=1e-4)


@pytest.mark.usefixtures("one_field")
def test_d1_zero_is_no_data_and_never_minus_a_tenth(cropcredit, measure, tmp_path):
    """The right half of the field was never seen: with the offset it would be -0.1, and half the mean."""
    red = np.full((40, 40), 1500)
    red[:, 10:] = 0
    write_dn(write_scene(tmp_path / "s", day="2025-06-01"), red=red, nir=2500)
    cropcredit("scenes", "add", tmp_path / "s", *S2)
    _, [seen] = measure()
    assert (seen["f1"].mean, seen["f1"].data, seen["f1"].clear) == pytest.approx((0.5, 0.5, 0.5), abs=1e-3)


@pytest.mark.parametrize(
    ("sheet", "cure"),
    [
        pytest.param({"processing_baseline": "05.10"}, ("--offset", "not_applied"), id="not at all"),
        pytest.param(
            {"processing_baseline": ""}, ("--offset", "not_applied", "--baseline", "05.10"), id="and no baseline said"
        ),
    ],
)
def test_d2_an_offset_said_to_be_gone_that_is_still_there_stops_the_run(
    cropcredit, draw, measure, tmp_path, sheet, cure
):
    """1521 vegetated pixels, none with red below 0.1: 0.15 was never taken down to 0.05."""
    draw(f1=square(5, 5, 390))
    scene = write_scene(tmp_path / "s", day="2025-06-01", offset="applied", **sheet)
    cropcredit("scenes", "add", scene, *S2)
    said = cropcredit("ndvi", "run")
    assert said.code == 2
    assert "S2_50SMJ_20250601: no vegetated pixel has red reflectance below 0.1: the offset is still" in one_line(said)
    assert cropcredit("scenes", "add", scene, *S2, *cure).code == 0
    _, [seen] = measure()
    assert seen["f1"].mean == pytest.approx(0.5, abs=1e-3)


def test_d2_an_offset_that_may_be_there_wants_a_baseline(cropcredit, tmp_path):
    scene = write_scene(tmp_path / "s", day="2025-06-01", processing_baseline="")
    said = cropcredit("scenes", "add", scene, *S2, "--offset", "not_applied")
    assert said.code == 2
    assert "needs a processing baseline and there is none; declare --offset applied if the archive" in one_line(said)


@pytest.mark.usefixtures("one_field")
def test_d3_evi2_is_that_of_reflectance_not_of_digital_numbers(cropcredit, measure, tmp_path):
    """2.5 x (0.15 - 0.05) / (0.15 + 2.4 x 0.05 + 1) = 0.197; of digital numbers it would be 1.02."""
    write_dn(write_scene(tmp_path / "s", day="2018-06-01", processing_baseline="05.00"), red=1500, nir=2500)
    write_dn(write_scene(tmp_path / "s", day="2025-06-01", processing_baseline="03.01"), red=500, nir=1500)
    cropcredit("scenes", "add", tmp_path / "s", *S2)
    _, seen = measure("EVI2")
    assert [look["f1"].mean for look in seen] == pytest.approx([0.25 / 1.27] * 2, abs=1e-4)


@pytest.mark.usefixtures("one_field")
def test_d4_negative_red_gives_one_at_most_and_darkness_gives_nothing(cropcredit, measure, tmp_path):
    """Of 100 pixels one has red -0.01 and counts as 1, one is all but black and counts for nothing: (49 + 1) / 99."""
    red, nir = np.full((40, 40), 1500), np.full((40, 40), 2500)
    red[5, 5] = 900
    red[6, 6], nir[6, 6] = 1000, 1005
    write_dn(write_scene(tmp_path / "s", day="2025-06-01"), red=red, nir=nir)
    cropcredit("scenes", "add", tmp_path / "s", *S2)
    _, [seen] = measure()
    assert (seen["f1"].mean, seen["f1"].clear) == pytest.approx((50 / 99, 0.99), abs=1e-4)


@pytest.mark.parametrize(
    ("kind", "margin_m", "dropped"),
    [
        pytest.param(9, 0, 4, id="a cloud is one pixel of 20 m"),
        pytest.param(9, 20, 36, id="and one around it"),
        pytest.param(9, 40, 100, id="and two around it"),
        pytest.param(3, 40, 100, id="a shadow reaches as far"),
        pytest.param(10, 40, 100, id="and cirrus"),
        pytest.param(11, 40, 4, id="snow does not"),
    ],
)
def test_d5_clouds_and_shadows_reach_beyond_their_pixels(cropcredit, draw, measure, tmp_path, kind, margin_m, dropped):
    """A field of 20 x 20 pixels with one pixel of scene classes in its middle; what is dropped reads 0.9."""
    draw(f1=square(100, 100, 200))
    classes = np.full((20, 20), 4, dtype=np.uint8)
    classes[9, 9] = kind
    ndvi = np.full((40, 40), HALF)
    ndvi[18:20, 18:20] = 0.9
    cropcredit("scenes", "add", write_scene(tmp_path / "s", day="2025-06-01", ndvi=ndvi, scl=classes), *S2)
    _, [seen] = measure(config=NdviConfig(cloud_margin_m=margin_m))
    assert (seen["f1"].mean, seen["f1"].clear) == pytest.approx((HALF, 1 - dropped / 400), abs=1e-3)


def test_d7_classes_are_taken_from_above_never_mixed(workspace, cropcredit, draw, tmp_path):
    """Vegetation and snow like a chessboard: half is clear. Mixed, 4 and 11 make 7, which would be kept and flagged."""
    draw(f1=square(100, 100, 80))
    classes = np.where(np.indices((20, 20)).sum(axis=0) % 2, 4, 11).astype(np.uint8)
    cropcredit("scenes", "add", write_scene(tmp_path / "s", day="2025-06-01", scl=classes), *S2)
    run = workspace.refresh_ndvi(as_of=datetime(2030, 1, 1, tzinfo=UTC))
    [seen] = workspace.refresh_ndvi.observations.read(run.units, index="NDVI")
    assert (seen.clear_fraction[0], seen.flagged[0]) == (pytest.approx(0.5, abs=1e-3), False)


EAST_OF_THE_SEAM = (230_000.0, 4_000_000.0)
"""In zone 51, some 100 m from where zone 50 ends."""


def test_d8_a_field_between_two_zones_is_observed_once_in_the_tile_that_holds_more_of_it(
    cropcredit, draw, measure, tmp_path
):
    """Both tiles saw it on one day in different light: 0.3 where it lies whole, 0.5 where a part of it does."""
    field = square(50, 50, 100, crs="EPSG:32651", corner=EAST_OF_THE_SEAM)
    x, y = middle(field, "EPSG:32650")
    draw(f1=field)
    write_scene(tmp_path / "a", day="2025-06-01", ndvi=HALF, tile="50SQA", id="a", crs="EPSG:32650",
                corner=(round(x, -1) - 400, round(y, -1) + 200))  # fmt: skip
    write_scene(tmp_path / "b", day="2025-06-01", ndvi=THIRD, tile="51STA", id="b", crs="EPSG:32651",
                corner=EAST_OF_THE_SEAM)  # fmt: skip
    cropcredit("scenes", "add", tmp_path / "a", tmp_path / "b", *S2)
    run, [seen] = measure()
    assert [unit.split("/")[0] for unit in run.units] == ["51STA"]
    assert (seen["f1"].mean, seen["f1"].pixels) == pytest.approx((THIRD, 100), abs=1e-3)
    assert run.outcomes["partly_outside"] == 0


def meeting_at(folder, place, *tiles):
    """Write scenes of 400 x 400 m in two zones around a place: name, zone, metres that it lies further east, index."""
    for name, crs, east, ndvi in tiles:
        middle = shapely.get_coordinates(reproject(place, "EPSG:4326", crs))[0].round(-1)
        corner = (float(middle[0]) - 200 + east, float(middle[1]) + 200)
        write_scene(folder / name, day="2025-06-01", ndvi=ndvi, tile=name, id=name, crs=crs, corner=corner)
        yield {"crs": crs, "corner": corner}


def means(seen):
    return [{name: round(field.mean, 3) for name, field in look.items()} for look in seen]


def test_d8_each_field_of_two_tiles_that_overlap_has_one_home(workspace, draw, measure, tmp_path):
    """What both hold whole goes to the first name; what hangs over the rim of one, to the other."""
    west, _ = meeting_at(
        tmp_path, shapely.Point(120, 36.1), ("50SQJ", "EPSG:32650", 0, HALF), ("51STD", "EPSG:32651", 150, THIRD)
    )
    places = {"alone": 50, "both": 260, "rim": 380, "beyond": 470}
    draw(**{name: square(left, 170, 60, **west) for name, left in places.items()})
    workspace.add_scenes([str(tmp_path / "50SQJ"), str(tmp_path / "51STD")], product="s2-l2a")
    run, seen = measure()
    assert means(seen) == [{"alone": HALF, "both": HALF}, {"beyond": THIRD, "rim": THIRD}]
    assert (run.outcomes["observed"], run.outcomes["partly_outside"]) == (4, 0)


@pytest.mark.usefixtures("one_field")
def test_d8_a_scene_that_lies_in_another_zone_than_its_tile_sees_nothing_and_is_named(cropcredit, measure, tmp_path):
    """The same metres in zone 51 lie six degrees further east."""
    write_scene(tmp_path / "s", day="2025-06-01")
    write_scene(tmp_path / "s", day="2025-06-06", ndvi=THIRD, crs="EPSG:32651")
    cropcredit("scenes", "add", tmp_path / "s", *S2)
    assert "no data: S2_50SMJ_20250606 (empty over every field" in cropcredit("ndvi", "run").out
    _, [first, second] = measure()
    assert first["f1"].mean == pytest.approx(HALF, abs=1e-3)
    assert (np.isnan(second["f1"].mean), second["f1"].data) == (True, 0)


@pytest.mark.usefixtures("one_field")
def test_d8_a_scene_of_another_zone_is_covered_on_its_own_grid(cropcredit, measure, tmp_path):
    """The second day comes in zone 51, where the field stands askew and elsewhere in the raster, on its own ground."""
    write_scene(tmp_path / "s", day="2025-06-01", ndvi=HALF)
    x, y = middle(square(50, 50, 100), "EPSG:32651")
    ndvi = np.full((40, 40), 0.9)
    ndvi[22:38, 22:38] = THIRD
    write_scene(tmp_path / "s", day="2025-06-06", ndvi=ndvi, crs="EPSG:32651", corner=(round(x) - 300, round(y) + 300))
    cropcredit("scenes", "add", tmp_path / "s", *S2)
    _, seen = measure()
    assert [look["f1"].mean for look in seen] == pytest.approx([HALF, THIRD], abs=1e-3)
    assert [look["f1"].pixels for look in seen] == pytest.approx([100, 100], rel=0.02)


@pytest.mark.usefixtures("one_field")
def test_d9_two_halves_of_one_pass_complete_each_other(cropcredit, measure, tmp_path):
    """Left 0.5, right 0.3: together 0.4 of the whole field, in one observation."""
    for name, ndvi, hidden in (("left", HALF, slice(10, 40)), ("right", THIRD, slice(0, 10))):
        scene = write_scene(tmp_path / name, day="2025-06-01", ndvi=ndvi, id=name)
        red = np.full((40, 40), 1500)
        red[:, hidden] = 0
        write_dn(scene, red=red, nir=round(500 * (1 + ndvi) / (1 - ndvi)) + 1000)
    cropcredit("scenes", "add", tmp_path / "left", tmp_path / "right", *S2)
    _, [seen] = measure()
    assert (seen["f1"].mean, seen["f1"].data) == pytest.approx((0.4, 1), abs=1e-3)


@pytest.mark.usefixtures("one_field")
def test_d9_where_two_halves_overlap_the_one_that_came_last_counts_and_nothing_is_averaged(
    cropcredit, measure, tmp_path
):
    """The field has columns 5 to 14. The last half covers up to 9 with 0.3, the other from 7 on with 0.5: five each."""
    for name, ndvi, hour, hidden in (("last", THIRD, 20, slice(10, 40)), ("first", HALF, 15, slice(0, 7))):
        scene = write_scene(
            tmp_path / name, day="2025-06-01", ndvi=ndvi, id=name, available_at=f"2025-06-01T{hour}:00:00Z"
        )
        red = np.full((40, 40), 1500)
        red[:, hidden] = 0
        write_raster(scene / "B04.tif", red.astype(np.uint16), nodata=0)
    cropcredit("scenes", "add", tmp_path / "first", tmp_path / "last", *S2)
    _, [seen] = measure()
    assert (seen["f1"].mean, seen["f1"].data) == pytest.approx((0.4, 1), abs=1e-3)


@pytest.mark.usefixtures("one_field")
def test_d9_an_item_that_comes_twice_counts_once(cropcredit, measure, tmp_path):
    for name in ("first", "second"):
        write_scene(tmp_path / name, day="2025-06-01", id=name)
    said = cropcredit("scenes", "add", tmp_path / "first", tmp_path / "second", *S2, "--json")
    assert [row["reason"] for row in json.loads(said.out)] == ["", "same pixels as first"]
    run, seen = measure()
    assert (len(seen), run.outcomes["observed"]) == (1, 1)


OVER_THE_MERIDIAN = (180_010.0, 8_140_000.0)
"""In zone 1 south, over Fiji; the 180th meridian runs 201 m right of it."""


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:32701", "EPSG:32760"])
def test_d14_a_field_on_the_180th_meridian_is_one_field(workspace, cropcredit, draw, measure, tmp_path, crs):
    """Six columns of 0.3 and four of 0.5, drawn in degrees or in the zone of either side; 8 x 8 pixels of core."""
    whole = shapely.box(180_150, 8_139_800, 180_250, 8_139_900)
    draw(crs=crs, f1=reproject(whole, "EPSG:32701", crs))
    [field] = workspace.import_fields.fields.read()
    assert (field.area_ha, field.repaired) == (
        pytest.approx(0.998, abs=1e-3),
        "crosses the 180th meridian: parted there",
    )
    ndvi = np.full((40, 40), HALF)
    ndvi[:, :20] = THIRD
    write_scene(tmp_path / "a", day="2025-06-01", ndvi=ndvi, tile="01KAB", crs="EPSG:32701", corner=OVER_THE_MERIDIAN)
    cropcredit("scenes", "add", tmp_path / "a", *S2)
    run, [seen] = measure()
    assert (run.unobserved, run.outcomes["partly_outside"]) == ((), 0)
    assert (seen["f1"].mean, seen["f1"].pixels) == pytest.approx((0.6 * THIRD + 0.4 * HALF, 100), abs=2e-3)
    [row] = workspace.refresh_ndvi.observations.read(run.units, index="NDVI")
    assert (row.core_pixels[0], row.core_buffer_m[0]) == (pytest.approx(64, abs=0.1), 10)


def test_d14_tiles_on_both_sides_of_the_meridian_share_the_fields(workspace, draw, measure, tmp_path):
    """The tile of zone 60 ends 100 m beyond the meridian, that of zone 1 begins on it."""
    west, _ = meeting_at(
        tmp_path, shapely.Point(180, -17), ("60KZF", "EPSG:32760", -100, HALF), ("01KAB", "EPSG:32701", 200, THIRD)
    )
    draw(across=square(260, 160, 80, **west), east=square(440, 160, 60, **west))
    workspace.add_scenes([str(tmp_path / "60KZF"), str(tmp_path / "01KAB")], product="s2-l2a")
    run, seen = measure()
    assert means(seen) == [{"east": THIRD}, {"across": HALF}]
    assert run.outcomes["observed"] == 2


@pytest.mark.usefixtures("one_field")
def test_d15_nan_and_the_nodata_value_may_stand_in_one_raster(cropcredit, measure, tmp_path):
    """Of ten columns five are NaN and two -9999: the other three are 0.5."""
    ndvi = np.full((40, 40), HALF, dtype=np.float32)
    ndvi[:, 5:10], ndvi[:, 10:12] = np.nan, -9999
    path = write_raster(tmp_path / "ndvi_2025-06-01.tif", ndvi, nodata=-9999)
    cropcredit("scenes", "add", path, "--product", "ndvi", "--tile", "50SMJ")
    _, [seen] = measure()
    assert (seen["f1"].mean, seen["f1"].data) == pytest.approx((0.5, 0.3), abs=1e-3)


def test_d15_overviews_are_never_read(cropcredit, draw, measure, tmp_path):
    """Columns alternate between 0.2 and 0.8; the overviews, of every second and fourth column, hold 0.2 alone."""
    ndvi = np.broadcast_to(np.where(np.arange(512) % 2, 0.8, 0.2), (512, 512)).astype(np.float32)
    path = write_raster(tmp_path / "ndvi_2025-06-01.tif", ndvi)
    with rasterio.open(path, "r+") as raster:
        raster.build_overviews([2, 4], Resampling.nearest)
    with rasterio.open(path, overview_level=0) as overview:
        assert (overview.read(1) == np.float32(0.2)).all()
    draw(f1=square(0, 0, 5120))
    cropcredit("scenes", "add", path, "--product", "ndvi", "--tile", "50SMJ")
    _, [seen] = measure()
    assert seen["f1"].mean == pytest.approx(0.5, abs=1e-3)


def test_d16_a_field_half_a_pixel_off_takes_half_of_its_rim(cropcredit, draw, measure, tmp_path):
    """From the middle of column 5 to the middle of column 7: (0.5 x 0.2 + 0.4 + 0.5 x 0.8) / 2 = 0.45, of 4 pixels."""
    draw(f1=square(55, 55, 20))
    ndvi = np.full((40, 40), -0.9, dtype=np.float32)
    ndvi[:, 5:8] = 0.2, 0.4, 0.8
    path = write_raster(tmp_path / "ndvi_2025-06-01.tif", ndvi)
    cropcredit("scenes", "add", path, "--product", "ndvi", "--tile", "50SMJ")
    _, [seen] = measure()
    assert (seen["f1"].mean, seen["f1"].pixels) == pytest.approx((0.45, 4), abs=1e-3)


def test_d17_a_field_south_of_the_equator_lies_in_a_southern_zone(workspace, cropcredit, draw, measure, tmp_path):
    """A hectare in Kenya, 0.9 degrees south: 100 pixels, 64 of them core, nothing of the index around it."""
    south: dict[str, Any] = {"crs": "EPSG:32736", "corner": (600_000.0, 9_900_000.0)}
    draw(f1=square(50, 50, 100, **south))
    ndvi = np.full((40, 40), THIRD)
    ndvi[5:15, 5:15] = HALF
    cropcredit("scenes", "add", write_scene(tmp_path / "s", day="2025-06-01", ndvi=ndvi, tile="36MYE", **south), *S2)
    run, [seen] = measure()
    assert (seen["f1"].mean, seen["f1"].pixels) == pytest.approx((HALF, 100), abs=1e-3)
    [row] = workspace.refresh_ndvi.observations.read(run.units, index="NDVI")
    assert (row.core_mean[0], row.core_pixels[0]) == pytest.approx((HALF, 64), abs=0.1)
    assert workspace.import_fields.fields.read()[0].boundary.centroid.y == pytest.approx(-0.905, abs=1e-3)


@pytest.mark.usefixtures("one_field")
def test_a_raster_cut_short_after_it_was_added_stops_the_run_by_name_and_the_others_stay_done(cropcredit, tmp_path):
    write_scene(tmp_path / "s", day="2025-06-01")
    broken = write_scene(tmp_path / "s", day="2025-06-06") / "B08.tif"
    write_raster(broken, np.random.default_rng(0).integers(1500, 9999, (40, 40), dtype=np.uint16), nodata=0)
    cropcredit("scenes", "add", tmp_path / "s", *S2)
    whole = broken.read_bytes()
    broken.write_bytes(whole[:600])
    said = cropcredit("ndvi", "run")
    assert said.code == 2
    assert "S2_50SMJ_20250606/B08.tif: the raster cannot be read" in one_line(said)
    assert one_line(said).strip().endswith("it may be cut short: fetch it again")
    broken.write_bytes(whole)
    assert "2 scenes, 1 computed, 1 finished before" in cropcredit("ndvi", "run").out


@pytest.mark.usefixtures("one_field")
def test_a_scene_that_is_empty_over_every_field_is_named_and_stops_nobody(workspace, cropcredit, measure, tmp_path):
    write_scene(tmp_path / "s", day="2025-06-01")
    write_dn(write_scene(tmp_path / "s", day="2025-06-06"), red=0, nir=0)
    workspace.add_scenes([str(tmp_path / "s")], product="s2-l2a", declared=Declared())
    said = cropcredit("ndvi", "run")
    assert (said.code, "1 observed" in said.out) == (0, True)
    assert said.out.splitlines()[-1] == "no data: S2_50SMJ_20250606 (empty over every field of its tile)"
    run, _ = measure()
    assert run.without_data == ("S2_50SMJ_20250606",)
