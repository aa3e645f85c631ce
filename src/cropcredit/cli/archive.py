"""telemetry export and retain: readings leave for other tools, and old ones for Parquet."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from cropcredit.cli.common import (
    HERE,
    AsOf,
    Home,
    Json,
    as_of_instant,
    counted,
    open_app,
    out,
    placed,
    progress,
    show_json,
    since_instant,
)
from cropcredit.errors import MalformedInput


def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="To write: .parquet or .csv.")],
    *,
    device: Annotated[list[str] | None, typer.Option("--device", help="Only this one; may be repeated.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="Measured after this date, or since an instant.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="DATE", help="Measured up to this date, or before an instant.")
    ] = None,
    as_of: AsOf = None,
    as_json: Json = False,
    home: Home = HERE,
) -> None:
    """Write measured values, one a row, with their unit, instant, whose clock it is, and signature."""
    opened = open_app(home)
    count = opened.export_readings(
        placed(file),
        device_ids=device or (),
        since=since_instant(opened, since),
        until=None if until is None else as_of_instant(opened, until),
        as_of=as_of_instant(opened, as_of),
        progress=progress,
    )
    if as_json:
        show_json({"values": count, "file": file})
        return
    out.print(f"{counted(count, 'value')} in {file}", markup=False)


def retain(
    *,
    older_than: Annotated[str, typer.Option(metavar="DAYS", help="As 400d.")] = "400d",
    as_json: Json = False,
    home: Home = HERE,
) -> None:
    """Move old readings out of the database into Parquet files below HOME/readings, whole calendar months at a time.

    They are written, read back and compared before the database lets them go. Every question about them is answered as
    before, roll-ups and gaps stay; the folder belongs to the workspace and its backup. May be killed and repeated.
    """
    done = open_app(home).retain_readings(older_than=_days(older_than), progress=progress)
    if as_json:
        show_json({"readings": done.readings, "before": done.before})
        return
    out.print(f"{counted(done.readings, 'reading')} moved, of whole months before {done.before:%Y-%m-%d}", markup=False)


def _days(text: str) -> timedelta:
    if not re.fullmatch(r"\d{1,5}d", text):
        raise MalformedInput(f"an age is a number of days such as 400d, not {text!r}", cure="write it so")
    return timedelta(days=int(text[:-1]))
