"""How a fleet is run, and where its readings come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from firmware_sim.clock import DeviceClock
from firmware_sim.device import Habits, Reading
from firmware_sim.faults import Faults

Span = tuple[int, int]
"""From, until: ms since 1970 UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Character:
    """How one device behaves."""

    habits: Habits
    faults: Faults
    clock: DeviceClock


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a fleet is run."""

    usual: Character
    interval_s: int
    """Seconds between readings, as the devices declare them."""
    patience_s: float
    """Give up when nothing was recorded or acknowledged for so long."""
    seed: int = 0
    special: Mapping[str, Character] = field(default_factory=dict)
    """Devices that behave otherwise."""

    def character(self, device_id: str) -> Character:
        """Give how a device behaves."""
        return self.special.get(device_id, self.usual)


class Source(Protocol):
    """Where readings come from."""

    digest: str
    """Names a source that a later run may resume; empty for one that cannot be."""
    live: bool
    """True when readings are made now, False when they were recorded in the past."""
    silent: Mapping[str, Span]
    """When a device has no network, whatever it measures."""
    gone: Mapping[str, int]
    """When a device is stolen, ms since 1970 UTC."""

    def begun_ms(self, device_id: str) -> int | None:
        """Tell when a device was switched on, if that is earlier than now."""
        ...

    def backlog(self) -> Iterator[Reading]:
        """Give what was measured before the run and lies in the journals when it begins."""
        ...

    def take(self, limit: int, *, now_ms: int) -> list[Reading]:
        """Give up to ``limit`` readings that are due."""
        ...

    @property
    def exhausted(self) -> bool:
        """Say whether nothing more will come."""
        ...
