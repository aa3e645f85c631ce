"""The documented forms of scenes: found, described, put into the scene table, or refused by name."""

import json
import re
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import rasterio
import rasterio.shutil

from cropcredit.adapters.rasters import RasterioReader
from cropcredit.adapters.scenes import FORMS, SceneFolders
from cropcredit.errors import EmptyInput, MalformedInput, UnknownName
from cropcredit.imagery import PRODUCTS
from cropcredit.model import Offset, Scene
from cropcredit.usecases import add_scenes
from cropcredit.usecases.add_scenes import AddScenes, Declared
from cropcredit.usecases.ndvi_plan import NdviConfig
from tests.fakes import FakeFacts
from tests.rasterfiles import square, write_raster, write_scene

SAFE_XML = """<?xml version="1.0" encoding="UTF-8"?>
<n1:Level-2A_User_Product xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/User_Product_Level-2A.xsd">
 <n1:General_Info><Product_Info>
  <PRODUCT_START_TIME>2024-03-04T10:50:21.024Z</PRODUCT_START_TIME>
  <PRODUCT_URI>S2A_MSIL2A_20240304T105021_N0510_R051_T31UFS_20240304T150000.SAFE</PRODUCT_URI>
  <PROCESSING_BASELINE>05.10</PROCESSING_BASELINE><GENERATION_TIME>2024-03-04T15:00:00.000000Z</GENERATION_TIME>
 </Product_Info><Product_Image_Characteristics><BOA_ADD_OFFSET_VALUES_LIST>
  <BOA_ADD_OFFSET band_id="3">{offset}</BOA_ADD_OFFSET></BOA_ADD_OFFSET_VALUES_LIST>
 </Product_Image_Characteristics></n1:General_Info></n1:Level-2A_User_Product>"""
INT16 = np.full((3, 4), 5000, dtype=np.int16)


@pytest.fixture
def add(tmp_path):
    return AddScenes(facts=FakeFacts(), files=SceneFolders(root=tmp_path), rasters=RasterioReader(root=tmp_path))


def only(add):
    [scene] = add.facts.find(Scene)
    return scene


