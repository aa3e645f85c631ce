"""Cloud Optimised GeoTIFFs, written strip by strip."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import rasterio
import rasterio.shutil
from affine import Affine
from numpy.typing import NDArray
from rasterio.errors import RasterioError

from cropcredit.adapters.atomic import replacing
from cropcredit.adapters.rasters import GDAL
from cropcredit.errors import StoreUnavailable
from cropcredit.usecases.quicklook import IndexRaster

STEP = np.float32(2**-13)
"""Numbers are rounded to multiples of 0.00012: finer ones are noise of the sensor, and take three times the room."""
BLOCK = 512
STRIPS = {"driver": "GTiff", "tiled": True, "blockxsize": BLOCK, "blockysize": BLOCK, "compress": "lzw", "predictor": 3}
COG = {
    "driver": "COG",
    "blocksize": BLOCK,
    "compress": "DEFLATE",
    "predictor": "YES",
    "overview_resampling": "AVERAGE",
    "num_threads": "2",
    "bigtiff": "IF_SAFER",
}


def write_cog(raster: IndexRaster, path: Path) -> tuple[int, int]:
    """Write an index in full resolution, float32, NaN = no data, with overviews; gives its columns and rows.

    Strips are computed, written to a plain file beside it and let go, so a tile takes little memory.

    Raises
    ------
    StoreUnavailable
        If the disk refuses.
    """
    with replacing(path.absolute()) as partial, TemporaryDirectory(dir=partial.parent) as folder:
        plain = Path(folder) / "strips.tif"
        with rasterio.Env(**GDAL):
            _write_strips(raster, plain)
            _optimise(plain, partial)
    rows, columns = raster.scene.grid.shape
    return columns, rows


def _write_strips(raster: IndexRaster, path: Path) -> None:
    scene = raster.scene
    rows, columns = scene.grid.shape
    profile: dict[str, Any] = {**STRIPS, "count": 1, "dtype": "float32", "nodata": float("nan")}
    profile |= {"height": rows, "width": columns, "crs": scene.grid.crs, "transform": Affine(*scene.grid.transform)}
    with rasterio.open(path, "w", **profile) as file:
        file.set_band_description(1, raster.index)
        file.update_tags(
            scene=scene.id,
            product=scene.product,
            acquired_at=scene.acquired_at.isoformat(),
            cloud_margin_m=f"{raster.cloud_margin_m:g}",
            synthetic=str(scene.synthetic).lower(),
        )
        for view, values in raster.strips():
            file.write(_rounded(values), 1, window=view.window)


def _optimise(plain: Path, path: Path) -> None:
    try:
        rasterio.shutil.copy(plain, path, **COG)
    except RasterioError as error:
        raise StoreUnavailable(f"{path.name} cannot be written: {error}") from error


def _rounded(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.round(values / STEP) * STEP
