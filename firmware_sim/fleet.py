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
from firmware_sim.malformed import POISON
from firmware_sim.node import Node, wall_ms
from firmware_sim.plan import Plan, Source
from firmware_sim.surroundings import Surroundings

SWEEP_S = 0.1
SLICE, MOST_SLICES = 300, 10
"""A large fleet is swept in turns of some hundred devices, so that each is looked at once a second."""
TELL_S = 2.0
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
        known = {identity.device_id: identity for identity in identities}
        self.around = Surroundings(broker=broker, tell=tell, live=source.live, device_ids=tuple(known))
        memories = journal.power_on(known)
        self.nodes = {name: self._node(identity, memories[name]) for name, identity in known.items()}
        self._taken = journal.taken(source.digest) if source.digest else 0
        self._held_before = journal.outstanding(node.device.number for node in self.nodes.values())
        self._recorded_at = time.monotonic()
        slices = min(MOST_SLICES, 1 + len(self.nodes) // SLICE)
        self._slices = [list(self.nodes.values())[i::slices] for i in range(slices)]
        self._swept = 0
        self._sweep_at = self._commit_at = 0.0
        self._stopping = False

    def _node(self, identity: Identity, memory: Memory) -> Node:
        rng = random.Random(f"{self.plan.seed}/{identity.device_id}")
        character = self.plan.character(identity.device_id)
        habits = replace(character.habits, delay=character.faults.reorder)
        device = Device(identity, memory, self.journal, habits=habits, clock=character.clock, rng=rng)
        device.interval_s = self.plan.interval_s
        return Node(device, self.around, character, rng)

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
        """Messages recorded, not acknowledged and not lost."""
        counts = self.counts
        ended = counts["acked"] + counts["rejected"] + self.journal.lost
        return self._held_before + counts["readings"] + counts["poisoned"] - ended

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
        now = time.monotonic()
        if self.source.live and not self.source.exhausted:
            self._recorded_at = now
        if now - max(self._recorded_at, self.around.acked_at) <= self.plan.patience_s:
            return False
        if any(node.offline_until > now for node in self.nodes.values()):
            self._recorded_at = now  # who has no network by our own will has not failed
            return False
        return True

    def _power_up(self) -> None:
        for name, node in self.nodes.items():
            if self.source.live:
                node.device.started_ms = self.source.begun_ms(name) or wall_ms()
        self._record_backlog()
        now, held = time.monotonic(), self.journal.left()
        self.around.began_at = now
        for name, node in self.nodes.items():
            if self.source.live or name in held:
                node.start(now, spread_s=self._spread_s)
            node.plan_faults(now)
        self._plan_silence(now)

    def _record_backlog(self) -> None:
        """Fill the journals with what was measured before the run, and commit now and then."""
        told_at, count = time.monotonic(), 0
        for count, reading in enumerate(self.source.backlog(), start=1):
            self._record_one(self.nodes[reading.device_id], reading)
            if count % (10 * BATCH) == 0:
                self.journal.commit()
                if time.monotonic() - told_at >= TELL_S:
                    told_at = time.monotonic()
                    self.around.tell(f"backlog: {count} readings in the journal")
                if self._stopping:
                    break
        if count:
            self.journal.commit()
            self.around.tell(f"backlog: {count} readings in the journal; connecting")

    def _plan_silence(self, now: float) -> None:
        def moment(at_ms: int) -> float:
            return now + (at_ms - wall_ms()) / 1000

        for name, (begins, ends) in self.source.silent.items():
            self.nodes[name].plan_silence(moment(begins), moment(ends))
        for name, at_ms in self.source.gone.items():
            self.nodes[name].gone_at = moment(at_ms)

    @property
    def _spread_s(self) -> float:
        return len(self.nodes) / 2000

    def _turn(self) -> None:
        now = time.monotonic()
        self._record(now)
        self.around.connect(now)
        if now >= self._sweep_at:
            self._sweep_at = now + SWEEP_S
            self._swept = (self._swept + 1) % len(self._slices)
            for node in self._slices[self._swept]:
                node.sweep(now)
        if self.journal.urgent or (self.journal.dirty and now >= self._commit_at):
            self.journal.commit()
            self._commit_at = now + SWEEP_S
        awake, self.around.awake = self.around.awake, {}
        for one in awake.values():
            one.pump(now)
        for key, events in self.around.selector.select(self._pause(now)):
            key.data.turn(events)

    def _pause(self, now: float) -> float:
        if self._room and not self.source.live:
            return 0.0
        return max(0.0, min(self._sweep_at, self.around.connects_at(now)) - now)

    @property
    def _room(self) -> int:
        if self.source.exhausted:
            return 0
        return max(0, min(BATCH, BACKLOG - self.outstanding * (not self.source.live)))

    def _record(self, now: float) -> None:
        if self.source.live and self.around.gathers(now):
            return  # connecting comes first: what is due keeps its time of measurement
        readings = self.source.take(self._room, now_ms=wall_ms()) if self._room > 0 else []
        for reading in readings:
            node = self.nodes[reading.device_id]
            began = node.device.started_ms is None
            self._record_one(node, reading)
            if began:
                node.say_state(now)
            node.start(now, spread_s=self._spread_s)
            node.wake()
        if readings:
            self._taken += len(readings)
            self._recorded_at = now
            if self.source.digest:
                self.journal.take(self.source.digest, self._taken)

    def _record_one(self, node: Node, reading: Reading) -> None:
        live = self.source.live and node.online
        content = node.device.record(reading, live=live)
        self.counts["readings"] += 1
        if node.strikes(node.faults.poison):
            kind, poisoned = faults.poison(content, node.rng)
            node.device.record_content(poisoned, live=live, poison=kind)
            self.counts["poisoned"] += 1
            self.counts[f"poison:{kind}:{POISON[kind].reason}"] += 1

    def _leave(self) -> None:
        self.around.leaving = True
        for node in self.nodes.values():
            if node.device.has_news:
                node.say_state(time.monotonic())
            if node.link is not None:
                node.link.leave()
        self.around.selector.close()
        self.journal.commit()
