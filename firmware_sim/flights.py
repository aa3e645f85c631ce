"""What is under way without acknowledgement, and when a device sends it again.

Silence has two causes that a device cannot tell apart: its messages are lost, or the server is behind. So it asks with
one message alone, and ever more rarely; only an acknowledgement, which proves that the way is open and the server
alive, lets it repeat more, twice as many as were acknowledged. A window that was lost comes back in a few round trips,
and a server that is behind is not buried under copies of what it has not read yet (as TCP: RFC 5681, RFC 6298).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

Number = tuple[int, int]
"""(boot, seq)."""
LONGEST_PAUSE_S = 60.0
AFTER_RECONNECT = 8
"""Messages that may be repeated at once over a new connection: most of what the last one swallowed is lost."""
NEVER = float("inf")


@dataclass(slots=True)
class Flight:
    """A message that is to be sent or was sent, and is not acknowledged."""

    content: bytes
    live: bool
    begun: float
    """When it was to be sent first, on the monotonic clock, s."""
    sent: float
    """When it was sent last; while it is held back, when it is to be sent."""
    tries: int = 0
    doubtful: bool = False
    """The connection that it was sent by is gone."""


class Patience:
    """How long a device waits for acknowledgements, and how many messages it may send again.

    Parameters
    ----------
    first_s : float
        First pause; it grows with the time that acknowledgements take, doubles for what was sent again, and is a
        minute at most (unless the first is longer).
    rng : random.Random
        Dice for the jitter, a quarter up and down, so that a fleet does not repeat all at once.
    """

    def __init__(self, first_s: float, rng: random.Random) -> None:
        self._first_s, self._longest_s, self._rng = first_s, max(LONGEST_PAUSE_S, first_s), rng
        self._jitter = rng.uniform(0.75, 1.25)
        self._usual_s = 0.0
        """What acknowledgements have taken of late."""
        self._room = self._asked = 0
        self._ask_at = -NEVER

    def launch(self, flight: Flight, now: float) -> None:
        """Note that it is sent now."""
        flight.sent, flight.doubtful = now, False
        flight.tries += 1

    def due(self, flight: Flight) -> float:
        """Give when the first sending of a message is due, or from when on it counts as unanswered."""
        if flight.doubtful:
            return -NEVER
        return flight.sent + (self._pause(flight.tries - 1) if flight.tries else 0.0)

    def next_at(self, flights: Iterable[Flight]) -> float:
        """Give when there will be something to choose."""
        held_back = unanswered = NEVER
        for flight in flights:
            if flight.tries:
                unanswered = min(unanswered, self.due(flight))
            else:
                held_back = min(held_back, flight.sent)
        return min(held_back, unanswered if self._room else max(unanswered, self._ask_at))

    def choose(self, flights: Mapping[Number, Flight], now: float, may: Callable[[Flight], bool]) -> list[Number]:
        """Choose what to send now: what was held back, and of what is unanswered that which was sent longest ago.

        Parameters
        ----------
        flights : mapping
            What is under way, by (boot, seq).
        now : float
            Monotonic clock, s.
        may : callable
            Asked before each message; False when the device may not send it now.
        """
        due = [(key, flight) for key, flight in flights.items() if self.due(flight) <= now]
        unanswered = sorted((flight.sent, key) for key, flight in due if flight.tries)
        alone = not self._room
        most = int(now >= self._ask_at) if alone else self._room
        self._room = 0  # what the acknowledgement did not make room for waits for the next one
        again = [key for _, key in unanswered[:most] if may(flights[key])]
        if again:
            self._asked += alone
            self._jitter = self._rng.uniform(0.75, 1.25)
            self._ask_at = now + self._pause(self._asked)
        return [key for key, flight in due if not flight.tries and may(flight)] + again

    def acknowledged(self, settled: Sequence[Flight], left: Iterable[Flight], now: float) -> None:
        """Learn from what was settled: the way is open, and how long that took where it can be told."""
        for flight in settled:
            if flight.tries == 1 and not flight.doubtful:  # of what was sent twice nobody knows which one is answered
                self._usual_s += (now - flight.sent - self._usual_s) / 4
        if settled:
            self._asked, self._ask_at = 0, -NEVER
            self._room = 2 * len(settled) if self.next_at(left) <= now else 0

    def reconnected(self, flights: Iterable[Flight], now: float) -> None:
        """Doubt everything under way: nobody knows what the last connection swallowed."""
        self._room, self._asked, self._ask_at = 0, 0, -NEVER
        for flight in flights:
            if flight.tries:
                flight.doubtful, self._room = True, AFTER_RECONNECT
            else:
                flight.sent = now

    def _pause(self, doublings: int) -> float:
        pause = max(self._first_s, 2 * self._usual_s) * 2.0 ** min(doublings, 16)
        return min(self._longest_s, pause) * self._jitter
