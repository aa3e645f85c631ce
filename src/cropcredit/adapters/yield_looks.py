"""The index of a data mapping: one value per region and day, whatever the form of the dates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cropcredit.adapters.sheets import Numbers, Sheet, Texts, sheets
from cropcredit.adapters.yield_mapping import Dates, Index, Mapping
from cropcredit.errors import MalformedInput
from cropcredit.model import RegionSeries

FIRST_YEAR, LAST_YEAR = 1900, 2100
LIMIT = 1.0
"""No vegetation index lies outside of -1..1."""
NDVI = "ndvi"
Days = NDArray[np.datetime64]
_RANGES = {"dekad": (1, 36), "month": (1, 12), "day_of_year": (1, 366)}


def end_of(day: date, lag_days: int) -> datetime:
    """Give the instant at which something that ended on a day was published."""
    return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=UTC) + timedelta(days=lag_days)


def region_months(folder: Path, form: Mapping, crop: str) -> Iterator[RegionSeries]:
    """Read every index that the folder has, as one record per region and month.

    Raises
    ------
    RefusedInput
        If a value is no index, a region has two values for a day, or a date cannot be read; names file and row.
    """
    for index in form.index:
        told = index.date
        texts = {index.region, told.column} - {""}
        numbers = {index.value, told.year, told.step and getattr(told, told.step)} - {""}
        if found := sheets(folder, index, form, texts=texts, numbers=numbers):
            yield from _months([_looks(sheet, index) for sheet in found], index, form.source, crop)


def days_of(sheet: Sheet, told: Dates) -> tuple[Days, Days]:
    """Give the day that each row stands for (the middle of a composite) and its last day, each of shape (rows,)."""
    if told.column:
        days = _parsed(sheet, told)
        return days, days
    year = sheet.whole(told.year, FIRST_YEAR, LAST_YEAR)
    step = sheet.whole(getattr(told, told.step), *_RANGES[told.step]) - 1
    if told.step == "day_of_year":
        days = _first_of_month(year, np.zeros_like(step)) + step
        return days, days
    if told.step == "month":
        return _first_of_month(year, step) + 14, _first_of_month(year, step + 1) - 1
    month, third = step // 3, step % 3
    first = _first_of_month(year, month) + 10 * third
    to_the_end = _first_of_month(year, month + 1) - 1
    return first + 4, np.where(third == 2, to_the_end, first + 9)  # noqa: PLR2004 - of 0, 1, 2


def _first_of_month(year: NDArray[np.int_], month: NDArray[np.int_]) -> Days:
    """Give the first day of months counted from January = 0; 12 is January of the next year."""
    first: Days = (12 * (year - 1970) + month).astype("datetime64[M]").astype("datetime64[D]")
    return first


def _parsed(sheet: Sheet, told: Dates) -> Days:
    texts = sheet.texts(told.column)
    known = {text: _day(text, told.strptime) for text in set(texts)}
    days = np.array([known[text] for text in texts], "datetime64[D]")
    sheet.refuse(np.isnat(days), lambda at: f"{told.column} {texts[at]!r} is no day of the form {told.form}")
    return days


def _day(text: str, form: str) -> date | None:
    try:
        return datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return None


def _looks(sheet: Sheet, index: Index) -> tuple[Texts, Days, Days, Numbers]:
    """Give region, day, last day and value of every row that has a value."""
    raw = sheet.numbers(index.value)
    there = ~(np.isnan(raw) | np.isin(raw, index.missing))
    sheet, values = sheet.take(there), raw[there] * index.scale + index.offset
    sheet.refuse(
        np.abs(values) > LIMIT,
        lambda at: f"{index.name} {values[at]:g} is outside of -1..1",
        cure="correct scale, offset or missing in the mapping",
    )
    return sheet.texts(index.region), *days_of(sheet, index.date), values


def _months(
    looks: list[tuple[Texts, Days, Days, Numbers]], index: Index, source: str, crop: str
) -> Iterator[RegionSeries]:
    """Cut the series of every region into months."""
    regions, days, lasts, values = (np.concatenate(column) for column in zip(*looks, strict=True))
    names, code = np.unique(regions, return_inverse=True)
    order = np.lexsort((days, code))
    code, days, lasts, values = code[order], days[order], lasts[order], values[order]
    month = days.astype("datetime64[M]")
    same = code[1:] == code[:-1]
    if (twice := same & (days[1:] == days[:-1])).any():
        at = int(twice.argmax())
        raise MalformedInput(
            f"two values of {index.name} in {names[code[at]]} on {days[at]}",
            where=index.file,
            cure="pick one kind of row in the mapping: where = { column = 'text' }",
        )
    name = index.name.lower()
    suffix = f"/{name}" * (name != NDVI)
    starts = np.flatnonzero(~np.append(False, same & (month[1:] == month[:-1])))
    for start, stop in pairwise([*starts.tolist(), len(days)]):
        region = names[code[start]]
        yield RegionSeries(
            id=f"{crop}/{region}/{month[start]}{suffix}",
            known_at=end_of(lasts[stop - 1].item(), index.lag_days),
            crop=crop,
            region=region,
            source=source,
            days=tuple(days[start:stop].tolist()),
            ndvi=tuple(values[start:stop].tolist()),
            index=name,
        )
