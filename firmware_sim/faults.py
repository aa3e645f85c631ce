"""What goes wrong on farms, as options: each fault is a test case of whoever listens."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from firmware_sim.message import Content, Key

OTHER = "somebody-else"


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Probabilities per message (power loss: mean seconds between two of one device); zero is off."""

    duplicate: float = 0.0
    """A message is published twice."""
    reorder: float = 0.0
    """A message is overtaken by later ones."""
    malformed: float = 0.0
    """A broken copy follows that nobody can attribute: cut off, not JSON, too large … Sent once, not journalled."""
    poison: float = 0.0
    """A message follows that is refused for what it says, under a seq of its own. Journalled like any other."""
    wrong_name: float = 0.0
    """A copy follows that claims to come from another device. Sent once, not journalled."""
    power_loss_s: float = 0.0
    """A device loses power, and everything but its journal."""


def malformed(payload: bytes, rng: random.Random) -> bytes:
    """Break a message so that no receiver can tell which one it was (reasons ``json``, ``utf8``, ``size``)."""
    breakages = (
        payload[: rng.randrange(1, len(payload) - 1)],
        payload.replace(b'"m":[', b'"m":[NaN,', 1),
        payload.replace(b'"seq":', b'"seq":1,"seq":', 1),
        payload.replace(b'"clk":"', b'"clk":"\xff', 1),
        payload[:-1] + b" " * 8192 + payload[-1:],
        payload + b"}",
        b"",
        b"\x00" + payload,
    )
    return rng.choice(breakages)


def poison(content: bytes, rng: random.Random) -> bytes:
    """Change what a message says into something the contract refuses by name, leaving its number readable."""
    head = content[: content.index(b',"m":[')]
    one = b'{"q":"soil.moisture","v":%b,"c":"d30"}'
    sound = one % b"23.4"
    poisons = (
        head + b',"m":[%b]' % (one % b"140"),  # range
        head + b',"m":[{"q":"soil.wetness","v":1,"c":""}]',  # quantity
        head + b',"m":[%b,%b]' % (sound, sound),  # repeated
        head + b',"m":[%b]' % (one % b'"wet"'),  # schema
        head + b',"m":[%b]' % (one % b"1e400"),  # schema
        head + b',"m":[%b]' % (one % b"null"),  # schema
        Content(clk="ntp", ts=None, up=0, values=()).encode(),  # clock
        Content(clk="none", ts=0, up=0, values=()).encode(),  # clock
    )
    return rng.choice(poisons)


def wrong_name(payload: bytes, *, key: Key | None) -> bytes:
    """Let a message name another device than its topic does (reason ``spoof``), rightly signed."""
    text = payload[: payload.rindex(b',"mac":')] if key else payload[:-1]
    text = re.sub(rb'^{"v":1,("dev":"[^"]*",)?', b'{"v":1,"dev":"%b",' % OTHER.encode(), text)
    return b'%b,"mac":"%b"}' % (text, key.mac(text)) if key else text + b"}"
