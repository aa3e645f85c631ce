"""``import``: the doors for tables and for the lending policy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from cropcredit.cli.common import HERE, Home, Json, as_of_instant, open_app, out, show_json
from cropcredit.errors import MalformedInput
from cropcredit.usecases.import_records import FORMS, Imported

app = typer.Typer(
    name="import",
    help="Bring tables into the workspace: CSV in UTF-8 with a header; a file is stored whole or not at all.",
    no_args_is_help=True,
)

File = Annotated[Path, typer.Argument(metavar="FILE", help="The file to import.")]
Lag = Annotated[
    int | None,
    typer.Option(
        "--lag-days", min=0, help="Days after a row's own date until it was known, for rows that name no known_at."
    ),
]
LATE_DAYS = 10
"""Days after its month by which a monthly world price is published."""


def documented(noun: str) -> str:
    """Write the help of one form: its columns, required ones first."""
    columns = sorted(FORMS[noun].columns, key=lambda column: not column.required)
    lines = [f"{c.name}{'' if c.required else ' (optional)'}: {c.meaning}" for c in columns]
    return f"Import {noun} from a CSV file.\n\nColumns, in any order:\n\n" + "\n\n".join(f"- {line}" for line in lines)


def _door(noun: str) -> Callable[..., None]:
    def import_(file: File, *, lag_days: Lag = None, home: Home = HERE, as_json: Json = False) -> None:
        _show(open_app(home).import_records(noun, file, lag_days=lag_days), as_json=as_json)

    return import_


for _noun in FORMS:
    if _noun != "prices":
        app.command(_noun, help=documented(_noun))(_door(_noun))


@app.command(
    help=documented("prices")
    + "\n\nWith --series, one column of a table of monthly prices instead: the first column holds the month, the others"
    " one series each. Its relative changes move the local price."
)
def prices(
    file: File,
    *,
    series: Annotated[
        str | None, typer.Option(help="Column of a monthly table, as written or short: wheat_us_hrw.")
    ] = None,
    crop: Annotated[str | None, typer.Option(help="With --series: the crop it stands for.")] = None,
    unit: Annotated[str | None, typer.Option(help="With --series: unit as published, e.g. USD/t.")] = None,
    lag_days: Lag = None,
    home: Home = HERE,
    as_json: Json = False,
) -> None:
    opened = open_app(home)
    if series is None:
        if crop or unit:
            raise MalformedInput("--crop and --unit belong to --series", where="import prices")
        _show(opened.import_records("prices", file, lag_days=lag_days), as_json=as_json)
        return
    if not (crop and unit):
        raise MalformedInput("--series needs --crop and --unit", where="import prices")
    lag = LATE_DAYS if lag_days is None else lag_days
    stored = opened.import_series(file, series=series, crop=crop, unit=unit, lag_days=lag)
    if as_json:
        show_json(stored)
        return
    out.print(
        f"{stored.id}: {len(stored.values)} months from {stored.first_month:%Y-%m} ({stored.unit}),"
        f" each known {lag} days after its end",
        markup=False,
    )


@app.command()
def policy(
    file: File,
    *,
    since: Annotated[
        str | None, typer.Option("--since", metavar="DATE", help="In force since the end of that day, or that instant.")
    ] = None,
    home: Home = HERE,
    as_json: Json = False,
) -> None:
    """Import a lending policy (TOML, in the form of the policy that ``init`` brings); it is in force from now on."""
    opened = open_app(home)
    stored = opened.import_policy(file, known_at=as_of_instant(opened, since))
    if as_json:
        show_json(stored)
    else:
        out.print(
            f"policy {stored.id} ({stored.currency}): alpha {stored.alpha:g}, DSCR {stored.dscr_min:g}", markup=False
        )


def _show(imported: Imported, *, as_json: bool) -> None:
    if as_json:
        show_json(imported)
        return
    out.print(
        f"{imported.file}: rows {imported.rows:,}, {imported.noun} {imported.records:,}, new {imported.stored:,}",
        markup=False,
    )
