"""What the devices ever recorded, from their own journal, held against what the store says it has.

A table beside the simulator's journal is filled by triggers in the same transactions: a message is in it if and only if
it was recorded, and its time of settlement is when the device itself took it off its journal.
"""

from __future__ import annotations

import csv
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from firmware_sim.journal import Journal
from firmware_sim.message import Key, up_message
from tests.faults.packets import device_of

Name = tuple[str, int, int]
"""(device id, boot, seq)."""

_EVER = """
CREATE TABLE IF NOT EXISTS ever (
  device INTEGER, boot INTEGER, seq INTEGER, content BLOB, poison INTEGER, recorded_at REAL, settled_at REAL,
  PRIMARY KEY (device, boot, seq)) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS ever_recorded AFTER INSERT ON message BEGIN
  INSERT INTO ever
  VALUES (new.device, new.boot, new.seq, new.content, new.poison, (julianday('now') - 2440587.5) * 86400, NULL); END;
CREATE TRIGGER IF NOT EXISTS ever_renumbered AFTER UPDATE OF boot ON message BEGIN
  UPDATE ever SET boot = new.boot WHERE device = old.device AND boot = old.boot AND seq = old.seq; END;
CREATE TRIGGER IF NOT EXISTS ever_settled AFTER DELETE ON message BEGIN
  UPDATE ever SET settled_at = (julianday('now') - 2440587.5) * 86400
  WHERE device = old.device AND boot = old.boot AND seq = old.seq; END;
"""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One message that a device recorded."""

    payload: bytes
    """As it goes out: numbered and signed."""
    poison: bool
    """Injected, to be refused for what it says."""
    recorded_at: float
    """True time, s since 1970."""
    settled_at: float | None
    """When the device took it off its journal; None: it still holds it."""


@dataclass(slots=True)
class Store:
    """What the store holds, read by plain SQL beside the product's own code."""

    readings: dict[Name, bytes] = field(default_factory=dict)
    """Payload as received."""
    rows: int = 0
    """Rows of readings; more than there are names means that one stands twice."""
    conflicts: set[tuple[Name, bytes]] = field(default_factory=set)
    quarantined: dict[tuple[str, bytes], str] = field(default_factory=dict)
    """(topic, payload) -> reason."""
    arrivals: Counter[str] = field(default_factory=Counter)
    """Arrivals of refused messages by reason, repetitions counted."""

    def without(self, devices: Collection[str]) -> Store:
        """Leave some devices out."""
        readings = {name: payload for name, payload in self.readings.items() if name[0] not in devices}
        return replace(
            self,
            readings=readings,
            rows=self.rows - (len(self.readings) - len(readings)),
            conflicts={one for one in self.conflicts if one[0][0] not in devices},
            quarantined={key: why for key, why in self.quarantined.items() if device_of(key[0]) not in devices},
        )


WRONG = ("lost", "doubled", "corrupted", "invented", "misjudged", "outbox")
NUMBERS = (*WRONG, "sent", "stored", "conflicts", "quarantined", "injected", "redelivered")


@dataclass(slots=True, kw_only=True)
class Account:
    """One fault's balance; all that is bad is a count that must be zero."""

    sent: int = 0
    """Messages recorded by devices, poison included."""
    stored: int = 0
    lost: int = 0
    """Off the device, and not in the store."""
    doubled: int = 0
    corrupted: int = 0
    invented: int = 0
    """In the store, and recorded by no device."""
    conflicts: int = 0
    quarantined: int = 0
    injected: int = 0
    misjudged: int = 0
    """Injected and not quarantined, or quarantined and not injected."""
    outbox: int = 0
    """Still on the devices."""
    redelivered: int = 0
    latencies_s: list[float] = field(default_factory=list)
    """From recording to settlement on the device, sorted."""
    breaches: list[str] = field(default_factory=list)
    """What the wire showed that must never be."""
    note: str = ""
    """What else is worth telling of this run."""

    @property
    def clean(self) -> bool:
        """Say whether nothing is lost, doubled, corrupted, invented or misjudged, and every outbox is empty."""
        return not self.wrong

    @property
    def wrong(self) -> str:
        """Name what is wrong; empty when nothing is."""
        counts = [f"{name} {getattr(self, name)}" for name in WRONG if getattr(self, name)]
        breaches = [f"{len(self.breaches)} breaches, first: {self.breaches[0]}"] if self.breaches else []
        return ", ".join((*counts, *breaches))

    def __add__(self, other: Account) -> Account:
        """Sum two balances."""
        return Account(
            **{name: getattr(self, name) + getattr(other, name) for name in NUMBERS},
            latencies_s=sorted(self.latencies_s + other.latencies_s),
            breaches=self.breaches + other.breaches,
            note="; ".join(filter(None, (self.note, other.note))),
        )


