"""scenes: the scene table, and pictures of what is in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from cropcredit.cli.common import HERE, Home, Index, Json, err, open_app, out, placed, progress, show_json, show_table
from cropcredit.errors import MalformedInput
from cropcredit.imagery import PRODUCTS
from cropcredit.model import Box, Offset, SceneDraft, SceneQuery, end_of_day, parse_as_of
from cropcredit.usecases.add_scenes import Declared, SceneOutcome

app = typer.Typer(name="scenes", help="Satellite scenes: find them, add them, look at them.", no_args_is_help=True)

OffsetSaid = Annotated[
    Offset | None, typer.Option(help="What the source says about the radiometric offset; before the files' word.")
]
BaselineSaid = Annotated[str, typer.Option(help="Processing baseline, e.g. 05.10, where the source is silent.")]
TileSaid = Annotated[str, typer.Option(help="Tile, where the source is silent.")]
COLUMNS = ("scene", "acquired", "tile", "cloud %", "baseline", "what speaks against it")


@app.command()
def add(  # noqa: PLR0917 - options of a command line
    paths: Annotated[list[str], typer.Argument(metavar="PATH…", help="Scene folders, files, or folders of them.")],
    product: Annotated[str, typer.Option(help=f"{', '.join(PRODUCTS)}.")],
    home: Home = HERE,
    offset: OffsetSaid = None,
    baseline: BaselineSaid = "",
    available_at: Annotated[str, typer.Option(help="When it became available; default: a lag by product.")] = "",
    date: Annotated[str, typer.Option(help="Day of acquisition, where the file name has none.")] = "",
    tile: TileSaid = "",
    as_json: Json = False,
) -> None:
    """Add scenes from files. A folder that is not itself a scene is searched one level down.

    s2-l2a: SAFE folders; folders with B04.tif, B08.tif, SCL.tif and scene.json; GeoTIFFs with bands described B04, B08.

    landsat-c2-l2: files of the archive under their own names (…_SR_B4.TIF, …_QA_PIXEL.TIF).

    sentinel-1-rtc: …_VV.tif and …_VH.tif, or GeoTIFFs with bands described VV and VH; linear power or decibels.

    mod13q1: HDF4 (through the optional pyhdf), or exported layers with NDVI, EVI and reliability in their names.

    ndvi, evi2, ndre: one raster per day, floating point or int16 x 0.0001.
    """
    opened = open_app(home)
    zone = opened.settings.time_zone
    declared = Declared(
        offset=offset,
        processing_baseline=baseline,
        available_at=parse_as_of(available_at, zone) if available_at else None,
        acquired_at=parse_as_of(f"{date}T00:00:00Z", zone) if date else None,
        tile=tile,
    )
    _report(opened.add_scenes(paths, product=product, declared=declared, progress=progress), as_json=as_json)


@app.command()
def search(  # noqa: PLR0917 - options of a command line
    stac: Annotated[str, typer.Option(metavar="URL|FILE", help="A STAC API, or a static STAC catalogue.")],
    dates: Annotated[
        str, typer.Option(metavar="FROM/TO", help="Days of acquisition, both inclusive; one day; or FROM/.. until now.")
    ],
    collection: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Collection (repeat); an API wants at least one.")
    ] = None,
    bbox: Annotated[
        str, typer.Option(metavar="W,S,E,N", help="Where, in degrees; default: around all fields of the workspace.")
    ] = "",
    product: Annotated[str, typer.Option(help="Product, where the names in the catalogue do not tell it.")] = "",
    max_cloud: Annotated[float, typer.Option(min=0, max=100, metavar="PCT", help="Clouds of the whole scene.")] = 100,
    limit: Annotated[int, typer.Option(min=0, help="Most scenes to find; 0: all.")] = 0,
    add: Annotated[bool, typer.Option("--add", help="Put what is found into the scene table.")] = False,
    offset: OffsetSaid = None,
    baseline: BaselineSaid = "",
    tile: TileSaid = "",
    home: Home = HERE,
    as_json: Json = False,
) -> None:
    """Search a STAC catalogue for scenes, and with --add put them into the scene table.

    Which tile, time, processing baseline and offset a scene has is told by its item; nothing is downloaded.
    """
    opened = open_app(home)
    since, until = _span(dates, opened.settings.time_zone, opened.clock.now())
    query = SceneQuery(
        catalogue=stac,
        collections=tuple(collection or ()),
        bbox=_box(bbox) if bbox else opened.search_scenes.extent(),
        since=since,
        until=until,
        product=product,
        max_cloud_pct=max_cloud,
        limit=limit,
    )
    declared = Declared(offset=offset, processing_baseline=baseline, tile=tile)
    found = opened.search_scenes(query, declared=declared, progress=progress)
    if not as_json:
        _show_found(found)
    elif not (found and add):
        show_json(found)
    if not found:
        err.print("no scene fits: widen --dates, --bbox or --max-cloud", style="yellow")
        raise typer.Exit(1)
    if add:
        _report(opened.add_scenes.add(found, progress=progress), as_json=as_json)
    if not as_json:
        out.print("to put them into the scene table, say the same with --add")


def _span(text: str, zone: str, now: datetime) -> tuple[datetime, datetime]:
    first, _, last = text.partition("/")
    until = now if last == ".." else parse_as_of(last or first, zone)
    try:
        day = date.fromisoformat(first)
    except ValueError:
        return parse_as_of(first, zone), until
    return end_of_day(day - timedelta(days=1), zone) + timedelta(microseconds=1), until


def _box(text: str) -> Box:
    try:
        west, south, east, north = map(float, text.split(","))
    except ValueError:
        raise MalformedInput(
            f"--bbox {text!r} is not four numbers", cure="write west,south,east,north in degrees"
        ) from None
    return west, south, east, north


def _show_found(found: Sequence[SceneDraft]) -> None:
    rows = [
        (
            draft.id,
            f"{draft.acquired_at:%Y-%m-%d %H:%M}" if draft.acquired_at else "",
            draft.tile,
            draft.cloud_pct if draft.cloud_pct is None else f"{draft.cloud_pct:.0f}",
            draft.processing_baseline,
            draft.problem.removeprefix(f"{draft.path}: "),
        )
        for draft in found
    ]
    show_table(f"{len(found)} scenes found", COLUMNS, rows, right=("cloud %",))


def _report(outcomes: Sequence[SceneOutcome], *, as_json: bool) -> None:
    """Say what became of the scenes, and end with 2 where one was refused."""
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
    rgb: Annotated[bool, typer.Option("--rgb", help="Show colours: true ones, or nir, red, green.")] = False,
    as_json: Json = False,
) -> None:
    """Look at a scene: as a picture (.png), or as a Cloud Optimised GeoTIFF in full resolution (.tif).

    What the mask drops, margin included, is hatched in the picture and no data in the raster.
    """
    opened = open_app(home)
    found = opened.look_at_scene(scene, placed(path), index=index.upper(), rgb=rgb)
    if as_json:
        show_json(found)
        return
    shown = f"{', '.join(found.shown)} of {found.scene}, {found.columns} x {found.rows}"
    outlined = f", {found.outlined} fields outlined" * (found.outlined > 0)
    out.print(f"{found.path}: {shown}{outlined}", markup=False)
