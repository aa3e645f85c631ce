"""Cubes as netCDF files or Zarr folders that open in any notebook."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from cropcredit.adapters.atomic import replacing
from cropcredit.errors import RefusedInput

if TYPE_CHECKING:
    import xarray as xr

TIME = {"units": "days since 1970-01-01", "calendar": "standard", "dtype": "float64"}
GROUP = ".zgroup"
"""What every Zarr folder of version 2 holds: the version that all readers know."""


def write_cube(dataset: xr.Dataset, path: str) -> None:
    """Write a cube: ``NAME.zarr`` as a Zarr folder, else netCDF (classic format, 64-bit offsets); times are UTC.

    Raises
    ------
    RefusedInput
        If Zarr is asked for and not installed, or something else lies there.
    """
    target = Path(path).absolute()
    if target.suffix != ".zarr":
        with replacing(target) as partial:
            dataset.to_netcdf(partial, engine="scipy", format="NETCDF3_64BIT", encoding={"time": TIME})
        return
    if find_spec("zarr") is None:
        raise RefusedInput("needs zarr", where=path, cure='pip install "cropcredit[zarr]", or name it NAME.nc')
    if target.exists() and not (target / GROUP).is_file():
        raise RefusedInput("something else is there", where=path, cure="choose another name")
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    dataset.to_zarr(partial, zarr_format=2, consolidated=True, encoding={"time": TIME})
    shutil.rmtree(target, ignore_errors=True)
    partial.replace(target)
