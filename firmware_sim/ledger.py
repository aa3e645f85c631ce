"""What a fleet ever recorded and what became of it: the oracle for whoever checks that nothing was lost."""

from __future__ import annotations

import csv
import hashlib
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import TextIO

from firmware_sim.errors import BadInput
from firmware_sim.identity import Identity
from firmware_sim.message import up_message

QUERY = """
SELECT d.id, l.boot, l.seq, l.kind, l.content, l.lost, m.seq IS NOT NULL, coalesce(r.reason, '')
FROM ledger l JOIN device d ON d.number = l.device
LEFT JOIN message m USING (device, boot, seq) LEFT JOIN refusal r USING (device, boot, seq)
ORDER BY d.id, l.boot, l.seq
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One message."""

    device: str
    boot: int | None
    """None, as ``seq``, of a broken message that has no number."""
    seq: int | None
    kind: str
    """``reading``, or the name of the fault that was injected."""
    state: str
    """``held``, ``acked``, ``rejected``, ``lost`` (gave way in a full ring), or ``sent`` (broken, published once)."""
    reason: str
    """Why it was rejected; of a broken one, why it must be."""
    sha256: str
    """Of the payload as published."""


def read(journal: Path, devices: Mapping[str, Identity], *, name_itself: bool = False) -> Iterator[Line]:
    """Read the ledger of a journal; no simulator may hold it.

    Parameters
    ----------
    journal : Path
        Kept with ``--ledger``.
    devices : mapping of str to Identity
        As the devices file says: their keys sign the payloads.
    name_itself : bool
        Whether the devices wrote their id into each message.

    Raises
    ------
    BadInput
        If it is not a journal, is held, or names a device without key entry.
    """
    try:
        db = sqlite3.connect(f"file:{journal}?mode=rw", uri=True, timeout=1.0)
        messages = db.execute(QUERY).fetchall()
        broken = db.execute(
            "SELECT d.id, i.kind, i.reason, i.payload_sha256 FROM injected i JOIN device d ON d.number = i.device"
        ).fetchall()
    except sqlite3.Error as error:
        raise BadInput(f"{journal}: no ledger can be read ({error})") from error
    db.close()
    for device, boot, seq, kind, content, lost, held, reason in messages:
        if device not in devices:
            raise BadInput(f"{journal}: device {device} is not in the devices file")
        payload = up_message(boot, seq, content, key=devices[device].key, dev=device if name_itself else "")
        state = "lost" if lost else "held" if held else "rejected" if reason else "acked"
        yield Line(device, boot, seq, kind, state, reason, hashlib.sha256(payload).hexdigest())
    for device, kind, reason, digest in broken:
        yield Line(device, None, None, kind, "sent", reason, digest)


def write(lines: Iterator[Line], out: TextIO) -> None:
    """Write lines as CSV with a header."""
    table = csv.writer(out, lineterminator="\n")
    table.writerow(field.name for field in fields(Line))
    table.writerows(astuple(line) for line in lines)
