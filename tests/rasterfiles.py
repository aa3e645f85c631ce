"""Small rasters and scene folders on disk, for tests: a 10 m grid near the middle of UTM zone 50."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import shapely
from affine import Affine
from numpy.typing import NDArray

from cropcredit.fields import reproject

CRS = "EPSG:32650"
WEST, NORTH = 500_000.0, 4_000_000.0


def write_raster(path: Path, pixels: NDArray[Any], *, pixel_m: float = 10, crs: str | None = CRS, **tags: Any) -> Path:
    """Write one band (or several: first axis) as GeoTIFF."""
    bands = pixels if pixels.ndim == 3 else pixels[None]
    path.parent.mkdir(parents=True, exist_ok=True)
    profile = {"count": len(bands), "height": bands.shape[1], "width": bands.shape[2], "dtype": bands.dtype}
    transform = Affine(pixel_m, 0, WEST, 0, -pixel_m, NORTH)
    with rasterio.open(path, "w", driver="GTiff", crs=crs, transform=transform, **profile, **tags) as raster:
        raster.write(bands)
    return path


def write_scene(
    folder: Path,
    *,
    day: str,
    ndvi: float | NDArray[Any] = 0.5,
    scl: NDArray[Any] | None = None,
    size: int = 40,
    **sheet: Any,
) -> Path:
    """Write a ready-made scene of size x size pixels whose NDVI is known; red is 0.05 everywhere."""
    name = f"S2_50SMJ_{day.replace('-', '')}"
    ratio = (1 + np.broadcast_to(np.asarray(ndvi, dtype=float), (size, size))) / (
        1 - np.broadcast_to(np.asarray(ndvi, dtype=float), (size, size))
    )
    red = np.full((size, size), 1500, dtype=np.uint16)
    nir = np.round(500 * ratio + 1000).astype(np.uint16)
    classes = np.full((size // 2, size // 2), 4, dtype=np.uint8) if scl is None else scl
    write_raster(folder / name / "B04.tif", red, nodata=0)
    write_raster(folder / name / "B08.tif", nir, nodata=0)
    write_raster(folder / name / "SCL.tif", classes, pixel_m=20)
    said = {
        "id": name,
        "tile": "50SMJ",
        "acquired_at": f"{day}T03:00:00Z",
        "available_at": f"{day}T15:00:00Z",
        "processing_baseline": "05.10",
        "offset": "auto",
        "synthetic": True,
    } | sheet
    (folder / name / "scene.json").write_text(json.dumps(said))
    return folder / name


def square(left: float, top: float, size: float) -> shapely.Polygon:
    """Give a square of the grid, metres right of and below its corner, in EPSG:4326."""
    x, y = WEST + left, NORTH - top
    moved = reproject(shapely.box(x, y - size, x + size, y), CRS, "EPSG:4326")
    assert isinstance(moved, shapely.Polygon)
    return moved
