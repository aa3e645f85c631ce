"""What every benchmark hands in: a table for people and ``build/bench/NAME.json``, one row per bar."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "build" / "bench"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One bar, measured in this run."""

    bar: str
    value: float
    unit: str
    target: str
    """In words, e.g. ``>= 3``; empty for a number that is only shown."""
    ok: bool
    peer: str = ""
    command: str = ""


def at_most(value: float, limit: float) -> tuple[str, bool]:
    """Give target and verdict of a bar that must not be exceeded."""
    return f"<= {limit:g}", value <= limit


def at_least(value: float, limit: float) -> tuple[str, bool]:
    """Give target and verdict of a bar that must be reached."""
    return f">= {limit:g}", value >= limit


def publish(name: str, rows: Sequence[Row]) -> None:
    """Print the table and write the file; the exit code is left to the reader of the rows."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{name}.json").write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", "utf-8")
    width = max(len(row.bar) for row in rows)
    for row in rows:
        verdict = "ok" if row.ok else "MISSED"
        sys.stdout.write(
            f"{row.bar:<{width}}  {row.value:>12.6g} {row.unit:<10} {row.target:<10} {verdict:<6} {row.peer}\n"
        )
