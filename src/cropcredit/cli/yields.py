"""yield train, validate, run: learn from past harvests, judge what was learned, estimate every planting."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from datetime import date
from math import isfinite
from pathlib import Path
from typing import Annotated, Any

import typer

from cropcredit.agronomy.features import PARTS
from cropcredit.agronomy.label_copies import shared_series
from cropcredit.agronomy.labels import Suspect
from cropcredit.agronomy.validation import FORWARD, GATE_YEARS, REGIONS, YEARS
from cropcredit.cli.common import (
    HERE,
    AsOf,
    Home,
    Json,
    as_of_instant,
    err,
    open_app,
    out,
    progress,
    show_json,
    show_table,
)
from cropcredit.cli.field_features import features
from cropcredit.cli.yield_models import models, promote
from cropcredit.cli.yield_report import Report, show_reported
from cropcredit.errors import MalformedInput
from cropcredit.model import YieldEstimate
from cropcredit.usecases.estimate_yield import YieldRun
from cropcredit.usecases.train_yields import Judged, Trained, Trial, YieldFiles
from cropcredit.usecases.yield_report import judged_plain, left_out

SHOWN = 10
"""Refused plantings, and labels left out by one rule, that are printed one by one."""

EARLIEST, LATEST = 1900, 2100
"""Harvest years where only one end is named."""
CHOICES = 3
"""Choices that are printed by name."""
SCHEME_WORDS = {YEARS: "each year left out", FORWARD: "learned from earlier years", REGIONS: "regions left out"}

app = typer.Typer(name="yield", help="Yields: learn, judge, estimate.", no_args_is_help=True)

Labels = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Past yields: CSV with crop, region, harvest_year, t_ha (or yield, unit); a folder with --mapping.",
    ),
]
Index = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Index of the regions over time: CSV with crop, region, date, ndvi.")
]
Calendar = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Seasons: CSV with crop, region, sowing_doy, harvest_doy.")
]
Mapping = Annotated[
    str, typer.Option(metavar="NAME|FILE", help="Data mapping of the folder in --labels: cybench, or a TOML file.")
]
Crop = Annotated[str, typer.Option(help="Only this crop; for a folder, the code under which its crop is known here.")]
Lag = Annotated[
    int | None,
    typer.Option(help="Days after a harvest year until its yields are published, for rows without known_at."),
]
Keep = Annotated[
    list[str] | None,
    typer.Option(
        metavar="REGION:YEAR", help="A suspect yield that is right: learn from it. May be given several times."
    ),
]


@app.command()
def train(  # noqa: PLR0917 - options of a command line
    home: Home = HERE,
    labels: Labels = None,
    index: Index = None,
    calendar: Calendar = None,
    mapping: Mapping = "",
    crop: Crop = "",
    lag_days: Lag = None,
    keep: Keep = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Store past yields (and index), learn every crop that has at least five years, and use what passes the gate."""
    opened = open_app(home)
    kept = _kept(keep)
    files = YieldFiles(
        labels=labels, index=index, calendar=calendar, mapping=mapping, crop=crop, lag_days=lag_days, keep=kept
    )
    at = as_of_instant(opened, as_of) if as_of else None
    trained = opened.train_yields(files, as_of=at, progress=progress)
    if as_json:
        show_json([_trained_plain(result) for result in trained])
        return
    for result in trained:
        _show_trained(result)


