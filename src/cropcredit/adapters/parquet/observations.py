"""The observations of fields: one Parquet dataset, partitioned by tile and month, one file per unit of work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cropcredit.adapters.atomic import replacing
from cropcredit.errors import UnknownRecord
from cropcredit.imagery import assemble
from cropcredit.model import FieldObservations, FieldSeries

NUMBERS = (
    "mean",
    "std",
    "clear_fraction",
    "covered_pixels",
    "core_mean",
    "core_std",
    "core_clear_fraction",
    "core_pixels",
    "core_buffer_m",
)
FLAGS = ("mixed_pixel", "flagged")
SCHEMA = pa.schema(
    [
        ("field", pa.string()),
        ("scene", pa.string()),
        ("acquired", pa.timestamp("us", tz="UTC")),
        ("index", pa.string()),
        *((name, pa.float64()) for name in NUMBERS),
        *((name, pa.bool_()) for name in FLAGS),
    ]
)
"""Rows: one per scene, index and field. NaN = no clear pixel was covered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParquetObservations:
    """ObservationStore in a folder; a unit ``50SMJ/2025-06/<key>`` is ``tile=50SMJ/month=2025-06/<key>.parquet``."""

    folder: Path

    def has(self, unit: str) -> bool:
        """Say whether the unit is finished."""
        return self._path(unit).is_file()

    def write(self, unit: str, observations: Sequence[FieldObservations]) -> None:
        """Write one unit whole; equal content gives equal bytes."""
        table = pa.concat_tables([_table(seen) for seen in observations])
        with replacing(self._path(unit)) as partial:
            pq.write_table(table, partial, compression="zstd", use_dictionary=["field", "scene", "index"])

    def read(self, units: Sequence[str]) -> list[FieldObservations]:
        """Read the named units whole."""
        return [seen for unit in units for seen in self._unit(unit)]

    def series(self, index: str, units: Sequence[str], field_ids: Sequence[str] | None = None) -> FieldSeries:
        """Read one index over time from the named units."""
        seen = (o for unit in units for o in self._unit(unit, index))
        return assemble(seen, index, field_ids)

    def _path(self, unit: str) -> Path:
        tile, month, key = unit.split("/")
        return self.folder / f"tile={tile}" / f"month={month}" / f"{key}.parquet"

    def _unit(self, unit: str, index: str = "") -> list[FieldObservations]:
        try:
            table = pq.ParquetFile(self._path(unit)).read()
        except FileNotFoundError:
            cure = "run cropcredit ndvi run again"
            raise UnknownRecord("unit of observations", unit, cure=cure) from None
        names = [index] if index else sorted(pc.unique(table["index"]).to_pylist())
        parts = (table.filter(pc.equal(table["index"], name)) for name in names)
        tile, _, _ = unit.partition("/")
        return [_observations(part, tile) for part in parts if part.num_rows]


def _table(seen: FieldObservations) -> pa.Table:
    count = len(seen.field_ids)
    columns: dict[str, Any] = {name: getattr(seen, name) for name in (*NUMBERS, *FLAGS)}
    columns |= {"field": seen.field_ids.tolist(), "scene": [seen.scene_id] * count}
    columns |= {"acquired": [seen.acquired_at] * count, "index": [seen.index] * count}
    return pa.table(columns, schema=SCHEMA)


def _observations(table: pa.Table, tile: str) -> FieldObservations:
    first = table.slice(0, 1).to_pylist()[0]
    return FieldObservations(
        scene_id=first["scene"],
        tile=tile,
        acquired_at=first["acquired"],
        index=first["index"],
        field_ids=np.array(table["field"].to_pylist(), dtype=str),
        **{name: table[name].to_numpy() for name in (*NUMBERS, *FLAGS)},
    )
