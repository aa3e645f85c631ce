"""fields: boundaries into the register, shared ground found."""

from __future__ import annotations

from typing import Annotated

import typer

from cropcredit.cli.common import HERE, AsOf, Home, Json, as_of_instant, err, open_app, out, show_json, show_table
from cropcredit.fields import Overlap, Region
from cropcredit.model import parse_as_of
from cropcredit.usecases.import_fields import FieldForm, ImportReport

app = typer.Typer(name="fields", help="Field boundaries: import them, look for shared ground.", no_args_is_help=True)
PARTLY = 1
"""Exit code where some rows were refused and the others stored."""


@app.command("import")
def import_(  # noqa: PLR0917 - options of a command line
    file: Annotated[str, typer.Argument(help="Any vector file GDAL reads, or GeoParquet; any coordinate system.")],
    home: Home = HERE,
    id_column: Annotated[str, typer.Option(help="Column with the field ids.")] = "id",
    number_as: Annotated[str, typer.Option(metavar="PREFIX", help="Number the rows instead: PREFIX1, PREFIX2 …")] = "",
    crop_column: Annotated[str, typer.Option(help="Column with the declared crop, if any.")] = "crop:code",
    admin_column: Annotated[str, typer.Option(help="Column with the township or village, if any.")] = "admin_unit",
    collection: Annotated[str, typer.Option(help="Name of the register; default: the file's column or name.")] = "",
    crs: Annotated[str, typer.Option(help="Coordinate system, where the file names none: EPSG:…")] = "",
    layer: Annotated[str, typer.Option(help="Layer, where the file has several.")] = "",
    encoding: Annotated[str, typer.Option(help="Text encoding of a shapefile without .cpg, e.g. GB18030.")] = "",
    region: Annotated[str, typer.Option(help="Where the fields must lie: west,south,east,north in degrees.")] = "",
    known_at: Annotated[str, typer.Option(help="When the lender knew them: date or instant; default: now.")] = "",
    as_json: Json = False,
) -> None:
    """Import field boundaries; what is refused or repaired is named, the rest is stored."""
    opened = open_app(home)
    form = FieldForm(
        collection=collection,
        id_column=id_column,
        number_as=number_as,
        crop_column=crop_column,
        admin_column=admin_column,
        crs=crs,
        encoding=encoding,
        layer=layer,
        region=Region.parse(region) if region else None,
        known_at=parse_as_of(known_at, opened.settings.time_zone) if known_at else None,
    )
    report = opened.import_fields(file, form)
    if as_json:
        show_json(report)
    else:
        _show_report(report)
    for row in report.refused:
        err.print(f"refused: {row.reason}", style="red", markup=False, highlight=False)
    raise typer.Exit(PARTLY if report.refused else 0)


@app.command()
def check(home: Home = HERE, as_of: AsOf = None, as_json: Json = False) -> None:
    """Report ground that two fields share, with tenure: possible double financing first."""
    opened = open_app(home)
    found = opened.check_fields(as_of=as_of_instant(opened, as_of))
    if as_json:
        show_json([{"double_financing": shared.double_financing, "shared": shared} for shared in found])
        return
    rows = [
        (
            "!!" if shared.double_financing else "",
            *_overlap(shared.overlap),
            ", ".join(shared.left_parties),
            ", ".join(shared.right_parties),
            ", ".join(shared.seasons),
        )
        for shared in found
    ]
    show_table("shared ground", ["", *OVERLAP_COLUMNS, "held by", "and by", "both planted"], rows)
    out.print(f"{len(found)} pairs share ground, {sum(s.double_financing for s in found)} of them across parties.")


OVERLAP_COLUMNS = ["field", "and field", "kind", "IoU", "of the first", "of the second", "ha"]


def _overlap(shared: Overlap) -> tuple[str, ...]:
    shares = (f"{shared.left_share:.0%}", f"{shared.right_share:.0%}", f"{shared.shared_ha:.2f}")
    return shared.left, shared.right, shared.kind.value, f"{shared.iou:.2f}", *shares


def _show_report(report: ImportReport) -> None:
    out.print(
        f"{report.path}: {report.rows} rows, {report.stored} stored, {report.unchanged} unchanged, "
        f"{len(report.repaired)} repaired, {len(report.refused)} refused; {report.area_ha:.2f} ha",
        markup=False,
    )
    if report.repaired:
        show_table("repaired (the original is kept)", ["row", "field", "what was wrong"], _rows(report))
    if report.overlaps:
        show_table("shared ground", OVERLAP_COLUMNS, [_overlap(shared) for shared in report.overlaps])


def _rows(report: ImportReport) -> list[tuple[int, str, str]]:
    return [(row.row, row.id, row.reason) for row in report.repaired]
