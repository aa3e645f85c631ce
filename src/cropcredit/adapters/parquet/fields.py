"""The field register: GeoParquet with fiboa columns and ours, append-only parts named by their content."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely

from cropcredit.adapters.atomic import replacing
from cropcredit.errors import StateConflict
from cropcredit.fields import WGS84
from cropcredit.model import Field

if TYPE_CHECKING:
    import geopandas as gpd

COLUMNS = {
    "id": "id",
    "collection": "collection",
    "geometry": "boundary",
    "metrics:area": "area_ha",
    "metrics:perimeter": "perimeter_m",
    "determination:datetime": "determined_at",
    "determination:method": "determination_method",
    "crop:code": "crop_code",
    "boundary_version": "boundary_version",
    "known_at": "known_at",
    "admin_unit": "admin_unit",
    "time_zone": "time_zone",
    "repaired": "repaired",
    "original": "original_wkb",
}
"""Column of the file: attribute of :class:`Field`. fiboa keeps areas in m²."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParquetFields:
    """FieldStore in a folder of GeoParquet parts."""

    folder: Path

    def add(self, fields: Sequence[Field]) -> int:
        """Append boundary versions not yet held; see :class:`cropcredit.ports.FieldStore`.

        Raises
        ------
        StateConflict
            If a field already has another version of the same instant; nothing is stored.
        """
        held: dict[str, list[Field]] = {}
        for version in self._versions():
            held.setdefault(version.id, []).append(version)
        fresh = [field for field in fields if _is_new(field, held.get(field.id, []))]
        if fresh:
            self._write(sorted(fresh, key=lambda field: field.id))
        return len(fresh)

    def read(self, *, as_of: datetime | None = None, ids: Sequence[str] | None = None) -> list[Field]:
        """Read the version of each field known at ``as_of``, ordered by id."""
        versions = self._versions(ids)
        latest = {version.id: version for version in versions if as_of is None or version.known_at <= as_of}
        return [latest[name] for name in sorted(latest)]

    def _versions(self, ids: Sequence[str] | None = None) -> list[Field]:
        """Read every version of every field, or of these, oldest first."""
        versions = [field for part in sorted(self.folder.glob("part-*.parquet")) for field in _read(part, ids)]
        return sorted(versions, key=lambda field: field.known_at)

    def _write(self, fields: Sequence[Field]) -> None:
        buffer = io.BytesIO()
        _frame(fields).to_parquet(buffer, index=False, compression="zstd")
        name = hashlib.sha256(buffer.getvalue()).hexdigest()[:16]
        with replacing(self.folder / f"part-{name}.parquet") as partial:
            partial.write_bytes(buffer.getvalue())


def _read(part: Path, ids: Sequence[str] | None) -> list[Field]:
    """Read the rows of these fields, or all; what we wrote is in WGS84, so no CRS is built anew."""
    wanted = None if ids is None else pc.field("id").isin(pa.array(sorted(set(ids)), pa.string()))
    table = pq.read_table(part, filters=wanted, columns=list(COLUMNS))
    boundaries = shapely.from_wkb(table["geometry"].to_numpy()).tolist()
    columns = {n: boundaries if n == "boundary" else _values(table[column]) for column, n in COLUMNS.items()}
    columns["area_ha"] = [square_metres / 1e4 for square_metres in columns["area_ha"]]
    return [Field(**dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True)]


def _values(column: pa.ChunkedArray) -> list[Any]:
    """Give a column as Python objects, one for all rows that say the same: most instants and names come again."""
    encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
    distinct = encoded.dictionary.to_pylist()
    return [distinct[k] for k in encoded.indices.to_numpy()]


def _is_new(field: Field, held: Sequence[Field]) -> bool:
    """Tell whether a version says something that was not known at its instant."""
    before = [version for version in held if version.known_at <= field.known_at]
    if not before:
        return True
    if _substance(before[-1]) == _substance(field):
        return False
    if before[-1].known_at == field.known_at:
        raise StateConflict(f"field {field.id!r} already has another version known at {field.known_at.isoformat()}")
    return True


def _substance(field: Field) -> tuple[str, ...]:
    """Give what makes a version differ from the one before it: everything but the instant."""
    return (field.collection, field.boundary_version, field.crop_code, field.admin_unit, field.time_zone)


def _frame(fields: Sequence[Field]) -> gpd.GeoDataFrame:
    import geopandas as gpd  # noqa: PLC0415 - slow to import, and only writing needs it
    import pandas as pd  # noqa: PLC0415 - as above

    columns: dict[str, list[Any]] = {c: [getattr(field, name) for field in fields] for c, name in COLUMNS.items()}
    columns["metrics:area"] = [area_ha * 1e4 for area_ha in columns["metrics:area"]]
    frame = gpd.GeoDataFrame(columns, geometry="geometry", crs=WGS84)
    for instant in ("known_at", "determination:datetime"):
        frame[instant] = pd.to_datetime(frame[instant], utc=True).astype("datetime64[us, UTC]")
    return frame
