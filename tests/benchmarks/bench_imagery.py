"""A season of scenes for every field of a tile, against the tools that people use for it.

100,000 fields on one Sentinel-2 tile, 12 dates: NDVI over whole fields and cores, mean, spread and clear share. Ours
reads red, near infrared and scene classes, and does the whole of ``cropcredit ndvi run``; the peers are given NDVI and
mask as ready rasters and the cores as ready polygons. exactextract, like ours, runs as a process of its own, from files
to files, and the two take turns. It reads rasters stored as the bands are, which is the job that is compared, and once
uncompressed ones, where it is spared what most of our time goes into. The others read them uncompressed. CPU seconds,
one process on both sides; of turns the median counts. ``SIZE``, ``FIELDS``, ``DATES`` and ``TURNS`` come from the
environment; the files take some 15 GB of ``TMPDIR``.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
from numpy.typing import NDArray

from cropcredit.bootstrap import App, build
from cropcredit.config import Settings
from cropcredit.fields import boundary_version, inward, reproject
from cropcredit.imagery import acquisitions
from cropcredit.model import Band, Field, FieldObservations, Scene
from cropcredit.usecases.ndvi_plan import NdviConfig, plan_tile
from cropcredit.usecases.ndvi_units import UnitJob, run_unit
from tests.benchmarks import imagery_peers as peers
from tests.benchmarks.interrupted import interrupted
from tests.benchmarks.report import Row, at_least, at_most, publish
from tests.benchmarks.sky import CRS, Tile, draw_fields, write_tile

SIZE = int(os.environ.get("SIZE", "10980"))
FIELDS = int(os.environ.get("FIELDS", "100000"))
DATES = int(os.environ.get("DATES", "12"))
TURNS = int(os.environ.get("TURNS", "3"))
LONG = 60
SLIVER = 1e-9
"""Clear share below which a field may count as seen or not: an edge of rounding width."""
SAMPLE = min(2000, FIELDS)
COMMAND = "make bench NAME=imagery"
KNOWN = datetime(2025, 1, 1, tzinfo=UTC)
FIRST = datetime(2025, 6, 1, 3, tzinfo=UTC)
Both = tuple[NDArray[np.object_], NDArray[np.object_]]


def main() -> None:
    """Measure and publish."""
    with tempfile.TemporaryDirectory() as folder:
        publish("imagery", [*season(Path(folder)), *interrupted(Path(folder), COMMAND)])


def season(folder: Path) -> list[Row]:
    """Measure the season: speed, agreement, memory."""
    tiles = [write_tile(folder, number, SIZE) for number in range(DATES)]
    flat = draw_fields(FIELDS, SIZE)
    app = workspace(folder / "bank", flat, tiles)
    fresh = shutil.copytree(app.settings.home, folder / "fresh")
    _, memory_gb = command(app.settings.home)
    seen = observations(app)
    peer = Peer(folder, (flat, core_polygons(flat, seen[0])))
    packed = [(tile.ndvi_packed, tile.mask_packed) for tile in tiles]
    turns = [(command(shutil.copytree(fresh, folder / f"turn{k}"))[0], peer(packed)) for k in range(TURNS)]
    ours, theirs = zip(*turns, strict=True)
    mean, share = disagreement(seen, peer.found())
    one = peer(packed[:1])
    unpacked = peer([(tile.ndvi, tile.mask) for tile in tiles])
    further, decoding, cached = per_date(app, tiles, peer.polygons)
    sampled = sum(cpu(partial(peers.rasterstats, tiles[0], part[:SAMPLE]))[1] for part in peer.polygons)
    per_date_theirs = (median(theirs) - one) / (DATES - 1) if DATES > 1 else one
    against_decoding = median(a / b for a, b in zip(further, decoding, strict=True))
    against_cache = median(b / a for a, b in zip(further, cached, strict=True))
    whole = median(b / a for a, b in turns)
    more = LONG - DATES
    whole_60 = (median(theirs) + more * per_date_theirs) / (median(ours) + more * median(further))
    slow = sampled * FIELDS / SAMPLE / median(further)
    name = f"{FIELDS} fields, {SIZE} x {SIZE}"
    raster_wise = "exactextract raster-sequential"
    return [
        row(f"{name}: a further date", median(further), "CPU s"),
        row("a further date against decoding it", against_decoding, "x", *at_most(against_decoding, 1.5), "rasterio"),
        row(f"all of {DATES} dates: ours, the whole command", median(ours), "CPU s"),
        row(f"all of {DATES} dates: peer", median(theirs), "CPU s", peer=raster_wise),
        row(f"all of {DATES} dates, faster by", whole, "x", *at_least(whole, 3), raster_wise),
        row("  the peer's rasters uncompressed", unpacked / median(ours), "x", peer=raster_wise),
        row(f"all of {LONG} dates (extrapolated from {DATES}), faster by", whole_60, "x", peer=raster_wise),
        row(f"a date, faster by (peer from {SAMPLE} fields)", slow, "x", *at_least(slow, 100), "rasterstats"),
        row("a further date, faster by", against_cache, "x", *at_least(against_cache, 1), "extractrs"),
        row("largest difference of a mean NDVI, whole and core", mean, "NDVI", *at_most(mean, 1e-6), raster_wise),
        row("largest difference of a clear share", share, "", *at_most(share, 1e-6), raster_wise),
        row("resident memory of the command", memory_gb, "GB", *at_most(memory_gb, 2)),
    ]


def row(bar: str, value: float, unit: str, target: str = "", ok: bool = True, peer: str = "") -> Row:
    return Row(bar=bar, value=value, unit=unit, target=target, ok=ok, peer=peer, command=COMMAND)


def workspace(home: Path, flat: NDArray[np.object_], tiles: list[Tile]) -> App:
    """Make a workspace with the fields and the scenes."""
    settings = Settings.checked(home, {"time_zone": "UTC"}, where="benchmark")
    settings.save()
    app = build(settings)
    app.import_fields.fields.add(
        [
            Field(id=f"f{k:06}", collection="made", boundary=boundary, area_ha=0.4, perimeter_m=260.0,
                  boundary_version=boundary_version(boundary), known_at=KNOWN)
            for k, boundary in enumerate(reproject(flat, CRS, "EPSG:4326"))
        ]
    )  # fmt: skip
    for number, tile in enumerate(tiles):
        day = FIRST + timedelta(days=5 * number)
        bands = (Band("red", str(tile.red)), Band("nir", str(tile.nir)), Band("scl", str(tile.scl)))
        grid = app.refresh_ndvi.rasters.info(str(tile.red)).grid
        app.facts.add(
            Scene(id=f"made_{number:02}", known_at=day, product="s2-l2a", tile="50SMJ", acquired_at=day,
                  available_at=day, grid=grid, bands=bands, processing_baseline="05.10", content_hash=str(number))
        )  # fmt: skip
    return app


def command(home: Path) -> tuple[float, float]:
    """Run the command in a process of its own; returns its CPU seconds and its resident memory, GB."""
    words = ["ndvi", "run", "--as-of", "2025-12-31", "--index", "NDVI", "--home", str(home)]
    return process(["cropcredit", *words], codes=(0, 1))  # 1: complete, but a field was under cloud on every date


def process(module: list[str], *, codes: tuple[int, ...] = (0,)) -> tuple[float, float]:
    """Run a Python module; returns its CPU seconds, and the most resident memory of any such process so far, GB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-m", *module], check=False, capture_output=True, text=True)
    assert done.returncode in codes, done.stderr
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, after.ru_maxrss / 1e6


