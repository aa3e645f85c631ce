"""What every command shares: the workspace option, --json, progress, one clear line on bad input."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from cropcredit.bootstrap import App, build
from cropcredit.config import Settings
from cropcredit.errors import RefusedInput, UnknownRecord
from cropcredit.model import Device, Money, parse_as_of

Home = Annotated[
    Path,
    typer.Option("--home", envvar="CROPCREDIT_HOME", metavar="DIR", help="Folder of the workspace.", show_default=True),
]
Json = Annotated[bool, typer.Option("--json", help="Print machine-readable JSON instead of tables.")]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", metavar="DATE", help="Compute as if it were then: a date (its end, local) or an instant."),
]
Index = Annotated[str, typer.Option("--index", metavar="NAME", help="Which index.")]
HERE = Path()
"""Default of ``--home``: the current folder."""

WIDE = 200
"""Columns of a table that goes into a file or a pipe, where nobody can make the window wider."""

out = Console(soft_wrap=True, width=None if sys.stdout.isatty() else WIDE)
err = Console(stderr=True, soft_wrap=True, width=None if sys.stderr.isatty() else WIDE)


def open_app(home: Path) -> App:
    """Open the workspace at ``home``."""
    return build(Settings.load(home))


def registered(app: App, device_ids: Sequence[str] | None) -> Sequence[str] | None:
    """Give the devices a command names, or None where it names none.

    Raises
    ------
    UnknownRecord
        If one is not registered: nothing found of it would read as good news.
    """
    known = {device.id for device in app.place_devices.facts.find(Device)} if device_ids else set()
    for device_id in device_ids or ():
        if device_id not in known:
            raise UnknownRecord("device", device_id, cure="see devices list")
    return device_ids or None


def as_of_instant(app: App, text: str | None) -> datetime:
    """Read ``--as-of``; without it, now."""
    return app.clock.now() if text is None else parse_as_of(text, app.settings.time_zone)


def since_instant(app: App, text: str | None) -> datetime | None:
    """Read ``--since``: an instant, or a date, which means from the beginning of that day, local."""
    if text is None:
        return None
    if len(text) != len("2026-06-01"):
        return parse_as_of(text, app.settings.time_zone)
    parse_as_of(text, app.settings.time_zone)
    before = (date.fromisoformat(text) - timedelta(days=1)).isoformat()
    return parse_as_of(before, app.settings.time_zone) + timedelta(microseconds=1)


def placed(path: Path) -> Path:
    """Give a path to write to; refuses one whose folder is not there."""
    if not path.absolute().parent.is_dir():
        raise RefusedInput("there is no folder for it", where=str(path), cure="make the folder first")
    return path


def show_json(value: Any) -> None:
    """Print a value (records, mappings, lists of them) as JSON."""
    sys.stdout.write(json.dumps(value, default=_plain, ensure_ascii=False, indent=2) + "\n")


def show_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], *, right: Sequence[str] = ()) -> None:
    """Print a table for people; columns named in ``right`` are aligned to the right.

    Cells are text as it is: what data brings along is no markup, or a unit like ``[pH]`` would vanish as a tag.
    """
    table = Table(title=Text(title), title_justify="left", header_style="bold", show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    out.print(table)


def counted(count: int, one: str, many: str = "") -> str:
    """Write how many there are of something; ``many`` where its plural is not made with an s.

    Examples
    --------
    >>> counted(1, "device"), counted(2_500, "device"), counted(0, "device or channel", "devices or channels")
    ('1 device', '2,500 devices', '0 devices or channels')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


class Rate(ProgressColumn):
    """Units of work per second, or per minute where that is less than one."""

    def render(self, task: Task) -> Text:
        """Give the rate as text; empty before the first unit is done."""
        if not task.speed:
            return Text("")
        return Text(f"{task.speed:.1f}/s" if task.speed >= 1 else f"{60 * task.speed:.1f}/min")


@contextmanager
def progress(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar with rate and time left on stderr; implements :class:`cropcredit.ports.Progress`."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, disable=not err.is_terminal) as bars:
        task = bars.add_task(label, total=total or None)
        yield lambda done: bars.advance(task, done)


_PLAIN: dict[type, Callable[[Any], Any]] = {
    Money: lambda money: {"amount": str(money.major), "currency": money.currency},
    datetime: datetime.isoformat,
    date: date.isoformat,
    Decimal: str,
    Path: str,
    Enum: lambda member: member.value,
    Mapping: dict,
    frozenset: sorted,
}


def _plain(value: Any) -> Any:
    for kind, plain in _PLAIN.items():
        if isinstance(value, kind):
            return plain(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no JSON form")
