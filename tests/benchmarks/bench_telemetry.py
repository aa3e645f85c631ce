"""Telemetry: throughput and latency, store, attacks, fleet, fuzz; ``ARGS=throughput`` measures one part alone."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

from tests.benchmarks.report import publish

PARTS = ("throughput", "store", "attacks", "fleet", "fuzz")


def main(parts: list[str]) -> None:
    present = [part for part in PARTS if (Path(__file__).parent / f"telemetry_{part}.py").exists()]
    if not set(parts) <= set(present):
        sys.exit(f"the parts are {', '.join(present)}")
    modules = [import_module(f"tests.benchmarks.telemetry_{part}") for part in parts or present]
    publish("-".join(["telemetry", *parts]), [row for module in modules for row in module.rows()])


if __name__ == "__main__":
    main(sys.argv[1:])
