"""Measured values as a file that any tool opens: Parquet or CSV, by its name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from cropcredit.adapters.atomic import replacing
from cropcredit.errors import RefusedInput
from cropcredit.usecases.export_readings import MeasuredValue

AT_ONCE = 50_000
"""Values that are held in memory at once."""
_TIME = pa.timestamp("us", tz="UTC")
_NUMBERS = {"value": pa.float64(), "boot": pa.int64(), "seq": pa.int64()}
SCHEMA = pa.schema(
    [(name, _TIME if name.endswith("_at") else _NUMBERS.get(name, pa.string())) for name in MeasuredValue._fields]
)


def write_values(path: Path, values: Iterable[MeasuredValue]) -> int:
    """Write values to ``.parquet`` or ``.csv``, whole or not at all; gives their number.

    Raises
    ------
    RefusedInput
        If the name says neither.
    """
    writers: dict[str, Any] = {".parquet": pq.ParquetWriter, ".csv": pcsv.CSVWriter}
    if path.suffix not in writers:
        raise RefusedInput("values are written as .parquet or .csv", where=str(path), cure="name the file so")
    count = 0
    with replacing(path) as partial, writers[path.suffix](partial, SCHEMA) as file:
        for some in _pieces(values):
            columns = zip(zip(*some, strict=True), SCHEMA, strict=True)
            arrays = [pa.array(column, field.type) for column, field in columns]
            file.write_table(pa.table(arrays, schema=SCHEMA))
            count += len(some)
    return count


def _pieces(values: Iterable[MeasuredValue]) -> Iterator[list[MeasuredValue]]:
    rest = iter(values)
    while some := list(islice(rest, AT_ONCE)):
        yield some
