"""What a row of the fault matrix is given: how large it is to be, dice, room, and lines that end with it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.faults.line import FaultLine, wait
from tests.faults.oracle import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How large the faults are."""

    name: str
    devices: int
    readings: int
    """Per device."""
    interval_s: float
    """Between readings of a device."""
    rounds: int
    """How often a fault strikes in one row."""
    long: bool
    patience_s: float
    """Outboxes that are not empty by then never will be."""
    live_p99_s: float
    """Longest that a live reading may wait behind a backfill; in the short form only a standstill fails."""
    soak_s: float
    soak_devices: int
    soak_interval_s: float


SHORT = Form(
    name="short", devices=20, readings=30, interval_s=0.15, rounds=3, long=False,
    patience_s=150, live_p99_s=60, soak_s=20, soak_devices=100, soak_interval_s=0.5,
)  # fmt: skip
LONG = Form(
    name="long", devices=100, readings=120, interval_s=1.0, rounds=15, long=True,
    patience_s=900, live_p99_s=10, soak_s=480, soak_devices=500, soak_interval_s=5,
)  # fmt: skip
SOAK = replace(LONG, name="soak", patience_s=2400, soak_s=1800, soak_devices=1000, soak_interval_s=10)
NONSENSE = ("--poison", "0.05", "--duplicate", "0.05", "--reorder", "0.1")
"""Faults of devices that run beside those of a row; a poison is journalled, so none is lost with the broker."""


class Skipped(Exception):
    """A row cannot be staged on this machine; says why."""


@dataclass(kw_only=True)
class Stage:
    """One row's room."""

    form: Form
    room: Path
    rng: random.Random
    ends: list[Callable[[], object]] = field(default_factory=list)

    def line(self, *, devices: int = 0, name: str = "lender", **more: Any) -> FaultLine:
        """Make a line; it ends with the row."""
        line = FaultLine(self.room / name, devices=devices or self.form.devices, **more)
        line.patience_s = self.form.patience_s
        self.ends.append(line.close)
        return line

    def started(self, **more: Any) -> FaultLine:
        """Make a line, its broker and ingest at work and listening: before, a broker drops what a hand sends."""
        line = self.line(**more)
        line.broker.start()
        line.start_ingest()
        wait(lambda: line.witness.subscriptions, "ingest listens")
        return line

    @property
    def live(self) -> tuple[str, ...]:
        """Arguments of a simulator whose devices measure now."""
        form = self.form
        seconds = form.interval_s * (form.readings + 2) + 5
        return (
            "run", "--interval", f"{form.interval_s}", "--readings", f"{form.readings}", "--seconds", f"{seconds}",
            "--seed", str(self.rng.randrange(10**6)),
        )  # fmt: skip

    @property
    def endless(self) -> tuple[str, ...]:
        """Arguments of a simulator whose devices measure until :meth:`FaultLine.enough`: faults take what they take."""
        seed = str(self.rng.randrange(10**6))
        return (
            "run",
            "--interval",
            f"{2 * self.form.interval_s}",
            "--seconds",
            f"{self.form.patience_s}",
            "--seed",
            seed,
        )

    def close(self) -> None:
        """End everything, last first."""
        for end in reversed(self.ends):
            end()


Run = Callable[[Stage], Account]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One row of the matrix."""

    number: int
    name: str
    how: str
    run: Run
