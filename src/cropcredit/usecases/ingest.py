"""From received bytes to committed readings, and what the devices are then told."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache

import msgspec

from cropcredit import wire
from cropcredit.model import DeviceState, Reading, Rejection, is_contract_boot
from cropcredit.ports import Clock, CredentialStore, ReadingStore
from cropcredit.units import Quantity
from cropcredit.usecases.decoding import Message, Outcome, Rules, Sender, decode, parsed, sender_of
from cropcredit.usecases.limits import Shares
from cropcredit.usecases.other_formats import OtherFormats, no_model

log = logging.getLogger(__name__)

SAMPLED = 200
"""Readings of a batch by which clocks are judged: enough for a histogram, and no cost for the others."""


class Reply(msgspec.Struct, frozen=True, gc=False):
    """What is to be published once the batch is committed."""

    topic: str
    payload: bytes
    retained: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingested:
    """What became of a batch; every message is in exactly one of the three."""

    readings: int
    """Readings committed, or found committed already; a SenML pack gives one for each of its records."""
    states: int
    refused: Mapping[str, int]
    """Quarantined messages by reason."""
    replies: tuple[Reply, ...]
    stored: int = 0
    """Of the readings: how many were new."""
    repeated: int = 0
    conflicts: int = 0
    skews_s: tuple[float, ...] = ()
    """How far the clock of a device was ahead of ours in its newest reading; for the last ones of the batch."""


@dataclass(slots=True)
class _Sorted:
    """A batch, message by message."""

    readings: list[tuple[Reading, bytes]] = field(default_factory=list)
    states: list[tuple[DeviceState, bool]] = field(default_factory=list)
    """With: is it a retained copy?"""
    rejections: list[Rejection] = field(default_factory=list)
    excess: list[Rejection] = field(default_factory=list)
    """Refused because their sender sent far more than its share."""

    @property
    def refused(self) -> list[Rejection]:
        """All that goes to quarantine."""
        return [*self.rejections, *self.excess]

    def boots(self) -> dict[tuple[str, int], None]:
        """Name every (device, boot) whose device is to be told what the store holds, in order of arrival."""
        named = dict.fromkeys((reading.device_id, reading.boot) for reading, _ in self.readings)
        named |= dict.fromkeys((r.device_id, r.boot) for r in self.rejections if r.boot is not None)
        return {of: None for of in named if is_contract_boot(of[1])}


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestMessages:
    """Commit a batch of messages, then say what may be acknowledged.

    Nothing is answered before the commit; a message that cannot be read is quarantined and never stops the others.
    """

    store: ReadingStore
    credentials: CredentialStore
    clock: Clock
    quantities: Mapping[str, Quantity]
    signed_only: bool
    """True where the broker does not tie user names to topics."""
    decoders: Mapping[str, wire.Decoder] = field(default_factory=dict)
    """Profiles of device models, for what does not come in contract v1."""
    model_of: Callable[[str], str] = no_model
    """Registered model of a device."""
    shares: Shares | None = None
    """What each sender may send; None: as much as it likes."""

    def __call__(self, messages: Sequence[Message]) -> Ingested:
        """Ingest one batch.

        Raises
        ------
        StoreUnavailable
            If the store cannot commit: nothing was stored, nothing may be acknowledged, try the same batch again.
        """
        now = self.clock.now()
        batch, tied = _sorted(messages, self._senders(messages), self._rules(now)), not self.signed_only
        if self.shares is not None:
            self.shares.sift(batch, topics=lambda: {id(one.payload): one.topic for one in messages}, tied=tied, now=now)
        added = self.store.add(batch.readings, batch.refused, received_at=now, tied=tied)
        heard = self._save_states(batch.states)
        for device_id, count in added.conflicts.items():
            log.warning("%s contradicts what it said before (messages: %d): is its key cloned?", device_id, count)
        if self.shares is not None:
            self.shares.charge(batch, added, tied=tied, now=now)
        acks = self.store.settled(batch.boots())
        return Ingested(
            readings=len(batch.readings),
            states=len(batch.states),
            refused=Counter(rejection.reason for rejection in batch.refused),
            replies=(
                *(Reply(wire.ack_topic(ack.device_id), wire.encode_ack(ack)) for ack in acks),
                *self._commands(heard),
            ),
            stored=sum(added.stored.values()),
            repeated=added.repeated,
            conflicts=sum(added.conflicts.values()),
            skews_s=_skews(batch.readings[-SAMPLED:], now),
        )

    def decode(self, messages: Sequence[Message], *, received_at: datetime, tied: bool) -> list[Outcome]:
        """Decode messages that arrived earlier, in their order, and store nothing.

        ``tied``: when they arrived, the broker tied user names to topics; what it did not must be signed.
        """
        senders, rules = self._senders(messages), self._rules(received_at, signed_only=self.signed_only or not tied)
        return [decode(senders[message.topic], message, rules) for message in messages]

    def _rules(self, now: datetime, *, signed_only: bool | None = None) -> Rules:
        def sender(device_id: str) -> Sender:
            return sender_of(wire.Topic(device_id, ""), self.credentials.known([device_id]))

        others = OtherFormats(quantities=self.quantities, decoders=self.decoders, model_of=cache(self.model_of))
        return Rules(
            quantities=self.quantities,
            signed_only=self.signed_only if signed_only is None else signed_only,
            received_at=now,
            others=others,
            sender=cache(sender),
        )

    def _senders(self, messages: Sequence[Message]) -> dict[str, Sender]:
        """Give who speaks on each topic of the batch."""
        topics = {topic: parsed(topic) for topic in {message.topic for message in messages}}
        named = {said.device_id for said in topics.values() if isinstance(said, wire.Topic) and said.device_id}
        known = self.credentials.known(named)
        return {topic: sender_of(said, known) for topic, said in topics.items()}

    def _save_states(self, states: Sequence[tuple[DeviceState, bool]]) -> list[DeviceState]:
        """Keep what is new; a last will tells only that the device is gone, so the rest is carried on."""
        if not states:
            return []
        latest = self.store.states([state.device_id for state, _ in states])
        fresh = []
        for state, retained in states:
            before = latest.get(state.device_id)
            if before is not None and not state.online:
                state = replace(before, online=False, received_at=state.received_at, up_ms=None)  # noqa: PLW2901
            if retained and before is not None and _same(before, state):
                continue
            latest[state.device_id] = state
            fresh.append(state)
        self.store.save_states(fresh)
        return fresh

    def _commands(self, states: Sequence[DeviceState]) -> list[Reply]:
        """Tell each device that has just spoken the highest boot seen of it."""
        devices = sorted({state.device_id for state in states if state.online and state.boot is not None})
        boots = self.store.highest_boots(devices) if devices else {}
        return [Reply(wire.cmd_topic(d), wire.encode_cmd(boot=boots[d]), retained=True) for d in devices]


def _sorted(messages: Sequence[Message], senders: Mapping[str, Sender], rules: Rules) -> _Sorted:
    batch = _Sorted()
    for message in messages:
        outcome = decode(senders[message.topic], message, rules)
        if isinstance(outcome, Reading):
            batch.readings.append((outcome, message.payload))
        elif isinstance(outcome, list):
            batch.readings += outcome
        elif isinstance(outcome, DeviceState):
            batch.states.append((outcome, message.retained))
        else:
            batch.rejections.append(outcome)
    return batch


def _skews(readings: Sequence[tuple[Reading, bytes]], now: datetime) -> tuple[float, ...]:
    newest: dict[str, Reading] = {}
    for reading, _ in readings:
        if (reading.boot, reading.seq) > _place(newest.get(reading.device_id)):
            newest[reading.device_id] = reading
    return tuple((r.observed_at - now).total_seconds() for r in newest.values() if r.observed_at is not None)


def _place(reading: Reading | None) -> tuple[int, int]:
    return (-1, -1) if reading is None else (reading.boot, reading.seq)


def _same(before: DeviceState, after: DeviceState) -> bool:
    return replace(before, up_ms=None) == replace(after, up_ms=None, received_at=before.received_at)
