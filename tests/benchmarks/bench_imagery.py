"""Coverage once and then a product per scene, against exactextract asked anew for every scene.

A synthetic tile with noisy NDVI in ten-thousandths (int16, DEFLATE with predictor 2, 512 blocks), rotated fields of
smallholder size. ``SIZE``, ``FIELDS`` and ``DATES`` come from the environment; CPU seconds, one process on both sides.
"""

from __future__ import annotations

import os
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from affine import Affine
from exactextract import exact_extract

from cropcredit.adapters.rasters import RasterioReader
from cropcredit.fields import reproject
from cropcredit.imagery import cover, layers, observe
from cropcredit.model import Band, FieldObservations, Offset, Scene
from cropcredit.usecases.ndvi_units import TileMatrix, sample
from tests.benchmarks.report import Row, at_least, at_most, publish

SIZE = int(os.environ.get("SIZE", "5490"))
FIELDS = int(os.environ.get("FIELDS", "25000"))
DATES = int(os.environ.get("DATES", "4"))
CRS = "EPSG:32650"
WEST, NORTH = 500_000, 4_000_000
COMMAND = "make bench NAME=imagery"


def main() -> None:
    """Measure and publish."""
    rng = np.random.default_rng(20250601)
    with tempfile.TemporaryDirectory() as folder:
        files = [write_tile(Path(folder) / f"ndvi_{k}.tif", rng) for k in range(DATES)]
        flat = draw_fields(rng)
        reader = RasterioReader(root=Path(folder))
        matrix, once = cpu(lambda: cover(reproject(flat, CRS, "EPSG:4326"), reader.info(files[0].name).grid))
        names = np.arange(FIELDS).astype(str)
        table = TileMatrix(coverage=matrix, field_ids=names, wet=np.zeros(FIELDS, dtype=bool))
        ours, per_run = cpu(lambda: [ours_one(reader, file, table) for file in files])
        _, decoding = cpu(lambda: [list(reader.read(file.name, [((0, SIZE), (0, SIZE))])) for file in files])
        peer, theirs = cpu(lambda: [peer_one(file, flat) for file in files])
    worst = max(float(np.nanmax(np.abs(o.mean - p))) for o, p in zip(ours, peer, strict=True))
    ratio = theirs / (once + per_run)
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    what = f"{FIELDS} fields, {SIZE} x {SIZE}, {DATES} dates"
    rasterwise = "exactextract raster-sequential"
    publish(
        "imagery",
        [
            row(f"{what}: coverage matrix, whole and core, once", once, "CPU s"),
            row("a further date: read, index, whole and core", per_run / DATES, "CPU s"),
            row("a further date against decoding it alone", per_run / decoding, "x", peer="rasterio"),
            row("all dates, matrix included, faster by", ratio, "x", *at_least(ratio, 1), peer=rasterwise),
            row("a further date, faster by", theirs / per_run, "x", *at_least(theirs / per_run, 3), peer=rasterwise),
            row("largest difference of a field's mean NDVI", worst, "NDVI", *at_most(worst, 1e-6), peer=rasterwise),
            row("resident memory (peer included)", resident, "GB", *at_most(resident, 4)),
        ],
    )


def row(bar: str, value: float, unit: str, target: str = "", ok: bool = True, *, peer: str = "") -> Row:
    return Row(bar=bar, value=value, unit=unit, target=target, ok=ok, peer=peer, command=COMMAND)


def write_tile(path: Path, rng: np.random.Generator) -> Path:
    pixels = (rng.random((SIZE, SIZE), dtype=np.float32) * 2000 + 5000).astype(np.int16)
    profile: dict[str, Any] = {"driver": "GTiff", "dtype": "int16", "count": 1, "width": SIZE, "height": SIZE}
    profile |= {"crs": CRS, "transform": Affine(10, 0, WEST, 0, -10, NORTH), "compress": "deflate", "predictor": 2}
    profile |= {"tiled": True, "blockxsize": 512, "blockysize": 512}
    with rasterio.open(path, "w", **profile) as raster:
        raster.write(pixels, 1)
    return path


def draw_fields(rng: np.random.Generator) -> Any:
    """Draw rotated rectangles with a median of 0.4 ha, in the coordinate system of the tile."""
    area = np.exp(rng.normal(np.log(4000), 0.8, FIELDS)).clip(500, 100_000)
    stretch, turn = rng.uniform(1, 3, FIELDS), rng.uniform(0, np.pi, FIELDS)
    half = np.stack([np.sqrt(area * stretch), np.sqrt(area / stretch)]) / 2
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]])
    local = corners[None] * half.T[:, None]
    cos, sin = np.cos(turn)[:, None], np.sin(turn)[:, None]
    x = local[..., 0] * cos - local[..., 1] * sin + rng.uniform(WEST + 400, WEST + SIZE * 10 - 400, FIELDS)[:, None]
    y = local[..., 0] * sin + local[..., 1] * cos + rng.uniform(NORTH - SIZE * 10 + 400, NORTH - 400, FIELDS)[:, None]
    return shapely.polygons(np.stack([x, y], axis=-1))


def ours_one(reader: RasterioReader, file: Path, matrix: TileMatrix) -> FieldObservations:
    day = datetime(2025, 6, 1, tzinfo=UTC)
    band = Band("ndvi", file.name)
    scene = Scene(id=file.stem, known_at=day, product="ndvi", tile="t", acquired_at=day, available_at=day,
                  grid=reader.info(file.name).grid, bands=(band,), offset=Offset.APPLIED)  # fmt: skip
    read = layers(scene, {"ndvi": sample(reader, scene, band, matrix)})
    [seen] = observe(scene, read, matrix.coverage, matrix.field_ids, wet=matrix.wet)
    return seen


def peer_one(file: Path, flat: Any) -> Any:
    frame = gpd.GeoDataFrame(geometry=flat, crs=CRS)
    found = exact_extract(str(file), frame, ["mean", "stdev", "count"], strategy="raster-sequential")
    return np.array([feature["properties"]["mean"] for feature in found]) * 1e-4


def cpu(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.process_time()
    return work(), time.process_time() - start


if __name__ == "__main__":
    main()
