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
WEST, NORTH = CORNER = 500_000.0, 4_000_000.0
MODIS_WEST, MODIS_NORTH, MODIS_PIXEL_M = -6671703.118, -1111950.519667, 231.65635826
MODIS_STRUCTURE = """GROUP=SwathStructure
END_GROUP=SwathStructure
GROUP=GridStructure
\tGROUP=GRID_1
\t\tGridName="MODIS_Grid_16DAY_250m_500m_VI"
\t\tXDim={columns}
\t\tYDim={rows}
\t\tUpperLeftPointMtrs=({west:.6f},{north:.6f})
\t\tLowerRightMtrs=({east:.6f},{south:.6f})
\t\tProjection=GCTP_SNSOID
\t\tProjParams=(6371007.181000,0,0,0,0,0,0,0,0,0,0,0,0)
\t\tSphereCode=-1
\t\tGroup=Dimension
\tEND_GROUP=GRID_1
END_GROUP=GridStructure
END
"""


def write_raster(
    path: Path,
    pixels: NDArray[Any],
    *,
    pixel_m: float = 10,
    crs: str | None = CRS,
    corner: tuple[float, float] = CORNER,
    **tags: Any,
) -> Path:
    """Write one band (or several: first axis) as GeoTIFF."""
    bands = pixels if pixels.ndim == 3 else pixels[None]
    path.parent.mkdir(parents=True, exist_ok=True)
    profile = {"count": len(bands), "height": bands.shape[1], "width": bands.shape[2], "dtype": bands.dtype}
    transform = Affine(pixel_m, 0, corner[0], 0, -pixel_m, corner[1])
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
    crs: str = CRS,
    corner: tuple[float, float] = CORNER,
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
    write_raster(folder / name / "B04.tif", red, nodata=0, crs=crs, corner=corner)
    write_raster(folder / name / "B08.tif", nir, nodata=0, crs=crs, corner=corner)
    write_raster(folder / name / "SCL.tif", classes, pixel_m=20, crs=crs, corner=corner)
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


def write_mod13q1(
    path: Path, ndvi: NDArray[np.int16], *, structure: str = MODIS_STRUCTURE, **layers: NDArray[Any]
) -> Path:
    """Write a MOD13Q1 file, HDF4-EOS, of pixels of 231.66 m whose upper left corner is that of tile h12v10."""
    from pyhdf.SD import SD, SDC  # noqa: PLC0415 - optional

    kinds = {np.dtype(np.int16): SDC.INT16, np.dtype(np.int8): SDC.INT8}
    rows, columns = ndvi.shape
    east, south = MODIS_WEST + columns * MODIS_PIXEL_M, MODIS_NORTH - rows * MODIS_PIXEL_M
    path.parent.mkdir(parents=True, exist_ok=True)
    file = SD(str(path), SDC.WRITE | SDC.CREATE | SDC.TRUNC)
    said = structure.format(rows=rows, columns=columns, west=MODIS_WEST, north=MODIS_NORTH, east=east, south=south)
    file.attr("StructMetadata.0").set(SDC.CHAR8, said)
    for name, pixels in {"NDVI": ndvi, **layers}.items():
        layer = file.create(f"250m 16 days {name.replace('_', ' ')}", kinds[pixels.dtype], pixels.shape)
        layer.setfillvalue(-3000 if pixels.dtype == np.int16 else -1)
        layer.setcompress(SDC.COMP_DEFLATE, 5)
        layer[:] = pixels
        layer.endaccess()
    file.end()
    return path


def square(
    left: float, top: float, size: float, *, crs: str = CRS, corner: tuple[float, float] = CORNER
) -> shapely.Polygon:
    """Give a square of the grid, metres right of and below its corner, in EPSG:4326."""
    x, y = corner[0] + left, corner[1] - top
    moved = reproject(shapely.box(x, y - size, x + size, y), crs, "EPSG:4326")
    assert isinstance(moved, shapely.Polygon)
    return moved
