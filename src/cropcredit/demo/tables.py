"""The made records in the CSV forms that ``cropcredit import`` documents, as a lender would export its own books."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from cropcredit.demo.history import PastIndex, PastYield
from cropcredit.demo.parameters import Region
from cropcredit.demo.people import People
from cropcredit.demo.weather import Weather
from cropcredit.model import Application, Consent, CostSheet, FarmGatePrice, Party, Planting, PriceSeries, Tenure
from cropcredit.model.records import end_of_day

Rows = Iterable[Sequence[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One CSV file."""

    name: str
    columns: tuple[str, ...]
    rows: Rows


def write(folder: Path, table: Table) -> None:
    """Write a table; instants as RFC 3339, numbers as Python prints them, lines end with a newline alone."""
    with (folder / f"{table.name}.csv").open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(table.columns)
        lines.writerows([[_text(cell) for cell in row] for row in table.rows])


def people_tables(people: People) -> list[Table]:
    """Give parties, consents, tenures, plantings and applications."""
    return [
        _parties(people.parties),
        _consents(people.consents),
        _tenures(people.tenures),
        _plantings(people.plantings),
        _applications(people.applications),
    ]


def market_tables(prices: list[FarmGatePrice], costs: list[CostSheet]) -> list[Table]:
    """Give farm-gate prices and cost sheets."""
    price_columns = ("crop", "region", "price", "unit", "dated_on", "source", "known_at")
    cost_columns = (
        "crop",
        "region",
        "item",
        "amount",
        "unit",
        "months_after_sowing",
        "at_harvest",
        "source",
        "known_at",
    )
    return [
        Table(
            name="prices",
            columns=price_columns,
            rows=[(p.crop, p.region, p.per_kg, "CNY/kg", p.dated_on, p.source, p.known_at) for p in prices],
        ),
        Table(
            name="costs",
            columns=cost_columns,
            rows=[
                (
                    s.crop,
                    s.region,
                    i.name,
                    i.per_ha.major,
                    "CNY/ha",
                    i.months_after_sowing,
                    i.at_harvest,
                    s.source,
                    s.known_at,
                )
                for s in costs
                for i in s.items
            ],
        ),
    ]


