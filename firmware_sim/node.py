"""A device in its network: connecting, birth and heartbeat, sending with its faults, hearing."""

from __future__ import annotations

import random
import selectors
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from firmware_sim import faults
from firmware_sim.device import Device, Outgoing
from firmware_sim.errors import BrokenMessage
from firmware_sim.link import Broker, Hooks, Link
from firmware_sim.message import read_ack, read_command
from firmware_sim.plan import Plan

HEARTBEAT_S = 600.0
COMMAND_WAIT_S = 1.0
"""How long a device without memory waits for ``cmd`` after its subscription is confirmed."""
NEVER = float("inf")


@dataclass(slots=True, kw_only=True)
class Surroundings:
    """What all devices of a fleet share."""

    broker: Broker
    plan: Plan
    tell: Callable[[str], None]
    live: bool
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    counts: Counter[str] = field(default_factory=Counter)
    awake: dict[str, Node] = field(default_factory=dict)
    """Devices that may have something to send."""
    hold_connects_until: float = 0.0
    acked_at: float = 0.0
    leaving: bool = False
    _complaints: set[str] = field(default_factory=set)

    def complain(self, why: str) -> None:
        """Tell the operator, once per complaint."""
        if why not in self._complaints:
            self._complaints.add(why)
            self.tell(f"{why} (said once)")


class Node:
    """One device and its present link, if any."""

    def __init__(self, device: Device, around: Surroundings, rng: random.Random) -> None:
        self.device, self.around, self.rng = device, around, rng
        self.link: Link | None = None
        self.connect_at = self.heartbeat_at = self.power_cut_at = self._sending_from = NEVER
        self._failures = 0

    @property
    def online(self) -> bool:
        """True when the subscriptions stand, so that acknowledgements will be heard."""
        return self.link is not None and self.link.subscribed

    def start(self, now: float, *, spread_s: float) -> None:
        """Begin to connect, at a random moment so that a fleet does not knock all at once."""
        if self.link is None and self.connect_at == NEVER:
            self.connect_at = now + self.rng.uniform(0, spread_s)

    def plan_power_cut(self, now: float) -> None:
        """Draw the moment of the next power loss."""
        mean = self.around.plan.faults.power_loss_s
        self.power_cut_at = now + self.rng.expovariate(1 / mean) if mean > 0 else NEVER

    def wake(self) -> None:
        """Look at this device in the next turn of the loop."""
        self.around.awake[self.device.identity.device_id] = self

    # --- time ------------------------------------------------------------------------------------------------------

    def sweep(self, now: float) -> None:
        """Do what has become due."""
        if self.power_cut_at <= now:
            self._cut_power(now)
        if self.connect_at <= now and self.around.hold_connects_until <= now:
            self._connect(now)
        if self.link is not None:
            self.link.tick(now)
        if self._sending_from <= now:
            self._sending_from = NEVER
            self.device.prove()
            self.say_state(now)
        if self.heartbeat_at <= now:
            self.say_state(now)
        if self.online and (self.device.resend_at <= now or self.device.waiting):
            self.wake()

    def _cut_power(self, now: float) -> None:
        self.around.counts["power_losses"] += 1
        self.device.cut_power()
        if self.around.live:
            self.device.started_ms = wall_ms()
        if self.link is not None:
            self.link.cut("power lost")
        self.plan_power_cut(now)

    # --- the connection --------------------------------------------------------------------------------------------

    def _connect(self, now: float) -> None:
        self.connect_at = NEVER
        identity, broker = self.device.identity, self.around.broker
        hooks = Hooks(ready=self._ready, heard=self._heard, gone=self._gone)
        self.link = Link(
            identity.device_id, identity.login(), broker=broker, selector=self.around.selector, hooks=hooks
        )
        self.around.counts["connects"] += 1
        try:
            self.link.connect()
        except OSError as error:
            if not isinstance(error, ConnectionRefusedError):
                self.around.hold_connects_until = now + 1.0  # a slow failure must not hold up those who are connected
            self.link.cut(f"{broker.host}:{broker.port}: {error}")

    def _ready(self) -> None:
        now = time.monotonic()
        self._failures = 0
        self.device.reconnected(now)
        if self.device.proven:
            self.say_state(now)
        else:
            self._sending_from = now + COMMAND_WAIT_S
        self.wake()

    def say_state(self, now: float) -> None:
        """Publish birth or heartbeat."""
        if self.link is not None and self.online and self.device.proven:
            self.link.publish("state", self.device.state(self.device.up_ms(wall_ms())), retain=True)
            self.link.flush()
            self.heartbeat_at = now + HEARTBEAT_S

    def _gone(self, why: str) -> None:
        if self.link is not None:
            self.around.counts["bytes"] += self.link.bytes_out
        self.link, self.heartbeat_at, self._sending_from = None, NEVER, NEVER
        if self.around.leaving:
            return
        self.around.complain(why)
        pause = 0.25 * 2 ** min(self._failures, 4) * self.rng.uniform(0.5, 1.5)
        self._failures += 1
        self.connect_at = time.monotonic() + pause

    # --- sending ---------------------------------------------------------------------------------------------------

    def pump(self, now: float) -> None:
        """Publish what the device chooses, as far as the socket takes it."""
        if self.link is None or not self.online or self.link.stalled or not self.device.proven:
            return
        for outgoing in self.device.pump(now):
            self._send(self.link, outgoing)
        self.link.flush()

    def _send(self, link: Link, outgoing: Outgoing) -> None:
        counts, odds = self.around.counts, self.around.plan.faults
        link.publish("up", outgoing.payload)
        counts["resent" if outgoing.again else "sent"] += 1
        if self.strikes(odds.duplicate):
            link.publish("up", outgoing.payload)
            counts["duplicated"] += 1
        if self.strikes(odds.malformed):
            link.publish("up", faults.malformed(outgoing.payload, self.rng))
            counts["malformed"] += 1
        if self.strikes(odds.wrong_name):
            link.publish("up", faults.wrong_name(outgoing.payload, key=self.device.identity.key))
            counts["wrong_name"] += 1

    def strikes(self, probability: float) -> bool:
        """Throw the dice of a fault."""
        return probability > 0 and self.rng.random() < probability

    # --- hearing ---------------------------------------------------------------------------------------------------

    def _heard(self, level: str, payload: bytes) -> None:
        self.around.counts["bytes_received"] += len(payload)
        try:
            if level == "ack":
                self._acknowledged(payload)
            elif level == "cmd":
                self._commanded(payload)
        except BrokenMessage as error:
            self.around.counts["broken_heard"] += 1
            self.around.complain(f"ignored a broken {level}: {error}")
        self.wake()

    def _acknowledged(self, payload: bytes) -> None:
        stored, refused = self.device.settle(read_ack(payload))
        self.around.counts["acks"] += 1
        self.around.counts["acked"] += stored
        self.around.counts["rejected"] += len(refused)
        if stored or refused:
            self.around.acked_at = time.monotonic()

    def _commanded(self, payload: bytes) -> None:
        unproven, moved = not self.device.proven, self.device.obey(read_command(payload))
        self._sending_from = NEVER
        self.around.counts["renumbered"] += moved
        if moved and not unproven and self.around.live:
            self.device.started_ms = wall_ms()
        if moved or unproven:
            self.say_state(time.monotonic())


def wall_ms() -> int:
    """Give the true time, ms since 1970 UTC."""
    return time.time_ns() // 1_000_000
