"""The durable journal of a fleet: what is not acknowledged yet, and how far each device has counted.

One SQLite file stands for the flash of all devices. ``synchronous=FULL``: a reading counts as recorded once its
transaction is on the disk, and the contract lets no message leave before. Commits are shared by the whole
fleet, so this costs one fsync per turn of the loop, not one per reading. Deletions ride along; one lost to a power cut
only means that a message is sent again.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from firmware_sim.errors import BadInput
from firmware_sim.message import Ack

SCHEMA = """
CREATE TABLE IF NOT EXISTS device (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
  boot INTEGER NOT NULL DEFAULT 0, proven INTEGER NOT NULL DEFAULT 0,
  recorded INTEGER NOT NULL DEFAULT 0, acked INTEGER NOT NULL DEFAULT 0, rejected INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS message (
  device INTEGER NOT NULL, boot INTEGER NOT NULL, seq INTEGER NOT NULL, content BLOB NOT NULL,
  poison INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (device, boot, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS refusal (
  device INTEGER NOT NULL, boot INTEGER NOT NULL, seq INTEGER NOT NULL, reason TEXT NOT NULL, poison INTEGER NOT NULL,
  PRIMARY KEY (device, boot, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS source (digest TEXT PRIMARY KEY, taken INTEGER NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Memory:
    """What a device knows after power-on."""

    number: int
    boot: int
    proven: bool
    """False while the device has never sent: its boot numbers may still move (contract, section 6)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Counts over the whole life of the journal; recorded = acked + rejected + outstanding, always."""

    recorded: int
    acked: int
    rejected: int
    outstanding: int


class Journal:
    """One SQLite file for the fleet; only one process may hold it."""

    def __init__(self, path: Path | str) -> None:
        self.path = path
        try:
            self._db = sqlite3.connect(path, isolation_level=None, timeout=1.0)
        except sqlite3.Error as error:
            raise BadInput(f"{path}: no journal can be kept there ({error})") from error
        try:
            self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(SCHEMA)
            self._db.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            self._db.close()
            raise BadInput(f"{path}: not a journal, or another simulator holds it ({error})") from error
        self._counts: Counter[tuple[str, int]] = Counter()
        self.dirty = False
        """Something is not on the disk yet."""
        self.urgent = False
        """Something is not on the disk that must be, before any message leaves."""

    def power_on(self, device_ids: Iterable[str]) -> dict[str, Memory]:
        """Count one more boot for each device, on disk before anything else happens."""
        ids = [(device_id,) for device_id in device_ids]
        self._db.executemany("INSERT OR IGNORE INTO device (id) VALUES (?)", ids)
        self._db.executemany("UPDATE device SET boot = boot + 1 WHERE id = ?", ids)
        self.commit()
        known = {row[0]: Memory(row[1], row[2], bool(row[3])) for row in self._select("id, number, boot, proven")}
        return {device_id: known[device_id] for (device_id,) in ids}

    def _select(self, columns: str) -> list[tuple[str, int, int, int]]:
        return self._db.execute(f"SELECT {columns} FROM device").fetchall()  # noqa: S608 - the caller above names columns

    def set_boot(self, number: int, boot: int) -> None:
        """Remember a new boot of a device."""
        self._db.execute("UPDATE device SET boot = ? WHERE number = ?", (boot, number))
        self.urgent = True

    def prove(self, number: int, *, shift: int = 0) -> None:
        """Fix the boot numbers of a device that has never sent, moving all it holds up by ``shift`` boots."""
        self._db.execute("UPDATE device SET proven = 1, boot = boot + ? WHERE number = ?", (shift, number))
        if shift:
            self._db.execute("UPDATE message SET boot = boot + ? WHERE device = ?", (shift, number))
        self.urgent = True

    def append(self, number: int, boot: int, seq: int, content: bytes, *, poison: bool = False) -> None:
        """Record a message; it may be sent once :meth:`commit` has returned."""
        self._db.execute("INSERT INTO message VALUES (?, ?, ?, ?, ?)", (number, boot, seq, content, poison))
        self._counts["recorded", number] += 1
        self.urgent = True

    def after(self, number: int, boot: int, seq: int, limit: int) -> list[tuple[int, int, bytes]]:
        """Read up to ``limit`` held messages behind (boot, seq), oldest first, as (boot, seq, content)."""
        return self._db.execute(
            "SELECT boot, seq, content FROM message WHERE device = ? AND (boot, seq) > (?, ?)"
            " ORDER BY boot, seq LIMIT ?",
            (number, boot, seq, limit),
        ).fetchall()

    def settle(self, number: int, ack: Ack) -> tuple[int, dict[int, str]]:
        """Delete what an acknowledgement settles; returns how many were stored, and seq -> reason of those refused."""
        refused = {seq: reason for seq, reason in ack.rejected if self._refuse(number, ack.boot, seq, reason)}
        stored = sum(self._forget(number, ack.boot, a, b) for a, b in ((1, ack.upto), *ack.ranges))
        self._counts["acked", number] += stored
        self._counts["rejected", number] += len(refused)
        self.dirty |= bool(stored or refused)
        return stored, refused

    def _forget(self, number: int, boot: int, first: int, last: int) -> int:
        where = (number, boot, first, last)
        return self._db.execute(
            "DELETE FROM message WHERE device = ? AND boot = ? AND seq BETWEEN ? AND ?", where
        ).rowcount

    def _refuse(self, number: int, boot: int, seq: int, reason: str) -> bool:
        self._db.execute(
            "INSERT OR IGNORE INTO refusal SELECT device, boot, seq, ?, poison FROM message"
            " WHERE device = ? AND boot = ? AND seq = ?",
            (reason, number, boot, seq),
        )
        return self._forget(number, boot, seq, seq) == 1

    def low(self, number: int, boot: int) -> int | None:
        """Give the oldest seq of a boot still held; None when nothing is."""
        row = self._db.execute("SELECT min(seq) FROM message WHERE device = ? AND boot = ?", (number, boot)).fetchone()
        return None if row[0] is None else int(row[0])

    def outstanding(self, numbers: Iterable[int] | None = None) -> int:
        """Count the messages still held, of some devices or of all."""
        held = dict(self._db.execute("SELECT device, count(*) FROM message GROUP BY device").fetchall())
        return sum(held.values()) if numbers is None else sum(held.get(number, 0) for number in numbers)

    def totals(self) -> Totals:
        """Count over the whole life of the journal."""
        self.commit()
        row = self._db.execute("SELECT total(recorded), total(acked), total(rejected) FROM device").fetchone()
        return Totals(recorded=int(row[0]), acked=int(row[1]), rejected=int(row[2]), outstanding=self.outstanding())

    def refusals(self) -> dict[tuple[str, bool], int]:
        """Count refused messages by (reason, whether the fault was injected on purpose)."""
        rows = self._db.execute("SELECT reason, poison, count(*) FROM refusal GROUP BY reason, poison").fetchall()
        return {(reason, bool(poison)): count for reason, poison, count in rows}

    def left(self) -> dict[str, int]:
        """Count the messages still held, by device id."""
        return dict(
            self._db.execute(
                "SELECT d.id, count(*) FROM message m JOIN device d ON d.number = m.device GROUP BY d.id ORDER BY d.id"
            ).fetchall()
        )

    def taken(self, digest: str) -> int:
        """Tell how many readings of a source were recorded before."""
        row = self._db.execute("SELECT taken FROM source WHERE digest = ?", (digest,)).fetchone()
        return int(row[0]) if row else 0

    def take(self, digest: str, taken: int) -> None:
        """Remember how far a source was read; commits together with the readings."""
        self._db.execute("INSERT OR REPLACE INTO source VALUES (?, ?)", (digest, taken))
        self.urgent = True

    def commit(self) -> None:
        """Put everything since the last commit on the disk, and wait for it."""
        for (column, number), count in self._counts.items():
            self._db.execute(f"UPDATE device SET {column} = {column} + ? WHERE number = ?", (count, number))  # noqa: S608
        self._counts.clear()
        self._db.execute("COMMIT")
        self._db.execute("BEGIN IMMEDIATE")
        self.dirty = self.urgent = False

    def close(self) -> None:
        """Commit and let go of the file."""
        self.commit()
        self._db.execute("COMMIT")
        self._db.close()
