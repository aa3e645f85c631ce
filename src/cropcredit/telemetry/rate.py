"""How much one device may send: more than any honest one ever needs, and no more than the others can spare.

A device that obeys the contract has at most 64 messages under way that nobody has acknowledged, so what it adds to one
batch is at most that: the next ones it sends when the batch is acknowledged. Only while ingest was away may more have
piled up in the broker: the readings of that time. And all in all it sends what it measured, once: repetitions cost
nothing here. So there are two bounds, and both count messages that are new:

* ``window`` per batch, and beyond it a ``backlog`` that fills up again batch by batch;
* a ``volume``, which fills up again by ``per_s``: what bounds the disk when a device waits for its acknowledgements and
  sends without end.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

STEP_BYTES = 8192
"""A message counts once for each of these begun: the longest one of the contract counts once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What is allowed, in messages."""

    window: int = 64
    """New ones in one batch: the contract's largest window."""
    backlog: int = 5000
    """Beyond it: a month of quarter-hourly readings that waited in the broker, and half as many again."""
    volume: int = 200_000
    """All in all, at once: 43,200 readings (a month of minutes) four times over."""
    per_s: float = 1.0
    """How fast the volume fills up again."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One message of an account, as far as it counts."""

    identity: Hashable
    """Equal for repetitions."""
    size: int
    """Bytes."""
    paced: bool = True
    """True for messages whose sender waits for acknowledgements."""

    @property
    def cost(self) -> int:
        """How often it counts against the volume."""
        return 1 + max(0, self.size - 1) // STEP_BYTES


@dataclass(slots=True)
class _Account:
    backlog: int
    volume: float
    at_s: float


class RateLimiter:
    """Accounts of senders; what exceeds them is told before it is stored, what was stored is charged afterwards.

    Examples
    --------
    >>> limiter = RateLimiter(Allowance(window=2, backlog=1))
    >>> burst = [Sent(seq, 100) for seq in (1, 2, 2, 3, 4)]
    >>> limiter.excess("probe-7", burst, now_s=0.0)
    [4]
    >>> limiter.charge("probe-7", new=3, cost=3, now_s=0.0)
    >>> limiter.excess("probe-7", [Sent(seq, 100) for seq in (4, 5, 6)], now_s=1.0)
    [2]
    """

    def __init__(self, allowance: Allowance | None = None) -> None:
        self.allowance = allowance or Allowance()
        self._accounts: dict[str, _Account] = {}

    def suspects(self, counts: Mapping[str, int], *, now_s: float) -> list[str]:
        """Name the accounts whose messages must be looked at one by one; most batches have none.

        Parameters
        ----------
        counts : mapping
            Messages of the batch by account, repetitions included.
        now_s : float
            A clock that never runs backwards, seconds.
        """
        window, accounts = self.allowance.window, self._accounts
        return [
            name
            for name, count in counts.items()
            if count > window or (name in accounts and self._volume(accounts[name], now_s) < count)
        ]

    def excess(self, name: str, sent: Sequence[Sent], *, now_s: float) -> list[int]:
        """Give the places of the messages that are too many; repetitions of those that are allowed never are.

        What the store holds already must be left out.
        """
        account = self._account(name, now_s)
        room, volume = self.allowance.window + account.backlog, self._volume(account, now_s)
        allowed: set[Hashable] = set()
        found = []
        for place, message in enumerate(sent):
            if message.identity in allowed:
                continue
            if (message.paced and room < 1) or volume < message.cost:
                found.append(place)
                continue
            allowed.add(message.identity)
            room -= message.paced
            volume -= message.cost
        return found

    def charge(self, name: str, *, new: int, cost: int, now_s: float) -> None:
        """Charge what one batch brought of an account and was committed: ``new`` messages, at ``cost`` steps in all."""
        account = self._account(name, now_s)
        account.volume = self._volume(account, now_s) - cost
        account.at_s = now_s
        account.backlog = min(self.allowance.backlog, max(0, account.backlog + self.allowance.window - new))

    def _account(self, name: str, now_s: float) -> _Account:
        if name not in self._accounts:
            self._accounts[name] = _Account(self.allowance.backlog, float(self.allowance.volume), now_s)
        return self._accounts[name]

    def _volume(self, account: _Account, now_s: float) -> float:
        gained = max(0.0, now_s - account.at_s) * self.allowance.per_s
        return min(float(self.allowance.volume), account.volume + gained)
