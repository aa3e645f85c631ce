"""HDF4-EOS grids, the form in which MODIS is archived; raster wheels do not read them, the optional pyhdf does.

A layer is named ``hdf4:<path>:<dataset>``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from rasterio.crs import CRS

from cropcredit.errors import MalformedInput, RefusedInput
from cropcredit.model import Band, Grid, RasterInfo, Window

PREFIX = "hdf4:"
MOD13Q1 = {
    "ndvi": "250m 16 days NDVI",
    "evi": "250m 16 days EVI",
    "reliability": "250m 16 days pixel reliability",
}
"""Name in the core: dataset of the file."""
SINUSOIDAL = "+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R=6371007.181 +units=m +no_defs"
"""Projection of all MODIS land grids, on a sphere."""
CORNERS = ("UpperLeftPointMtrs", "LowerRightMtrs")
STRUCTURE = "StructMetadata.0"
BLOCK_ROWS = 1
"""Rows that are read together: the archive compresses whole datasets."""


def modis_bands(path: str) -> tuple[Band, ...]:
    """Name the layers of a MOD13Q1 file."""
    return tuple(Band(core, f"{PREFIX}{path}:{dataset}") for core, dataset in MOD13Q1.items())


def is_hdf4(href: str) -> bool:
    """Tell whether a layer lies in an HDF4 file."""
    return href.startswith(PREFIX)


def split_href(href: str) -> tuple[str, str]:
    """Give path and dataset of a layer.

    Examples
    --------
    >>> split_href("hdf4:scenes/MOD13Q1.hdf:250m 16 days NDVI")
    ('scenes/MOD13Q1.hdf', '250m 16 days NDVI')
    """
    path, _, dataset = href.removeprefix(PREFIX).rpartition(":")
    return path, dataset


def info(file: Path, dataset: str) -> RasterInfo:
    """Ask a layer for its grid and fill value."""
    with _dataset(file, dataset) as (structure, layer):
        grid = _grid(structure, where=str(file))
        fill = layer.attributes().get("_FillValue")
        return RasterInfo(grid, None if fill is None else float(fill), (BLOCK_ROWS, grid.shape[1]))


def read(file: Path, dataset: str, windows: Iterable[Window]) -> Iterator[NDArray[Any]]:
    """Read windows of a layer."""
    with _dataset(file, dataset) as (_, layer):
        for (up, down), (left, right) in windows:
            yield layer.get(start=(up, left), count=(down - up, right - left))


@contextmanager
def _dataset(file: Path, dataset: str) -> Iterator[tuple[str, Any]]:
    """Open a file; gives the text that describes its grids, and the dataset."""
    try:
        from pyhdf.error import HDF4Error  # noqa: PLC0415 - optional
        from pyhdf.SD import SD  # noqa: PLC0415 - optional
    except ImportError as error:
        raise RefusedInput(
            "HDF4 is read by pyhdf, which is not installed", where=str(file), cure='pip install "cropcredit[hdf4]"'
        ) from error
    try:
        opened = SD(str(file))
        try:
            yield str(opened.attributes().get(STRUCTURE, "")), opened.select(dataset)
        finally:
            opened.end()
    except HDF4Error as error:
        raise MalformedInput(
            f"the layer {dataset!r} cannot be read: {error}",
            where=str(file),
            cure="it may be cut short: fetch it again",
        ) from error


def _grid(structure: str, *, where: str) -> Grid:
    """Read the first grid of an HDF4-EOS file: north-up, in MODIS's sinusoidal projection."""
    said = dict(re.findall(r"(\w+)=\(?([^()\n]+)\)?", structure.split("END_GROUP=GRID_1", maxsplit=1)[0]))
    try:
        (west, north), (east, south) = ([float(part) for part in said[name].split(",")] for name in CORNERS)
        columns, rows = int(said["XDim"]), int(said["YDim"])
    except (KeyError, ValueError):
        raise MalformedInput(f"its {STRUCTURE} describes no grid", where=where) from None
    if not said.get("Projection", "").endswith("GCTP_SNSOID"):
        raise MalformedInput(f"the grid is in projection {said.get('Projection')}, not sinusoidal", where=where)
    transform = ((east - west) / columns, 0.0, west, 0.0, (south - north) / rows, north)
    return Grid(CRS.from_proj4(SINUSOIDAL).to_wkt(), transform, (rows, columns))
