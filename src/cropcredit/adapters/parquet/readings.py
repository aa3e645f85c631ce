"""Old readings as Parquet files: by month and by a sixteenth of the devices, each file named by its content.

Everything a row of the database had is in them, the message as received included, so that nothing is lost by moving it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cropcredit.adapters.atomic import replacing
from cropcredit.errors import StoreUnavailable
from cropcredit.telemetry.ranges import Range, holds

BUCKETS = 16
ROW_GROUP = 10_000
_TIME = pa.timestamp("us", tz="UTC")
SCHEMA = pa.schema(
    [
        ("device_id", pa.string()),
        ("boot", pa.int64()),
        ("seq", pa.int64()),
        ("measured_at", _TIME),
        ("observed_at", _TIME),
        ("received_at", _TIME),
        ("known_at", _TIME),
        ("measurements", pa.int32()),
        ("key_id", pa.string()),
        ("body", pa.binary()),
        ("payload", pa.binary()),
    ]
)


class OldReading(NamedTuple):
    """One row of a file; instants in us since 1970."""

    device_id: str
    boot: int
    seq: int
    measured_at: int
    """As dated when it was moved."""
    observed_at: int | None
    received_at: int
    known_at: int | None
    measurements: int
    key_id: str
    body: bytes
    payload: bytes


def bucket_of(device_id: str) -> int:
    """Give the part of the devices that one belongs to, from 0 to 15."""
    return crc32(device_id.encode()) % BUCKETS


def write_old_readings(folder: Path, month: str, bucket: int, rows: Sequence[OldReading]) -> tuple[str, str]:
    """Write one file whole and read it back; gives its name below ``folder`` and the SHA-256 of its rows.

    Raises
    ------
    StoreUnavailable
        If the disk refuses, or gives back something else than was written.
    """
    ranked = sorted(rows, key=lambda row: row[:3])
    sha256 = _hash(ranked)
    name = f"month={month}/bucket={bucket:02d}/part-{sha256[:16]}.parquet"
    columns = [pa.array(column, field.type) for column, field in zip(zip(*ranked, strict=True), SCHEMA, strict=True)]
    with replacing(folder / name) as partial:
        pq.write_table(pa.table(columns, schema=SCHEMA), partial, compression="zstd", row_group_size=ROW_GROUP)
    if _hash(list(_rows(pq.read_table(folder / name)))) != sha256:
        raise StoreUnavailable(f"{folder / name} does not read back as it was written: nothing was moved, try again")
    return name, sha256


def read_old_readings(path: Path, device_id: str, where: Mapping[int, Sequence[Range]] | None) -> Iterator[OldReading]:
    """Read one device's rows of a file, those of these seqs by boot (None: all).

    Raises
    ------
    StoreUnavailable
        If the file is not there or cannot be read.
    """
    wanted = pc.field("device_id") == device_id
    if where is not None:
        wanted &= pc.field("boot").isin(list(where))
    try:
        table = pq.read_table(path, filters=wanted, partitioning=None)
    except (OSError, pa.ArrowException) as error:
        raise StoreUnavailable(f"{path} cannot be read, and holds old readings: restore it from a backup") from error
    return (row for row in _rows(table) if where is None or holds(where.get(row.boot, ()), row.seq))


def _rows(table: pa.Table) -> Iterator[OldReading]:
    columns = []
    for field in SCHEMA:
        column = table[field.name]
        columns.append((column.cast(pa.int64()) if field.type == _TIME else column).to_pylist())
    return (OldReading(*row) for row in zip(*columns, strict=True))


def _hash(rows: Sequence[OldReading]) -> str:
    digest, encode = hashlib.sha256(), msgspec.msgpack.Encoder().encode
    for row in rows:
        digest.update(encode(tuple(row)))
    return digest.hexdigest()