class Peer:
    """exactextract on ready rasters and ready polygons: whole fields, and cores."""

    def __init__(self, folder: Path, polygons: Both) -> None:
        self.polygons = polygons
        self.files = [folder / "whole.parquet", folder / "core.parquet"]
        self.out = folder / "peer"
        self.out.mkdir()
        for file, part in zip(self.files, polygons, strict=True):
            gpd.GeoDataFrame(geometry=part, crs=CRS).to_parquet(file)

    def __call__(self, dates: list[tuple[Path, Path]]) -> float:
        """Run it over these dates; returns its CPU seconds."""
        words = ["--polygons", *self.files, "--out", self.out]
        words += ["--ndvi", *(ndvi for ndvi, _ in dates), "--mask", *(mask for _, mask in dates)]
        return process(["tests.benchmarks.exactextract_job", *map(str, words)])[0]

    def found(self) -> list[pd.DataFrame]:
        """Give what it found last, per set of polygons."""
        return [pd.read_parquet(self.out / file.name) for file in self.files]


def observations(app: App) -> list[FieldObservations]:
    """Read what the command wrote, in the order of the dates."""
    [manifest] = app.refresh_ndvi.runs.manifests("ndvi")
    held = [line["unit"] for line in manifest["held_back"]]
    return sorted(app.refresh_ndvi.observations.read([*manifest["units"], *held]), key=lambda seen: seen.acquired_at)


