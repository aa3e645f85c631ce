"""What STAC items of different archives say, in our words."""

from datetime import UTC, datetime
from typing import Any

import pytest

from cropcredit.adapters.stac_items import describe, fits
from cropcredit.model import Band, Grid, Offset, SceneQuery
from tests.integration.imagery.stac_world import item, remote_assets

COG, JP2 = "image/tiff; application=geotiff; profile=cloud-optimized", "image/jp2"
FAR = "https://archive.example/s2"


def said_by(entry):
    return describe(entry, locate=lambda href: href, where="here")


def raster(name, kind=COG, **more):
    return {"href": f"{FAR}/{name}", "type": kind, **more}


def hrefs(draft):
    return {band.name: band.href.removeprefix(f"{FAR}/") for band in draft.bands}


def test_an_item_of_cogs_beside_jpeg_2000():
    assets = {
        "red-jp2": raster("B04.jp2", JP2),
        "red": raster("B04.tif", **{"eo:bands": [{"name": "red", "common_name": "red"}]}),
        "nir": raster("B08.tif"),
        "rededge1": raster("B05.tif", **{"eo:bands": [{"name": "rededge1", "common_name": "rededge"}]}),
        "rededge2": raster("B06.tif", **{"eo:bands": [{"name": "rededge2", "common_name": "rededge"}]}),
        "scl": raster("SCL.tif"),
        "visual": raster("TCI.tif", roles=["visual"]),
        "thumbnail": {"href": "preview.jpg", "type": "image/jpeg"},
    }
    draft = said_by(item(assets=assets))
    assert draft.problem == ""
    assert hrefs(draft) == {
        "red": "B04.tif", "nir": "B08.tif", "rededge": "B05.tif", "rededge2": "B06.tif", "scl": "SCL.tif"
    }  # fmt: skip
    assert (draft.product, draft.tile, draft.processing_baseline) == ("s2-l2a", "50SMJ", "05.10")
    assert (draft.datatake, draft.relative_orbit, draft.cloud_pct) == ("S2A_20250601T030000", 75, 10)
    assert draft.acquired_at == datetime(2025, 6, 1, 3, tzinfo=UTC)
    assert draft.available_at == datetime(2025, 6, 1, 15, tzinfo=UTC)


def test_an_item_of_one_key_per_band_and_pixel_takes_the_smallest_pixel():
    keys = ("B04_20m", "B04_10m", "B08_10m", "SCL_60m", "SCL_20m", "TCI_10m")
    assets = {key: raster(f"{key}.jp2", JP2) for key in keys}
    draft = said_by(item(assets=assets))
    assert hrefs(draft) == {"red": "B04_10m.jp2", "nir": "B08_10m.jp2", "scl": "SCL_20m.jp2"}


def test_a_picture_of_red_green_and_blue_is_not_the_red_band():
    bands = [{"name": "B04", "common_name": "red"}, {"name": "B03", "common_name": "green"}]
    draft = said_by(item(assets={"visual": raster("TCI.tif", **{"eo:bands": bands}), "B08": raster("B08.tif")}))
    assert hrefs(draft) == {"nir": "B08.tif"}


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"s2__product_uri": "S2B_MSIL2A_20250601T030000_N0212_R075_T50SMJ_20250601T150000"}, id="uri"),
        pytest.param({"sentinel__product_id": "S2B_MSIL2A_20250601T030000_N0212_R075_T50SMJ_20250601T150000"}, id="v0"),
        pytest.param({"name": "S2B_MSIL2A_20250601T030000_N0212_R075_T50SMJ_20250601T150000"}, id="name"),
        pytest.param({"s2__datatake_id": "GS2B_20250601T030000_012081_N02.12", "sat__relative_orbit": 75,
                      "grid__code": "MGRS-50SMJ", "s2__processing_baseline": "02.12"}, id="its parts"),
    ],
)  # fmt: skip
def test_the_pass_of_a_scene_is_told_in_several_ways(said):
    bare = {"s2__product_uri": None, "grid__code": None, "s2__processing_baseline": None}
    draft = said_by(item(**(bare | said)))
    assert (draft.datatake, draft.tile, draft.processing_baseline) == ("S2B_20250601T030000", "50SMJ", "02.12")
    assert draft.relative_orbit == 75


def test_bands_of_one_file_are_told_by_their_number():
    bands = [{"name": "B02"}, {"name": "B04"}, {"name": "B08"}]
    draft = said_by(item(assets={"data": raster("all.tif", bands=bands)}))
    assert draft.bands == tuple(Band(name, f"{FAR}/all.tif", k) for k, name in enumerate(("blue", "red", "nir"), 1))