def open_ledger(journal: Path) -> None:
    """Put the ledger into a journal, new or old, before a simulator takes it."""
    Journal(journal).close()
    with sqlite3.connect(journal) as database:
        database.executescript(_EVER)
    database.close()


def read_keys(devices: Path) -> dict[str, Key]:
    """Read the signing keys from a devices file."""
    with devices.open(newline="") as file:
        return {row["device"]: Key(row["kid"], bytes.fromhex(row["secret"])) for row in csv.DictReader(file)}


def read_ledger(journal: Path, keys: Mapping[str, Key]) -> dict[Name, Recorded]:
    """Read what was ever recorded; the simulator must have ended."""
    database = sqlite3.connect(journal)
    query = (
        "SELECT id, l.boot, seq, content, poison, recorded_at, settled_at FROM ever l JOIN device ON number = device"
    )
    found = {
        (device, boot, seq): Recorded(
            up_message(boot, seq, content, key=keys[device]), bool(poison), recorded_at, settled_at
        )
        for device, boot, seq, content, poison, recorded_at, settled_at in database.execute(query)
    }
    database.close()
    return found


def read_injected(journal: Path) -> dict[bytes, str]:
    """Read what a simulator with ``--ledger`` injected beside its journal: SHA-256 of the payload, expected reason."""
    with closing(sqlite3.connect(journal)) as database:
        rows = database.execute("SELECT payload_sha256, reason FROM injected WHERE reason <> ''").fetchall()
    return {bytes.fromhex(digest): reason for digest, reason in rows}


def read_store(url: str) -> Store:
    """Read everything that was stored or set aside."""
    engine = create_engine(url, poolclass=NullPool)
    store = Store()
    with engine.connect() as connection:
        select = "SELECT device_id, boot, seq, payload FROM {} JOIN device_key ON key = device"
        for device, boot, seq, payload in connection.execute(text(select.format("reading"))):
            store.rows += 1
            store.readings[device, boot, seq] = bytes(payload)
        for device, boot, seq, payload in connection.execute(text(select.format("conflict"))):
            store.conflicts.add(((device, boot, seq), bytes(payload)))
        for topic, payload, reason, times in connection.execute(
            text("SELECT topic, payload, reason, times FROM quarantine")
        ):
            store.quarantined[topic, bytes(payload)] = reason
            store.arrivals[reason] += times
    engine.dispose()
    return store


def balance(ledger: Mapping[Name, Recorded], store: Store, *, also_injected: Iterable[bytes] = ()) -> Account:
    """Hold the ledger against the store.

    Parameters
    ----------
    ledger : mapping
        What the devices recorded.
    store : Store
        What came of it.
    also_injected : iterable of bytes
        SHA-256 of what was injected beside the devices' journals, to be refused.
    """
    sound = {name: one for name, one in ledger.items() if not one.poison}
    poison = {sha256(one.payload).digest() for one in ledger.values() if one.poison}
    injected = poison | set(also_injected)
    refused = {sha256(payload).digest() for _, payload in store.quarantined}
    off = {name for name, one in sound.items() if one.settled_at is not None}
    settled = [one for one in ledger.values() if one.settled_at is not None]
    return Account(
        sent=len(ledger),
        stored=len(store.readings),
        lost=len(off - store.readings.keys()),
        doubled=store.rows - len(store.readings),
        corrupted=sum(store.readings.get(name, one.payload) != one.payload for name, one in sound.items()),
        invented=len(store.readings.keys() - sound.keys()),
        conflicts=len(store.conflicts),
        quarantined=len(refused),
        injected=len(injected),
        misjudged=len(refused ^ injected),
        outbox=len(ledger) - len(settled),
        latencies_s=sorted(one.settled_at - one.recorded_at for one in settled if one.settled_at is not None),
    )


def quantile(values: list[float], share: float) -> float:
    """Give the value below which ``share`` of the sorted values lie; 0 for none."""
    return values[min(len(values) - 1, int(share * len(values)))] if values else 0.0
