"""Series and seasons: speed over 100,000 fields, two crops a year over Sinop, dates against the demo region's truth."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from cropcredit.agronomy import DailyCurves, find_seasons, season_metrics, seasons_of, smooth
from cropcredit.bootstrap import build
from cropcredit.config import Settings
from cropcredit.demo.generate import generate, imagine
from cropcredit.demo.growth import ndvi
from cropcredit.demo.parameters import load_region
from cropcredit.usecases.import_fields import FieldForm
from tests.benchmarks.report import Row, at_least, at_most
from tests.integration.agronomy.sinop import season_counts, sinop_cube

COMMAND = "make bench NAME=agronomy"
FIELDS, DATES, PIECE, PROCESSES = 100_000, 60, 5_000, 2
REAL = Path(os.environ.get("CROPCREDIT_REAL_DATA", Path(__file__).parents[3] / "shared" / "data"))


def rows() -> list[Row]:
    """Measure every bar of this part whose data are at hand."""
    found = [speed_row()]
    if (REAL / "rasters" / "sinop-modis").is_dir():
        found += sinop_rows()
    return found + demo_rows()


def speed_row() -> Row:
    """Half cloudy looks every six days over a year, every tenth a missed cloud; half the fields with two crops.

    De-spike, robust smoothing, seasons found in the curve, and the windowed metrics of a planting; fields come in
    pieces, as from their tiles.
    """
    seeds = range(FIELDS // PIECE)
    with ProcessPoolExecutor(PROCESSES) as pool:
        list(pool.map(_warm, range(PROCESSES)))
        walls, cpus = zip(*pool.map(_piece, seeds), strict=True)
    seconds = sum(walls) / PROCESSES
    target, ok = at_most(seconds, 30)
    return Row(
        bar=f"series and season metrics, {FIELDS:,} fields x {DATES} dates, {PROCESSES} processes",
        value=seconds,
        unit="s",
        target=target,
        ok=ok,
        peer=f"{sum(cpus):.1f} s CPU",
        command=COMMAND,
    )


def _warm(_: int) -> None:
    _chain(*_looks(0, 50))


def _piece(seed: int) -> tuple[float, float]:
    """Give wall and CPU seconds of one piece, without making its looks."""
    looks = _looks(seed, PIECE)
    start, used = time.perf_counter(), time.process_time()
    _chain(*looks)
    return time.perf_counter() - start, time.process_time() - used


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


def demo_rows() -> list[Row]:
    """Run the demo region up to its index per field, and compare dates with the truth that its generator knows.

    The truth file's start of winter wheat is the first passing of a quarter of the rise, in autumn; ours the last one
    before the peak, in spring. So starts are also held against the same rule on the true daily curves.
    """
    with tempfile.TemporaryDirectory() as folder:
        table, right = _demo(Path(folder))
    said = {
        "start": "start against the truth file",
        "start_by_rule": "start against the same rule on the true curve",
        "peak": "peak against the truth file",
    }
    found = [
        Row(
            bar="demo region: fields that show as many seasons as were sown, no calendar given",
            value=100 * right,
            unit="%",
            target="",
            ok=True,
            command=COMMAND,
        )
    ]
    for crop, plantings in table.groupby("crop"):
        for name, words in said.items():
            error = (plantings[name.partition("_")[0]] - plantings[f"{name}_true"]).dt.days
            spread = error.dropna().abs()
            found.append(
                Row(
                    bar=f"demo region, {crop}: {words}, median error",
                    value=float(spread.median()),
                    unit="days",
                    target="",
                    ok=True,
                    peer=f"bias {error.mean():+.1f}; nine of ten within {spread.quantile(0.9):.0f} days; "
                    f"{len(spread)} of {len(error)} plantings have one",
                    command=COMMAND,
                )
            )
    return found


def _demo(folder: Path) -> tuple[pd.DataFrame, float]:
    """Give true and measured dates of every planting sown by the story's present; the share of fields counted right."""
    region = load_region()
    generate(region, folder / "region")
    settings = Settings.checked(folder / "bank", {"time_zone": "Asia/Shanghai"}, where="bench")
    settings.save()
    app = build(settings)
    long_ago = region.today.replace(year=region.harvest_year - 1)
    app.import_fields(str(folder / "region" / "fields.geojson"), FieldForm(known_at=long_ago))
    app.add_scenes([str(folder / "region" / "scenes")], product="s2-l2a")
    run = app.refresh_ndvi(as_of=region.today)
    series = app.refresh_ndvi.observations.series("NDVI", run.units)
    dates = ["sown_on", "start_on", "peak_on", "harvest_on"]
    truth = pd.read_csv(folder / "region" / "truth" / "plantings.csv", index_col="planting_id", parse_dates=dates)
    truth = truth[(truth["sown_on"] <= pd.Timestamp(region.today.date())) & truth["field_id"].isin(series.field_ids)]
    curves = smooth(series.mean, series.clear_fraction, series.acquired_at)
    seen = _dates(curves, truth, series.field_ids)
    world = imagine(region)
    days, plots = world.season.lai.shape
    true = DailyCurves(
        first_on=np.datetime64(world.season.first_on),
        values=ndvi(world.season.lai).T,
        observed=np.ones((plots, days), bool),
    )
    by_rule = _dates(true, truth, world.plots.field_id.tolist())
    counted = pd.Series(np.isfinite(find_seasons(curves).sos).sum(axis=1), index=series.field_ids)
    sown = truth.groupby("field_id").size()
    table = pd.DataFrame(
        {
            "crop": truth["crop"],
            "start": seen["sos"],
            "peak": seen["peak"],
            "start_true": truth["start_on"],
            "start_by_rule_true": by_rule["sos"],
            "peak_true": truth["peak_on"],
        }
    )
    return table, float((counted.loc[sown.index] == sown).mean())


def _dates(curves: DailyCurves, plantings: pd.DataFrame, fields: Sequence[str]) -> pd.DataFrame:
    """Measure start and peak of each planting between sowing and harvest."""
    place = {name: row for row, name in enumerate(fields)}
    rows = [place[name] for name in plantings["field_id"]]
    own = DailyCurves(first_on=curves.first_on, values=curves.values[rows], observed=curves.observed[rows])  # noqa: PD011
    first = pd.Timestamp(curves.first_on)
    start, end = (np.array((plantings[name] - first).dt.days, dtype=int) for name in ("sown_on", "harvest_on"))
    found = season_metrics(own, start, end)
    days = {name: first + pd.to_timedelta(getattr(found, name), "D") for name in ("sos", "peak")}
    return pd.DataFrame(days, index=plantings.index)
