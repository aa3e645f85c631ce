"""Watches the wire between broker and ingest, and holds every acknowledgement against the store at that very moment.

The balance at the end cannot see an acknowledgement that came too early and was lucky, or a PUBACK for a message of
another connection (packet ids start again, so it silently takes a new message off the broker). The wire shows both.
"""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from tests.faults.packets import PUBACK, PUBLISH, SUBACK, Published, acknowledged, device_of, kind, published

Span = tuple[int, int]
Boot = tuple[str, int]
"""(device id, boot)."""
Settled = dict[Boot, list[Span]]


@dataclass(frozen=True, slots=True)
class Said:
    """An application acknowledgement that left ingest."""

    device: str
    boot: int
    spans: tuple[Span, ...]
    """Seqs that the device may forget now."""


class Witness:
    """A tap for the proxy between ingest and broker."""

    def __init__(self) -> None:
        self.look: Look | None = None
        """Into the store; None where none is wanted while it works."""
        self.exempt: set[str] = set()
        """Devices whose messages may be counted instead of kept."""
        self.subscriptions = self.delivered = self.redelivered = self.pubacks = 0
        self.said: list[Said] = []
        self.breaches: list[str] = []
        """What the wire showed that must never be."""
        self.stop_before: Callable[[bytes, Sequence[bytes]], bool] = lambda _packet, _passed: False
        """Asked before a packet of ingest goes on, with those just before it; True loses it and what follows."""
        self._seen: set[int] = set()
        self._open: defaultdict[int, deque[Published]] = defaultdict(deque)

    def __call__(self, connection: int, *, to_broker: bool, packets: Sequence[bytes]) -> bytes:
        """Let packets pass, and note what they say."""
        if not to_broker:
            for packet in packets:
                self._came(connection, packet)
            return b"".join(packets)
        passed: list[bytes] = []
        due: list[Published] = []
        told: list[Said] = []
        for packet in packets:
            if self.stop_before(packet, passed):
                break
            passed.append(packet)
            if kind(packet) == PUBACK:
                due += self._puback(connection, acknowledged(packet))
            elif kind(packet) == PUBLISH and (said := published(packet)).topic.endswith("/ack"):
                told.append(_read(said))
        self.said += told
        if self.look is not None and (due or told):
            self._check(self.look, due, told)
        return b"".join(passed)

    def _came(self, connection: int, packet: bytes) -> None:
        self.subscriptions += kind(packet) == SUBACK
        if kind(packet) != PUBLISH:
            return
        message = published(packet)
        self.delivered += 1
        name = hash((message.topic, message.payload))  # a soak has millions of them
        self.redelivered += name in self._seen
        self._seen.add(name)
        if message.mid:
            self._open[connection].append(message)

    def _puback(self, connection: int, mid: int) -> list[Published]:
        self.pubacks += 1
        waiting = self._open[connection]
        if waiting and waiting[0].mid == mid:
            return [waiting.popleft()]
        known = any(message.mid == mid for message in waiting)
        self.breaches.append(
            f"PUBACK {mid} out of order" if known else f"PUBACK {mid} of no message on this connection"
        )
        return []

    def _check(self, look: Look, due: Sequence[Published], told: Sequence[Said]) -> None:
        try:
            settled = look.settled()
            early = [f"{said} before the commit" for said in told if not within(said, settled)]
            late = [m for m in due if device_of(m.topic) not in self.exempt and not look.kept(m, settled)]
            early += [f"PUBACK of {m.payload[:60]!r} before the commit" for m in late]
        except DBAPIError:
            return  # the store is away at this moment; the balance at the end still stands
        self.breaches += early

    def unkept(self, settled: Settled) -> list[Said]:
        """Give what was ever acknowledged and is not settled."""
        return [said for said in self.said if not within(said, settled)]


class Look:
    """A reader's look at the store, beside the product's own code."""

    def __init__(self, url: str) -> None:
        name = f"{url.replace('///', '///file:')}?mode=ro&uri=true" if url.startswith("sqlite") else url
        self._engine: Engine = create_engine(name, poolclass=NullPool)

    def settled(self) -> Settled:
        """Read the settled seqs, joined; below a boot's ``low`` nothing can come any more."""
        query = (
            "SELECT device_id, boot, first, last FROM settled JOIN device_key ON key = device"
            " UNION ALL SELECT device_id, boot, 1, low - 1 FROM held JOIN device_key ON key = device WHERE low > 1"
            " ORDER BY 1, 2, 3"
        )
        with self._engine.connect() as connection:
            return joined([(row[0], row[1], row[2], row[3]) for row in connection.execute(text(query))])

    def hollow(self) -> list[str]:
        """Name the boots of which more is settled than is stored, refused or in conflict."""
        query = """
            SELECT device, boot, sum(last - first + 1) - (SELECT count(*) FROM (
              SELECT seq FROM reading r WHERE r.device = s.device AND r.boot = s.boot UNION
              SELECT seq FROM rejected p WHERE p.device = s.device AND p.boot = s.boot) AS known)
            FROM settled s GROUP BY device, boot"""
        with self._engine.connect() as connection:
            rows = connection.execute(text(query)).fetchall()
        return [f"{missing} seqs of boot {boot} are settled and nowhere" for _, boot, missing in rows if missing]

    def kept(self, message: Published, settled: Settled) -> bool:
        """Say whether a message is stored or set aside; a state needs no such proof, the next one says it again."""
        if message.topic.endswith("/state"):
            return True
        name = _name(message)
        return (name is not None and within(name, settled)) or self._refused(message.payload)

    def _refused(self, payload: bytes) -> bool:
        with self._engine.connect() as connection:
            found = connection.execute(text("SELECT 1 FROM quarantine WHERE payload = :p"), {"p": payload})
            return found.first() is not None

    def readings(self) -> int:
        """Count the readings."""
        with self._engine.connect() as connection:
            return int(connection.scalar(text("SELECT count(*) FROM reading")) or 0)

    def close(self) -> None:
        self._engine.dispose()


def within(said: Said, settled: Settled) -> bool:
    """Say whether the store settled all that was said."""
    spans = settled.get((said.device, said.boot), [])
    return all(any(a <= first and last <= b for a, b in spans) for first, last in said.spans)


def joined(rows: Sequence[tuple[str, int, int, int]]) -> Settled:
    """Join touching and overlapping (device, boot, first, last), sorted.

    Examples
    --------
    >>> joined([("a", 1, 1, 3), ("a", 1, 4, 6), ("a", 1, 8, 8)])
    {('a', 1): [(1, 6), (8, 8)]}
    """
    found: Settled = {}
    for device, boot, first, last in rows:
        spans = found.setdefault((device, boot), [])
        if spans and first <= spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], max(spans[-1][1], last))
        else:
            spans.append((first, last))
    return found


def _read(message: Published) -> Said:
    facts = json.loads(message.payload)
    spans = [(1, facts["upto"])] if facts["upto"] else []
    spans += [(first, last) for first, last in facts["ranges"]] + [(seq, seq) for seq, _ in facts["rej"]]
    return Said(message.topic.split("/")[2], facts["boot"], tuple(spans))


def _name(message: Published) -> Said | None:
    """Read which seq a message carries; None where it carries none that could be settled."""
    level = message.topic.split("/")
    try:
        facts = json.loads(message.payload)
        seq = facts["seq"]
        return Said(level[2], facts["boot"], ((seq, seq),)) if level[3:] == ["up"] and type(seq) is int else None
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        return None
