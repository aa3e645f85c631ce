"""Cubes as netCDF files that open in any notebook."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cropcredit.adapters.atomic import replacing

if TYPE_CHECKING:
    import xarray as xr


def write_cube(dataset: xr.Dataset, path: str) -> None:
    """Write a cube as netCDF (classic format, 64-bit offsets); times are days since 1970 in UTC."""
    encoding = {"time": {"units": "days since 1970-01-01", "calendar": "standard", "dtype": "float64"}}
    with replacing(Path(path).absolute()) as partial:
        dataset.to_netcdf(partial, engine="scipy", format="NETCDF3_64BIT", encoding=encoding)
