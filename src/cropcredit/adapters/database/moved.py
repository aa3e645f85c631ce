"""Readings that were moved to Parquet, found again by device and seq: whoever asks does not see that they moved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from sqlalchemy import Connection, Engine, select

from cropcredit.adapters.database.tables import ARCHIVED, DEVICE_KEY
from cropcredit.adapters.parquet.readings import OldReading, read_old_readings
from cropcredit.errors import StoreUnavailable
from cropcredit.telemetry.ranges import Range

FOLDER = "archive"
"""Option of an engine: where its old readings lie."""

Where = Mapping[int, Sequence[Range]]
"""Ranges of seqs by boot."""


def keep_old_readings_in(engine: Engine, folder: Path) -> None:
    """Say where old readings of this database lie."""
    engine.update_execution_options(**{FOLDER: folder})


def archive_folder(engine: Engine) -> Path:
    """Give where old readings of this database lie.

    Raises
    ------
    StoreUnavailable
        If nobody has said.
    """
    folder = engine.get_execution_options().get(FOLDER)
    if folder is None:
        raise StoreUnavailable("old readings were moved to Parquet, and nobody has said to which folder")
    return Path(folder)


def moved(connection: Connection, device: int, where: Where | None) -> Iterator[OldReading]:
    """Read one device's moved readings in these ranges (None: all), in no particular order."""
    files = _files(connection, device, where)
    if not files:
        return
    folder = archive_folder(connection.engine)
    device_id = str(connection.scalar(select(DEVICE_KEY.c.device_id).where(DEVICE_KEY.c.key == device)))
    for file in sorted(files):
        yield from read_old_readings(folder / file, device_id, where)


def moved_ranges(connection: Connection, device: int) -> dict[int, list[Range]]:
    """Give the seqs that were moved, by boot."""
    found: defaultdict[int, list[Range]] = defaultdict(list)
    rows = select(ARCHIVED).where(ARCHIVED.c.device == device).order_by(ARCHIVED.c.boot, ARCHIVED.c.first)
    for row in connection.execute(rows):
        found[row.boot].append((row.first, row.last))
    return dict(found)


def moved_bodies(
    connection: Connection, identities: Iterable[tuple[int, int, int]]
) -> dict[tuple[int, int, int], bytes]:
    """Give the content of those of these (device, boot, seq) that were moved."""
    asked: defaultdict[int, defaultdict[int, list[Range]]] = defaultdict(lambda: defaultdict(list))
    for device, boot, seq in identities:
        asked[device][boot].append((seq, seq))
    return {
        (device, row.boot, row.seq): row.body
        for device, where in asked.items()
        for row in moved(connection, device, where)
    }


def _files(connection: Connection, device: int, where: Where | None) -> set[str]:
    rows = select(ARCHIVED).where(ARCHIVED.c.device == device)
    if where is not None:
        rows = rows.where(ARCHIVED.c.boot.in_(list(where)))
    return {
        row.file
        for row in connection.execute(rows)
        if where is None or any(first <= row.last and last >= row.first for first, last in where[row.boot])
    }
