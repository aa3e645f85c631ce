"""Which certificates were issued to devices, and which of them are revoked: a CSV file, a line each."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from cropcredit.adapters.broker_access import write_private

COLUMNS = ("serial", "device", "until", "revoked_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """One line of the ledger."""

    serial: int
    device: str
    until: datetime
    revoked_at: datetime | None = None
    """From when it no longer counts; may lie ahead while a device changes over."""

    def ended(self, at: datetime) -> Issued:
        """End it; what ends sooner keeps its end."""
        return replace(self, revoked_at=min(at, self.revoked_at or at))

    def counts(self, at: datetime) -> bool:
        """Say whether it is not revoked."""
        return self.revoked_at is None or self.revoked_at > at


class Ledger:
    """The ledger in one file; who changes it holds the authority's lock."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: tuple[tuple[int, ...], list[Issued]] = ((), [])

    def lines(self) -> Sequence[Issued]:
        """Read what was issued, oldest first; from memory while the file is the same."""
        if not self._file.exists():
            return []
        found = self._file.stat()
        stamp = (found.st_mtime_ns, found.st_ino, found.st_size)
        if self._known[0] != stamp:
            rows = csv.DictReader(io.StringIO(self._file.read_text()))
            self._known = (stamp, [_read(row) for row in rows])
        return self._known[1]

    def append(self, line: Issued) -> None:
        """Add one; it is on the disk before the certificate is handed out: what no ledger names cannot be revoked."""
        if not self._file.exists():
            self.write([])
        with self._file.open("a") as file:
            file.write(_worded(line) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def write(self, lines: Iterable[Issued]) -> None:
        """Put these lines in place of all others."""
        write_private(self._file, "\n".join([",".join(COLUMNS), *map(_worded, lines)]) + "\n")


def _read(row: dict[str, str]) -> Issued:
    return Issued(
        serial=int(row["serial"], 16),
        device=row["device"],
        until=datetime.fromisoformat(row["until"]),
        revoked_at=datetime.fromisoformat(row["revoked_at"]) if row["revoked_at"] else None,
    )


def _worded(line: Issued) -> str:
    ended = line.revoked_at.isoformat() if line.revoked_at else ""
    return f"{line.serial:x},{line.device},{line.until.isoformat()},{ended}"
