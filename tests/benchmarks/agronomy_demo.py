"""The demo region, whose truth is known: dates of its seasons, yields of its fields, as the whole line finds them."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from cropcredit.agronomy import DailyCurves, find_seasons, season_metrics, smooth
from cropcredit.bootstrap import App, build
from cropcredit.config import Settings
from cropcredit.demo.check import TruthCheck, against_truth, read_truth
from cropcredit.demo.generate import generate, imagine
from cropcredit.demo.growth import ndvi
from cropcredit.demo.parameters import Region, load_region
from cropcredit.usecases.import_fields import FieldForm
from cropcredit.usecases.train_yields import YieldFiles
from tests.benchmarks.report import Row

COMMAND = "make bench NAME=agronomy"


def rows() -> list[Row]:
    """Run the demo region up to its estimates, and compare dates and yields with the truth that its generator knows.

    The truth file's start of winter wheat is the first passing of a quarter of the rise, in autumn; ours the last one
    before the peak, in spring. So starts are also held against the same rule on the true daily curves.
    """
    region = load_region()
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "region"
        generate(region, made)
        app = _observed(region, made, Path(folder) / "bank")
        table, right = _seasons(region, made, app)
        checks = _yields(region, made, app)
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
    return found + [_yield_row(check) for check in checks]


def _observed(region: Region, made: Path, home: Path) -> App:
    """Take fields and scenes into a workspace, and compute the index of every field."""
    settings = Settings.checked(home, {"time_zone": "Asia/Shanghai"}, where="bench")
    settings.save()
    app = build(settings)
    long_ago = region.today.replace(year=region.harvest_year - 1)
    app.import_fields(str(made / "fields.geojson"), FieldForm(known_at=long_ago))
    app.add_scenes([str(made / "scenes")], product="s2-l2a")
    app.refresh_ndvi(as_of=region.today)
    return app


def _yields(region: Region, made: Path, app: App) -> list[TruthCheck]:
    """Learn from the townships' past, and hold the estimate of every planting against its true yield."""
    for noun in ("weather", "parties", "plantings"):
        app.import_records(noun, made / f"{noun}.csv")
    files = YieldFiles(labels=made / "yields.csv", index=made / "index.csv", calendar=made / "calendar.csv")
    app.train_yields(files)
    run = app.estimate_yields(as_of=region.today)
    return against_truth(run.estimates, read_truth(made / "truth" / "plantings.csv"))


def _yield_row(check: TruthCheck) -> Row:
    return Row(
        bar=f"demo region, {check.crop}: yield of a field against its truth, RMSE",
        value=check.rmse_t_ha,
        unit="t/ha",
        target="",
        ok=True,
        peer=f"plain baseline {check.baseline_rmse_t_ha:.2f}; {check.plantings} plantings, mean "
        f"{check.true_mean_t_ha:.2f} true, {check.estimated_mean_t_ha:.2f} estimated; r {check.correlation:.2f}; "
        f"90 % interval held in {check.covered_90:.0%}",
        command=COMMAND,
    )


def _seasons(region: Region, made: Path, app: App) -> tuple[pd.DataFrame, float]:
    """Give true and measured dates of every planting sown by the story's present; the share of fields counted right."""
    run = app.refresh_ndvi(as_of=region.today)
    series = app.refresh_ndvi.observations.series("NDVI", run.units)
    dates = ["sown_on", "start_on", "peak_on", "harvest_on"]
    truth = pd.read_csv(made / "truth" / "plantings.csv", index_col="planting_id", parse_dates=dates)
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
