"""From received bytes to committed readings, and what the devices are then told."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from cropcredit import wire
from cropcredit.errors import ContractError
from cropcredit.model import DeviceState, Reading, Rejection
from cropcredit.ports import Clock, CredentialStore, ReadingStore
from cropcredit.units import Quantity

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Message:
    """What the broker delivered."""

    topic: str
    payload: bytes
    retained: bool = False
    """True for a copy that the broker had kept from before."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What is to be published once the batch is committed."""

    topic: str
    payload: bytes
    retained: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingested:
    """What became of a batch; every message is in exactly one of the three."""

    readings: int
    """Readings committed, or found committed already."""
    states: int
    refused: Mapping[str, int]
    """Quarantined messages by reason."""
    replies: tuple[Reply, ...]


@dataclass(slots=True)
class _Sorted:
    """A batch, message by message."""

    readings: list[tuple[Reading, bytes]] = field(default_factory=list)
    states: list[tuple[DeviceState, bool]] = field(default_factory=list)
    """With: is it a retained copy?"""
    rejections: list[Rejection] = field(default_factory=list)


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

    def __call__(self, messages: Sequence[Message]) -> Ingested:
        """Ingest one batch.

        Raises
        ------
        StoreUnavailable
            If the store cannot commit: nothing was stored, nothing may be acknowledged, try the same batch again.
        """
        batch = self._sort(messages)
        self.store.add(batch.readings, batch.rejections, received_at=self.clock.now())
        heard = self._save_states(batch.states)
        boots = dict.fromkeys((r.device_id, r.boot) for r, _ in batch.readings)
        boots |= dict.fromkeys((r.device_id, r.boot) for r in batch.rejections if r.boot is not None)
        acks = (Reply(wire.ack_topic(ack.device_id), wire.encode_ack(ack)) for ack in self.store.settled(boots))
        return Ingested(
            readings=len(batch.readings),
            states=len(batch.states),
            refused=Counter(rejection.reason for rejection in batch.rejections),
            replies=(*acks, *self._commands(heard)),
        )

    def _sort(self, messages: Sequence[Message]) -> _Sorted:
        topics = [(message, _topic(message)) for message in messages]
        known = self.credentials.known({topic.device_id for _, topic in topics if isinstance(topic, wire.Topic)})
        batch = _Sorted()
        for message, topic in topics:
            outcome = self._outcome(message, topic, known)
            if isinstance(outcome, Reading):
                batch.readings.append((outcome, message.payload))
            elif isinstance(outcome, DeviceState):
                batch.states.append((outcome, message.retained))
            else:
                batch.rejections.append(outcome)
        return batch

    def _outcome(
        self, message: Message, topic: wire.Topic | ContractError, known: Mapping[str, Mapping[str, bytes]]
    ) -> Reading | DeviceState | Rejection:
        device_id = topic.device_id if isinstance(topic, wire.Topic) else ""
        try:
            if isinstance(topic, ContractError):
                raise topic  # noqa: TRY301 - one place words every refusal
            keys = _keys(topic.device_id, known)
            return self._decoded(message, topic, keys)
        except ContractError as error:
            return wire.refuse(device_id, message.topic, message.payload, error, keys={}, signed_only=True)
        except Exception as error:  # a message never kills the loop: it is kept, and somebody will look at it
            log.exception("a message on %r could not be read: this is a defect of cropcredit", message.topic)
            detail = f"{type(error).__name__}: {error}"
            return Rejection(
                topic=message.topic, payload=message.payload, reason="internal", detail=detail, device_id=device_id
            )

    def _decoded(
        self, message: Message, topic: wire.Topic, keys: Mapping[str, bytes]
    ) -> Reading | DeviceState | Rejection:
        if topic.kind == "up":
            return wire.receive(
                topic.device_id,
                message.topic,
                message.payload,
                keys=keys,
                quantities=self.quantities,
                signed_only=self.signed_only,
            )
        return wire.decode_state(
            topic.device_id,
            message.payload,
            keys=keys,
            received_at=self.clock.now(),
            retained=message.retained,
            signed_only=self.signed_only,
        )

    def _save_states(self, states: Sequence[tuple[DeviceState, bool]]) -> list[DeviceState]:
        """Keep what is new; a last will tells only that the device is gone, so the rest is carried on."""
        if not states:
            return []
        latest = self.store.states()
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


def _topic(message: Message) -> wire.Topic | ContractError:
    try:
        return wire.parse_topic(message.topic)
    except ContractError as error:
        return error


def _keys(device_id: str, known: Mapping[str, Mapping[str, bytes]]) -> Mapping[str, bytes]:
    if device_id not in known:
        raise ContractError("unknown", f"no device {device_id!r} is registered")
    if not known[device_id]:
        raise ContractError("revoked", f"the credentials of device {device_id!r} are revoked")
    return known[device_id]


def _same(before: DeviceState, after: DeviceState) -> bool:
    return replace(before, up_ms=None) == replace(after, up_ms=None, received_at=before.received_at)
