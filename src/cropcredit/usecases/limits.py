"""The share of each sender in a batch: what is too much goes to quarantine as ``rate``, and the others never notice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from cropcredit.model import Added, DeviceState, Reading, Rejection, is_contract_boot
from cropcredit.telemetry.ranges import Range, holds
from cropcredit.telemetry.rate import RateLimiter, Sent

KEPT_AN_HOUR = 100
"""Messages that are too much whose bytes are kept, per sender and hour; the others are counted."""
CONTRADICTIONS = 1000
"""Beyond so many the names of a device's messages are not believed: what looks repeated is charged like what is new."""
NOBODY = ""
"""The account of all that nobody can be held to: names that are unknown, or not proven."""
FIRST = frozenset({"topic", "unknown", "revoked"})
"""Reasons that stand before ``rate`` in the contract's table."""
MANY = "many topics"
"""Stands as the topic where what nobody can be held to is only counted: there may be any number of names."""
TOO_MUCH = "far more than its share: sent without waiting for acknowledgements, or without end"

Spans = Callable[[Sequence[str]], Mapping[tuple[str, int], Sequence[Range]]]
Message = tuple[Reading, bytes] | tuple[DeviceState, bool] | Rejection
"""As a batch holds it after decoding: a reading with its bytes, a state (a retained copy?), a refusal."""


class Batch(Protocol):
    """Messages after decoding."""

    readings: list[tuple[Reading, bytes]]
    states: list[tuple[DeviceState, bool]]
    rejections: list[Rejection]
    """Refused for what they are."""
    excess: list[Rejection]
    """Refused for being too many."""


class Shares:
    """Keeps every sender to its share; remembers what it was charged since ingest started.

    Nothing is charged before the batch is committed, so a batch that is tried again fares the same.

    Parameters
    ----------
    limiter : RateLimiter
        The accounts.
    spans : callable
        Gives the settled ranges of devices: what is settled was paid for before.
    """

    def __init__(self, limiter: RateLimiter, *, spans: Spans) -> None:
        self._limiter, self._spans = limiter, spans
        self._contradictions: Counter[str] = Counter()
        self._of: dict[int, str] = {}  # the account of each refusal of the batch in hand, by its id()
        self._kept: dict[str, tuple[str, int]] = {}  # (hour, messages too much whose bytes were kept in it), by account

    def sift(self, batch: Batch, *, topics: Callable[[], Mapping[int, str]], tied: bool, now: datetime) -> None:
        """Move what is too much from where it stands in the batch to its ``excess``.

        Parameters
        ----------
        topics : callable
            Gives the topic of each payload by its ``id()``; called only where something is too much.
        tied : bool
            True where the broker ties user names to topics; elsewhere only what is signed is charged to its sender.
        now : datetime
            Time of receipt.
        """
        counts = Counter([reading.device_id for reading, _ in batch.readings])
        counts.update(_account(one, tied=tied) for one in _others(batch))
        over: list[tuple[str, Message]] = []
        for account in self._limiter.suspects(counts, now_s=now.timestamp()):
            over += ((account, one) for one in self._too_many(account, batch, tied=tied, now=now))
        if not over:
            return
        gone = {id(one) for _, one in over}
        batch.readings = [one for one in batch.readings if id(one) not in gone]
        batch.states = [one for one in batch.states if id(one) not in gone]
        batch.rejections = [one for one in batch.rejections if id(one) not in gone]
        batch.excess = self._refused(over, topics(), _hour(now))

    def charge(self, batch: Batch, added: Added, *, tied: bool, now: datetime) -> None:
        """Charge what was committed of a sifted batch."""
        new = Counter(added.stored) + Counter(added.conflicts)
        cost = new.copy()
        self._contradictions.update(added.conflicts)
        for one in _others(batch):
            new[_account(one, tied=tied)] += 1
            cost[_account(one, tied=tied)] += _sent(one, 0).cost
        for account, count in new.items():
            self._limiter.charge(account, new=count, cost=cost[account], now_s=now.timestamp())
        hour = _hour(now)
        for rejection in batch.excess:
            if rejection.payload != _counted(hour):
                account = self._of[id(rejection)]
                self._kept[account] = (hour, self._kept_in(account, hour) + 1)

    def _too_many(self, account: str, batch: Batch, *, tied: bool, now: datetime) -> list[Message]:
        """Give the messages of one account that exceed it, in the order of arrival within each kind."""
        doubted = self._contradictions[account] > CONTRADICTIONS
        held = {} if doubted or account == NOBODY else self._spans([account])
        readings: list[Message] = [one for one in batch.readings if one[0].device_id == account]
        others = [one for one in _others(batch) if _account(one, tied=tied) == account]
        mine = [one for one in [*others, *readings] if not _is_held(one, held)]
        sent = [_sent(one, place) for place, one in enumerate(mine)]
        return [mine[place] for place in self._limiter.excess(account, sent, now_s=now.timestamp())]

    def _refused(self, over: Sequence[tuple[str, Message]], topics: Mapping[int, str], hour: str) -> list[Rejection]:
        """Word the refusals: the first of each account and hour with their bytes, the others counted in one row."""
        kept = Counter({account: self._kept_in(account, hour) for account, _ in over})
        refused = []
        self._of = {}
        for account, one in over:
            rejection = _as_rejection(account, one, topics)
            if kept[account] >= KEPT_AN_HOUR or not rejection.payload:
                counted = f"{rejection.detail.partition(';')[0]}; not kept: all but the first {KEPT_AN_HOUR} of an hour"
                topic, device = (rejection.topic, rejection.device_id) if account != NOBODY else (MANY, "")
                rejection = replace(rejection, topic=topic, device_id=device, payload=_counted(hour), detail=counted)
            kept[account] += 1
            refused.append(rejection)
            self._of[id(rejection)] = account
        return refused

    def _kept_in(self, account: str, hour: str) -> int:
        of, count = self._kept.get(account, (hour, 0))
        return count if of == hour else 0