def world_table(series: list[PriceSeries]) -> Table:
    """Give the monthly price series side by side: the month, then one column per crop."""
    first, n = series[0].first_month, len(series[0].values)
    months = [date(first.year + (first.month - 1 + m) // 12, (first.month - 1 + m) % 12 + 1, 1) for m in range(n)]
    columns = ("month", *(f"{one.crop} ({one.unit})" for one in series))
    rows = zip(months, *(one.values for one in series), strict=True)
    return Table(name="world_prices", columns=columns, rows=rows)


def weather_table(region: Region, weather: Weather) -> Table:
    """Give the weather of all townships up to the day before the story's present."""
    last = region.today.date() - timedelta(1)
    rows = []
    for t, unit in enumerate(region.township):
        for row in range((last - weather.first_on).days + 1):
            day = weather.first_on + timedelta(row)
            values = (weather.rain_mm, weather.t_min_c, weather.t_max_c, weather.solar_mj_m2)
            known = min(end_of_day(day + timedelta(1), "Asia/Shanghai"), region.today.astimezone(UTC))
            rows.append((unit.code, f"{region.label} generator", day, *(float(v[row, t]) for v in values), True, known))
    columns = ("region", "source", "date", "rain_mm", "t_min_c", "t_max_c", "solar_mj_m2", "synthetic", "known_at")
    return Table(name="weather", columns=columns, rows=rows)


def yield_table(region: Region, yields: list[PastYield]) -> Table:
    """Give the official yields of years past."""
    source = f"{region.label} statistics"
    rows = [(y.crop, y.region, y.harvest_year, y.t_ha, source, True, _day_end(y.published_on)) for y in yields]
    columns = ("crop", "region", "harvest_year", "t_ha", "source", "synthetic", "known_at")
    return Table(name="yields", columns=columns, rows=rows)


def index_table(region: Region, index: list[PastIndex]) -> Table:
    """Give the index of townships over the years, each day as it was published."""
    source, lag = f"{region.label} cropland means", timedelta(region.history.index_lag_days)
    rows = [(i.region, i.crop, i.on, i.ndvi, source, True, _day_end(i.on + lag)) for i in index]
    columns = ("region", "crop", "date", "ndvi", "source", "synthetic", "known_at")
    return Table(name="index", columns=columns, rows=rows)


def calendar_table(region: Region) -> Table:
    """Give when each crop is usually sown and harvested, the same for all townships."""
    year, source = region.harvest_year, f"{region.label} calendar"
    known = _day_end(date(region.history.first_harvest_year - 1, 1, 1))
    rows = [
        (code, "*", _of_year(model.sown_on(year)), _of_year(model.harvested_on(year)), source, known)
        for code, model in region.crop.items()
    ]
    columns = ("crop", "region", "sowing_doy", "harvest_doy", "source", "known_at")
    return Table(name="calendar", columns=columns, rows=rows)


def _day_end(day: date) -> datetime:
    return end_of_day(day, "Asia/Shanghai")


def _of_year(day: date) -> int:
    return day.timetuple().tm_yday


def _parties(parties: Sequence[Party]) -> Table:
    columns = ("id", "kind", "name", "branch", "admin_unit", "identity_number", "synthetic", "known_at")
    rows = [
        (p.id, p.kind.value, p.name, p.branch, p.admin_unit, f"SYNTHETIC-{p.id}-{p.identity_last4}", True, p.known_at)
        for p in parties
    ]
    return Table(name="parties", columns=columns, rows=rows)


def _consents(consents: Sequence[Consent]) -> Table:
    columns = ("id", "party_id", "purpose", "data_kinds", "language", "text_version", "given_at", "witness", "known_at")
    rows = [
        (
            c.id,
            c.party_id,
            c.purpose,
            ";".join(c.data_kinds),
            c.language,
            c.text_version,
            c.given_at,
            c.witness,
            c.known_at,
        )
        for c in consents
    ]
    return Table(name="consents", columns=columns, rows=rows)


def _tenures(tenures: Sequence[Tenure]) -> Table:
    columns = ("id", "party_id", "field_id", "role", "right", "from_on", "to_on", "rent", "rent_unit", "known_at")
    rows = [
        (
            t.id, t.party_id, t.field_id, t.role, t.right, t.from_on, t.to_on,
            t.rent_per_ha / 100 if t.rent_per_ha else "", "CNY/ha" if t.rent_per_ha else "", t.known_at,
        )
        for t in tenures
    ]  # fmt: skip
    return Table(name="tenures", columns=columns, rows=rows)


def _plantings(plantings: Sequence[Planting]) -> Table:
    columns = ("id", "field_id", "season", "crop", "declared_area", "area_unit", "sowing_on", "harvest_on", "known_at")
    rows = [
        (
            p.id,
            p.field_id,
            p.season_id,
            p.crop,
            round(p.declared_area_ha * 15, 1),
            "mu",
            p.sowing_on,
            p.harvest_on,
            p.known_at,
        )
        for p in plantings
    ]
    return Table(name="plantings", columns=columns, rows=rows)


def _applications(applications: Sequence[Application]) -> Table:
    columns = (
        "id", "party_id", "planting_ids", "branch", "currency", "requested", "due_on", "own_funds", "off_farm_income",
        "household_draw", "debt_service", "purpose", "synthetic", "known_at",
    )  # fmt: skip
    rows = [
        (
            a.id, a.party_id, ";".join(a.planting_ids), a.branch, a.requested.currency, a.requested.major, a.due_on,
            a.own_funds.major, a.off_farm_income.major, a.household_draw.major, a.debt_service.major, a.purpose, True,
            a.known_at,
        )
        for a in applications
    ]  # fmt: skip
    return Table(name="applications", columns=columns, rows=rows)


def _text(cell: object) -> object:
    match cell:
        case None:
            return ""
        case bool():
            return "yes" if cell else "no"
        case datetime():
            return cell.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case date():
            return cell.isoformat()
    return cell
