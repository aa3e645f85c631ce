"""The same statistics by rasterstats and extractrs: NDVI and mask ready-made, whole fields and cores ready-made."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import extractrs as rust
import numpy as np
import rasterio
import rasterstats as python
import shapely
from numpy.typing import NDArray

from tests.benchmarks.sky import NORTH, WEST, Tile

Polygons = NDArray[np.object_]


def rasterstats(tile: Tile, polygons: Polygons) -> None:
    """Each field by itself, as its documentation shows it."""
    shapes = [shapely.geometry.mapping(polygon) for polygon in polygons]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        python.zonal_stats(shapes, str(tile.ndvi), stats=["mean", "std", "count"])
        python.zonal_stats(shapes, str(tile.mask), stats=["mean"])


class ExtractrsCache:
    """Coverage kept in Rust."""

    def __init__(self, polygons: Polygons, size: int) -> None:
        east, south = WEST + 10 * size, NORTH - 10 * size
        wkb = list(shapely.to_wkb(polygons))
        self.cache = rust.build_cache(wkb, list(range(len(wkb))), WEST, south, east, NORTH, 10, 10)


def extractrs(tile: Tile, caches: Sequence[ExtractrsCache]) -> None:
    """Read the ready rasters of a date, apply the cached coverage; it takes 64-bit arrays only."""
    ndvi, mask = (_read(path) for path in (tile.ndvi, tile.mask))
    for part in caches:
        for statistic in ("mean", "stdev"):
            rust.apply_stat(part.cache, ndvi, float("nan"), statistic)
        rust.apply_stat(part.cache, mask, float("nan"), "mean")


def _read(path: Path) -> NDArray[np.float64]:
    with rasterio.open(path) as raster:
        return np.asarray(raster.read(1, out_dtype="float64"))