def _others(batch: Batch) -> list[Message]:
    return [*batch.states, *batch.rejections]


def _account(one: Message, *, tied: bool) -> str:
    """Say who is charged: who speaks where that is certain, else nobody in particular."""
    if isinstance(one, Rejection):
        certain = one.reason not in ("topic", "unknown") and (tied or one.boot is not None)
        return one.device_id if certain else NOBODY
    said = one[0]
    return said.device_id if tied or isinstance(said, Reading) or said.boot is not None else NOBODY


def _sent(one: Message, place: int) -> Sent:
    """Say what a message counts as; only the same bytes are a repetition: under one name anything might come."""
    if isinstance(one, Rejection):
        return Sent((one.topic, one.payload), len(one.payload))
    said, payload = one
    if isinstance(said, DeviceState) or isinstance(payload, bool):
        return Sent((place, "state"), 0)
    return Sent((said.boot, said.seq, payload), len(payload), is_contract_boot(said.boot))


def _is_held(one: Message, held: Mapping[tuple[str, int], Sequence[Range]]) -> bool:
    said = one if isinstance(one, Rejection) else one[0]
    if isinstance(said, DeviceState) or said.boot is None or said.seq is None:
        return False
    return holds(held.get((said.device_id, said.boot), ()), said.seq)


def _as_rejection(account: str, one: Message, topics: Mapping[int, str]) -> Rejection:
    """Word the refusal of a message that is too much; it settles nothing: an honest device sends it again."""
    if isinstance(one, Rejection):
        if one.reason in FIRST:
            return one
        return replace(one, reason="rate", detail=f"{TOO_MUCH}; {one.reason}: {one.detail}", boot=None, seq=None)
    said, payload = one
    if isinstance(said, DeviceState):
        return Rejection(
            topic=f"farm/v1/{account}/state", payload=b"", reason="rate", detail=TOO_MUCH, device_id=account
        )
    assert isinstance(payload, bytes)
    topic, which = topics.get(id(payload), f"farm/v1/{account}/senml"), f"boot {said.boot} seq {said.seq}"
    return Rejection(topic=topic, payload=payload, reason="rate", detail=f"{TOO_MUCH}; {which}", device_id=account)


def _hour(now: datetime) -> str:
    return now.strftime("%Y-%m-%dT%HZ")


def _counted(hour: str) -> bytes:
    """Give what stands in place of the bytes that are not kept: one row per hour, whose ``times`` counts them."""
    return f"not kept: messages of the hour {hour}".encode()
