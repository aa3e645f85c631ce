"""scenes: the scene table, and pictures of what is in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cropcredit.cli.common import HERE, Home, Index, Json, err, open_app, out, placed, progress, show_json
from cropcredit.model import Offset, parse_as_of
from cropcredit.usecases.add_scenes import Declared

app = typer.Typer(name="scenes", help="Satellite scenes: add them, look at them.", no_args_is_help=True)


@app.command()
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


@app.command()
def look(
    scene: Annotated[str, typer.Argument(metavar="SCENE", help="Id of a scene.")],
    path: Annotated[Path, typer.Option("--out", metavar="FILE", help="A picture (.png) or a raster (.tif).")],
    home: Home = HERE,
    index: Index = "NDVI",
    as_json: Json = False,
) -> None:
    """Look at a scene: an index as a picture (.png), or as a Cloud Optimised GeoTIFF in full resolution (.tif).

    What the mask drops, margin included, is hatched in the picture and no data in the raster.
    """
    opened = open_app(home)
    found = opened.look_at_scene(scene, placed(path), index=index.upper())
    if as_json:
        show_json(found)
        return
    outlined = f", {found.fields} fields outlined" * (found.fields > 0)
    out.print(f"{found.path}: {found.index} of {found.scene}, {found.columns} x {found.rows}{outlined}", markup=False)
