"""Tables of devices and of the places where they stand, for ``devices add|place --from FILE``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from cropcredit.errors import MalformedInput
from cropcredit.model import Device, Installation, parse_as_of
from cropcredit.ports import Catalogues, Clock, TableReader
from cropcredit.usecases.cells import KNOWN_AT, SYNTHETIC, Cells, Column, Context

DEVICE_COLUMNS = (
    Column("device_id", "MQTT user name: letters, digits, dot, dash, underscore; at most 64"),
    Column("model", "make and model", required=False),
    SYNTHETIC,
    KNOWN_AT,
)
PLACE_COLUMNS = (
    Column("device_id", "a registered device"),
    Column("field_id", "where it stands, if at a field", required=False),
    Column("store_id", "where it stands, if at a grain store", required=False),
    Column("channel", "channel of the readings; empty or * covers all of the device's", required=False),
    Column("from_at", "since when: an instant, or a date meaning its start in the workspace's time zone"),
    Column("to_at", "until when, if it stands there no more", required=False),
    Column("depth_cm", "depth below the surface, cm", required=False),
    Column("calibration_version", "calibration in use", required=False),
    Column("soil_texture", "texture class at the probe", required=False),
    Column("soil_moisture_kind", "volumetric, saturation or tension", required=False),
    Column("installer", "who put it there", required=False),
    KNOWN_AT,
)
MOISTURE_KINDS = ("", "volumetric", "saturation", "tension")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadDeviceTables:
    """Read the tables of devices and of their places."""

    tables: TableReader
    catalogues: Catalogues
    clock: Clock
    zone: str

    def devices(self, file: Path) -> list[Device]:
        """Read a table of :data:`DEVICE_COLUMNS`; refuses by file, row and column."""
        return [
            Device(
                id=cells.text("device_id"),
                model=cells.maybe("model"),
                synthetic=cells.flag("synthetic"),
                known_at=cells.known_at(),
            )
            for cells in self._cells(file, DEVICE_COLUMNS)
        ]

    def places(self, file: Path) -> list[Installation]:
        """Read a table of :data:`PLACE_COLUMNS`; refuses by file, row and column."""
        return [self._place(cells) for cells in self._cells(file, PLACE_COLUMNS)]

    def _cells(self, file: Path, columns: tuple[Column, ...]) -> list[Cells]:
        header, rows = self.tables.rows(file)
        names = {column.name for column in columns}
        missing = {column.name for column in columns if column.required} - set(header)
        if missing or set(header) - names:
            wrong = f"lacks column {min(missing)!r}" if missing else f"has unknown column {min(set(header) - names)!r}"
            raise MalformedInput(wrong, where=str(file), cure=f"columns: {', '.join(c.name for c in columns)}")
        context = Context(now=self.clock.now(), zone=self.zone, catalogues=self.catalogues)
        return [Cells(row=row, values=values, context=context) for row, values in rows]

    def _place(self, cells: Cells) -> Installation:
        kind = cells.maybe("soil_moisture_kind")
        if kind not in MOISTURE_KINDS:
            raise MalformedInput(f"soil_moisture_kind {kind!r} is unknown", where=f"row {cells.row}")
        return installation(
            device_id=cells.text("device_id"),
            channel=cells.maybe("channel") or "*",
            from_at=self._since(cells),
            to_at=cells.maybe_instant("to_at"),
            field_id=cells.maybe("field_id"),
            store_id=cells.maybe("store_id"),
            depth_cm=cells.number("depth_cm", low=0) if cells.maybe("depth_cm") else None,
            calibration_version=cells.maybe("calibration_version"),
            soil_texture=cells.maybe("soil_texture"),
            soil_moisture_kind=kind,
            installer=cells.maybe("installer"),
            known_at=cells.known_at(),
        )

    def _since(self, cells: Cells) -> datetime:
        try:
            return since_when(cells.text("from_at"), self.zone)
        except MalformedInput as error:
            raise MalformedInput(error.what, where=f"row {cells.row}", cure="write 2026-04-01 or an instant") from None


def since_when(text: str, zone: str) -> datetime:
    """Read since when a device stands somewhere: an instant, or a date meaning its start in ``zone``.

    Examples
    --------
    >>> since_when("2026-04-01", "Asia/Shanghai").isoformat()
    '2026-04-01T00:00:00+08:00'
    """
    if len(text) == len("2025-06-01"):
        parse_as_of(text, zone)  # refuses what is no date
        return datetime.combine(date.fromisoformat(text), time(0), ZoneInfo(zone))
    return parse_as_of(text, zone)


def installation(*, device_id: str, channel: str, from_at: datetime, **facts: object) -> Installation:
    """Make an installation, named after what stands where since when, so that the same row again is a correction."""
    name = f"{device_id}/{channel}/{from_at.astimezone(ZoneInfo('UTC')):%Y%m%dT%H%M%SZ}"
    return Installation(id=name, device_id=device_id, channel=channel, from_at=from_at, **facts)  # type: ignore[arg-type] # the record checks them
