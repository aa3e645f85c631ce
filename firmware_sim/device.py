"""One device without its network: numbering, the sending window, live before backfill, what an ack lets it forget."""

from __future__ import annotations

import random
from dataclasses import dataclass

from firmware_sim.clock import DeviceClock
from firmware_sim.flights import NEVER, Flight, Patience
from firmware_sim.identity import Identity
from firmware_sim.journal import Journal, Memory
from firmware_sim.message import Ack, Command, Content, Value, state_message, up_message

FIRMWARE = "sim-1"


@dataclass(frozen=True, slots=True)
class Reading:
    """What the sensors of one device measured at one instant of true time."""

    device_id: str
    at_ms: int
    """True time of the measurement, ms since 1970 UTC."""
    values: tuple[Value, ...]
    bat: str = ""
    sig: str = ""
    open: bool | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to publish now."""

    number: tuple[int, int]
    """(boot, seq)."""
    payload: bytes
    again: bool
    """True when it was sent before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How devices send."""

    window: int = 64
    """Most messages under way without acknowledgement (16 to 64); half of it is kept for live readings."""
    resend_after_s: float = 10.0
    """First pause before sending again; :class:`firmware_sim.flights.Patience` says how it grows."""
    name_itself: bool = False
    """Write ``dev`` into each message."""
    delay: float = 0.0
    """Fault: probability that a first transmission is held back, so that later messages overtake it."""
    rate: float = 0.0
    """Most messages per second, of which old ones get half; 0 means as fast as acknowledgements come."""
    obeys: bool = True
    """False is bad firmware: it never reads ``cmd``, and a wiped device counts its boots from 1 again."""


class Allowance:
    """How many messages a device may send now: a bucket that fills at its rate, and one of half that for old ones."""

    def __init__(self, rate: float) -> None:
        self.rate, self._all, self._old, self._at = rate, max(1.0, rate), max(1.0, rate / 2), 0.0

    def refill(self, now: float) -> None:
        """Let time pass."""
        passed, self._at = max(0.0, now - self._at), now
        self._all = min(max(1.0, self.rate), self._all + passed * self.rate)
        self._old = min(max(1.0, self.rate / 2), self._old + passed * self.rate / 2)

    def take(self, *, live: bool) -> bool:
        """Spend one message, if there is one."""
        if self.rate <= 0:
            return True
        if self._all < 1 or (not live and self._old < 1):
            return False
        self._all -= 1
        self._old -= not live
        return True


class Device:
    """A device that is switched on.

    It holds nothing in memory that it could not lose: :meth:`cut_power` drops all of it.
    """

    def __init__(
        self,
        identity: Identity,
        memory: Memory,
        journal: Journal,
        *,
        habits: Habits,
        clock: DeviceClock,
        rng: random.Random,
    ) -> None:
        self.identity, self.number, self.boot, self.proven = identity, memory.number, memory.boot, memory.proven
        self._base = memory.base
        self.journal, self.habits, self.clock, self.rng = journal, habits, clock, rng
        self.seq = 1
        self.interval_s = 60
        self.started_ms: int | None = None
        self.config_version = -1
        self.has_news = False
        """The ring was full: ``low`` has risen, and the server should hear of it."""
        self.waits: list[float] = []
        """Seconds from first sending to acknowledgement, of live readings; whoever reads them empties it."""
        self.resend_at = NEVER
        self._patience = Patience(habits.resend_after_s, rng)
        self._flights: dict[tuple[int, int], Flight] = {}
        self._live: dict[tuple[int, int], bytes] = {}
        self._cursor, self._more, self._old_flights = (0, 0), True, 0
        self._allowance = Allowance(habits.rate)

    # --- measuring -------------------------------------------------------------------------------------------------

    def record(self, reading: Reading, *, live: bool) -> bytes:
        """Put a reading, numbered, into the journal (not yet committed); returns its content.

        A boot whose start nobody has set starts with its first reading, as in the replay of old readings.
        """
        if self.started_ms is None:
            self.started_ms = reading.at_ms
        clk, ts = self.clock.read(reading.at_ms, self.up_ms(reading.at_ms))
        content = Content(
            clk=clk, ts=ts, up=self.up_ms(reading.at_ms), values=reading.values,
            bat=reading.bat, sig=reading.sig, open=reading.open,
        ).encode()  # fmt: skip
        self.record_content(content, live=live)
        return content

    def record_content(self, content: bytes, *, live: bool, poison: str = "") -> None:
        """Put an encoded content, sound or poisonous, under the next number into the journal."""
        gone = self.journal.append(self.number, self.boot, self.seq, content, poison=poison)
        if gone is not None:
            self._live.pop(gone, None)
            if gone in self._flights:
                self._old_flights -= not self._flights.pop(gone).live
            self.has_news = True
        if live and len(self._live) < self.habits.window:
            self._live[self.boot, self.seq] = content
        else:
            self._more = True
        self.seq += 1

    def up_ms(self, at_ms: int) -> int:
        """Give the time since the start of this boot, ms; 0 before it is known."""
        return 0 if self.started_ms is None else max(0, at_ms - self.started_ms)

    @property
    def waiting(self) -> bool:
        """True while the journal may hold messages that are not under way."""
        return bool(self._live) or self._more

    # --- sending ---------------------------------------------------------------------------------------------------

    def pump(self, now: float) -> list[Outgoing]:
        """Choose what to publish now: what is to be sent again, then live readings, then the oldest of the journal."""
        self._allowance.refill(now)
        out = self._again(now) if self.resend_at <= now else []
        while self._live and len(self._flights) < self.habits.window and self._allowance.take(live=True):
            key = next(iter(self._live))
            out += self._launch(key, self._live.pop(key), now, live=True)
        room = min(self.habits.window - len(self._flights), self.habits.window // 2 - self._old_flights)
        if self._more and room > 0:
            out += self._backfill(room, now)
        return out

    def _again(self, now: float) -> list[Outgoing]:
        out = []
        for key in self._patience.choose(self._flights, now, lambda flight: self._allowance.take(live=flight.live)):
            flight = self._flights[key]
            out.append(Outgoing(key, self._compose(key, flight.content), again=flight.tries > 0))
            self._patience.launch(flight, now)
        self.resend_at = self._patience.next_at(self._flights.values())
        return out

    def _backfill(self, room: int, now: float) -> list[Outgoing]:
        rows = self.journal.after(self.number, *self._cursor, room)
        out: list[Outgoing] = []
        for boot, seq, content in rows:
            if (boot, seq) not in self._flights and (boot, seq) not in self._live:
                if not self._allowance.take(live=False):
                    return out
                out += self._launch((boot, seq), content, now, live=False)
            self._cursor = (boot, seq)
        self._more = len(rows) == room
        return out

    def _launch(self, key: tuple[int, int], content: bytes, now: float, *, live: bool) -> list[Outgoing]:
        held_back = self.habits.delay > 0 and self.rng.random() < self.habits.delay
        flight = self._flights[key] = Flight(content, live, begun=now, sent=now)
        if held_back:
            flight.sent += self.rng.uniform(0.1, 1.0)
        else:
            self._patience.launch(flight, now)
        self._old_flights += not live
        self.resend_at = min(self.resend_at, self._patience.next_at([flight]))
        return [] if held_back else [Outgoing(key, self._compose(key, content), again=False)]

    def _compose(self, key: tuple[int, int], content: bytes) -> bytes:
        name = self.identity.device_id if self.habits.name_itself else ""
        return up_message(*key, content, key=self.identity.key, dev=name)

    def reconnected(self, now: float) -> None:
        """Begin to send again what is under way: nobody knows what the last connection swallowed."""
        self._patience.reconnected(self._flights.values(), now)
        self.resend_at = self._patience.next_at(self._flights.values())

    # --- hearing ---------------------------------------------------------------------------------------------------

    def settle(self, ack: Ack, now: float = 0.0) -> tuple[int, dict[int, str]]:
        """Forget what the server has settled; returns (stored, seq -> reason of the refused)."""
        settled = [self._flights.pop(key) for key in [key for key in self._flights if ack.settles(*key)]]
        self.waits += [now - flight.begun for flight in settled if flight.live]
        self._old_flights -= sum(not flight.live for flight in settled)
        self._patience.acknowledged(settled, self._flights.values(), now)
        self.resend_at = self._patience.next_at(self._flights.values())
        for key in [key for key in self._live if ack.settles(*key)]:
            del self._live[key]
        return self.journal.settle(self.number, ack)

    def obey(self, command: Command) -> bool:
        """Take over a configuration; says whether the boot number moved (contract, section 6)."""
        if not self.habits.obeys:
            return False
        if command.version >= self.config_version:
            self.config_version = command.version
            self.interval_s = command.interval or self.interval_s
        if not self.proven:
            self.prove(seen=command.boot)
            return command.boot > 0
        if command.boot <= self.boot:
            return False
        self.boot, self.seq = command.boot + 1, 1
        self.started_ms = None
        self.journal.set_boot(self.number, self.boot)
        return True

    def prove(self, *, seen: int = 0) -> None:
        """Fix the numbers of a device without memory, above the highest boot the server has seen: now it may send."""
        shift = seen - self._base
        self.proven, self._base = True, 0
        self.boot += shift
        self._live = {(boot + shift, seq): content for (boot, seq), content in self._live.items()}
        self.journal.prove(self.number, shift=shift)

    def state(self, up_ms: int) -> bytes:
        """Compose the birth message or heartbeat."""
        low = self.journal.low(self.number, self.boot) or self.seq
        self.has_news = False
        return state_message(
            boot=self.boot, up=up_ms, low=low, following=self.seq, firmware=FIRMWARE,
            key=self.identity.key, interval=self.interval_s,
        )  # fmt: skip

    def cut_power(self) -> None:
        """Lose everything but the journal, and start the next boot."""
        self._flights, self._live, self.resend_at = {}, {}, NEVER
        self._cursor, self._more, self._old_flights = (0, 0), True, 0
        self._patience = Patience(self.habits.resend_after_s, self.rng)
        self.boot, self.seq, self.started_ms = self.boot + 1, 1, None
        self.journal.set_boot(self.number, self.boot)

    def wipe(self) -> int:
        """Lose the journal too, and with it every count; returns how many messages are lost."""
        held = self.journal.wipe(self.number)
        self.cut_power()
        self.proven, self._base, self.config_version = False, self.boot - 1, -1
        return held