def safe(folder, *, offset=-1000, size_m=40, **dn):
    images = folder / "x.SAFE" / "GRANULE" / "L2A_T31UFS" / "IMG_DATA"
    coarse = ("B02_20m", "B05_20m", "B06_20m", "B07_20m", "B8A_20m", "B11_20m", "B12_20m", "SCL_20m", "WVP_20m")
    for name in ("B02_10m", "B03_10m", "B04_10m", "B08_10m", "TCI_10m", *coarse):
        pixel_m = int(name[-3:-1])
        said = np.asarray(dn.get(name[:3], 2000), dtype=np.uint16)
        pixels = np.broadcast_to(said, (size_m // pixel_m, size_m // pixel_m))
        write_raster(images / f"R{name[-3:]}" / f"T31UFS_20240304T105021_{name}.tif", pixels, pixel_m=pixel_m)
    (folder / "x.SAFE" / "MTD_MSIL2A.xml").write_text(SAFE_XML.format(offset=offset))
    return folder / "x.SAFE"


def test_a_ready_made_folder_says_everything_in_its_sheet(add, tmp_path):
    path = write_scene(tmp_path / "scenes", day="2025-06-01")
    [outcome] = add([str(path)], product="s2-l2a")
    scene = only(add)
    assert (outcome.outcome, outcome.id, scene.tile) == ("added", "S2_50SMJ_20250601", "50SMJ")
    assert scene.acquired_at == datetime(2025, 6, 1, 3, tzinfo=UTC)
    assert scene.available_at == scene.known_at == datetime(2025, 6, 1, 15, tzinfo=UTC)
    assert (scene.processing_baseline, scene.offset, scene.synthetic) == ("05.10", Offset.AUTO, True)
    assert {band.name: band.href for band in scene.bands} == {
        "red": "scenes/S2_50SMJ_20250601/B04.tif",
        "nir": "scenes/S2_50SMJ_20250601/B08.tif",
        "scl": "scenes/S2_50SMJ_20250601/SCL.tif",
    }
    assert scene.grid.shape == (40, 40)
    assert len(scene.content_hash) == 64


def test_a_folder_of_scenes_is_searched_and_a_second_time_nothing_changes(add, tmp_path):
    for day in ("2025-06-06", "2025-06-01"):
        write_scene(tmp_path / "scenes", day=day, ndvi=0.3 if day.endswith("1") else 0.5)
    assert [o.id[-8:] for o in add([str(tmp_path / "scenes")], product="s2-l2a")] == ["20250601", "20250606"]
    assert {o.outcome for o in add([str(tmp_path / "scenes")], product="s2-l2a")} == {"unchanged"}


def test_a_safe_folder_speaks_for_itself(add, tmp_path):
    add([str(safe(tmp_path))], product="s2-l2a")
    scene = only(add)
    assert scene.id == "S2A_MSIL2A_20240304T105021_N0510_R051_T31UFS_20240304T150000"
    assert (scene.tile, scene.processing_baseline, scene.offset) == ("31UFS", "05.10", Offset.NOT_APPLIED)
    assert scene.available_at == datetime(2024, 3, 4, 15, tzinfo=UTC)
    assert {band.name: band.href[-11:-4] for band in scene.bands} == {
        "blue": "B02_10m",
        "green": "B03_10m",
        "red": "B04_10m",
        "rededge": "B05_20m",
        "rededge2": "B06_20m",
        "rededge3": "B07_20m",
        "nir": "B08_10m",
        "swir16": "B11_20m",
        "swir22": "B12_20m",
        "scl": "SCL_20m",
    }
    assert (scene.datatake, scene.relative_orbit) == ("S2A_20240304T105021", 51)


def test_a_safe_folder_in_jpeg_2000_gives_a_field_the_index_of_its_own_pixels(draw, measure, workspace, tmp_path):
    """A hundred pixels of 0.05 and 0.2, NDVI 0.6, amid 0.1: half a pixel aside it would be less, left in 0.29.

    One class of 20 m is a cloud; without a margin it takes four pixels.
    """
    near, classes = np.full((40, 40), 1611), np.full((20, 20), 4)
    near[6:16, 6:16], classes[4, 4] = 3000, 9
    folder = safe(tmp_path, size_m=400, B04=1500, B08=near, SCL=classes)
    for path in sorted(folder.rglob("*.tif")):
        rasterio.shutil.copy(path, path.with_suffix(".jp2"), driver="JP2OpenJPEG", QUALITY="100", REVERSIBLE="YES")
        path.unlink()
    draw(f1=square(60, 60, 100))
    [outcome] = workspace.add_scenes([str(folder)], product="s2-l2a")
    assert outcome.outcome == "added"
    _, [seen] = measure(config=NdviConfig(cloud_margin_m=0))
    assert (seen["f1"].mean, seen["f1"].clear, seen["f1"].pixels) == pytest.approx((0.6, 0.96, 100), abs=1e-3)


def test_a_safe_folder_under_another_name_is_read_but_tells_no_pass(add, tmp_path):
    path = safe(tmp_path)
    sheet = path / "MTD_MSIL2A.xml"
    sheet.write_text(sheet.read_text().replace("S2A_MSIL2A_20240304T105021_N0510_R051_T31UFS_20240304T150000", "mine"))
    add([str(path)], product="s2-l2a", declared=Declared(tile="31UFS"))
    assert (only(add).id, only(add).datatake, only(add).relative_orbit) == ("mine", "", 0)


def test_a_safe_folder_that_contradicts_its_baseline_is_refused(add, tmp_path):
    [outcome] = add([str(safe(tmp_path, offset=0))], product="s2-l2a")
    assert "names offsets [0], but processing baseline 05.10 means -1000" in outcome.reason


def test_a_safe_folder_of_another_scale_is_refused(add, tmp_path):
    sheet = safe(tmp_path) / "MTD_MSIL2A.xml"
    value = '<BOA_QUANTIFICATION_VALUE unit="none">{}</BOA_QUANTIFICATION_VALUE><BOA_ADD_OFFSET_VALUES_LIST>'
    whole = sheet.read_text()
    for number, outcome in ((10000, "added"), (1000, "refused")):
        sheet.write_text(whole.replace("<BOA_ADD_OFFSET_VALUES_LIST>", value.format(number)))
        [found] = add([str(sheet.parent)], product="s2-l2a")
        assert found.outcome == outcome
    assert "MTD_MSIL2A.xml: names a quantification value of [1000.0], not 10000; write the bands" in found.reason


def test_one_file_with_named_bands_is_a_scene_of_the_first_day_in_its_name(add, tmp_path):
    path = write_raster(tmp_path / "weekly_2024-03-04_2024-03-10.tif", np.full((3, 4, 4), 2000, dtype=np.uint16))
    with rasterio.open(path, "r+") as raster:
        raster.descriptions = ("B02", "B04", "B08")
    add([str(path)], product="s2-l2a", declared=Declared(tile="31UFS", offset=Offset.APPLIED))
    scene = only(add)
    assert [(band.name, band.band) for band in scene.bands] == [("blue", 1), ("red", 2), ("nir", 3)]
    assert scene.acquired_at == datetime(2024, 3, 4, tzinfo=UTC)
    assert scene.available_at - scene.acquired_at == PRODUCTS["s2-l2a"].lag


def test_a_folder_of_files_with_named_bands_is_searched_and_pictures_beside_them_are_passed_over(add, tmp_path):
    """Some platforms write B4 for B04."""
    for day, names in (("2024-03-04", ("B04", "B08")), ("2024-03-09", ("B4", "B8"))):
        path = write_raster(tmp_path / "s" / f"s2_{day}.tif", np.full((2, 4, 4), 2000, dtype=np.uint16))
        with rasterio.open(path, "r+") as raster:
            raster.descriptions = names
    picture = write_raster(tmp_path / "s" / "true_colour_2024-03-09.tif", np.full((3, 4, 4), 9, dtype=np.uint8))
    declared = Declared(tile="31UFS", offset=Offset.APPLIED)
    assert [o.id for o in add([str(tmp_path / "s")], product="s2-l2a", declared=declared)] == [
        "s2_2024-03-04",
        "s2_2024-03-09",
    ]
    assert {tuple(band.name for band in scene.bands) for scene in add.facts.find(Scene)} == {("red", "nir")}
    [alone] = add([str(picture)], product="s2-l2a", declared=declared)
    assert alone.reason.endswith("has no band red and nir")


def test_a_file_with_named_bands_that_is_cut_short_is_refused_and_the_others_are_added(add, tmp_path):
    path = write_raster(tmp_path / "s" / "s2_2024-03-04.tif", np.full((2, 4, 4), 2000, dtype=np.uint16))
    (tmp_path / "s" / "s2_2024-03-09.tif").write_bytes(path.read_bytes()[:60])
    with rasterio.open(path, "r+") as raster:
        raster.descriptions = ("B04", "B08")
    outcomes = add([str(tmp_path / "s")], product="s2-l2a", declared=Declared(tile="31UFS", offset=Offset.APPLIED))
    assert [o.outcome for o in outcomes] == ["added", "refused"]
    assert "s2_2024-03-09.tif: the raster cannot be read" in outcomes[1].reason


def test_of_an_exported_composite_only_the_index_is_taken_for_it_and_its_other_layers_come_along(add, tmp_path):
    """One file per layer in one folder, as services export them: EVI, angles and qualities are no NDVI."""
    layers = ("NDVI", "EVI", "VI_Quality", "pixel_reliability", "composite_day_of_the_year", "NIR_reflectance")
    for layer in layers:
        write_raster(tmp_path / "m" / f"MOD13Q1.061__250m_16_days_{layer}_doy2014049_aid0001.tif", INT16)
    [outcome] = add([str(tmp_path / "m")], product="mod13q1", declared=Declared(tile="h12v10"))
    assert outcome.id == "MOD13Q1.061__250m_16_days_NDVI_doy2014049_aid0001"
    assert [(band.name, band.href.split("_days_")[1].split("_doy")[0]) for band in only(add).bands] == [
        ("ndvi", "NDVI"),
        ("evi", "EVI"),
        ("reliability", "pixel_reliability"),
    ]
    assert only(add).acquired_at == datetime(2014, 2, 18, tzinfo=UTC)


@pytest.mark.parametrize("product", ["ndvi", "evi2", "ndre"])
def test_an_index_is_never_taken_for_another_that_lies_beside_it(add, tmp_path, product):
    for name in ("NDVI", "EVI2", "NDRE"):
        write_raster(tmp_path / "i" / f"50SMJ_{name}_2025-06-01.tif", INT16)
    [outcome] = add([str(tmp_path / "i")], product=product, declared=Declared(tile="50SMJ"))
    assert outcome.id == f"50SMJ_{product.upper()}_2025-06-01"


def test_radar_angles_and_heights_beside_the_polarisations_are_passed_over(add, tmp_path):
    name = "S1A_IW_20240304T172345_DVP_RTC10_G_gpuned_1A2B"
    for layer in ("VV", "VH", "dem", "inc_map", "ls_map"):
        write_raster(tmp_path / "r" / f"{name}_{layer}.tif", np.full((3, 4), 0.1, dtype=np.float32))
    [outcome] = add([str(tmp_path / "r")], product="sentinel-1-rtc", declared=Declared(tile="31UFS"))
    assert (outcome.outcome, outcome.id) == ("added", name)
    assert [band.name for band in only(add).bands] == ["vv", "vh"]
    with pytest.raises(EmptyInput, match=r"dem.tif: holds no sentinel-1-rtc scene"):
        add([str(tmp_path / "r" / f"{name}_dem.tif")], product="sentinel-1-rtc")


def test_modis_finds_day_tile_and_reliability_in_its_names(add, tmp_path):
    write_raster(tmp_path / "m" / "TERRA_MODIS_012010_NDVI_2014-02-18.tif", INT16)
    write_raster(tmp_path / "m" / "TERRA_MODIS_012010_reliability_2014-02-18.tif", INT16.astype(np.int16))
    add([str(tmp_path / "m")], product="mod13q1")
    scene = only(add)
    assert (scene.tile, scene.acquired_at.date().isoformat()) == ("h12v10", "2014-02-18")
    assert [band.name for band in scene.bands] == ["ndvi", "reliability"]
    assert scene.available_at - scene.acquired_at == timedelta(days=24)


def test_what_somebody_declares_goes_before_what_the_files_say(add, tmp_path):
    path = write_raster(tmp_path / "index.tif", INT16)
    at = datetime(2025, 6, 9, tzinfo=UTC)
    declared = Declared(tile="t1", acquired_at=at, available_at=at + timedelta(days=3))
    add([str(path)], product="ndvi", declared=declared)
    assert only(add).known_at == at + timedelta(days=3)


def test_the_same_pixels_under_two_dates_are_pointed_out(add, tmp_path):
    for day in ("2025-06-01", "2025-06-06"):
        write_scene(tmp_path / "scenes", day=day)
    outcomes = add([str(tmp_path / "scenes")], product="s2-l2a")
    assert [o.reason for o in outcomes] == ["", "same pixels as S2_50SMJ_20250601"]


@pytest.mark.parametrize(
    ("sheet", "message"),
    [
        pytest.param({"processing_baseline": ""}, "offset 'auto' needs a processing baseline", id="no baseline"),
        pytest.param({"tile": "../x"}, "tile '../x' is not a name; say it: --tile", id="a tile that is a path"),
        pytest.param({"acquired_at": "2025-06-01T03:00:00"}, "acquired_at has no time zone", id="no zone"),
        pytest.param({"processing_baseline": "5"}, "'5' is not a processing baseline", id="a bad baseline"),
    ],
)
def test_a_scene_whose_sheet_cannot_be_right_is_refused_and_the_others_are_added(add, tmp_path, sheet, message):
    write_scene(tmp_path / "scenes", day="2025-06-01", **sheet)
    write_scene(tmp_path / "scenes", day="2025-06-06")
    outcomes = add([str(tmp_path / "scenes")], product="s2-l2a")
    assert [o.outcome for o in outcomes] == ["refused", "added"]
    assert message in outcomes[0].reason
    assert "S2_50SMJ_20250601" in outcomes[0].reason


def spoil_band(folder):
    band = folder / "B08.tif"
    noise = np.random.default_rng(0).integers(1, 9999, (40, 40), dtype=np.uint16)
    write_raster(band, noise)
    band.write_bytes(band.read_bytes()[:1500])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        pytest.param(lambda f: (f / "B08.tif").unlink(), "has no band nir", id="no near infrared"),
        pytest.param(spoil_band, "the raster cannot be read", id="cut short"),
        pytest.param(lambda f: write_raster(f / "B08.tif", INT16, crs=None), "has no coordinate system", id="no CRS"),
        pytest.param(lambda f: write_raster(f / "SCL.tif", INT16, pixel_m=15), "does not lie on grid", id="off grid"),
    ],
)
def test_a_scene_with_unusable_files_is_refused(add, tmp_path, spoil, message):
    path = write_scene(tmp_path / "scenes", day="2025-06-01")
    spoil(path)
    [outcome] = add([str(path)], product="s2-l2a")
    assert outcome.outcome == "refused"
    assert message in outcome.reason
    assert add.facts.find(Scene) == []


