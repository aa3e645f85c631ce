"""What goes wrong on farms, as options: each fault is a test case of whoever listens."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from firmware_sim.malformed import BROKEN, POISON, USUAL_BROKEN
from firmware_sim.message import Key

OTHER = "somebody-else"


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Probabilities per message, or mean seconds between two events of one device; zero is off."""

    duplicate: float = 0.0
    """A message is published twice."""
    reorder: float = 0.0
    """A message is overtaken by later ones."""
    malformed: float = 0.0
    """A broken copy follows that nobody can attribute: cut off, not JSON, too large … Sent once, not journalled."""
    malformed_kinds: tuple[str, ...] = USUAL_BROKEN
    """Names of :data:`~firmware_sim.malformed.BROKEN` to draw from."""
    poison: float = 0.0
    """A message follows that is refused for what it says, under a seq of its own. Journalled like any other."""
    wrong_name: float = 0.0
    """A copy follows that claims to come from another device. Sent once, not journalled."""
    wrong_topic: float = 0.0
    """A copy is published under another device's topic; a broker with access lists drops it. Sent once."""
    power_loss_s: float = 0.0
    """A device loses power, and everything but its journal."""
    outage_s: float = 0.0
    """A device loses its network, as when the SIM card has lapsed; it measures on, and sends all of it later."""
    outage_lasts_s: float = 0.0
    """Mean length of such an outage."""
    wipe_s: float = 0.0
    """A device loses its flash as well: what it held, and how far it had counted."""


def malformed(payload: bytes, rng: random.Random, kinds: tuple[str, ...] = USUAL_BROKEN) -> tuple[str, bytes]:
    """Break a message so that no receiver can tell which one it was; gives the kind and the bytes."""
    kind = rng.choice(kinds)
    return kind, BROKEN[kind].make(payload, rng)


def poison(content: bytes, rng: random.Random) -> tuple[str, bytes]:
    """Change what a message says into something the contract refuses by name; gives the kind and the content."""
    kind = rng.choice(tuple(POISON))
    return kind, POISON[kind].make(content, rng)


def wrong_name(payload: bytes, *, key: Key | None) -> bytes:
    """Let a message name another device than its topic does (reason ``spoof``), rightly signed."""
    text = payload[: payload.rindex(b',"mac":')] if key else payload[:-1]
    text = re.sub(rb'^{"v":1,("dev":"[^"]*",)?', b'{"v":1,"dev":"%b",' % OTHER.encode(), text)
    return b'%b,"mac":"%b"}' % (text, key.mac(text)) if key else text + b"}"
