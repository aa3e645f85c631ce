"""How a fleet is run, and where its readings come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from firmware_sim.clock import DeviceClock
from firmware_sim.device import Habits, Reading
from firmware_sim.faults import Faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a fleet is run."""

    habits: Habits
    faults: Faults
    clock: DeviceClock
    interval_s: int
    """Seconds between readings, as the devices declare them."""
    patience_s: float
    """Give up when nothing was recorded or acknowledged for so long."""
    seed: int = 0


class Source(Protocol):
    """Where readings come from."""

    digest: str
    """Names a source that a later run may resume; empty for one that cannot be."""
    live: bool
    """True when readings are made now, False when they were recorded in the past."""

    def take(self, limit: int, *, now_ms: int) -> list[Reading]:
        """Give up to ``limit`` readings that are due."""
        ...

    @property
    def exhausted(self) -> bool:
        """Say whether nothing more will come."""
        ...
