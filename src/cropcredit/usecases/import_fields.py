"""Bring field boundaries into the register, and look for ground that is financed twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import shapely

from cropcredit.errors import MalformedInput, RefusedInput
from cropcredit.fields import (
    WGS84,
    Overlap,
    Region,
    boundary_version,
    check_axes,
    find_overlaps,
    measure,
    repair,
    reproject,
)
from cropcredit.model import Field, Planting, Tenure, VectorTable
from cropcredit.ports import Clock, FactStore, FieldStore, VectorFiles


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldForm:
    """How to read a file of fields."""

    collection: str = ""
    """fiboa collection; empty: the file's ``collection`` column, else the name of the file."""
    id_column: str = "id"
    number_as: str = ""
    """Prefix under which rows are numbered, for files without ids."""
    crop_column: str = "crop:code"
    """Column of the declared crop; may be absent."""
    admin_column: str = "admin_unit"
    """Column of the township or village; may be absent."""
    crs: str = ""
    """Coordinate system to assume where the file names none."""
    encoding: str = ""
    layer: str = ""
    region: Region | None = None
    """Where the fields are expected; finds exchanged axes that degrees alone cannot give away."""
    known_at: datetime | None = None
    """When the lender knew these boundaries; None: now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowOutcome:
    """A row worth a word: repaired or refused."""

    id: str
    row: int
    """Row in the file, from 1."""
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What became of a file of fields."""

    path: str
    rows: int
    stored: int
    """Boundary versions that were new."""
    unchanged: int
    repaired: tuple[RowOutcome, ...]
    refused: tuple[RowOutcome, ...]
    overlaps: tuple[Overlap, ...]
    """Ground that imported fields share with one another or with fields held before."""
    area_ha: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportFields:
    """Import a vector file of any format and coordinate system."""

    fields: FieldStore
    vectors: VectorFiles
    clock: Clock
    time_zone: str

    def __call__(self, path: str, form: FieldForm) -> ImportReport:
        """Read, check and store; a bad row is refused by name and never stops the others.

        Raises
        ------
        RefusedInput
            If the file as a whole cannot be used: no coordinate system, exchanged axes, no id column, nothing in it.
        """
        table = self.vectors.read(path, crs=form.crs, encoding=form.encoding, layer=form.layer)
        check_axes(_bounds(table), table.crs, region=form.region, where=path)
        ids = _ids(table, form)
        boundaries = reproject(table.geometries, table.crs, WGS84)
        held = {known.id: known.collection for known in self.fields.read()}
        first = {name: row for row, name in reversed(list(enumerate(ids)))}
        count = Counter(ids)
        good: list[Field] = []
        outcomes: list[RowOutcome] = []
        for row, (name, boundary) in enumerate(zip(ids, boundaries, strict=True)):
            try:
                field = self._field(table, form, row, name, boundary)
                _check_name(field, first=first[name] == row, count=count[name], held=held, where=f"{path} {name}")
            except RefusedInput as error:
                outcomes.append(RowOutcome(id=name, row=row + 1, outcome="refused", reason=str(error)))
                continue
            good.append(field)
            if field.repaired:
                outcomes.append(RowOutcome(id=name, row=row + 1, outcome="repaired", reason=field.repaired))
        stored = self.fields.add(good)
        return ImportReport(
            path=path,
            rows=len(ids),
            stored=stored,
            unchanged=len(good) - stored,
            repaired=tuple(o for o in outcomes if o.outcome == "repaired"),
            refused=tuple(o for o in outcomes if o.outcome == "refused"),
            overlaps=self._overlaps(good),
            area_ha=float(sum(field.area_ha for field in good)),
        )

    def _field(self, table: VectorTable, form: FieldForm, row: int, name: str, boundary: Any) -> Field:
        where = f"{table.path} {name or f'row {row + 1}'}"
        if not name:
            raise MalformedInput("the row has no id", where=where)
        fixed = repair(boundary, where=where)
        area_ha, perimeter_m = measure(fixed.boundary)
        return Field(
            id=name,
            collection=form.collection or _text(table, "collection", row) or _stem(table.path),
            boundary=fixed.boundary,
            area_ha=area_ha,
            perimeter_m=perimeter_m,
            boundary_version=boundary_version(fixed.boundary),
            known_at=form.known_at or self.clock.now(),
            admin_unit=_text(table, form.admin_column, row),
            time_zone=self.time_zone,
            crop_code=_text(table, form.crop_column, row),
            determined_at=_instant(table, "determination:datetime", row, where),
            determination_method=_text(table, "determination:method", row) or "unknown",
            repaired=fixed.repaired,
            original_wkb=fixed.original_wkb,
        )

    def _overlaps(self, imported: Sequence[Field]) -> tuple[Overlap, ...]:
        names = {field.id for field in imported}
        return tuple(o for o in find_overlaps(self.fields.read()) if o.left in names or o.right in names)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedGround:
    """Two fields on the same ground, with who holds them and when both are planted."""

    overlap: Overlap
    left_parties: tuple[str, ...]
    right_parties: tuple[str, ...]
    seasons: tuple[str, ...]
    """Seasons in which both are planted."""

    @property
    def double_financing(self) -> bool:
        """Say whether two different parties could borrow on it."""
        return bool(self.left_parties and self.right_parties) and self.left_parties != self.right_parties


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckFields:
    """Look over the whole register for shared ground."""

    fields: FieldStore
    facts: FactStore

    def __call__(self, *, as_of: datetime) -> list[SharedGround]:
        """Report shared ground as known at ``as_of``, with tenure and seasons; worst first."""
        found = [self._holders(overlap, as_of) for overlap in find_overlaps(self.fields.read(as_of=as_of))]
        return sorted(found, key=lambda s: (not s.double_financing, -s.overlap.iou, s.overlap.left, s.overlap.right))

    def _holders(self, overlap: Overlap, as_of: datetime) -> SharedGround:
        left, right = (self._parties(name, as_of) for name in (overlap.left, overlap.right))
        seasons = [
            {p.season_id for p in self.facts.find(Planting, as_of=as_of, field_id=name)}
            for name in (overlap.left, overlap.right)
        ]
        return SharedGround(
            overlap=overlap, left_parties=left, right_parties=right, seasons=tuple(sorted(seasons[0] & seasons[1]))
        )

    def _parties(self, field_id: str, as_of: datetime) -> tuple[str, ...]:
        tenures = self.facts.find(Tenure, as_of=as_of, field_id=field_id)
        return tuple(sorted({t.party_id for t in tenures if t.covers(as_of.date())}))


