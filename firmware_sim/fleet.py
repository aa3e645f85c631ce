"""Many devices in one thread: a loop between their source, their journal and their links."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

from firmware_sim import faults
from firmware_sim.device import Device, Reading
from firmware_sim.identity import Identity
from firmware_sim.journal import Journal, Memory
from firmware_sim.link import Broker
from firmware_sim.node import Node, Surroundings, wall_ms
from firmware_sim.plan import Plan, Source

SWEEP_S = 0.1
BATCH = 500
BACKLOG = 20_000
"""How many recorded readings of a replay may wait for their acknowledgement."""


class Fleet:
    """Runs devices until their source is exhausted and every message is acknowledged, or patience ends."""

    def __init__(
        self, identities: Iterable[Identity], source: Source, journal: Journal, *, broker: Broker, plan: Plan,
        tell: Callable[[str], None],
    ) -> None:  # fmt: skip
        self.source, self.journal, self.plan = source, journal, plan
        self.around = Surroundings(broker=broker, plan=plan, tell=tell, live=source.live)
        known = {identity.device_id: identity for identity in identities}
        memories = journal.power_on(known)
        self.nodes = {name: self._node(identity, memories[name]) for name, identity in known.items()}
        self._taken = journal.taken(source.digest) if source.digest else 0
        self._held_before = journal.outstanding(node.device.number for node in self.nodes.values())
        self._recorded_at = time.monotonic()
        self._sweep_at = self._commit_at = 0.0
        self._stopping = False

    def _node(self, identity: Identity, memory: Memory) -> Node:
        rng = random.Random(f"{self.plan.seed}/{identity.device_id}")
        habits = replace(self.plan.habits, delay=self.plan.faults.reorder)
        device = Device(identity, memory, self.journal, habits=habits, clock=self.plan.clock, rng=rng)
        device.interval_s = self.plan.interval_s
        return Node(device, self.around, rng)

    def run(self, each_second: Callable[[Fleet], None] = lambda _: None) -> bool:
        """Run to the end; says whether every message was acknowledged. Calls ``each_second`` about once a second."""
        self._power_up()
        told_at = time.monotonic()
        try:
            while not self._stopping and not self.drained and not self.impatient:
                self._turn()
                if time.monotonic() - told_at >= 1.0:
                    told_at = time.monotonic()
                    each_second(self)
        finally:
            self._leave()
        return self.drained

    def stop(self) -> None:
        """End the loop after its present turn."""
        self._stopping = True

    @property
    def counts(self) -> Counter[str]:
        """What happened in this run."""
        return self.around.counts

    @property
    def outstanding(self) -> int:
        """Messages recorded and not acknowledged."""
        counts = self.counts
        return self._held_before + counts["readings"] + counts["poisoned"] - counts["acked"] - counts["rejected"]

    @property
    def online(self) -> int:
        """Devices whose subscriptions stand."""
        return sum(node.online for node in self.nodes.values())

    @property
    def drained(self) -> bool:
        """True when nothing more will come and nothing is held."""
        return self.source.exhausted and self.outstanding == 0

    @property
    def impatient(self) -> bool:
        """True when nothing was recorded or acknowledged for too long; while readings are made, never."""
        if self.source.live and not self.source.exhausted:
            self._recorded_at = time.monotonic()
        return time.monotonic() - max(self._recorded_at, self.around.acked_at) > self.plan.patience_s

    def _power_up(self) -> None:
        now, held = time.monotonic(), self.journal.left()
        for name, node in self.nodes.items():
            if self.source.live:
                node.device.started_ms = wall_ms()
            if self.source.live or name in held:
                node.start(now, spread_s=self._spread_s)
            node.plan_power_cut(now)

    @property
    def _spread_s(self) -> float:
        return len(self.nodes) / 2000

    def _turn(self) -> None:
        now = time.monotonic()
        self._record(now)
        if now >= self._sweep_at:
            self._sweep_at = now + SWEEP_S
            for node in self.nodes.values():
                node.sweep(now)
        if self.journal.urgent or (self.journal.dirty and now >= self._commit_at):
            self.journal.commit()
            self._commit_at = now + SWEEP_S
        awake, self.around.awake = self.around.awake, {}
        for node in awake.values():
            node.pump(now)
        for key, events in self.around.selector.select(self._pause(now)):
            key.data.turn(events)

    def _pause(self, now: float) -> float:
        return 0.0 if self._room and not self.source.live else max(0.0, self._sweep_at - now)

    @property
    def _room(self) -> int:
        if self.source.exhausted:
            return 0
        return max(0, min(BATCH, BACKLOG - self.outstanding * (not self.source.live)))

    def _record(self, now: float) -> None:
        readings = self.source.take(self._room, now_ms=wall_ms()) if self._room > 0 else []
        for reading in readings:
            self._record_one(self.nodes[reading.device_id], reading, now)
        if readings:
            self._taken += len(readings)
            self._recorded_at = now
            if self.source.digest:
                self.journal.take(self.source.digest, self._taken)

    def _record_one(self, node: Node, reading: Reading, now: float) -> None:
        live, began = self.source.live and node.online, node.device.started_ms is None
        content = node.device.record(reading, live=live)
        self.counts["readings"] += 1
        if node.strikes(self.plan.faults.poison):
            node.device.record_content(faults.poison(content, node.rng), live=live, poison=True)
            self.counts["poisoned"] += 1
        if began:
            node.say_state(now)
        node.start(now, spread_s=self._spread_s)
        node.wake()

    def _leave(self) -> None:
        self.around.leaving = True
        for node in self.nodes.values():
            if node.link is not None:
                node.link.leave()
        self.around.selector.close()
        self.journal.commit()
