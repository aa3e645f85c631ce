"""The same job by exactextract, from files to files, in a process of its own.

Everything is made easy for it: NDVI and mask are ready rasters, fields and cores are ready polygons on the rasters'
grid. What it finds is written as Parquet, one file per set of polygons.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import rasterio
from exactextract import exact_extract
from exactextract.operation import Operation
from exactextract.raster import RasterioRasterSource


def statistics(ndvi: Sequence[Path], mask: Sequence[Path], polygons: Path, out: Path) -> None:
    """One call for all dates: mean and spread of NDVI, mean of the mask."""
    sources = [[RasterioRasterSource(rasterio.open(path), name=path.stem) for path in paths] for paths in (ndvi, mask)]
    operations = [
        operation
        for k, (index, clear) in enumerate(zip(*sources, strict=True))
        for operation in (
            Operation("mean", f"mean{k}", index),
            Operation("stdev", f"std{k}", index),
            Operation("mean", f"clear{k}", clear),
        )
    ]
    every = [source for both in zip(*sources, strict=True) for source in both]
    frame = gpd.read_parquet(polygons)
    found = exact_extract(every, frame, operations, strategy="raster-sequential", output="pandas")
    found.to_parquet(out / polygons.name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("ndvi", "mask", "polygons"):
        parser.add_argument(f"--{name}", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for polygons in asked.polygons:
            statistics(asked.ndvi, asked.mask, polygons, asked.out)


if __name__ == "__main__":
    main()
