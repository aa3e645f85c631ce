"""Tables of stored grain: lots, inspections, movements."""

from __future__ import annotations

from cropcredit.model import GrainLot, GrainMovement, Record, StoreInspection
from cropcredit.units import kilograms
from cropcredit.usecases.cells import CROP, ID, KNOWN_AT, SYNTHETIC, Cells, Column, Form

_LOT = Column("lot_id", "a lot of the table of lots")
_WEIGHT_UNIT = Column("weight_unit", "kg, t, jin, quintal, bag90 or lb")
_AT = Column(
    "at", "when it was: an instant, or a date meaning its end in the workspace's time zone; today at the latest"
)


def _lots(rows: list[Cells]) -> list[Record]:
    return [
        GrainLot(
            id=row.text("id"),
            known_at=row.known_at(),
            store_id=row.text("store_id"),
            party_id=row.text("party_id"),
            crop=row.crop(),
            harvest_year=int(row.number("harvest_year", low=1900)),
            synthetic=row.flag("synthetic"),
        )
        for row in rows
    ]


def _inspections(rows: list[Cells]) -> list[Record]:
    return [
        StoreInspection(
            id=f"{row.text('lot_id')}/{row.instant('at'):%Y%m%dT%H%M%SZ}",
            known_at=row.known_at(),
            lot_id=row.text("lot_id"),
            at=row.happened("at"),
            weight_kg=kilograms(row.number("weight", low=0), row.text("weight_unit")),
            moisture_pct=row.number("moisture_pct", low=0),
            impurity_pct=row.number("impurity_pct", low=0) if row.maybe("impurity_pct") else 0.0,
            inspector=row.text("inspector"),
        )
        for row in rows
    ]


def _movements(rows: list[Cells]) -> list[Record]:
    return [
        GrainMovement(
            id=row.text("id"),
            known_at=row.known_at(),
            lot_id=row.text("lot_id"),
            at=row.happened("at"),
            weight_kg=kilograms(row.number("weight"), row.text("weight_unit")),
            document=row.maybe("document"),
        )
        for row in rows
    ]


STORES: tuple[Form, ...] = (
    Form(
        noun="lots",
        build=_lots,
        columns=(
            ID,
            Column("store_id", "where it lies: the store at which its sensors are placed"),
            Column("party_id", "who owns it"),
            CROP,
            Column("harvest_year", "year of the harvest"),
            SYNTHETIC,
            KNOWN_AT,
        ),
    ),
    Form(
        noun="inspections",
        build=_inspections,
        columns=(
            _LOT,
            _AT,
            Column("weight", "as it lies there, water and dirt included"),
            _WEIGHT_UNIT,
            Column("moisture_pct", "wet basis"),
            Column("inspector", "who weighed and tested it"),
            Column("impurity_pct", "dirt, husks, other grain", required=False),
            KNOWN_AT,
        ),
    ),
    Form(
        noun="movements",
        build=_movements,
        columns=(
            ID,
            _LOT,
            _AT,
            Column("weight", "carried in; negative: carried out"),
            _WEIGHT_UNIT,
            Column("document", "delivery note, invoice, release", required=False),
            KNOWN_AT,
        ),
    ),
)
