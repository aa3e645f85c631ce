"""ndvi, runs: the observations of fields, and the batches that made them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cropcredit.cli.common import (
    HERE,
    AsOf,
    Home,
    Index,
    Json,
    as_of_instant,
    err,
    open_app,
    out,
    placed,
    progress,
    show_json,
    show_table,
)
from cropcredit.errors import RefusedInput
from cropcredit.imagery.indices import INDICES
from cropcredit.usecases.ndvi_outcomes import CURES
from cropcredit.usecases.ndvi_plan import NdviConfig
from cropcredit.usecases.refresh_ndvi import UNOBSERVED, NdviRun

app = typer.Typer(name="ndvi", help="Vegetation indices per field.", no_args_is_help=True)
runs = typer.Typer(name="runs", help="Batch runs and their manifests.", no_args_is_help=True)

NAMED = 20
"""Fields, and scenes, named on the screen; the manifest and its table name all."""


@app.command("run")
def run(  # noqa: PLR0917 - options of a command line
    home: Home = HERE,
    as_of: AsOf = None,
    product: Annotated[str, typer.Option(help="Which product, where the workspace holds several.")] = "",
    index: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help=f"Compute this (repeat): {', '.join(INDICES)}; default: the product's usual."
        ),
    ] = None,
    quantile: Annotated[
        list[float] | None, typer.Option(min=0, max=1, help="Add this quantile, e.g. 0.1 (repeat).")
    ] = None,
    cloud_margin: Annotated[
        float, typer.Option(min=0, max=1000, help="How far clouds reach beyond their pixels, m.")
    ] = 40,
    workers: Annotated[int, typer.Option(min=1, help="Processes of this machine.")] = 1,
    scheduler: Annotated[
        str, typer.Option(metavar="ADDR", help="Compute on a dask cluster instead; it must see the same folders.")
    ] = "",
    cube: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write the field cube for notebooks: NAME.nc (netCDF) or NAME.zarr."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Compute vegetation indices per field for every scene known by then; finished work is skipped.

    Exit code 1: the run is complete, but some fields got nothing; they are named, with the reason.
    """
    opened = open_app(home)
    if scheduler and workers > 1:
        raise RefusedInput("--workers and --scheduler exclude each other", cure="the cluster knows its own workers")
    target = placed(cube) if cube else None
    config = NdviConfig(
        indices=tuple(name.upper() for name in index or ()),
        quantiles=tuple(sorted(set(quantile or ()))),
        cloud_margin_m=cloud_margin,
    )
    found = opened.refresh_ndvi(
        as_of=as_of_instant(opened, as_of),
        product=product,
        config=config,
        spread=opened.spread(workers, scheduler),
        progress=progress,
    )
    if target:
        opened.export_cube(found, str(target))
    if as_json:
        show_json(found)
    else:
        _show_run(found)
    _name_unobserved(found)
    raise typer.Exit(1 if found.unobserved else 0)


@app.command()
def sheet(
    field: Annotated[str, typer.Argument(metavar="FIELD", help="Id of a field.")],
    path: Annotated[Path, typer.Option("--out", metavar="FILE", help="A picture (.png).")],
    home: Home = HERE,
    as_of: AsOf = None,
    product: Annotated[str, typer.Option(help="Which product, where there are runs of several.")] = "",
    index: Index = "NDVI",
    rgb: Annotated[bool, typer.Option("--rgb", help="Show colours: true ones, or nir, red, green.")] = False,
    as_json: Json = False,
) -> None:
    """Draw a field on all dates of the latest run side by side, with its means as they are stored."""
    opened = open_app(home)
    found = opened.look_at_field(
        field,
        placed(path),
        as_of=as_of_instant(opened, as_of),
        product=product,
        index=index.upper(),
        rgb=rgb,
        progress=progress,
    )
    if as_json:
        show_json(found)
        return
    more = f", {found.held_back} held back" * (found.held_back > 0)
    more += f", {found.without_data} without data here" * (found.without_data > 0)
    out.print(f"{found.path}: {found.field} on {found.scenes} dates{more}; run {found.run_id}", markup=False)


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
    for scene in found.without_data[:NAMED]:
        out.print(f"no data: {scene} (empty over every field of its tile)", markup=False)
    if (more := len(found.without_data) - NAMED) > 0:
        out.print(f"no data: {more} more scenes, see the manifest", markup=False)


def _name_unobserved(found: NdviRun) -> None:
    for name, reason in found.unobserved[:NAMED]:
        err.print(f"field {name}: {reason.replace('_', ' ')}; {CURES[reason]}", style="red", markup=False)
    if (more := len(found.unobserved) - NAMED) > 0:
        err.print(f"and {more} more: see runs/{found.run_id}/{UNOBSERVED}.csv", style="red", markup=False)


def _counts(outcomes: dict[str, int]) -> str:
    return ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in outcomes.items())
