"""The durable journal of a fleet: a ring per device of what is not acknowledged, and how far each has counted.

One SQLite file stands for the flash of all devices. ``synchronous=FULL``: a reading counts as recorded once its
transaction is on the disk, and the contract lets no message leave before. Commits are shared by the whole
fleet, so this costs one fsync per turn of the loop, not one per reading. Deletions ride along; one lost to a power cut
only means that a message is sent again.

The ring of a device has room for so many messages. When a new one finds it full, the oldest gives way and is lost; the
device's ``low`` says so. With a ledger the journal also keeps, in the same transactions and for ever, what every
message said: the oracle of tests that count whether anything was lost.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from firmware_sim.errors import BadInput
from firmware_sim.journal_tables import prepare
from firmware_sim.message import Ack

SPACE = 65_536
"""Messages that one device's flash holds unless told otherwise: 45 days of one a minute, some 10 MB."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What a device knows after power-on."""

    number: int
    boot: int
    proven: bool
    """False while the device has never sent: its boot numbers may still move (contract, section 6)."""
    base: int = 0
    """Boots that a wiped device has forgotten: its next one, ``base`` + 1, is the first it knows of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Counts over the whole life of the journal; recorded = acked + rejected + lost + outstanding, always."""

    recorded: int
    acked: int
    rejected: int
    lost: int
    """Given up because the ring was full, or gone with the device; some may have arrived all the same."""
    outstanding: int


