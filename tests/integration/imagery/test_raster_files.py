"""Rasters through GDAL: windows, grids, and what is refused."""

import numpy as np
import pytest

from cropcredit.adapters.rasters import RasterioReader
from cropcredit.errors import MalformedInput, MissingCRS
from tests.rasterfiles import CRS, NORTH, WEST, write_raster

PIXELS = np.arange(12, dtype=np.uint16).reshape(3, 4)


@pytest.fixture
def reader(tmp_path):
    write_raster(tmp_path / "a.tif", PIXELS, nodata=0)
    return RasterioReader(root=tmp_path)


def test_a_window_is_read_as_rows_and_columns(reader):
    assert [w.tolist() for w in reader.read("a.tif", [((1, 3), (2, 4)), ((0, 1), (0, 1))])] == [
        [[6, 7], [10, 11]],
        [[0]],
    ]
    info = reader.info("a.tif")
    assert (info.nodata, info.block) == (0, (3, 4))


def test_a_grid_says_where_the_raster_lies(reader):
    grid = reader.info("a.tif").grid
    assert (grid.crs, grid.shape) == (CRS, (3, 4))
    assert grid.transform == (10, 0, WEST, 0, -10, NORTH)


def test_a_coordinate_system_without_a_code_comes_as_wkt(tmp_path):
    sinusoidal = "+proj=sinu +R=6371007.181 +units=m"
    write_raster(tmp_path / "m.tif", PIXELS, crs=sinusoidal)
    assert "Sinusoidal" in RasterioReader(root=tmp_path).info("m.tif").grid.crs


def test_a_raster_without_coordinate_system_is_refused(tmp_path):
    write_raster(tmp_path / "b.tif", PIXELS, crs=None)
    with pytest.raises(MissingCRS, match=r"b.tif: the raster has no coordinate system; gdal_edit.py -a_srs"):
        RasterioReader(root=tmp_path).info("b.tif")


def test_a_raster_cut_short_is_refused(tmp_path, reader):
    noise = np.random.default_rng(1).integers(0, 9999, (200, 200), dtype=np.uint16)
    whole = write_raster(tmp_path / "n.tif", noise).read_bytes()
    (tmp_path / "n.tif").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(MalformedInput, match=r"n.tif: the raster cannot be read: .*; it may be cut short"):
        list(reader.read("n.tif", [((199, 200), (0, 200))]))
    with pytest.raises(MalformedInput, match=r"no.tif: the raster cannot be read"):
        reader.info("no.tif")


def test_the_hash_is_that_of_the_bytes_and_each_file_counts_once(tmp_path, reader):
    once = reader.content_hash(["a.tif"])
    assert reader.content_hash(["a.tif", "a.tif"]) == once
    (tmp_path / "a.tif").write_bytes((tmp_path / "a.tif").read_bytes() + b"\0")
    assert reader.content_hash(["a.tif"]) != once
    with pytest.raises(MalformedInput, match=r"no.tif: cannot be read: No such file"):
        reader.content_hash(["no.tif"])
