"""MOD13Q1 in the form in which it is archived: HDF4, through the optional pyhdf."""

import sys
from datetime import UTC, datetime

import geopandas as gpd
import numpy as np
import pytest
import shapely

from cropcredit.adapters.hdf4 import SINUSOIDAL
from cropcredit.adapters.rasters import RasterioReader
from cropcredit.errors import MalformedInput, RefusedInput
from tests.rasterfiles import MODIS_NORTH, MODIS_PIXEL_M, MODIS_STRUCTURE, MODIS_WEST, write_mod13q1

NAME = "MOD13Q1.A2014049.h12v10.061.2021246173542.hdf"
NDVI = np.array([[8000, 6000, -3000], [4000, 2000, 9000]], dtype=np.int16)
RELIABILITY = np.array([[0, 1, -1], [3, 0, 0]], dtype=np.int8)


@pytest.fixture
def composite(tmp_path):
    return write_mod13q1(tmp_path / "m" / NAME, NDVI, EVI=NDVI // np.int16(2), pixel_reliability=RELIABILITY)


def pixels(left, top, width, height):
    """Give a rectangle of whole pixels."""
    west, north = MODIS_WEST + left * MODIS_PIXEL_M, MODIS_NORTH - top * MODIS_PIXEL_M
    return shapely.box(west, north - height * MODIS_PIXEL_M, west + width * MODIS_PIXEL_M, north)


@pytest.mark.usefixtures("composite")
def test_a_window_of_a_layer_is_read_where_its_grid_lies(tmp_path):
    reader = RasterioReader(root=tmp_path)
    href = f"hdf4:m/{NAME}:250m 16 days NDVI"
    info = reader.info(href)
    assert (info.grid.shape, info.nodata, info.block) == ((2, 3), -3000, (1, 3))
    assert info.grid.transform == pytest.approx((MODIS_PIXEL_M, 0, MODIS_WEST, 0, -MODIS_PIXEL_M, MODIS_NORTH))
    assert "Sinusoidal" in info.grid.crs
    assert "6371007.181" in info.grid.crs
    assert [w.tolist() for w in reader.read(href, [((1, 2), (1, 3))])] == [[[2000, 9000]]]
    assert reader.content_hash([href, f"hdf4:m/{NAME}:250m 16 days EVI"]) == reader.content_hash([f"m/{NAME}"])


def test_fields_get_the_index_of_the_pixels_that_are_reliable(workspace, cropcredit, composite, tmp_path):
    """Of four pixels 0.8 and 0.2 are good, 0.6 is marginal, 0.4 lies under cloud."""
    shapes = {"four": pixels(0, 0, 2, 2), "fill": pixels(2, 0, 1, 1), "one": pixels(2, 1, 1, 1)}
    fields = gpd.GeoDataFrame({"id": list(shapes)}, geometry=list(shapes.values()), crs=SINUSOIDAL)
    fields.to_file(tmp_path / "fields.gpkg")
    cropcredit("fields", "import", tmp_path / "fields.gpkg", "--known-at", "2013-01-01")
    assert "1 added" in cropcredit("scenes", "add", composite, "--product", "mod13q1").out
    said = cropcredit("ndvi", "run", "--as-of", "2014-06-01", "--index", "EVI")
    assert said.err.count("field") == 1
    run = workspace.refresh_ndvi(as_of=datetime(2014, 6, 1, tzinfo=UTC))
    [ndvi] = workspace.refresh_ndvi.observations.read(run.units)
    assert (ndvi.tile, ndvi.acquired_at.date().isoformat()) == ("h12v10", "2014-02-18")
    order = np.argsort(ndvi.field_ids)
    assert ndvi.field_ids[order].tolist() == ["fill", "four", "one"]
    assert ndvi.mean[order] == pytest.approx([np.nan, (0.8 + 0.6 + 0.2) / 3, 0.9], abs=1e-3, nan_ok=True)
    assert ndvi.clear_fraction[order] == pytest.approx([0, 0.75, 1], abs=1e-3)
    assert ndvi.flagged[order].tolist() == [False, True, False]


def test_a_file_without_the_layers_or_cut_short_is_refused(cropcredit, composite, tmp_path):
    broken = write_mod13q1(tmp_path / "n" / NAME, NDVI)
    said = cropcredit("scenes", "add", broken, "--product", "mod13q1")
    assert said.code == 2
    assert "the layer '250m 16 days EVI' cannot be read: " in said.err
    composite.write_bytes(composite.read_bytes()[:300])
    said = cropcredit("scenes", "add", composite, "--product", "mod13q1")
    assert said.code == 2
    assert "it may be cut short: fetch it again" in said.err


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param("XDim", "Dim", "its StructMetadata.0 describes no grid", id="no grid"),
        pytest.param("SNSOID", "GEO", "the grid is in projection GCTP_GEO, not sinusoidal", id="another projection"),
    ],
)
def test_a_grid_that_is_none_of_modis_is_refused(tmp_path, old, new, message):
    write_mod13q1(tmp_path / NAME, NDVI, structure=MODIS_STRUCTURE.replace(old, new))
    with pytest.raises(MalformedInput, match=message):
        RasterioReader(root=tmp_path).info(f"hdf4:{NAME}:250m 16 days NDVI")


def test_without_pyhdf_one_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyhdf.SD", None)
    with pytest.raises(RefusedInput, match=r'a.hdf: HDF4 is read by pyhdf.*; pip install "cropcredit\[hdf4\]"'):
        RasterioReader(root=tmp_path).info("hdf4:a.hdf:250m 16 days NDVI")
