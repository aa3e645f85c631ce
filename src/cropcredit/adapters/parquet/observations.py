"""The observations of fields: one Parquet dataset, partitioned by tile and month, one file per unit of work."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
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
    "data_fraction",
)
FLAGS = ("mixed_pixel", "flagged")
QUANTILE = re.compile(r"(core_)?q[\d.]+")
"""Rows: one per scene, index and field. NaN = no clear pixel was covered. Columns of quantiles only where asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParquetObservations:
    """ObservationStore in a folder; a unit ``50SMJ/2025-06/<key>`` is ``tile=50SMJ/month=2025-06/<key>.parquet``."""

    folder: Path

    def has(self, unit: str) -> bool:
        """Say whether the unit is finished."""
        return self._path(unit).is_file()

    def write(self, unit: str, observations: Sequence[FieldObservations]) -> None:
        """Write one unit whole, a row group per index; equal content gives equal bytes."""
        tables = [_table(seen) for seen in sorted(observations, key=lambda seen: seen.index)]
        names = ["field", "scene", "index"]
        with (
            replacing(self._path(unit)) as partial,
            pq.ParquetWriter(partial, tables[0].schema, compression="zstd", use_dictionary=names) as file,
        ):
            for table in tables:
                file.write_table(table, row_group_size=max(table.num_rows, 1))

    def read(self, units: Sequence[str], *, index: str = "") -> list[FieldObservations]:
        """Read the named units whole, or one index of them."""
        return [seen for unit in units for seen in self._unit(unit, index)]

    def series(self, index: str, units: Sequence[str], field_ids: Sequence[str] | None = None) -> FieldSeries:
        """Read one index over time from the named units."""
        seen = (o for unit in units for o in self._unit(unit, index))
        return assemble(seen, index, field_ids)

    def _path(self, unit: str) -> Path:
        tile, month, key = unit.split("/")
        return self.folder / f"tile={tile}" / f"month={month}" / f"{key}.parquet"

    def _unit(self, unit: str, index: str = "") -> list[FieldObservations]:
        tile, _, _ = unit.partition("/")
        try:
            with pq.ParquetFile(self._path(unit)) as file:
                place = file.schema_arrow.get_field_index("index")
                groups = [file.metadata.row_group(k).column(place).statistics.min for k in range(file.num_row_groups)]
                wanted = [k for k, name in enumerate(groups) if index in ("", name)]
                return [_observations(file.read_row_group(k), tile) for k in wanted]
        except FileNotFoundError:
            cure = "run cropcredit ndvi run again"
            raise UnknownRecord("unit of observations", unit, cure=cure) from None


def _table(seen: FieldObservations) -> pa.Table:
    count = len(seen.field_ids)
    acquired = pa.scalar(seen.acquired_at, pa.timestamp("us", tz="UTC"))
    columns: dict[str, Any] = {
        "field": pa.array(seen.field_ids, pa.string()),
        "scene": pa.repeat(seen.scene_id, count),
        "acquired": pa.repeat(acquired, count),
        "index": pa.repeat(seen.index, count),
    }
    columns |= {name: pa.array(getattr(seen, name), pa.float64()) for name in NUMBERS}
    columns |= {name: pa.array(getattr(seen, name), pa.bool_()) for name in FLAGS}
    return pa.table(columns | {name: pa.array(values, pa.float64()) for name, values in seen.quantiles.items()})


def _observations(table: pa.Table, tile: str) -> FieldObservations:
    first = table.slice(0, 1).to_pylist()[0]
    return FieldObservations(
        scene_id=first["scene"],
        tile=tile,
        acquired_at=first["acquired"],
        index=first["index"],
        field_ids=table["field"].to_numpy().astype(str),
        quantiles={name: table[name].to_numpy() for name in table.column_names if QUANTILE.fullmatch(name)},
        **{name: table[name].to_numpy() for name in (*NUMBERS, *FLAGS)},
    )