def test_a_sheet_that_is_no_sheet_is_refused(add, tmp_path):
    path = write_scene(tmp_path / "scenes", day="2025-06-01")
    said = json.loads((path / "scene.json").read_text()) | {"cloud": 3}
    (path / "scene.json").write_text(json.dumps(said))
    [outcome] = add([str(path)], product="s2-l2a")
    assert outcome.outcome == "refused"
    assert "scene.json: is not a scene sheet: Object contains unknown field `cloud`" in outcome.reason


def test_every_product_has_a_form_that_the_help_and_the_documentation_name(cropcredit):
    said = cropcredit("scenes", "add", "--help").out
    rows = {name for line in add_scenes.__doc__.splitlines() for name in line[:16].strip().split(", ")}
    assert set(FORMS) == set(PRODUCTS) <= rows
    for product in PRODUCTS:
        assert len(re.findall(rf"\b{product}\b", said)) == 2, "among the products, and with its form"


def test_what_holds_no_scene_is_refused(add, tmp_path):
    (tmp_path / "nothing").mkdir()
    with pytest.raises(EmptyInput, match="holds no s2-l2a scene"):
        add([str(tmp_path / "nothing")], product="s2-l2a")
    with pytest.raises(MalformedInput, match="there is no such file or folder"):
        add([str(tmp_path / "absent")], product="s2-l2a")
    with pytest.raises(UnknownName, match="unknown product 'landsat'; known: s2-l2a, landsat-c2-l2, sentinel-1-rtc"):
        add([str(tmp_path)], product="landsat")
    undated = write_raster(tmp_path / "index.tif", INT16)
    [outcome] = add([str(undated)], product="ndvi", declared=Declared(tile="t1"))
    assert outcome.reason.endswith("does not say when it was acquired; say it: --date 2025-06-01")


def test_an_empty_raster_is_named_before_anything_else_is_asked(tmp_path):
    (tmp_path / "ndvi_20240304.tif").touch()
    (draft,) = SceneFolders(root=tmp_path).describe(str(tmp_path), "ndvi")
    assert "ndvi_20240304.tif: the raster is empty; fetch it again" in draft.problem
