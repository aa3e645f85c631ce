"""Topics and names of the contract: who speaks where, and with which password."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass

from cropcredit.errors import ContractError

DEVICE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""Form of a device id, to be matched in full: it is a topic level and a user name."""

SUBSCRIPTIONS = (
    "farm/v1/+/up",
    "farm/v1/+/state",
    "farm/v1/+/senml",
    "farm/v1/+/senml-cbor",
    "application/+/device/+/event/up",
    "v3/+/devices/+/up",
)
"""What the server listens to, at QoS 1."""

_TOPIC = re.compile(rf"farm/v1/({DEVICE_ID.pattern})/(up|state|senml|senml-cbor)")
_CHIRPSTACK = re.compile(r"application/[^/+#]{1,64}/device/([0-9A-Fa-f]{16})/event/up")
_THINGS_STACK = re.compile(r"v3/[^/+#]{1,128}/devices/([^/+#]{1,64})/up")


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic on which devices speak, themselves or through a network server."""

    device_id: str
    """Empty where only the message says it: The Things Stack's topics carry an id of its own."""
    kind: str
    """``up``, ``state``, ``senml``, ``senml-cbor``, ``chirpstack`` or ``things_stack``."""
    name: str = ""
    """The device level as written, where it is not the device id."""


def parse_topic(topic: str) -> Topic:
    """Read a topic on which a device may publish.

    Raises
    ------
    ContractError
        ``topic`` when it is no topic of the contract.

    Examples
    --------
    >>> parse_topic("farm/v1/sim-0001/up")
    Topic(device_id='sim-0001', kind='up', name='')
    >>> parse_topic("v3/farms@lender/devices/probe-7/up")
    Topic(device_id='', kind='things_stack', name='probe-7')
    """
    if match := _TOPIC.fullmatch(topic):
        return Topic(match[1], match[2])
    if match := _CHIRPSTACK.fullmatch(topic):
        return Topic(match[1].lower(), "chirpstack", match[1])
    if match := _THINGS_STACK.fullmatch(topic):
        return Topic("", "things_stack", match[1])
    raise ContractError("topic", f"{topic[:80]!r} is no topic on which devices speak")


def ack_topic(device_id: str) -> str:
    """Where a device hears what the store holds."""
    return f"farm/v1/{device_id}/ack"


def cmd_topic(device_id: str) -> str:
    """Where a device finds (retained) its desired configuration and the highest boot seen."""
    return f"farm/v1/{device_id}/cmd"


def login_password(secret: bytes) -> str:
    """Give the MQTT password that follows from a device's secret; the secret itself never travels.

    Examples
    --------
    >>> len(login_password(bytes(32)))
    64
    """
    return hmac.digest(secret, b"mqtt", "sha256").hex()