@app.command()
def validate(  # noqa: PLR0917 - options of a command line
    home: Home = HERE,
    labels: Labels = None,
    index: Index = None,
    calendar: Calendar = None,
    mapping: Mapping = "",
    crop: Crop = "",
    first: Annotated[int | None, typer.Option("--from", metavar="YEAR", help="First harvest year.")] = None,
    last: Annotated[int | None, typer.Option("--to", metavar="YEAR", help="Last harvest year.")] = None,
    parts: Annotated[
        int | None,
        typer.Option(min=1, max=PARTS, help="Sixths of the season that the model may look at; default: all seen."),
    ] = None,
    scheme: Annotated[
        str,
        typer.Option(
            help="years: leave each year out; forward: learn from earlier years alone; regions: leave regions out."
        ),
    ] = YEARS,
    until: Annotated[
        str, typer.Option(metavar="MM-DD", help="Look at the season up to this day of the harvest year only.")
    ] = "",
    report: Report = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes of this machine that make the report.")] = 1,
    keep: Keep = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Guess yields that were put aside: average, trend and model side by side, from files or from the workspace.

    Nothing is stored. Choice of the model and its interval happen without the yields that are guessed.
    """
    opened = open_app(home)
    if first is not None and last is not None and first > last:
        raise MalformedInput(f"years {first}-{last} run backwards", where="yield validate")
    files = YieldFiles(labels=labels, index=index, calendar=calendar, mapping=mapping, crop=crop, keep=_kept(keep))
    years = None if first is None and last is None else (first or EARLIEST, last or LATEST)
    at = as_of_instant(opened, as_of) if as_of else None
    if report is not None:
        if scheme != YEARS or parts is not None or until:
            raise MalformedInput(
                "--report runs every scheme and horizon", cure="leave --scheme, --parts and --until out"
            )
        spread = opened.spread(workers, "")
        reported = opened.report_yields(files, report, years=years, as_of=at, progress=progress, spread=spread)
        show_reported(reported, as_json=as_json)
        return
    if workers > 1:
        raise MalformedInput("--workers is for --report: one validation is the work of one process")
    trial = Trial(scheme=scheme, years=years, horizon=parts, until=_day_of_year(until))
    judged = opened.validate_yields(files, trial, as_of=at, progress=progress)
    if as_json:
        show_json([judged_plain(one) for one in judged])
        return
    for one in judged:
        _show_judged(one)


@app.command()
def run(home: Home = HERE, as_of: AsOf = None, as_json: Json = False) -> None:
    """Estimate every planting known at an instant, with its interval and the reasons that widen it."""
    opened = open_app(home)
    done = opened.estimate_yields(as_of=as_of_instant(opened, as_of), progress=progress)
    if as_json:
        show_json(done)
    else:
        _show_run(done)
    for refused in done.refused[:SHOWN]:
        err.print(f"refused: planting {refused.planting_id}: {refused.reason}", style="red", markup=False)
    if len(done.refused) > SHOWN:
        err.print(f"… and {len(done.refused) - SHOWN} more; --json lists them all", style="red", markup=False)
    raise typer.Exit(2 if done.refused and not done.estimates else 0)


app.command()(features)
app.command()(models)
app.command()(promote)


def _day_of_year(day: str) -> str:
    try:
        return f"{date.fromisoformat(f'2001-{day}'):%m-%d}" if day else ""
    except ValueError:
        raise MalformedInput(f"--until {day!r} is no day of the year", cure="write MM-DD, as in 04-30") from None


def _kept(named: list[str] | None) -> tuple[tuple[str, int], ...]:
    kept = []
    for name in named or ():
        region, colon, year = name.rpartition(":")
        if not colon or not region or not year.isdecimal():
            raise MalformedInput(f"--keep {name!r} names no label", cure="write REGION:YEAR, as in ES431:1999")
        kept.append((region, int(year)))
    return tuple(kept)


def _show_trained(result: Trained) -> None:
    if result.model is None:
        err.print(f"{result.crop}: no model: {result.refused}", style="yellow", markup=False, highlight=False)
        return
    rows = []
    for horizon, part in sorted(result.model.horizons.items()):
        seen = f"{horizon}/{PARTS}" if horizon else "before"
        used = part.scores[part.gate.use]
        rows.append((seen, part.gate.use, f"{used.nrmse:.1f}", f"{part.gate.skill:+.3f}", f"{used.coverage:.0%}"))
    columns = ["season seen", "used", "nRMSE %", "skill of model", "90 % covers"]
    show_table(f"{result.crop}: model {result.model_id[:12]}", columns, rows, right=columns[2:])
    _show_suspects(result)


def _show_judged(one: Judged) -> None:
    validation, gate, data = one.validation, one.gate, one.data
    rows = []
    for name in validation.predicted:
        s = validation.scores(name)
        errors = (f"{s.nrmse:.1f}", f"{s.mape:.1f}", f"{s.r2:.2f}" if isfinite(s.r2) else "")
        knows = ("" if r is None else f"{r:.2f}" for r in (s.spatial_r, s.temporal_r, s.anomaly_r))
        rows.append((name, *errors, *knows, f"{s.coverage:.1%}", f"{s.width_t_ha:.2f}", "yes" * (gate.use == name)))
    years = sorted(set(validation.year.tolist()))
    title = f"{data.crop} {years[0]}-{years[-1]}, {SCHEME_WORDS[validation.scheme]}: {len(validation.t_ha)} yields"
    seen = f", {validation.horizon}/{PARTS} of the season seen" if validation.chosen else ""
    columns = ["method", "nRMSE %", "MAPE %", "R2", "r space", "r time", "r anomaly", "90 % covers", "width", "used"]
    show_table(title + seen, columns, rows, right=columns[1:-1])
    if validation.chosen:
        names = Counter(str(choice) for choice in validation.chosen.values())
        out.print(
            f"Skill of the model over {gate.baseline}: {gate.skill:+.3f} (90 % range over years {gate.skill_low:+.3f} "
            f"to {gate.skill_high:+.3f}). {validation.candidates} candidates and their stack competed in each fold; "
            f"chosen: {', '.join(f'{name} ({count})' for name, count in names.most_common(CHOICES))}"
            + (f" and {len(names) - CHOICES} others." if len(names) > CHOICES else "."),
            markup=False,
            highlight=False,
        )
        if len(years) < GATE_YEARS:
            out.print(f"{len(years)} judged year(s) are too few to tell skill from luck; {GATE_YEARS} are needed.")
    else:
        out.print("No index shows enough seasons of the regions to learn from: baselines alone.")
    if validation.without_past:
        out.print(f"{validation.without_past} yields were not judged: no other of their region was to be learned from.")
    _show_suspects(one)
    if data.without_index:
        out.print(f"{len(data.without_index)} regions have yields but no index: {', '.join(data.without_index[:5])}")


def _show_suspects(result: Trained | Judged) -> None:
    by_rule: dict[str, list[Suspect]] = {}
    for suspect in result.data.suspects if result.data else ():
        by_rule.setdefault(suspect.rule, []).append(suspect)
    for rule, suspects in by_rule.items():
        for s in suspects[:SHOWN]:
            meant = "" if s.corrected_t_ha is None else f" It would be {s.corrected_t_ha:.3g} t/ha."
            line = f"left out: {s.label.region} {s.label.harvest_year}: {rule}, {s.detail}{meant}"
            out.print(line, markup=False, highlight=False)
        if len(suspects) > SHOWN:
            out.print(f"left out: … and {len(suspects) - SHOWN} more of {rule}; --json lists them all")
    for regions in shared_series(result.data.labels) if result.data else ():
        out.print(f"one series for {len(regions)} regions, no independent evidence: {', '.join(regions)}")


def _show_run(done: YieldRun) -> None:
    groups: dict[tuple[str, str], list[YieldEstimate]] = {}
    for estimate in done.estimates:
        groups.setdefault((estimate.crop, estimate.season_id), []).append(estimate)
    rows = []
    for (crop, season), estimates in sorted(groups.items()):
        low, middle, high = (_mean([e.quantile(p) for e in estimates]) for p in (0.05, 0.50, 0.95))
        shared = _mean([e.shared_share for e in estimates])
        rows.append((crop, season, len(estimates), f"{low:.2f}", f"{middle:.2f}", f"{high:.2f}", f"{shared:.0%}"))
    columns = ["crop", "season", "plantings", "P05", "P50", "P95", "shared"]
    show_table(f"yields as of {done.as_of.isoformat()}, t/ha, means", columns, rows, right=columns[2:])
    out.print(", ".join(f"{count} {name}" for name, count in done.outcomes.items()), highlight=False)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _trained_plain(result: Trained) -> dict[str, Any]:
    model = result.model
    return {
        "crop": result.crop,
        "model_id": result.model_id,
        "refused": result.refused,
        "horizons": {} if model is None else {h: asdict(part.gate) for h, part in model.horizons.items()},
        "left_out": left_out(result.data),
    }
