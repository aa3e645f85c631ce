"""Which network server speaks on a topic."""

from __future__ import annotations

from cropcredit.wire.chirpstack import open_event
from cropcredit.wire.things_stack import open_message
from cropcredit.wire.topics import Topic
from cropcredit.wire.uplinks import Uplink


def open_uplink(topic: Topic, payload: bytes) -> Uplink:
    """Open a frame that a network server passed on; raises ContractError as the two say."""
    return open_message(topic.name, payload) if topic.kind == "things_stack" else open_event(topic.name, payload)
