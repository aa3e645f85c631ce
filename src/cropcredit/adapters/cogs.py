"""Cloud Optimised GeoTIFFs, written strip by strip."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import rasterio
import rasterio.shutil
from affine import Affine
from rasterio._err import CPLE_BaseError
from rasterio.errors import RasterioError

from cropcredit.adapters.atomic import replacing
from cropcredit.adapters.rasters import GDAL
from cropcredit.errors import StoreUnavailable
from cropcredit.usecases.quicklook import SceneRaster

BLOCK = 512
NOISE_BITS = 12
"""Of a number's 23 bits these are cleared: they tell of less than 1/4000 of it, and take half of the room."""
STRIPS = {
    "driver": "GTiff",
    "tiled": True,
    "blockxsize": BLOCK,
    "blockysize": BLOCK,
    "compress": "lzw",
    "predictor": 3,
    "discard_lsb": NOISE_BITS,
    "bigtiff": "if_safer",
}
COG = {
    "driver": "COG",
    "blocksize": BLOCK,
    "compress": "DEFLATE",
    "predictor": "YES",
    "overview_resampling": "AVERAGE",
    "num_threads": "2",
    "bigtiff": "IF_SAFER",
}


def write_cog(raster: SceneRaster, path: Path) -> tuple[int, int]:
    """Write a scene in full resolution, float32, NaN where the ground was not seen; gives its columns and rows.

    Strips are computed, written to a plain file beside it and let go, so a Sentinel-2 tile takes a gigabyte of memory.

    Raises
    ------
    StoreUnavailable
        If the disk refuses.
    """
    with replacing(path.absolute()) as partial, TemporaryDirectory(dir=partial.parent) as folder:
        plain = Path(folder) / "strips.tif"
        with rasterio.Env(**GDAL):
            try:
                _write_strips(raster, plain)
                rasterio.shutil.copy(plain, partial, **COG)
                whole = _checksums(partial) == _checksums(plain)
            except (RasterioError, CPLE_BaseError, SystemError) as error:  # SystemError: GDAL failed without a reason
                raise StoreUnavailable(
                    f"{path} cannot be written, is the disk full? {error.__cause__ or error}"
                ) from error
        if not whole:  # GDAL does not tell when the end of a file was not written
            raise StoreUnavailable(f"{path} cannot be written, is the disk full? It came out cut short")
    rows, columns = raster.scene.grid.shape
    return columns, rows


def _checksums(path: Path) -> list[int]:
    with rasterio.open(path) as file:
        return [file.checksum(band) for band in file.indexes]


def _write_strips(raster: SceneRaster, path: Path) -> None:
    scene = raster.scene
    rows, columns = scene.grid.shape
    profile: dict[str, Any] = {**STRIPS, "count": len(raster.names), "dtype": "float32", "nodata": float("nan")}
    profile |= {"height": rows, "width": columns, "crs": scene.grid.crs, "transform": Affine(*scene.grid.transform)}
    with rasterio.open(path, "w", **profile) as file:
        file.descriptions = raster.names
        file.update_tags(
            scene=scene.id,
            product=scene.product,
            acquired_at=scene.acquired_at.isoformat(),
            cloud_margin_m=f"{raster.cloud_margin_m:g}",
            synthetic=str(scene.synthetic).lower(),
        )
        for seen in raster.strips():
            ground = np.where(seen.clear[..., None], seen.values, np.float32(np.nan))
            file.write(np.moveaxis(ground, -1, 0), window=seen.view.window)
