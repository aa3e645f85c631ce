"""The command line: each command parses, calls one use case, prints, returns an exit code."""

from __future__ import annotations

import gc
import sys

import typer

from cropcredit.cli import (
    dashboard,
    demo,
    device_check,
    fields,
    imports,
    loans,
    ndvi,
    scenes,
    stores,
    telemetry,
    users,
    workspace,
    yields,
)
from cropcredit.cli.common import err
from cropcredit.errors import CropcreditError

app = typer.Typer(
    name="cropcredit",
    help="Lend to smallholders on what can be seen and measured.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

# Commands without a noun; then one group per noun.
for top in (
    demo.app,
    workspace.app,
    dashboard.app,
    telemetry.top,
):
    app.registered_commands.extend(top.registered_commands)
for group in (
    users.app,
    fields.app,
    scenes.app,
    ndvi.app,
    ndvi.runs,
    yields.app,
    imports.app,
    loans.app,
    device_check.app,
    stores.app,
    telemetry.app,
):
    app.add_typer(group)


YOUNG_OBJECTS = 100_000
"""New objects between two looks for cycles. A register is some hundred thousand objects that have none, and Python's
own habit, every 700, goes through all of them again and again: of a run over 100,000 fields and two dates that took 2
of 16 CPU seconds."""


def main() -> None:
    """Run the command line; what was refused becomes one line on stderr and exit code 2."""
    gc.set_threshold(YOUNG_OBJECTS, 50, 50)
    try:
        app()
    except CropcreditError as error:
        err.print(f"cropcredit: {error}", style="red", markup=False, highlight=False)
        sys.exit(2)