def test_an_item_of_landsat():
    name = "LC09_L2SP_122035_20250601_20250602_02_T1"
    keys = {"red": "SR_B4", "nir08": "SR_B5", "qa_pixel": "QA_PIXEL", "qa_radsat": "QA_RADSAT"}
    assets = {key: raster(f"{file}.TIF") for key, file in keys.items()}
    said: dict[str, Any] = {"s2__product_uri": None, "grid__code": "WRS2-122035", "s2__generation_time": None,
            "created": "2025-06-20T00:00:00Z", "s2__processing_baseline": None}  # fmt: skip
    draft = said_by(item(name=name, collection="landsat-c2-l2", assets=assets, **said))
    assert hrefs(draft) == {"red": "SR_B4.TIF", "nir": "SR_B5.TIF", "qa": "QA_PIXEL.TIF"}
    assert (draft.product, draft.tile, draft.offset) == ("landsat-c2-l2", "122035", None)
    assert (draft.datatake, draft.processing_baseline) == ("LC09_122035_20250601", "02")
    assert draft.available_at == datetime(2025, 6, 20, tzinfo=UTC)


def test_an_item_of_modis_is_available_after_its_days_are_over():
    name = "MOD13Q1.A2025145.h27v05.061.2025165000000"
    keys = ("250m_16_days_NDVI", "250m_16_days_EVI", "250m_16_days_pixel_reliability")
    said: dict[str, Any] = {"datetime": None, "start_datetime": "2025-05-25T00:00:00Z",
            "end_datetime": "2025-06-09T23:59:59Z",
            "s2__product_uri": None, "grid__code": None, "created": "2025-06-01T00:00:00Z",
            "s2__generation_time": None}  # fmt: skip
    assets = {key: raster(f"{key}.tif") for key in keys}
    draft = said_by(item(name=name, collection="modis-13Q1-061", assets=assets, **said))
    assert list(hrefs(draft)) == ["ndvi", "evi", "reliability"]
    assert (draft.product, draft.tile) == ("mod13q1", "h27v05")
    assert draft.acquired_at == datetime(2025, 5, 25, tzinfo=UTC)
    assert draft.available_at == datetime(2025, 6, 9, 23, 59, 59, tzinfo=UTC)


def test_an_item_of_radar_lives_on_its_track():
    said: dict[str, Any] = {
        "s2__product_uri": None,
        "grid__code": None,
        "sat__orbit_state": "ascending",
        "sat__relative_orbit": 69,
    }
    assets = {"vv": raster("vv.tif"), "vh": raster("vh.tif")}
    name = "S1A_IW_GRDH_1SDV_20240304T172345_20240304T172410_052852_0665A0_rtc"
    draft = said_by(item(name=name, collection="sentinel-1-rtc", assets=assets, **said))
    assert (draft.product, draft.tile, draft.relative_orbit) == ("sentinel-1-rtc", "A069", 69)
    assert draft.datatake == "S1A_20240304T172345"


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"grid__code": "MGRS-5QKB"}, id="grid code"),
        pytest.param({"grid__code": None, "s2__mgrs_tile": "05QKB"}, id="mgrs tile"),
        pytest.param(
            {"grid__code": None, "mgrs__utm_zone": 5, "mgrs__latitude_band": "Q", "mgrs__grid_square": "KB"}, id="parts"
        ),
    ],
)
def test_a_tile_is_told_in_several_ways_and_always_written_in_one(said):
    assert said_by(item(s2__product_uri=None, **said)).tile == "05QKB"


@pytest.mark.parametrize(
    ("properties", "bands", "expected"),
    [
        pytest.param(
            {"earthsearch:boa_offset_applied": True}, [{"offset": -0.1}], Offset.APPLIED, id="item: taken out"
        ),
        pytest.param(
            {"earthsearch:boa_offset_applied": False}, [{"offset": 0}], Offset.NOT_APPLIED, id="item: left in"
        ),
        pytest.param({}, [{"scale": 1e-4, "offset": -0.1}], Offset.NOT_APPLIED, id="bands: still to be added"),
        pytest.param({}, [{"scale": 1e-4, "offset": 0}], Offset.APPLIED, id="bands: nothing to be added"),
        pytest.param({}, [{"scale": 1e-4}], None, id="nobody says"),
    ],
)
def test_what_an_item_says_about_the_offset(properties, bands, expected):
    told = {key.replace(":", "__"): value for key, value in properties.items()}
    assets = {key: raster(f"{key}.tif", **{"raster:bands": bands}) for key in ("red", "nir")}
    assert said_by(item(assets=assets, **told)).offset is expected
    later = {key: raster(f"{key}.tif", bands=[{"name": key, **{f"raster:{k}": v for k, v in bands[0].items()}}])
             for key in ("red", "nir")}  # fmt: skip
    assert said_by(item(assets=later, **told)).offset is expected
    assets = {key: raster(f"{key}.tif", **{f"raster:{k}": v for k, v in bands[0].items()}) for key in ("red", "nir")}
    assert said_by(item(assets=assets, **told)).offset is expected


