"""A made sky for benchmarks: one tile, noisy red and near infrared, scene classes, and what other tools want ready.

Digital numbers are uint16 with some eight bits of noise, DEFLATE with predictor 2 in blocks of 512; scene classes lie
at 20 m: 30 % cloud, thin cloud and shadow, some unclassified, some bare. Beside them stand the NDVI (float32, NaN where
masked) and the mask at 10 m, twice: stored as the bands are, and uncompressed, so that a peer that reads them pays for
no decompression. They are made here by numpy and scipy alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.windows import Window
from scipy import ndimage

CRS = "EPSG:32650"
WEST, NORTH = 500_000.0, 4_000_000.0
MARGIN_PX = 2
"""Clouds reach 40 m further: two pixels of the scene classes."""
ROWS = 1024


@dataclass(frozen=True)
class Tile:
    """Files of one date."""

    red: Path
    nir: Path
    scl: Path
    ndvi: Path
    mask: Path
    ndvi_packed: Path
    mask_packed: Path


def write_tile(folder: Path, number: int, size: int) -> Tile:
    """Write one date of ``size`` x ``size`` pixels of 10 m."""
    rng = np.random.default_rng(number)
    tile = Tile(*(folder / f"{name}_{number:02}.tif" for name in Tile.__annotations__))
    scl = _classes(rng, size // 2)
    clear = np.isin(scl, (4, 5, 7)) & ~ndimage.binary_dilation(
        np.isin(scl, (3, 8, 9, 10)), np.ones((3, 3)), iterations=MARGIN_PX
    )
    packed: dict[str, Any] = {"compress": "deflate", "zlevel": 1}
    with (
        _created(tile.red, size, 10, "uint16", **packed, predictor=2, nodata=0) as red,
        _created(tile.nir, size, 10, "uint16", **packed, predictor=2, nodata=0) as nir,
        _created(tile.ndvi, size, 10, "float32", nodata=float("nan")) as ndvi,
        _created(tile.mask, size, 10, "uint8") as mask,
        _created(tile.ndvi_packed, size, 10, "float32", **packed, predictor=3, nodata=float("nan")) as ndvi_packed,
        _created(tile.mask_packed, size, 10, "uint8", **packed) as mask_packed,
        _created(tile.scl, size // 2, 20, "uint8", **packed) as classes,
    ):
        classes.write(scl, 1)
        for top in range(0, size, ROWS):
            rows = min(ROWS, size - top)
            window = Window(0, top, size, rows)
            low, high = (
                rng.integers(base, base + noise, (rows, size), dtype=np.uint16)
                for base, noise in ((1400, 300), (3600, 600))
            )
            seen = clear[top // 2 : (top + rows) // 2].repeat(2, axis=0).repeat(2, axis=1)
            dark, bright = ((dn.astype(np.float32) - 1000) * np.float32(1e-4) for dn in (low, high))
            red.write(low, 1, window=window)
            nir.write(high, 1, window=window)
            index = np.where(seen, (bright - dark) / (bright + dark), np.float32(np.nan))
            for raster, pixels in ((ndvi, index), (ndvi_packed, index), (mask, seen), (mask_packed, seen)):
                raster.write(pixels.astype(raster.dtypes[0]), 1, window=window)
    return tile


def draw_fields(count: int, size: int) -> NDArray[np.object_]:
    """Draw rotated rectangles with a median of 0.4 ha, in random order, in the coordinate system of the tile."""
    rng = np.random.default_rng(count)
    area = np.exp(rng.normal(np.log(4000), 0.8, count)).clip(500, 100_000)
    stretch, turn = rng.uniform(1, 3, count), rng.uniform(0, np.pi, count)
    half = np.stack([np.sqrt(area * stretch), np.sqrt(area / stretch)]) / 2
    local = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]])[None] * half.T[:, None]
    cos, sin = np.cos(turn)[:, None], np.sin(turn)[:, None]
    east, south = rng.uniform(400, size * 10 - 400, (2, count, 1))
    x = WEST + east + local[..., 0] * cos - local[..., 1] * sin
    y = NORTH - south + local[..., 0] * sin + local[..., 1] * cos
    return np.asarray(shapely.polygons(np.stack([x, y], axis=-1)))


def _classes(rng: np.random.Generator, size: int) -> NDArray[np.uint8]:
    rough = ndimage.gaussian_filter(rng.normal(size=(size // 30 + 2, size // 30 + 2)), 2)
    cover = ndimage.zoom(rough, 30, order=1)[:size, :size]
    thick, thin, shadow = np.quantile(cover, (0.80, 0.75, 0.70))
    scl = np.full((size, size), 4, dtype=np.uint8)
    noise = rng.random((size, size), dtype=np.float32)
    scl[noise < 0.10] = 5
    scl[noise < 0.02] = 7
    scl[cover > shadow] = 3
    scl[cover > thin] = 8
    scl[cover > thick] = 9
    return scl


def _created(path: Path, size: int, pixel_m: float, dtype: str, **options: Any) -> Any:
    profile = {"driver": "GTiff", "dtype": dtype, "count": 1, "width": size, "height": size, "crs": CRS}
    profile |= {"transform": Affine(pixel_m, 0, WEST, 0, -pixel_m, NORTH)}
    return rasterio.open(path, "w", **profile, tiled=True, blockxsize=512, blockysize=512, **options)
