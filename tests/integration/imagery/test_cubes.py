"""Cubes on disk, as a notebook opens them."""

import numpy as np
import pytest
import xarray as xr

from cropcredit.adapters.cubes import write_cube
from cropcredit.errors import RefusedInput


def dataset(value=0.5):
    days = np.array(["2025-06-01T03:00", "2025-06-06T03:00"], dtype="datetime64[ns]")
    values = ("field", "time"), np.full((1, 2), value, dtype=np.float32), {"units": "1"}
    return xr.Dataset({"ndvi_mean": values}, {"field": ["a"], "time": days, "scene": ("time", ["s1", "s2"])})


@pytest.mark.parametrize("name", ["cube.nc", "cube.zarr"])
def test_a_cube_written_again_takes_the_place_of_the_old_one(tmp_path, name):
    path = str(tmp_path / name)
    for value in (0.25, 0.5):
        write_cube(dataset(value), path)
    with xr.open_dataset(path) as read:
        assert read["ndvi_mean"].values.tolist() == [[0.5, 0.5]]
        assert read["time"].values.tolist() == dataset()["time"].values.tolist()
        assert read["scene"].values.tolist() == ["s1", "s2"]
    assert [child.name for child in tmp_path.iterdir()] == [name]


def test_a_folder_that_is_no_cube_is_not_replaced(tmp_path):
    letters = tmp_path / "letters.zarr"
    letters.mkdir()
    (letters / "dear.txt").write_text("Dear Ana")
    with pytest.raises(RefusedInput, match=r"letters\.zarr: something else is there; choose another name"):
        write_cube(dataset(), str(letters))
    assert (letters / "dear.txt").read_text() == "Dear Ana"


def test_without_zarr_the_other_form_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("cropcredit.adapters.cubes.find_spec", lambda _: None)
    with pytest.raises(RefusedInput, match=r"cropcredit\[zarr\]"):
        write_cube(dataset(), str(tmp_path / "cube.zarr"))
