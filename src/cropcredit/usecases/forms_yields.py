"""Tables of past harvests: official yields per region, the index of regions over time, crop calendars."""

from __future__ import annotations

from datetime import date
from itertools import groupby

from cropcredit.agronomy.labels import require_one_unit
from cropcredit.errors import MalformedInput
from cropcredit.model import CropCalendar, Record, RegionSeries, YieldLabel
from cropcredit.units import MILLED_PER_PADDY, at_moisture, tonnes_per_hectare
from cropcredit.usecases.cells import CROP, KNOWN_AT, SOURCE, SYNTHETIC, Cells, Column, Form

INDEX_LAG_DAYS = 10
"""Days from an acquisition until a region's mean index is published, where the file is silent."""
ALL_WATER_PCT = 100.0
_REGION = Column("region", "administrative unit; the longest one that begins a field's unit is the field's")
_ANYWHERE = Column("region", "administrative unit; * for all without a calendar of their own")


def _yields(rows: list[Cells]) -> list[Record]:
    labels = [_label(row) for row in rows]
    for crop in sorted({label.crop for label in labels}):
        require_one_unit([label for label in labels if label.crop == crop and not label.planting_id])
    return list(labels)


def _label(row: Cells) -> YieldLabel:
    crop, region, year = row.crop(), row.text("region"), row.year("harvest_year")
    planting = row.maybe("planting_id")
    return YieldLabel(
        id=f"{crop}/{region}/{year}" + f"/{planting}" * bool(planting),
        known_at=row.known_at(date(year, 12, 31)),
        crop=crop,
        harvest_year=year,
        t_ha=_t_ha(row, crop),
        region=region,
        source=row.maybe("source"),
        planting_id=planting,
        area_ha=row.number("area_ha", low=0) if row.maybe("area_ha") else None,
        production_t=row.number("production_t", low=0) if row.maybe("production_t") else None,
    )


def _t_ha(row: Cells, crop: str) -> float:
    """Read the yield in t/ha at the crop's standard moisture; the unit is the row's own."""
    if bool(row.maybe("t_ha")) == bool(row.maybe("yield")):
        raise MalformedInput("needs either t_ha, or yield with unit", where=f"row {row.row}")
    if row.maybe("t_ha"):
        t_ha = row.number("t_ha", low=0)
    else:
        t_ha = tonnes_per_hectare(row.number("yield", low=0), row.text("unit"), crop)
    if row.flag("milled"):
        t_ha /= _milled(row, crop)
    return _at_standard_moisture(row, t_ha, crop) if row.maybe("moisture_pct") else t_ha


def _milled(row: Cells, crop: str) -> float:
    if crop != "rice":
        raise MalformedInput(f"milled says yes, but only rice is milled, not {crop}", where=f"row {row.row}")
    return MILLED_PER_PADDY


def _at_standard_moisture(row: Cells, t_ha: float, crop: str) -> float:
    moisture = row.number("moisture_pct", low=0)
    if moisture >= ALL_WATER_PCT:
        raise MalformedInput(f"moisture_pct {moisture:g} leaves no dry matter", where=f"row {row.row}")
    return at_moisture(t_ha, moisture, row.context.catalogues.crop(crop).standard_moisture_pct)


def _index(rows: list[Cells]) -> list[Record]:
    def month(row: Cells) -> tuple[str, str, date]:
        return row.crop(), row.text("region"), row.day("date").replace(day=1)

    return [_month(*name, list(days)) for name, days in groupby(sorted(rows, key=month), key=month)]


def _month(crop: str, region: str, first: date, rows: list[Cells]) -> RegionSeries:
    rows = sorted(rows, key=lambda row: row.day("date"))
    days = tuple(row.day("date") for row in rows)
    if len(set(days)) != len(days):
        raise MalformedInput(
            f"two values of {crop} in {region} for one day of {first:%Y-%m}", where=f"row {rows[0].row}"
        )
    return RegionSeries(
        id=f"{crop}/{region}/{first:%Y-%m}",
        known_at=max(row.known_at(row.day("date")) for row in rows),
        crop=crop,
        region=region,
        source=rows[0].maybe("source"),
        days=days,
        ndvi=tuple(_ndvi(row) for row in rows),
    )


def _ndvi(row: Cells) -> float:
    value = row.number("ndvi", low=-1)
    if value > 1:
        raise MalformedInput(f"ndvi {value:g} is above 1", where=f"row {row.row}", cure="scale it to -1..1 first")
    return value


def _calendar(rows: list[Cells]) -> list[Record]:
    return [
        CropCalendar(
            id=f"{row.crop()}/{row.text('region')}",
            known_at=row.known_at(),
            crop=row.crop(),
            region=row.text("region"),
            sowing_doy=_doy(row, "sowing_doy"),
            harvest_doy=_doy(row, "harvest_doy"),
            source=row.maybe("source"),
        )
        for row in rows
    ]


def _doy(row: Cells, name: str) -> int:
    value = row.number(name)
    if value not in range(1, 367):
        raise MalformedInput(f"{name} {value:g} is not a day of the year (1-366)", where=f"row {row.row}")
    return int(value)


_SOURCE = Column(SOURCE.name, SOURCE.meaning, required=False)
YIELDS: tuple[Form, ...] = (
    Form(
        noun="yields",
        build=_yields,
        columns=(
            CROP,
            _REGION,
            Column("harvest_year", "year of the harvest"),
            Column("t_ha", "yield at the crop's standard moisture, t/ha", required=False),
            Column("yield", "yield in another unit; instead of t_ha", required=False),
            Column(
                "unit",
                "weight/area of yield, row by row: jin/mu, kg/ha, dt/ha, quintal/acre, bag90/acre, bu/acre, lb/acre",
                required=False,
            ),
            Column("moisture_pct", "wet-basis moisture the yield was weighed at; empty for standard", required=False),
            Column("milled", "yes for milled rice, which is brought to paddy", required=False),
            Column("area_ha", "harvested area, ha; with production_t the yield is checked against it", required=False),
            Column("production_t", "harvest of that area, t", required=False),
            Column("planting_id", "empty for a region's yield", required=False),
            _SOURCE,
            SYNTHETIC,
            KNOWN_AT,
        ),
    ),
    Form(
        noun="index",
        build=_index,
        columns=(
            CROP,
            _REGION,
            Column("date", "day of the observation or middle of the composite"),
            Column("ndvi", "mean over the crop's land in the region, -1 to 1"),
            _SOURCE,
            SYNTHETIC,
            KNOWN_AT,
        ),
    ),
    Form(
        noun="calendar",
        build=_calendar,
        columns=(
            CROP,
            _ANYWHERE,
            Column("sowing_doy", "typical sowing, day of the year"),
            Column("harvest_doy", "typical harvest, day of the year; smaller where the season crosses New Year"),
            _SOURCE,
            KNOWN_AT,
        ),
    ),
)
