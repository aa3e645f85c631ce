"""When the crop of a data mapping grows: from a file, from two days, or from the seasons of a country."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from cropcredit.adapters.sheets import Numbers, Sheet, sheets
from cropcredit.adapters.yield_mapping import LAST_DOY, Calendar, Mapping
from cropcredit.agronomy.crop_calendar import SeasonWindow
from cropcredit.errors import MalformedInput, MissingEvidence
from cropcredit.model import CropCalendar, GrowingSeason
from cropcredit.ports import Catalogues
from cropcredit.usecases.yield_data import ANYWHERE

ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)
"""A calendar is a climatology, the same in every year: known before any of them."""
_YEAR_DAYS = 365

Pair = tuple[str, float, float]
"""Region, day of the year of sowing and of harvest."""


def region_calendars(folder: Path, form: Mapping, crop: str, catalogues: Catalogues) -> Iterator[CropCalendar]:
    """Give the calendar of every region; nothing where the mapping tells neither days nor a country.

    Raises
    ------
    MissingEvidence
        If the catalogue does not know one season of the crop in the country.
    RefusedInput
        If a day is none of the year, or a region has two calendars; names file and row.
    """
    source, pairs = form.source, _told(folder, form)
    if not pairs and form.country:
        source, pairs = "crop calendars", _of_countries(folder, form, crop, catalogues)
    for region, sowing, harvest in pairs:
        yield CropCalendar(
            id=f"{crop}/{region}",
            known_at=ALWAYS,
            crop=crop,
            region=region,
            sowing_doy=max(round(sowing), 1),
            harvest_doy=max(round(harvest), 1),
            source=source,
        )


def _told(folder: Path, form: Mapping) -> list[Pair]:
    calendar = form.calendar
    if calendar is None:
        return []
    sowing, harvest = calendar.sowing_doy, calendar.harvest_doy
    if isinstance(sowing, float) and isinstance(harvest, float):
        return [(ANYWHERE, sowing, harvest)]
    columns = (str(sowing), str(harvest))
    found = sheets(folder, calendar, form, texts={calendar.region}, numbers=set(columns))
    pairs = [pair for sheet in found for pair in _rows(sheet, calendar, columns)]
    for region, count in Counter(region for region, *_ in pairs).items():
        if count > 1:
            raise MalformedInput(
                f"{count} calendars of {region}",
                where=str(folder / calendar.file),
                cure="pick one in the mapping: where = { column = 'text' }",
            )
    return pairs


def _rows(sheet: Sheet, calendar: Calendar, columns: tuple[str, str]) -> Iterator[Pair]:
    """Read the rows that tell both days; a region without them gets the usual days of the others."""
    sheet = sheet.take(~(np.isnan(sheet.numbers(columns[0])) | np.isnan(sheet.numbers(columns[1]))))
    days = [_days(sheet, name).tolist() for name in columns]
    yield from zip(sheet.texts(calendar.region), *days, strict=True)


def _days(sheet: Sheet, name: str) -> Numbers:
    days = sheet.numbers(name)
    sheet.refuse((days < 0) | (days > LAST_DOY), lambda at: f"{name} {days[at]:g} is not a day of the year")
    return days


def _of_countries(folder: Path, form: Mapping, crop: str, catalogues: Catalogues) -> list[Pair]:
    """Give the days of the country, or of each region's country where a column tells it."""
    if isinstance(form.country, str):
        return [(ANYWHERE, *_usual(form.country, form.season, crop, catalogues))]
    column, region = form.country.column, form.yields.region
    found = sheets(folder, form.yields, form, texts={region, column}, numbers=())
    lies_in = {name: country for s in found for name, country in zip(s.texts(region), s.texts(column), strict=True)}
    days = {country: _usual(country, form.season, crop, catalogues) for country in sorted(set(lies_in.values()))}
    return [(name, *days[country]) for name, country in sorted(lies_in.items())]


def _usual(country: str, name: str, crop: str, catalogues: Catalogues) -> tuple[float, float]:
    """Give the middles of the days in which a country sows and harvests."""
    here = [s for s in catalogues.seasons(crop) if s.region == country or s.region.startswith(f"{country}-")]
    found = [season for season in here if name in {"", season.name}]
    if len(found) != 1:
        named = ", ".join(f"{season.region} {season.name}" for season in here)
        raise MissingEvidence(
            f"{len(found) or 'no'} calendar{'s' * bool(found)} of {crop!r} in {country!r}",
            where="data mapping",
            cure=f"name country and season ({named}), or give days: [calendar]" if named else "give days: [calendar]",
        )
    return _middles(found[0])


def _middles(season: GrowingSeason) -> tuple[float, float]:
    window = SeasonWindow.of_season(season)
    sowing, harvest = (
        (first + (last - first) % _YEAR_DAYS / 2 - 1) % _YEAR_DAYS + 1
        for first, last in (window.sowing, window.harvest)
    )
    return sowing, harvest
