"""The command line of the fault matrix: the table on stdout, ``build/bench/faults.json``, 1 when a row fails."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tests.benchmarks.report import publish
from tests.faults.matrix import FAULTS, play, row_of, table
from tests.faults.stage import LONG, SHORT, SOAK

SOAK_ROW = 17


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the matrix; returns the exit code."""
    options = _parser().parse_args(arguments)
    form = SOAK if options.soak else LONG if options.long else SHORT
    wanted = [SOAK_ROW] if options.soak else options.only
    chosen = [fault for fault in FAULTS if not wanted or fault.number in wanted]
    results = play(chosen, form, seed=options.seed, at_once=options.at_once, tell=_tell)
    sys.stdout.write(table(results) + "\n")
    name = "faults-soak" if options.soak else "faults"
    if options.soak or len(chosen) == len(FAULTS):
        publish(name, [row_of(result, form) for result in results])
    return int(any(result.failed for result in results))


def _tell(line: str) -> None:
    sys.stderr.write(f"faults: {line}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--long", action="store_true", help="more devices, more strikes, real keepalives: 15 minutes")
    parser.add_argument("--soak", action="store_true", help="the soak alone: 1,000 devices for 30 minutes")
    parser.add_argument("--only", type=int, nargs="+", metavar="N", help="these rows only")
    parser.add_argument("--seed", type=int, default=0, help="of the dice (default 0)")
    parser.add_argument("--at-once", type=int, default=6, metavar="N", help="rows at the same time (default 6)")
    return parser
