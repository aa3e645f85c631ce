"""The command line of the fault matrix: the table on stdout, ``build/bench/faults.json``, 1 when a row fails."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tests.benchmarks.report import publish
from tests.faults.matrix import FAULTS, play, row_of, table
from tests.faults.stage import LONG, SHORT


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the matrix; returns the exit code."""
    options = _parser().parse_args(arguments)
    form = LONG if options.long else SHORT
    chosen = [fault for fault in FAULTS if not options.only or fault.number in options.only]
    results = play(chosen, form, seed=options.seed, at_once=options.at_once, tell=_tell)
    sys.stdout.write(table(results) + "\n")
    if len(chosen) == len(FAULTS):
        publish("faults", [row_of(result, form) for result in results])
    return int(any(result.failed for result in results))


def _tell(line: str) -> None:
    sys.stderr.write(f"faults: {line}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--long", action="store_true", help="more devices, more strikes, real keepalives: 15 minutes")
    parser.add_argument("--only", type=int, nargs="+", metavar="N", help="these rows only")
    parser.add_argument("--seed", type=int, default=0, help="of the dice (default 0)")
    parser.add_argument("--at-once", type=int, default=6, metavar="N", help="rows at the same time (default 6)")
    return parser
