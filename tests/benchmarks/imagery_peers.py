"""The same statistics by other tools: NDVI and mask ready-made, whole fields and cores ready-made."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import extractrs as rust
import geopandas as gpd
import numpy as np
import rasterio
import rasterstats as python
import shapely
from exactextract import exact_extract
from exactextract.operation import Operation
from exactextract.raster import RasterioRasterSource
from numpy.typing import NDArray

from tests.benchmarks.sky import CRS, NORTH, WEST, Tile

Polygons = NDArray[np.object_]


@dataclass(frozen=True)
class Statistics:
    """Of one date, per field."""

    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    clear: NDArray[np.float64]


def exactextract(dates: Sequence[tuple[Path, Path]], polygons: Polygons) -> list[Statistics]:
    """One call for all dates: mean and spread of NDVI, mean of the mask."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sources = [[RasterioRasterSource(rasterio.open(path), name=path.stem) for path in date] for date in dates]
        operations = [
            operation
            for k, (ndvi, mask) in enumerate(sources)
            for operation in (
                Operation("mean", f"mean{k}", ndvi),
                Operation("stdev", f"std{k}", ndvi),
                Operation("mean", f"clear{k}", mask),
            )
        ]
        frame = gpd.GeoDataFrame(geometry=polygons, crs=CRS)
        every = [source for date in sources for source in date]
        found = exact_extract(every, frame, operations, strategy="raster-sequential", output="pandas")
    return [
        Statistics(*(found[f"{name}{k}"].to_numpy() for name in ("mean", "std", "clear"))) for k in range(len(dates))
    ]


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
