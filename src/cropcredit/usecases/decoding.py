"""From the bytes on a topic to a reading, a state or a refusal: who speaks, and in which format."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import msgspec

from cropcredit import wire
from cropcredit.errors import ContractError
from cropcredit.model import DeviceState, Reading, Rejection
from cropcredit.units import Quantity
from cropcredit.usecases.other_formats import OtherFormats

log = logging.getLogger(__name__)

_topic = lru_cache(maxsize=100_000)(wire.parse_topic)  # a batch names most topics of the one before it


class Message(msgspec.Struct, frozen=True, gc=False):
    """What the broker delivered."""

    topic: str
    payload: bytes
    retained: bool = False
    """True for a copy that the broker had kept from before."""


class Sender(msgspec.Struct, frozen=True, kw_only=True):
    """Who speaks on one topic; looked up anew for every batch, so that a revocation counts from the next one on."""

    device_id: str
    """Empty where the topic names no device: where nobody speaks, or only the message says who does."""
    kind: str = ""
    """Of the topic: what decodes its messages."""
    keys: Mapping[str, bytes] = msgspec.field(default_factory=dict)
    """Valid secrets by key id."""
    refusal: ContractError | None = None
    """Why nothing on this topic can be taken."""

    def __repr__(self) -> str:
        """Show no secrets."""
        return f"Sender(device_id={self.device_id!r}, kind={self.kind!r}, refusal={self.refusal!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What decoding a batch goes by."""

    quantities: Mapping[str, Quantity]
    signed_only: bool
    """True where the broker does not tie user names to topics."""
    received_at: datetime
    others: OtherFormats
    sender: Callable[[str], Sender]
    """Who a device is that only the message names."""


Outcome = Reading | list[tuple[Reading, bytes]] | DeviceState | Rejection
Decoder = Callable[[Sender, Message, Rules], Outcome]


def _up(sender: Sender, message: Message, rules: Rules) -> Outcome:
    return wire.receive(
        sender.device_id,
        message.topic,
        message.payload,
        keys=sender.keys,
        quantities=rules.quantities,
        signed_only=rules.signed_only,
    )


def _state(sender: Sender, message: Message, rules: Rules) -> Outcome:
    return wire.decode_state(
        sender.device_id,
        message.payload,
        keys=sender.keys,
        received_at=rules.received_at,
        retained=message.retained,
        signed_only=rules.signed_only,
    )


def _uplink(_sender: Sender, message: Message, rules: Rules) -> Outcome:
    _only_where_the_broker_tells_who_speaks(rules)

    def accept(device_id: str) -> None:
        if (refusal := rules.sender(device_id).refusal) is not None:
            raise refusal

    return rules.others.uplink(message.topic, message.payload, accept=accept)


def _pack(sender: Sender, message: Message, rules: Rules) -> Outcome:
    _only_where_the_broker_tells_who_speaks(rules)
    topic = wire.Topic(sender.device_id, sender.kind)
    return rules.others.pack(topic, message.payload, received_at=rules.received_at)


def _only_where_the_broker_tells_who_speaks(rules: Rules) -> None:
    if rules.signed_only:
        raise ContractError("unsigned", "this format carries no signature, and this broker does not tell who speaks")


DECODERS: Mapping[str, Decoder] = {
    "up": _up,
    "state": _state,
    "senml": _pack,
    "senml-cbor": _pack,
    "chirpstack": _uplink,
    "things_stack": _uplink,
}
"""By kind of topic. A decoder raises ContractError for what it cannot read, or words the rejection itself."""


def decode(sender: Sender, message: Message, rules: Rules) -> Outcome:
    """Decode one message; whatever cannot be read comes out as a rejection."""
    if sender.refusal is not None:
        return _refused(sender, message, sender.refusal)
    try:
        return DECODERS[sender.kind](sender, message, rules)
    except ContractError as error:
        return _refused(sender, message, error)
    except Exception as error:  # a message never kills the loop: it is kept, and somebody will look at it
        log.exception("a message on %r could not be read: this is a defect of cropcredit", message.topic)
        return _refused(sender, message, ContractError("internal", f"{type(error).__name__}: {error}"))


def _refused(sender: Sender, message: Message, error: ContractError) -> Rejection:
    """Word a refusal that settles nothing: it is not certain which reading was meant, or who spoke."""
    return Rejection(
        topic=message.topic,
        payload=message.payload,
        reason=error.reason,
        detail=error.detail,
        device_id=sender.device_id,
    )


def parsed(topic: str) -> wire.Topic | ContractError:
    """Read a topic; what is none comes out as the reason to refuse its messages."""
    try:
        return _topic(topic)
    except ContractError as error:
        return error


def sender_of(topic: wire.Topic | ContractError, known: Mapping[str, Mapping[str, bytes]]) -> Sender:
    """Say who speaks on a topic, by the valid keys of the devices that are known."""
    if isinstance(topic, ContractError):
        return Sender(device_id="", refusal=topic)
    device_id, refusal = topic.device_id, None
    if not device_id:  # only the message says who speaks
        return Sender(device_id="", kind=topic.kind)
    keys = known.get(device_id, {})
    if device_id not in known:
        refusal = ContractError("unknown", f"no device {device_id!r} is registered")
    elif not keys:
        refusal = ContractError("revoked", f"the credentials of device {device_id!r} are revoked")
    return Sender(device_id=device_id, kind=topic.kind, keys=keys, refusal=refusal)
