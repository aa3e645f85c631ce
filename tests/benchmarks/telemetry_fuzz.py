"""Malformed fuzz: 100,000 broken and odd messages of every format through the real use case into a real SQLite store.

Four of five are golden messages with bytes changed, the fifth is made up by Hypothesis. Every one must be stored, found
stored already, or quarantined with a reason; none may be a defect (reason ``internal``); memory must stay bounded.
"""

from __future__ import annotations

import logging
import random
import resource
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from sqlalchemy import text

from cropcredit.adapters.catalogues import load_decoders, load_quantities
from cropcredit.adapters.clock import SystemClock
from cropcredit.adapters.database import open_database
from cropcredit.adapters.database.readings import DatabaseReadings
from cropcredit.config import data_dir
from cropcredit.usecases.decoding import Message
from cropcredit.usecases.ingest import IngestMessages
from tests.benchmarks.report import Row, at_most
from tests.faults.fuzz import Corpus, Said, corpus, mutations, structures

MESSAGES, BATCH = 100_000, 500
COMMAND = "make bench NAME=telemetry ARGS=fuzz"
GROWTH_MB = 32.0
"""Most that memory may grow between a fifth of the way and the end."""


@dataclass(kw_only=True)
class Outcome:
    """What became of the messages."""

    messages: int = 0
    stored: int = 0
    states: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    missing: list[Said] = field(default_factory=list)
    """Neither stored nor quarantined."""
    grown_mb: float = 0.0


class Fuzzed:
    """The use case over a store of its own, and the account of every message that went through it."""

    def __init__(self, folder: Path, known: Corpus) -> None:
        quantities = load_quantities(data_dir() / "catalogues" / "quantities.toml")
        self._engine = open_database(f"sqlite:///{folder / 'readings.db'}")
        self._ingest = IngestMessages(
            store=DatabaseReadings(self._engine),
            credentials=_Known(known),  # type: ignore[arg-type] # only what ingest asks
            clock=SystemClock(),
            quantities=quantities,
            signed_only=False,
            decoders=load_decoders(data_dir() / "catalogues" / "decoders.toml", quantities),
            model_of=lambda device: known.models.get(device, ""),
        )
        self.outcome = Outcome()

    def send(self, messages: Sequence[Said]) -> None:
        """Ingest the messages in batches, watching memory."""
        early = 0.0
        for start in range(0, len(messages), BATCH):
            done = self._ingest([Message(said.topic, said.payload) for said in messages[start : start + BATCH]])
            self.outcome.stored += done.readings
            self.outcome.states += done.states
            self.outcome.refused.update(done.refused)
            if early == 0.0 and start >= len(messages) / 5:
                early = _resident_mb()
        self.outcome.messages += len(messages)
        self.outcome.grown_mb = _resident_mb() - early

    def check(self, messages: Sequence[Said]) -> None:
        """See that every message has come to something: it stands in the store byte for byte, or by its content."""
        kept: set[bytes] = set()
        with self._engine.connect() as connection:
            for table in ("reading", "conflict", "quarantine"):
                kept |= {bytes(row[0]) for row in connection.execute(text(f"SELECT payload FROM {table}"))}  # noqa: S608
        unseen = dict.fromkeys(said for said in messages if said.payload not in kept)
        self.outcome.missing = [said for said in unseen if not self._known(said)]

    def _known(self, said: Said) -> bool:
        """Send it alone: a state is taken again, and a repetition in other bytes found stored; neither is refused."""
        done = self._ingest([Message(said.topic, said.payload)])
        return not done.refused and done.readings + done.states > 0

    def close(self) -> None:
        self._engine.dispose()


class _Known:
    """Credentials: every device holds every key of the golden messages, but for those that nobody registered."""

    def __init__(self, known: Corpus) -> None:
        self._keys = dict(known.keys)

    def known(self, device_ids: Any) -> dict[str, dict[str, bytes]]:
        return {device_id: self._keys for device_id in device_ids if not device_id.startswith("x")}


def made_up(known: Corpus, count: int) -> list[Said]:
    """Let Hypothesis make up messages."""
    found: list[Said] = []

    @seed(5)
    @settings(
        max_examples=count, phases=[Phase.generate], database=None, deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(structures(known.topics))
    def collect(made: Said) -> None:
        found.append(made)

    collect()
    return found


def fuzzed(count: int, folder: Path, *, share_made_up: float = 0.2) -> Outcome:
    """Send ``count`` messages and account for each."""
    known = corpus()
    structured = made_up(known, round(count * share_made_up))
    messages = [*structured, *islice(mutations(known, random.Random(5)), count - len(structured))]
    random.Random(5).shuffle(messages)
    store = Fuzzed(folder, known)
    try:
        store.send(messages)
        store.check(messages)
    finally:
        store.close()
    return store.outcome


def _resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


def rows() -> list[Row]:
    """Measure with the whole number of messages."""
    logging.getLogger("cropcredit").setLevel(logging.CRITICAL)  # a defect is counted, not told a thousand times
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        found = fuzzed(MESSAGES, Path(folder))
    told = ", ".join(f"{count} {reason}" for reason, count in found.refused.most_common())
    none, fine = at_most(len(found.missing), 0)
    few, bounded = at_most(found.grown_mb, GROWTH_MB)
    defects = found.refused["internal"]
    return [
        Row(
            bar=f"malformed fuzz: of {found.messages} messages neither stored nor quarantined with a reason",
            value=len(found.missing), unit="messages", target=none, ok=fine, command=COMMAND,
            peer=f"{found.stored} readings, {found.states} states; {told}",
        ),
        Row(
            bar="malformed fuzz: defects (a message that ingest could not judge)", value=defects, unit="messages",
            target="<= 0", ok=defects == 0, command=COMMAND,
        ),
        Row(
            bar="malformed fuzz: growth of memory after the first fifth", value=found.grown_mb, unit="MB", target=few,
            ok=bounded, command=COMMAND,
        ),
    ]  # fmt: skip
