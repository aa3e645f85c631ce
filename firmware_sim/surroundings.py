"""What all devices of a fleet share: broker, selector, counts, and the queue of those who mean to connect."""

from __future__ import annotations

import heapq
import selectors
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from firmware_sim.link import Broker, Traffic

LAST_WAITS = 200_000
GATHER_S = 5.0
"""How long, at most, a fleet puts off measuring until all have connected."""
CONNECT_TURN_S = 0.05
"""Longest turn of connecting, which blocks: others are connected already."""


class Connecting(Protocol):
    """A device that means to connect."""

    def connect(self, now: float) -> None:
        """Try to."""
        ...

    def pump(self, now: float) -> None:
        """Publish what there is."""
        ...


@dataclass(slots=True, kw_only=True)
class Surroundings:
    """What all devices of a fleet share."""

    broker: Broker
    tell: Callable[[str], None]
    live: bool
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    counts: Counter[str] = field(default_factory=Counter)
    traffic: Traffic = field(default_factory=Traffic)
    waits: deque[float] = field(default_factory=lambda: deque(maxlen=LAST_WAITS))
    """Seconds from first sending to acknowledgement of the last live readings."""
    device_ids: tuple[str, ...] = ()
    """The fleet: whose topics a bad device may try."""
    awake: dict[str, Connecting] = field(default_factory=dict)
    """Devices that may have something to send."""
    been_online: int = 0
    """Devices whose subscriptions have stood at least once."""
    began_at: float = field(default_factory=time.monotonic)
    """When the first device might connect."""
    all_online_s: float | None = None
    """Seconds until all of them had been online; None before."""
    all_online_cpu_s: float | None = None
    """CPU of the whole process at that moment."""
    connecting: list[tuple[float, str, Connecting]] = field(default_factory=list)
    """A heap of who means to connect, by moment."""
    hold_connects_until: float = 0.0
    acked_at: float = 0.0
    leaving: bool = False
    _complaints: set[str] = field(default_factory=set)

    def welcome(self) -> None:
        """Count one more device that has come online for the first time."""
        self.been_online += 1
        if self.been_online == len(self.device_ids):
            self.all_online_s, self.all_online_cpu_s = time.monotonic() - self.began_at, time.process_time()
            self.tell(f"all {self.been_online} devices online after {self.all_online_s:.2f} s")

    def connect(self, now: float) -> None:
        """Let those connect whose moment has come; not for long at a time."""
        until = time.monotonic() + CONNECT_TURN_S
        while self.connecting and self.connecting[0][0] <= now and time.monotonic() < until:
            if self.hold_connects_until > now:
                return
            heapq.heappop(self.connecting)[2].connect(now)

    def complain(self, why: str) -> None:
        """Tell the operator, once per complaint."""
        if why not in self._complaints:
            self._complaints.add(why)
            self.tell(f"{why} (said once)")

    def gathers(self, now: float) -> bool:
        """Say whether the fleet is still coming online for the first time, one device after the other."""
        begins = self.been_online < len(self.device_ids) and now - self.began_at < GATHER_S
        return begins and self.connects_at(now) <= now

    def connects_at(self, now: float) -> float:
        """Tell when the next one means to connect, or may."""
        if not self.connecting:
            return float("inf")
        return max(self.connecting[0][0], self.hold_connects_until, now)