def _bounds(table: VectorTable) -> tuple[float, float, float, float]:
    xy = shapely.get_coordinates(table.geometries)
    xy = xy[np.isfinite(xy).all(axis=1)]
    if not len(xy):
        raise MalformedInput("no row has a boundary", where=table.path)
    (x0, y0), (x1, y1) = xy.min(axis=0), xy.max(axis=0)
    return float(x0), float(y0), float(x1), float(y1)


def _ids(table: VectorTable, form: FieldForm) -> list[str]:
    if form.number_as:
        return [f"{form.number_as}{row + 1}" for row in range(len(table.geometries))]
    if form.id_column not in table.columns:
        raise MalformedInput(
            f"has no column {form.id_column!r}",
            where=table.path,
            cure=f"--id-column one of {', '.join(table.columns) or '(none)'}, or --number-as PREFIX",
        )
    return [_text(table, form.id_column, row) for row in range(len(table.geometries))]


def _check_name(field: Field, *, first: bool, count: int, held: dict[str, str], where: str) -> None:
    if not first:
        raise MalformedInput(f"the id stands in the file {count} times; the first row counts", where=where)
    if held.get(field.id, field.collection) != field.collection:
        raise MalformedInput(
            f"the id belongs to a field of collection {held[field.id]!r}",
            where=where,
            cure=f"import with --collection {held[field.id]}, or give it another id",
        )


def _text(table: VectorTable, column: str, row: int) -> str:
    value = table.columns[column][row] if column in table.columns else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value).strip()


def _instant(table: VectorTable, column: str, row: int, where: str) -> datetime | None:
    text = _text(table, column, row)
    try:
        instant = datetime.fromisoformat(text) if text else None
    except ValueError:
        raise MalformedInput(f"{column} {text!r} is not an instant", where=where) from None
    return instant.replace(tzinfo=instant.tzinfo or UTC) if instant else None


def _stem(path: str) -> str:
    return path.replace("\\", "/").rsplit("/", 1)[-1].split(".", maxsplit=1)[0]