def test_where_one_band_is_silent_about_its_offset_nothing_is_said():
    assets = {"red": raster("red.tif", **{"raster:bands": [{"offset": -0.1}]}), "nir": raster("nir.tif")}
    assert said_by(item(assets=assets)).offset is None


def test_remote_bands_that_tell_their_grids_are_not_opened():
    entry = item(assets=remote_assets(FAR, "x"))
    assert said_by(entry).grid == Grid("EPSG:32650", (10, 0, 500_000, 0, -10, 4_000_000), (40, 40))
    del entry["assets"]["scl"]["proj:shape"]
    assert said_by(entry).grid is None


def test_bands_that_do_not_lie_on_one_grid_are_refused():
    entry = item(assets=remote_assets(FAR, "x"))
    entry["assets"]["scl"]["proj:transform"][2] += 7
    assert "here scl: a band on grid" in said_by(entry).problem


def test_the_hash_of_remote_pixels_outlives_tokens_and_tells_versions_and_checksums_apart():
    def hashed(token="", checksum="", **said):
        assets = remote_assets(FAR, "x")
        for asset in assets.values():
            asset.update(href=asset["href"] + token, **({"file:checksum": checksum} if checksum else {}))
        return said_by(item(assets=assets, **said)).content_hash

    assert hashed() == hashed("?sig=1") == hashed("?sig=2")
    assert len({hashed(), hashed(s2__generation_time="2025-06-03T00:00:00Z"), hashed(checksum="ab")}) == 3
    assert hashed(checksum="ab") == hashed(checksum="ab", s2__generation_time="2025-06-03T00:00:00Z")


def test_of_files_on_this_machine_grid_and_content_are_asked_from_the_files():
    draft = said_by(item())
    assert (draft.grid, draft.content_hash) == (None, "")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"assets": None}, "here: the item cannot be understood", id="assets of null"),
        pytest.param({"properties": {}}, "here: the item has no 'start_datetime'", id="no time"),
        pytest.param(
            {"collection": None, "assets": {}}, "does not tell its product; say it: --product", id="no product"
        ),
        pytest.param({"properties": {"datetime": "yesterday"}}, "Invalid isoformat string: 'yesterday'", id="no date"),
    ],
)
def test_an_item_with_wrong_parts_says_what_is_wrong(change, message):
    assert message in said_by(item() | change).problem


def test_an_item_without_assets_or_id_says_so():
    for part in ("assets", "id", "properties"):
        entry = {key: value for key, value in item().items() if key != part}
        assert said_by(entry).problem == f"here: the item has no '{part}'"


def wanted(**asked):
    span = {"since": datetime(2025, 6, 1, tzinfo=UTC), "until": datetime(2025, 6, 30, tzinfo=UTC)}
    return SceneQuery(catalogue="x", **(span | asked))


@pytest.mark.parametrize(
    ("entry", "asked", "expected"),
    [
        pytest.param(item(bbox=[-180, -20, 180, 20]), {"bbox": (10, 0, 11, 1)}, True, id="a box around the Earth"),
        pytest.param(item() | {"bbox": [179, -20, -179, -16]}, {"bbox": (-179.9, -18, -179.5, -17)}, True, id="across"),
        pytest.param(item() | {"bbox": [179, -20, -179, -16]}, {"bbox": (100, -18, 101, -17)}, False, id="elsewhere"),
        pytest.param(item() | {"bbox": [116, 36, 0, 118, 37, 90]}, {"bbox": (117, 36, 118, 37)}, True, id="heights"),
        pytest.param(item() | {"bbox": None}, {"bbox": (10, 0, 11, 1)}, True, id="says not where"),
        pytest.param(item("2025-05-31"), {}, False, id="before"),
        pytest.param(item("2025-06-30"), {}, False, id="after"),
        pytest.param(
            item("2025-05-20", start_datetime="2025-05-20T00:00:00Z", end_datetime="2025-06-02T00:00:00Z"), {}, True,
            id="reaches into it",
        ),
        pytest.param(item(eo__cloud_cover=None), {"max_cloud_pct": 0}, True, id="no clouds counted"),
        pytest.param(item(eo__cloud_cover=20), {"max_cloud_pct": 19}, False, id="cloudy"),
        pytest.param(item(), {"collections": ("other",)}, False, id="other collection"),
        pytest.param(item(datetime="soon"), {}, True, id="unreadable: the description says why"),
    ],
)  # fmt: skip
def test_what_fits_a_query(entry, asked, expected):
    assert fits(entry, wanted(**asked)) is expected
