"""yield validate --report: where the files are, and what the gate decided."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from cropcredit.cli.common import out, show_json
from cropcredit.usecases.yield_report import Reported
from cropcredit.usecases.yield_report_words import at_fullest

Report = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Run all schemes at 50 %, 75 % and 100 % of the season; write a report per crop (md, html, json).",
    ),
]


def show_reported(reported: Sequence[Reported], *, as_json: bool) -> None:
    """Print the decision on every crop and the files of its report."""
    if as_json:
        show_json([{"crop": one.crop, "files": one.files, "trials": one.facts["trials"]} for one in reported])
        return
    for one in reported:
        trial = at_fullest(one.facts)
        assert trial is not None, "a report without left-out years is never made"
        out.print(f"{one.crop}: {trial['decision']}", markup=False, highlight=False)
        for file in one.files:
            out.print(f"  {file}", markup=False, highlight=False)
