"""Doors for tables: people, consents, tenures, plantings, applications, prices, costs, weather, yields, price series.

A file is stored whole or not at all. A row that cannot be read refuses the file, naming the first such row and how
many there are, so that nobody has to find out which half of a file was taken. What a row *refers to* (a party, a field)
is not asked for here, so files may come in any order; sizing refuses by name what is still missing then.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from cropcredit.errors import MalformedInput, RefusedInput, UnknownName
from cropcredit.model import PriceSeries, Record, end_of_day
from cropcredit.ports import Catalogues, Clock, FactStore, TableReader
from cropcredit.usecases.cells import Cells, Context, Form
from cropcredit.usecases.forms_market import MARKET
from cropcredit.usecases.forms_people import PEOPLE
from cropcredit.usecases.forms_stores import STORES
from cropcredit.usecases.forms_yields import YIELDS

FORMS: dict[str, Form] = {form.noun: form for form in (*PEOPLE, *MARKET, *YIELDS, *STORES)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What came of one file."""

    noun: str
    file: str
    rows: int
    records: int
    """Records the rows make up: a cost sheet has several rows."""
    stored: int
    """Versions that were new; the rest was held already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRecords:
    """Import one table of :data:`FORMS`."""

    facts: FactStore
    tables: TableReader
    catalogues: Catalogues
    clock: Clock
    zone: str
    identity_key: bytes
    """Key under which identity numbers are hashed; stays in the workspace."""

    def __call__(self, noun: str, file: Path, *, lag_days: int | None = None) -> Imported:
        """Read, check and store a file.

        Parameters
        ----------
        noun : str
            Which form: a key of :data:`FORMS`.
        file : Path
            CSV in UTF-8.
        lag_days : int, optional
            Days after a row's own date until it was known, for rows without ``known_at``. Only tables whose rows
            carry a date have one: prices, tenures, plantings, weather.

        Raises
        ------
        RefusedInput
            Naming file, row and column; nothing of the file was stored.
        """
        rows, records = self.read(noun, file, lag_days=lag_days)
        stored = self.facts.add(*records)
        return Imported(noun=noun, file=file.name, rows=rows, records=len(records), stored=stored)

    def read(self, noun: str, file: Path, *, lag_days: int | None = None) -> tuple[int, list[Record]]:
        """Read and check a file without storing it; returns how many rows it has and the records they make up."""
        form = FORMS[noun]
        header, rows = self.tables.rows(file)
        _check_header(form, header, file)
        context = Context(
            now=self.clock.now(),
            zone=self.zone,
            catalogues=self.catalogues,
            lag_days=lag_days,
            identity=self._identity,
        )
        records = _build(form, [Cells(row=line, values=values, context=context) for line, values in rows], file)
        _check_ids(records, file)
        return len(rows), records

    def _identity(self, number: str) -> str:
        return hmac.new(self.identity_key, number.strip().upper().encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPriceSeries:
    """Import one column of a table of monthly prices (a World Bank Pink Sheet as CSV, say) as a price series."""

    facts: FactStore
    tables: TableReader
    catalogues: Catalogues
    zone: str

    def __call__(self, file: Path, *, series: str, crop: str, unit: str, lag_days: int) -> PriceSeries:
        """Read a column; the first column holds the month as a date.

        Leading and trailing empty months are left off; one missing in between is refused. The series is known from
        the publication of its first month on; each later month counts only from its own publication.

        Parameters
        ----------
        series : str
            Header of the column, or its short form: ``wheat_us_hrw`` for ``Wheat, US HRW ($/mt)``.
        crop : str
            Crop whose relative price changes it stands for.
        unit : str
            As published, e.g. ``USD/t``; only relative changes are used.
        lag_days : int
            Days after the end of a month until its value is published.
        """
        self.catalogues.crop(crop)
        header, rows = self.tables.rows(file)
        column = _column(header[1:], series, file)
        months = [(line, _month(row[header[0]], f"{file} row {line}"), row[column].strip()) for line, row in rows]
        filled = [index for index, (_, _, text) in enumerate(months) if text]
        if not filled:
            raise MalformedInput(f"column {column!r} holds no values", where=str(file))
        months = months[filled[0] : filled[-1] + 1]
        first = months[0][1]
        record = PriceSeries(
            id=f"{crop}/{file.stem}/{short(column)}",  # two files may name their columns alike
            known_at=_published(first, lag_days, self.zone),
            crop=crop,
            source=f"{file.name}: {column}",
            unit=unit,
            first_month=first,
            values=tuple(_value(month, first, number, file) for number, month in enumerate(months)),
            publication_lag_days=lag_days,
        )
        self.facts.add(record)
        return record


def short(header: str) -> str:
    """Give the short form of a column header.

    Examples
    --------
    >>> short("Wheat, US HRW ($/mt)")
    'wheat_us_hrw'
    """
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"\([^)]*\)", "", header.lower())).strip("_")


def _build(form: Form, rows: list[Cells], file: Path) -> list[Record]:
    refused: list[RefusedInput] = []
    for row in rows:
        try:
            form.build([row])
        except RefusedInput as error:
            refused.append(_located(error, f"row {row.row}"))
    try:
        if not refused:
            return form.build(rows)
    except RefusedInput as error:
        refused.append(error)
    first, more = refused[0], len(refused) - 1
    others = f"{more} more rows are refused; " * bool(more)
    where, cure = f"{file} {first.where}".strip(), f"{others}nothing of the file was stored"
    raise _reworded(first, where=where, cure="; ".join(filter(None, (first.cure, cure))))


def _located(error: RefusedInput, where: str) -> RefusedInput:
    return error if error.where else _reworded(error, where=where, cure=error.cure)


def _reworded(error: RefusedInput, *, where: str, cure: str) -> RefusedInput:
    """Say the same error with another place and cure, keeping its class and facts."""
    RefusedInput.__init__(error, error.what, where=where, cure=cure)
    return error


def _check_header(form: Form, header: tuple[str, ...], file: Path) -> None:
    known = [column.name for column in form.columns]
    if missing := [column.name for column in form.columns if column.required and column.name not in header]:
        cure = f"{form.noun} have the columns {', '.join(known)}"
        raise MalformedInput(f"column {missing[0]!r} is missing", where=str(file), cure=cure)
    if strange := [name for name in header if name not in known]:
        raise UnknownName("column", strange[0], tuple(known), where=str(file))


def _check_ids(records: list[Record], file: Path) -> None:
    counts = Counter((type(r).__name__, r.id, r.known_at) for r in records)
    if doubled := sorted(name[1] for name, count in counts.items() if count > 1):
        raise MalformedInput(
            f"id {doubled[0]!r} stands twice", where=str(file), cure="give a correction a later known_at"
        )


def _column(names: tuple[str, ...], wanted: str, file: Path) -> str:
    matching = [name for name in names if wanted in (name, short(name))]
    if not matching:
        raise UnknownName("series", wanted, tuple(short(name) for name in names), where=str(file))
    return matching[0]


def _month(text: str, where: str) -> date:
    try:
        return date.fromisoformat(text.strip() if text.count("-") > 1 else f"{text.strip()}-01").replace(day=1)
    except ValueError:
        raise MalformedInput(f"{text!r} is not a month like 2025-06", where=where) from None


def _published(month: date, lag_days: int, zone: str) -> datetime:
    last = date.fromordinal(later_month(month, 1).toordinal() - 1 + lag_days)
    return end_of_day(last, zone)


def _value(month: tuple[int, date, str], first: date, number: int, file: Path) -> float:
    line, day, text = month
    if day != later_month(first, number):
        raise MalformedInput(f"month {day:%Y-%m} does not follow on the one before", where=f"{file} row {line}")
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 < value < float("inf"):
        raise MalformedInput(f"{text!r} is not a price", where=f"{file} row {line}")
    return value


def later_month(month: date, later: int) -> date:
    """Give the first day of the month ``later`` months after ``month``."""
    years, index = divmod(month.month - 1 + later, 12)
    return date(month.year + years, index + 1, 1)
