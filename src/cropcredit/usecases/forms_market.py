"""Tables of markets and weather: local prices, cost sheets, daily weather."""

from __future__ import annotations

from itertools import groupby, pairwise

from cropcredit.errors import MalformedInput
from cropcredit.model import CostItem, CostSheet, FarmGatePrice, Record, WeatherSeries
from cropcredit.usecases.cells import CROP, KNOWN_AT, REGION, SOURCE, SYNTHETIC, Cells, Column, Form


def _prices(rows: list[Cells]) -> list[Record]:
    return [_price(row) for row in rows]


def _price(row: Cells) -> FarmGatePrice:
    crop, region, dated_on = row.crop(), row.text("region"), row.day("dated_on")
    per_kg, currency = row.per_kg("price", "unit")
    return FarmGatePrice(
        id=f"{crop}/{region}/{dated_on}",
        known_at=row.known_at(dated_on),
        crop=crop,
        region=region,
        per_kg=per_kg,
        currency=currency,
        dated_on=dated_on,
        source=row.text("source"),
    )


def _costs(rows: list[Cells]) -> list[Record]:
    def sheet(row: Cells) -> tuple[str, str]:
        return row.crop(), row.text("region")

    return [_cost_sheet(*name, list(items)) for name, items in groupby(sorted(rows, key=sheet), key=sheet)]


def _cost_sheet(crop: str, region: str, rows: list[Cells]) -> CostSheet:
    items = tuple(
        CostItem(
            name=row.text("item"),
            per_ha=row.per_ha("amount", "unit"),
            months_after_sowing=int(row.number("months_after_sowing", low=0)),
            at_harvest=row.flag("at_harvest"),
        )
        for row in rows
    )
    currencies = {item.per_ha.currency for item in items}
    if len(currencies) != 1:
        raise MalformedInput(f"the cost sheet of {crop} in {region} mixes {sorted(currencies)}", where=_rows(rows))
    return CostSheet(
        id=f"{crop}/{region}",
        known_at=max(row.known_at() for row in rows),
        crop=crop,
        region=region,
        currency=currencies.pop(),
        items=items,
        source=rows[0].text("source"),
    )


def _weather(rows: list[Cells]) -> list[Record]:
    def month(row: Cells) -> tuple[str, str, str]:
        return row.text("region"), row.text("source"), f"{row.day('date'):%Y-%m}"

    return [
        part for name, days in groupby(sorted(rows, key=month), key=month) for part in _weather_month(*name, list(days))
    ]


def _weather_month(region: str, source: str, month: str, rows: list[Cells]) -> list[Record]:
    """Make one record of each run of days, known when its last day is; a missing day parts them and is a gap."""
    rows = sorted(rows, key=lambda row: row.day("date"))
    days = [row.day("date") for row in rows]
    if len(set(days)) != len(days):
        raise MalformedInput(f"days of {region} in {month} stand twice", where=_rows(rows))
    with_solar = any(row.maybe("solar_mj_m2") for row in rows)
    starts = [0, *(i for i in range(1, len(days)) if (days[i] - days[i - 1]).days > 1), len(days)]
    return [
        _weather_run(f"{region}/{source}/{month if first == 0 else days[first]}", rows[first:last], with_solar)
        for first, last in pairwise(starts)
    ]


def _weather_run(name: str, rows: list[Cells], with_solar: bool) -> WeatherSeries:
    return WeatherSeries(
        id=name,
        known_at=max(row.known_at(rows[-1].day("date")) for row in rows),
        region=rows[0].text("region"),
        source=rows[0].text("source"),
        first_on=rows[0].day("date"),
        rain_mm=tuple(row.number("rain_mm", low=0) for row in rows),
        t_min_c=tuple(row.number("t_min_c") for row in rows),
        t_max_c=tuple(row.number("t_max_c") for row in rows),
        solar_mj_m2=tuple(row.number("solar_mj_m2", low=0) for row in rows) if with_solar else (),
        synthetic=any(row.flag("synthetic") for row in rows),
    )


def _rows(rows: list[Cells]) -> str:
    lines = [row.row for row in rows]
    return f"rows {min(lines)}-{max(lines)}"


MARKET: tuple[Form, ...] = (
    Form(
        noun="prices",
        build=_prices,
        columns=(
            CROP,
            REGION,
            Column("price", "what a buyer paid at the farm gate"),
            Column("unit", "currency/weight: CNY/jin, CNY/kg, INR/quintal, USD/t"),
            Column("dated_on", "day of the price"),
            SOURCE,
            KNOWN_AT,
        ),
    ),
    Form(
        noun="costs",
        build=_costs,
        columns=(
            CROP,
            REGION,
            Column("item", "seed, fertiliser, pesticide, water, machinery, labour, rent, harvest …"),
            Column("amount", "cost per area"),
            Column("unit", "currency/area: CNY/mu, CNY/ha"),
            Column("months_after_sowing", "when it falls due"),
            Column("at_harvest", "yes: paid from the harvest and not financed", required=False),
            SOURCE,
            KNOWN_AT,
        ),
    ),
    Form(
        noun="weather",
        build=_weather,
        columns=(
            Column("region", "administrative unit or station"),
            SOURCE,
            Column(
                "date", "day; up to three missing days are interpolated where warmth is summed, longer gaps are not"
            ),
            Column("rain_mm", "rain, mm"),
            Column("t_min_c", "lowest temperature, °C"),
            Column("t_max_c", "highest temperature, °C"),
            Column("solar_mj_m2", "global radiation, MJ/m²; for all days of a month or none", required=False),
            SYNTHETIC,
            KNOWN_AT,
        ),
    ),
)