class Journal:
    """One SQLite file for the fleet; only one process may hold it.

    Parameters
    ----------
    path : Path or str
        The file; made when absent.
    space : int
        Messages that one device's ring holds.
    ledger : bool
        Also keep what every message said.
    """

    def __init__(self, path: Path | str, *, space: int = SPACE, ledger: bool = False) -> None:
        self.path, self._space, self._ledger = path, space, ledger
        try:
            self._db = sqlite3.connect(path, isolation_level=None, timeout=1.0)
        except sqlite3.Error as error:
            raise BadInput(f"{path}: no journal can be kept there ({error})") from error
        try:
            prepare(self._db)
            self._db.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            self._db.close()
            raise BadInput(f"{path}: not a journal, or another simulator holds it ({error})") from error
        self._counts: Counter[tuple[str, int]] = Counter()
        self._held = Counter(self._held_by_device())
        self.lost = 0
        """Messages lost since the journal was opened."""
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
        rows = self._db.execute("SELECT id, number, boot, proven, base FROM device").fetchall()
        known = {row[0]: Memory(row[1], row[2], bool(row[3]), row[4]) for row in rows}
        return {device_id: known[device_id] for (device_id,) in ids}

    def set_boot(self, number: int, boot: int) -> None:
        """Remember a new boot of a device."""
        self._db.execute("UPDATE device SET boot = ? WHERE number = ?", (boot, number))
        self.urgent = True

    def prove(self, number: int, *, shift: int = 0) -> None:
        """Fix the boot numbers of a device that has never sent, moving all it holds by ``shift`` boots."""
        if shift:  # by way of numbers below zero, for boots 1 and 2 must not meet on their way to 2 and 3
            for table in ("message", "ledger"):
                self._db.execute(
                    f"UPDATE {table} SET boot = -(boot + ?1) WHERE device = ?2"  # noqa: S608 - our own words
                    " AND boot > (SELECT base FROM device WHERE number = ?2)",
                    (shift, number),
                )
                self._db.execute(f"UPDATE {table} SET boot = -boot WHERE device = ? AND boot < 0", (number,))  # noqa: S608
        self._db.execute("UPDATE device SET proven = 1, base = 0, boot = boot + ? WHERE number = ?", (shift, number))
        self.urgent = True

    def append(self, number: int, boot: int, seq: int, content: bytes, *, poison: str = "") -> tuple[int, int] | None:
        """Record a message; it may be sent once :meth:`commit` has returned.

        Parameters
        ----------
        number, boot, seq : int
            Device and number of the message.
        content : bytes
            What it says.
        poison : str
            Name of the fault that was injected on purpose; empty for a sound reading.

        Returns
        -------
        tuple of int, or None
            The (boot, seq) that had to give way, when the ring was full.
        """
        gone = self._give_way(number) if self._held[number] >= self._space else None
        self._db.execute("INSERT INTO message VALUES (?, ?, ?, ?, ?)", (number, boot, seq, content, bool(poison)))
        if self._ledger:
            row = (number, boot, seq, poison or "reading", content)
            self._db.execute("INSERT INTO ledger VALUES (?, ?, ?, ?, ?, 0)", row)
        self._counts["recorded", number] += 1
        self._held[number] += 1
        self.urgent = True
        return gone

    def _give_way(self, number: int) -> tuple[int, int]:
        boot, seq = self._db.execute(
            "SELECT boot, seq FROM message WHERE device = ? ORDER BY boot, seq LIMIT 1", (number,)
        ).fetchone()
        self._lose(number, "AND boot = ? AND seq = ?", boot, seq)
        return boot, seq

    def _lose(self, number: int, which: str, *numbers: int) -> None:
        self._db.execute(
            f"UPDATE ledger SET lost = 1 WHERE (device, boot, seq) IN"  # noqa: S608 - our own words
            f" (SELECT device, boot, seq FROM message WHERE device = ? {which})",
            (number, *numbers),
        )
        gone = self._db.execute(f"DELETE FROM message WHERE device = ? {which}", (number, *numbers)).rowcount  # noqa: S608
        self._counts["lost", number] += gone
        self.lost += gone
        self._held[number] -= gone

    def wipe(self, number: int) -> int:
        """Lose all that a device holds and knows; returns how many messages that were.

        What it records from now on stands under boots above those it has used, until :meth:`prove` moves it to where
        the device believes to be: nothing of that leaves before.
        """
        held = self._held[number]
        self._lose(number, "")
        self._db.execute("UPDATE device SET base = boot, boot = boot + 1, proven = 0 WHERE number = ?", (number,))
        self.urgent = True
        return held

    def inject(self, number: int, kind: str, reason: str, payload: bytes) -> None:
        """Note a broken message that is published once and never journalled; only a ledger remembers it."""
        if self._ledger:
            row = (number, kind, reason, hashlib.sha256(payload).hexdigest())
            self._db.execute("INSERT INTO injected VALUES (?, ?, ?, ?)", row)
            self.dirty = True

    def after(self, number: int, boot: int, seq: int, limit: int) -> list[tuple[int, int, bytes]]:
        """Read up to ``limit`` held messages behind (boot, seq), oldest first, as (boot, seq, content)."""
        return self._db.execute(
            "SELECT boot, seq, content FROM message WHERE device = ? AND (boot, seq) > (?, ?)"
            " ORDER BY boot, seq LIMIT ?",
            (number, boot, seq, limit),
        ).fetchall()

    def is_sound(self, number: int, boot: int, seq: int) -> bool:
        """Say whether a message that is held was measured, and not injected."""
        where = (number, boot, seq)
        row = self._db.execute("SELECT poison FROM message WHERE device = ? AND boot = ? AND seq = ?", where).fetchone()
        return row is not None and not row[0]

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
        gone = self._db.execute(
            "DELETE FROM message WHERE device = ? AND boot = ? AND seq BETWEEN ? AND ?", where
        ).rowcount
        self._held[number] -= gone
        return gone

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
        return self._held.total() if numbers is None else sum(self._held[number] for number in numbers)

    def _held_by_device(self) -> dict[int, int]:
        return dict(self._db.execute("SELECT device, count(*) FROM message GROUP BY device").fetchall())

    def totals(self) -> Totals:
        """Count over the whole life of the journal."""
        self.commit()
        row = self._db.execute(
            "SELECT total(recorded), total(acked), total(rejected), total(lost) FROM device"
        ).fetchone()
        recorded, acked, rejected, lost = map(int, row)
        return Totals(recorded=recorded, acked=acked, rejected=rejected, lost=lost, outstanding=self.outstanding())

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