def core_polygons(flat: NDArray[np.object_], seen: FieldObservations) -> NDArray[np.object_]:
    """Give the cores that the command chose, as polygons of the tile."""
    cores = flat.copy()
    rim = np.empty(len(flat))
    rim[numbers(seen)] = seen.core_buffer_m
    boundaries = reproject(flat, CRS, "EPSG:4326")
    for metres in (10.0, 5.0):
        cores[rim == metres] = inward(boundaries[rim == metres], metres, CRS)
    return cores


def numbers(seen: FieldObservations) -> NDArray[np.int64]:
    """Give the number of each observed field: they are called f000000, f000001 …"""
    return np.array([int(name[1:]) for name in seen.field_ids])


def disagreement(seen: list[FieldObservations], found: list[pd.DataFrame]) -> tuple[float, float]:
    """Give the largest difference of any field on any date: of the mean NDVI, of the clear share."""
    mean, share = 0.0, 0.0
    for date, ours in enumerate(seen):
        order = numbers(ours)
        for values, clear, theirs in (
            (ours.mean, ours.clear_fraction, found[0]),
            (ours.core_mean, ours.core_clear_fraction, found[1]),
        ):
            their_mean, their_clear = (theirs[f"{name}{date}"].to_numpy()[order] for name in ("mean", "clear"))
            seen_by_one = np.isnan(values) != np.isnan(their_mean)
            assert np.all(their_clear[seen_by_one] < SLIVER), "the same fields are seen"
            mean = max(mean, float(np.nanmax(np.abs(values - their_mean))))
            share = max(share, float(np.max(np.abs(clear - their_clear))))
    return mean, share


def per_date(app: App, tiles: list[Tile], geometries: Both) -> tuple[list[float], list[float], list[float]]:
    """Take turns date by date: ours from files to the written unit, decoding alone, statistics by extractrs."""
    looks, _ = acquisitions(app.facts.find(Scene))
    jobs = plan_tile(app.import_fields.fields.read(), looks, NdviConfig(indices=("NDVI",))).units
    caches = [peers.ExtractrsCache(part, SIZE) for part in geometries]
    ours(app, jobs[0])  # the matrix is loaded and the reading planned once per process
    further, decoding, cached = [], [], []
    for job, tile in zip(jobs, tiles, strict=True):
        further.append(cpu(partial(ours, app, job))[1])
        decoding.append(cpu(partial(decode, (tile.red, tile.nir, tile.scl)))[1])
        cached.append(cpu(partial(peers.extractrs, tile, caches))[1])
    return further, decoding, cached


def ours(app: App, job: UnitJob) -> None:
    run = app.refresh_ndvi
    run_unit(job, rasters=run.rasters, cache=run.cache, observations=run.observations)


def decode(paths: Iterable[Path]) -> None:
    for path in paths:
        with rasterio.open(path) as raster:
            raster.read(1)


def cpu(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.process_time()
    return work(), time.process_time() - start


if __name__ == "__main__":
    main()
