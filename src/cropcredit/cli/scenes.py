"""scenes, ndvi: the scene table and the observations of fields."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
from cropcredit.errors import RefusedInput
from cropcredit.model import Offset, parse_as_of
from cropcredit.usecases.add_scenes import Declared
from cropcredit.usecases.ndvi_outcomes import CURES
from cropcredit.usecases.ndvi_plan import NdviConfig
from cropcredit.usecases.parallel import InProcesses, one_by_one
from cropcredit.usecases.refresh_ndvi import UNOBSERVED, NdviRun

scenes = typer.Typer(name="scenes", help="Satellite scenes: put them into the scene table.", no_args_is_help=True)
ndvi = typer.Typer(name="ndvi", help="Vegetation indices per field.", no_args_is_help=True)
runs = typer.Typer(name="runs", help="Batch runs and their manifests.", no_args_is_help=True)

NAMED = 20
"""Fields named on the screen; the table beside the manifest names all."""


@scenes.command()
def add(  # noqa: PLR0917 - options of a command line
    paths: Annotated[list[str], typer.Argument(metavar="PATH…", help="Scene folders, files, or folders of them.")],
    product: Annotated[str, typer.Option(help="s2-l2a, mod13q1 or ndvi.")],
    home: Home = HERE,
    offset: Annotated[
        Offset | None, typer.Option(help="What the source says about the radiometric offset; before the files' word.")
    ] = None,
    baseline: Annotated[str, typer.Option(help="Processing baseline, e.g. 05.10, where the files are silent.")] = "",
    available_at: Annotated[str, typer.Option(help="When it became available; default: a lag by product.")] = "",
    date: Annotated[str, typer.Option(help="Day of acquisition, where the file name has none.")] = "",
    tile: Annotated[str, typer.Option(help="Tile, where the files are silent.")] = "",
    as_json: Json = False,
) -> None:
    """Add scenes. s2-l2a: a folder with B04.tif, B08.tif, SCL.tif and scene.json, a SAFE folder, or a multi-band
    GeoTIFF. mod13q1 and ndvi: one raster per date.
    """  # noqa: D205 - the first sentence is short, the forms belong to it
    opened = open_app(home)
    zone = opened.settings.time_zone
    declared = Declared(
        offset=offset,
        processing_baseline=baseline,
        available_at=parse_as_of(available_at, zone) if available_at else None,
        acquired_at=parse_as_of(f"{date}T00:00:00Z", zone) if date else None,
        tile=tile,
    )
    outcomes = opened.add_scenes(paths, product=product, declared=declared, progress=progress)
    if as_json:
        show_json(outcomes)
    else:
        counts = {kind: sum(o.outcome == kind for o in outcomes) for kind in ("added", "unchanged", "refused")}
        out.print(", ".join(f"{number} {kind}" for kind, number in counts.items()))
    for outcome in outcomes:
        if outcome.outcome == "refused":
            err.print(f"refused: {outcome.reason}", style="red", markup=False, highlight=False)
        elif outcome.reason:
            err.print(f"note: {outcome.id}: {outcome.reason}", style="yellow", markup=False, highlight=False)
    raise typer.Exit(2 if any(o.outcome == "refused" for o in outcomes) else 0)


@ndvi.command("run")
def run(  # noqa: PLR0917 - options of a command line
    home: Home = HERE,
    as_of: AsOf = None,
    product: Annotated[str, typer.Option(help="Which product, where the workspace holds several.")] = "",
    index: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Compute this index (repeat); default: the product's usual."),
    ] = None,
    quantile: Annotated[
        list[float] | None, typer.Option(min=0, max=1, help="Add this quantile, e.g. 0.1 (repeat).")
    ] = None,
    cloud_margin: Annotated[
        float, typer.Option(min=0, max=1000, help="How far clouds reach beyond their pixels, m.")
    ] = 40,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    cube: Annotated[str, typer.Option(metavar="FILE", help="Also write the field cube (netCDF, xarray).")] = "",
    as_json: Json = False,
) -> None:
    """Compute vegetation indices per field for every scene known by then; finished work is skipped.

    Exit code 1: the run is complete, but some fields got nothing; they are named, with the reason.
    """
    opened = open_app(home)
    if cube and not Path(cube).absolute().parent.is_dir():
        raise RefusedInput("there is no folder for it", where=cube, cure="make the folder first")
    config = NdviConfig(
        indices=tuple(name.upper() for name in index or ()),
        quantiles=tuple(sorted(set(quantile or ()))),
        cloud_margin_m=cloud_margin,
    )
    found = opened.refresh_ndvi(
        as_of=as_of_instant(opened, as_of),
        product=product,
        config=config,
        spread=one_by_one if workers == 1 else InProcesses(workers),
        progress=progress,
    )
    if cube:
        opened.export_cube(found, cube)
    if as_json:
        show_json(found)
    else:
        _show_run(found)
    _name_unobserved(found)
    raise typer.Exit(1 if found.unobserved else 0)


@runs.command("list")
def list_(
    home: Home = HERE, kind: Annotated[str, typer.Option(help="ndvi, yield …")] = "", as_json: Json = False
) -> None:
    """List batch runs, oldest first."""
    manifests = open_app(home).list_runs(kind)
    if as_json:
        show_json(manifests)
        return
    rows = [
        (m.get("run_id"), m.get("kind"), m.get("as_of"), m.get("product", ""), _counts(m.get("outcomes", {})))
        for m in manifests
    ]
    show_table("runs", ["run", "kind", "as of", "product", "outcomes"], rows)


def _show_run(found: NdviRun) -> None:
    done = len(found.units) + len(found.held_back)
    out.print(
        f"run {found.run_id}: {found.product} as of {found.as_of.isoformat()}; {done} scenes, "
        f"{found.computed} computed, {done - found.computed} finished before; fields: {_counts(found.outcomes)}",
        markup=False,
    )
    for held in found.held_back:
        out.print(f"held back: {held.scene} ({held.verdict})", markup=False)
    for scene in found.events:
        out.print(f"event: {scene} (everything fell and stayed down: harvest or flood)", markup=False)


def _name_unobserved(found: NdviRun) -> None:
    for name, reason in found.unobserved[:NAMED]:
        err.print(f"field {name}: {reason.replace('_', ' ')}; {CURES[reason]}", style="red", markup=False)
    if (more := len(found.unobserved) - NAMED) > 0:
        err.print(f"and {more} more: see runs/{found.run_id}/{UNOBSERVED}.csv", style="red", markup=False)


def _counts(outcomes: dict[str, int]) -> str:
    return ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in outcomes.items())
