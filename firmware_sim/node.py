"""A device in its network: connecting, birth and heartbeat, sending with its faults, hearing."""

from __future__ import annotations

import heapq
import random
import time

from firmware_sim import faults
from firmware_sim.device import Device, Outgoing
from firmware_sim.errors import BrokenMessage
from firmware_sim.link import Hooks, Link
from firmware_sim.malformed import BROKEN
from firmware_sim.message import read_ack, read_command
from firmware_sim.plan import Character
from firmware_sim.surroundings import Surroundings

HEARTBEAT_S = 600.0
COMMAND_WAIT_S = 1.0
"""How long a device without memory waits for ``cmd`` after its subscription is confirmed."""
NEWS_PAUSE_S = 1.0
"""A device whose ring runs over says so, but not more often than this."""
NEVER = float("inf")
SPOOFS = {"wrong_name": ("spoof", "up"), "wrong_topic": ("", "up")}
"""Reason and topic level of what is said in somebody else's name."""
COPIES = ("malformed", "wrong_name", "wrong_topic")
"""Faults that spoil a copy of a message."""
MEANT = ("power lost", "flash lost", "network lost", "stolen")
"""Ends of a connection that the operator asked for."""


class Node:
    """One device and its present link, if any."""

    def __init__(self, device: Device, around: Surroundings, character: Character, rng: random.Random) -> None:
        self.device, self.around, self.faults, self.rng = device, around, character.faults, rng
        self.link: Link | None = None
        self.heartbeat_at = self.power_cut_at = self._sending_from = NEVER
        self.wipe_at = self.outage_at = self.gone_at = self.silent_at = NEVER
        self.offline_until = self._silent_until = self._said_at = 0.0
        self.gone = self._welcomed = self._means_to_connect = False
        self._failures = 0

    @property
    def online(self) -> bool:
        """True when the subscriptions stand, so that acknowledgements will be heard."""
        return self.link is not None and self.link.subscribed

    def start(self, now: float, *, spread_s: float) -> None:
        """Begin to connect, at a random moment so that a fleet does not knock all at once."""
        if self.link is None and not self._means_to_connect:
            self._connect_at(now + self.rng.uniform(0, spread_s))

    def plan_faults(self, now: float) -> None:
        """Draw the moments of the next power loss, wiped flash and outage."""
        self.power_cut_at = self._drawn(now, self.faults.power_loss_s)
        self.wipe_at = self._drawn(now, self.faults.wipe_s)
        self.outage_at = self._drawn(now, self.faults.outage_s)

    def _drawn(self, now: float, mean_s: float) -> float:
        return now + self.rng.expovariate(1 / mean_s) if mean_s > 0 else NEVER

    def plan_silence(self, begins: float, ends: float) -> None:
        """Have no network from one moment to another."""
        self.silent_at, self._silent_until = begins, ends

    def wake(self) -> None:
        """Look at this device in the next turn of the loop."""
        self.around.awake[self.device.identity.device_id] = self

    # --- time ------------------------------------------------------------------------------------------------------

    def sweep(self, now: float) -> None:
        """Do what has become due."""
        if self.gone:
            return
        self._suffer(now)
        if self.link is not None:
            self.link.tick(now)
        if self._sending_from <= now:
            self._sending_from = NEVER
            self.device.prove()
            self.say_state(now)
        if self.heartbeat_at <= now or (self.device.has_news and now - self._said_at >= NEWS_PAUSE_S):
            self.say_state(now)
        if self.online and (self.device.resend_at <= now or self.device.waiting):
            self.wake()

    # --- what befalls it -------------------------------------------------------------------------------------------

    def _suffer(self, now: float) -> None:
        if self.gone_at <= now:
            self._vanish()
        elif self.wipe_at <= now:
            self.wipe_at = self._drawn(now, self.faults.wipe_s)
            self.around.counts["wipes"] += 1
            self.device.wipe()
            self._restart("flash lost")
        elif self.power_cut_at <= now:
            self.power_cut_at = self._drawn(now, self.faults.power_loss_s)
            self.around.counts["power_losses"] += 1
            self.device.cut_power()
            self._restart("power lost")
        if self.silent_at <= now:
            self.silent_at = NEVER
            self._lose_network(self._silent_until)
        elif self.outage_at <= now:
            ends = now + self._drawn(0.0, self.faults.outage_lasts_s)
            self.outage_at = self._drawn(ends, self.faults.outage_s)
            self._lose_network(ends)

    def _restart(self, why: str) -> None:
        if self.around.live:
            self.device.started_ms = wall_ms()
        if self.link is not None:
            self.link.cut(why)

    def _lose_network(self, until: float) -> None:
        self.around.counts["outages"] += 1
        self.offline_until = max(self.offline_until, until)
        if self.link is not None:
            self.link.cut("network lost")

    def _vanish(self) -> None:
        """Be stolen, with everything the flash holds."""
        self.gone = True
        self.around.counts["stolen"] += 1
        self.device.wipe()
        if self.link is not None:
            self.link.cut("stolen")

    # --- the connection --------------------------------------------------------------------------------------------

    def _connect_at(self, moment: float) -> None:
        self._means_to_connect = True
        heapq.heappush(self.around.connecting, (moment, self.device.identity.device_id, self))

    def connect(self, now: float) -> None:
        """Try to connect, unless there is no network, or no device any more."""
        self._means_to_connect = False
        if self.gone:
            return
        if self.offline_until > now:
            self._connect_at(self.offline_until)
            return
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
        if not self._welcomed:
            self._welcomed = True
            self.around.welcome()
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
            self.around.counts["states"] += 1
            self.heartbeat_at, self._said_at = now + HEARTBEAT_S, now

    def _gone(self, why: str) -> None:
        if self.link is not None:
            self.around.counts["bytes"] += self.link.published_bytes
            self.around.traffic.add(self.link.traffic)
        self.link, self.heartbeat_at, self._sending_from = None, NEVER, NEVER
        if self.around.leaving:
            return
        if why not in MEANT:
            self.around.complain(why)
        pause = 0.25 * 2 ** min(self._failures, 4) * self.rng.uniform(0.5, 1.5)
        self._failures += 1
        self._connect_at(time.monotonic() + pause)

    # --- sending ---------------------------------------------------------------------------------------------------

    def pump(self, now: float) -> None:
        """Publish what the device chooses, as far as the socket takes it."""
        if self.link is None or not self.online or self.link.stalled or not self.device.proven:
            return
        for outgoing in self.device.pump(now):
            self._send(self.link, outgoing)
        self.link.flush()

    def _send(self, link: Link, outgoing: Outgoing) -> None:
        counts, payload = self.around.counts, outgoing.payload
        link.publish("up", payload)
        counts["resent" if outgoing.again else "sent"] += 1
        if self.strikes(self.faults.duplicate):
            link.publish("up", payload)
            counts["duplicated"] += 1
        spoils = [fault for fault in COPIES if self.strikes(getattr(self.faults, fault))]
        if spoils and self.device.journal.is_sound(self.device.number, *outgoing.number):
            for fault in spoils:  # of a sound message only: one that has two defects is refused for either
                self._spoil(link, fault, payload)

    def _spoil(self, link: Link, fault: str, payload: bytes) -> None:
        if fault == "malformed":
            kind, broken = faults.malformed(payload, self.rng, self.faults.malformed_kinds)
            self._inject(link, fault, kind, broken)
        elif fault == "wrong_name":
            self._inject(link, fault, fault, faults.wrong_name(payload, key=self.device.identity.key))
        else:
            self._inject(link, fault, fault, payload, device_id=self._somebody_else())

    def _inject(self, link: Link, count: str, kind: str, payload: bytes, *, device_id: str = "") -> None:
        """Publish once what no honest device would say, and note it with the reason that its refusal must have."""
        reason, level = SPOOFS.get(kind) or (BROKEN[kind].reason, BROKEN[kind].level)
        link.publish(level, payload, device_id=device_id)
        self.around.counts[count] += 1
        self.around.counts[f"kind:{kind}:{reason}"] += 1
        self.device.journal.inject(self.device.number, kind, reason, payload)

    def _somebody_else(self) -> str:
        """Choose another device; in a fleet of one, a name that nobody has."""
        others = self.around.device_ids
        other = self.rng.choice(others) if others else faults.OTHER
        return other if other != self.device.identity.device_id else faults.OTHER

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
        now = time.monotonic()
        stored, refused = self.device.settle(read_ack(payload), now)
        self.around.waits.extend(self.device.waits)
        self.device.waits.clear()
        self.around.counts["acks"] += 1
        self.around.counts["acked"] += stored
        self.around.counts["rejected"] += len(refused)
        if stored or refused:
            self.around.acked_at = now

    def _commanded(self, payload: bytes) -> None:
        if not self.device.habits.obeys:
            return
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
