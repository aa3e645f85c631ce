"""Series and seasons: speed over 100,000 fields, and two crops a year over Sinop."""

from __future__ import annotations

import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import xarray as xr

from cropcredit.agronomy import find_seasons, season_metrics, seasons_of, smooth
from tests.benchmarks.report import Row, at_least, at_most
from tests.integration.agronomy.sinop import season_counts, sinop_cube

COMMAND = "make bench NAME=agronomy"
FIELDS, DATES, PIECE, PROCESSES = 100_000, 60, 5_000, 2
REAL = Path(os.environ.get("CROPCREDIT_REAL_DATA", Path(__file__).parents[3] / "shared" / "data"))


def rows() -> list[Row]:
    """Measure every bar of this part whose data are at hand."""
    found = speed_rows()
    if (REAL / "rasters" / "sinop-modis").is_dir():
        found += sinop_rows()
    return found


def speed_rows() -> list[Row]:
    """Half cloudy looks every six days over a year, every tenth a missed cloud; half the fields with two crops.

    De-spike, robust smoothing, seasons found in the curve, and the windowed metrics of a planting; fields come in
    pieces, as from their tiles. Told by the clock on the wall, and as what the busier process used: the two are one
    where nobody else works on the machine.
    """
    seeds = range(FIELDS // PIECE)
    with ProcessPoolExecutor(PROCESSES) as pool:
        list(pool.map(_warm, range(PROCESSES)))
        walls, cpus, workers = zip(*pool.map(_piece, seeds), strict=True)
    wall = sum(walls) / PROCESSES
    used = max(sum(cpu for cpu, worker in zip(cpus, workers, strict=True) if worker == one) for one in set(workers))
    bar = f"series and season metrics, {FIELDS:,} fields x {DATES} dates, {PROCESSES} processes"
    return [_seconds(bar, wall, f"{sum(cpus):.1f} s CPU"), _seconds(f"{bar}: CPU of the busier", used, "")]


def _seconds(bar: str, value: float, peer: str) -> Row:
    target, ok = at_most(value, 30)
    return Row(bar=bar, value=value, unit="s", target=target, ok=ok, peer=peer, command=COMMAND)


def _warm(_: int) -> None:
    _chain(*_looks(0, 50))


def _piece(seed: int) -> tuple[float, float, int]:
    """Give wall and CPU seconds of one piece, without making its looks, and the process that did it."""
    looks = _looks(seed, PIECE)
    start, used = time.perf_counter(), time.process_time()
    _chain(*looks)
    return time.perf_counter() - start, time.process_time() - used, os.getpid()


def _looks(seed: int, fields: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    days = np.arange(DATES) * 6
    one = 0.2 + 0.6 * np.exp(-(((days - 200) / 45) ** 2))
    two = 0.2 + 0.6 * np.exp(-(((days - 130) / 40) ** 2)) + 0.55 * np.exp(-(((days - 270) / 35) ** 2))
    truth = np.where(np.arange(fields)[:, None] % 2, one, two)
    mean = truth + rng.normal(0, 0.02, truth.shape)
    missed = rng.random(mean.shape) < 0.1
    mean = np.where(missed, mean * rng.uniform(0, 0.7, mean.shape), mean)
    clear = np.where(rng.random(mean.shape) < 0.5, 0.0, rng.uniform(0.5, 1, mean.shape))
    return mean, clear, np.datetime64("2024-10-01") + days


def _chain(mean: np.ndarray, clear: np.ndarray, dates: np.ndarray) -> None:
    curves = smooth(mean, clear, dates)
    find_seasons(curves)
    season_metrics(curves, np.full(len(mean), 30), np.full(len(mean), 340))


def sinop_rows() -> list[Row]:
    """Count seasons at the labelled points."""
    with tempfile.TemporaryDirectory() as folder:
        path, labels = sinop_cube(REAL, Path(folder))
        with xr.open_dataset(path) as cube:
            counts = season_counts(seasons_of(cube), labels)
    others = "; ".join(
        f"{label}: " + ", ".join(f"{fields} with {seasons}" for seasons, fields in sorted(shown.items()))
        for label, shown in sorted(counts.items())
    )
    target, ok = at_least(counts["Soy_Corn"].get(2, 0), 6)
    return [
        Row(
            bar="sinop-modis, Soy_Corn points of 8 with two seasons",
            value=counts["Soy_Corn"].get(2, 0),
            unit="points",
            target=target,
            ok=ok,
            peer=others,
            command=COMMAND,
        )
    ]
