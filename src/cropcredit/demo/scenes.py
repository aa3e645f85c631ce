"""Pictures as scene folders in the form that ``cropcredit scenes add --product s2-l2a`` accepts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import rasterio
from affine import Affine
from numpy.typing import NDArray

from cropcredit.demo.parameters import Region, Tile
from cropcredit.demo.sky import Picture


def write_scene(region: Region, folder: Path, picture: Picture) -> Path:
    """Write one scene folder; returns it."""
    tile, day = region.tile, picture.acquired_at.date()
    name = f"S2_{tile.name}_{day:%Y%m%d}"
    scene = folder / name
    scene.mkdir(parents=True, exist_ok=True)
    _write_band(scene / "B04.tif", picture.red, tile, tile.pixel_m)
    _write_band(scene / "B08.tif", picture.nir, tile, tile.pixel_m)
    _write_band(scene / "SCL.tif", picture.scl, tile, 2 * tile.pixel_m)
    about = {
        "id": name,
        "tile": tile.name,
        "acquired_at": picture.acquired_at.isoformat(),
        "available_at": picture.available_at.isoformat(),
        "processing_baseline": region.sky.baseline,
        "offset": "auto",
        "synthetic": True,
    }
    (scene / "scene.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    return scene


def _write_band(file: Path, pixels: NDArray[Any], tile: Tile, pixel_m: float) -> None:
    transform = Affine(pixel_m, 0, tile.west_m, 0, -pixel_m, tile.north_m)
    with rasterio.open(
        file,
        "w",
        driver="GTiff",
        width=pixels.shape[1],
        height=pixels.shape[0],
        count=1,
        dtype=pixels.dtype.name,
        crs=tile.crs,
        transform=transform,
        nodata=0,
        tiled=True,
        blockxsize=256,
        blockysize=256,
        compress="deflate",
        predictor=2,
        zlevel=1,
    ) as raster:
        raster.write(pixels, 1)
