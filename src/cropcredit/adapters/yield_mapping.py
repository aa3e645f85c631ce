"""Data mappings: a TOML file that says where a folder of somebody's past yields holds what we need.

Members of the file; ``name | {column = "name"}`` is one value for all rows, or a column of the yields:

* ``source``; ``crop`` (our code, or a column of it); ``country`` (region of the crop calendars, e.g. ``FR``,
  ``CN-north``) and ``season``, which serve where there is no calendar; ``separator``, ``decimal`` and ``encoding`` of
  the files;
* ``[yields]``: ``file`` (pattern), columns ``region``, ``year``, ``value``; ``unit`` (weight/area, as ``t/ha``);
  columns ``area`` and ``production`` with ``area_unit`` and ``production_unit``; ``factor``, ``area_factor`` and
  ``production_factor`` (figures times this are in the unit: 60 and ``kg/ha`` for bags of 60 kg, 1000 and ``t`` for
  thousands of tonnes); ``year_shift`` (years from the written one to that of the harvest: 1 where a season is named
  after its sowing the year before); ``may_lack`` (columns that some folders lack); ``lag_days`` from the end of the
  harvest year to publication;
* ``[[index]]``: ``name``, ``file``, columns ``region``, ``value``, and ``date``: ``{column, form}`` with the form
  ``ISO``, ``YYYYMMDD`` or one of strptime, or ``{year, dekad}``, ``{year, month}``, ``{year, day_of_year}``; index =
  value x ``scale`` + ``offset``; ``missing`` values; ``lag_days`` from the last day of a composite to publication.
  Several are kept apart by their names;
* ``[calendar]``: ``file``, column ``region``, columns ``sowing_doy`` and ``harvest_doy``; or these two as days of the
  year for all regions, without a file.

Each table with a file may have ``where`` (rows to read: column = text), ``several`` (all matching files are read) and,
but for the yields, ``optional`` (no matching file is no error).
"""

from __future__ import annotations

import codecs
from datetime import date
from math import inf
from pathlib import Path
from typing import Any

import msgspec

from cropcredit.adapters.catalogues import read_toml
from cropcredit.errors import MalformedInput, RefusedInput, UnknownName
from cropcredit.units import hectares, kilograms, tonnes_per_hectare

DATE_FORMS = {"ISO": "%Y-%m-%d", "YYYYMMDD": "%Y%m%d"}
STEPS = ("dekad", "month", "day_of_year")
"""Columns that tell the day within a year."""
LAST_DOY = 366
"""Last day of a leap year; days of the year may be fractions, and climatologies may begin at 0."""


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which files to read, and which of their rows."""

    file: str = ""
    where: dict[str, str] = {}
    """Rows to read: those with this text in this column; all others are passed over."""
    several: bool = False
    """All files that match are parts of one table."""
    optional: bool = False


class Column(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value told row by row."""

    column: str


class Dates(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a row tells its day: a column in some form, or a year and a step of it."""

    column: str = ""
    form: str = "ISO"
    year: str = ""
    dekad: str = ""
    month: str = ""
    day_of_year: str = ""

    def __post_init__(self) -> None:
        steps = [name for name in STEPS if getattr(self, name)]
        if (len(steps), bool(self.year), bool(self.column)) not in {(0, False, True), (1, True, False)}:
            raise ValueError(f"name a column, or year and one of {', '.join(STEPS)}")
        if self.form not in DATE_FORMS and not _tells_a_day(self.form):
            raise ValueError(f"form {self.form!r} is neither of {', '.join(DATE_FORMS)} nor tells a day as %Y-%m-%d")

    @property
    def strptime(self) -> str:
        """Form of ``column``, as the standard library writes it."""
        return DATE_FORMS.get(self.form, self.form)

    @property
    def step(self) -> str:
        """Which of :data:`STEPS` tells the day; empty where ``column`` does."""
        return next((name for name in STEPS if getattr(self, name)), "")


def _tells_a_day(form: str) -> bool:
    """Say whether two days in the same year look different in a form, and differ from year to year."""
    days = (date(2001, 2, 3), date(2001, 2, 4), date(2001, 3, 3), date(2002, 2, 3))
    return len({day.strftime(form) for day in days}) == len(days)


class Yields(Table, frozen=True, kw_only=True):
    """Where the yields stand."""

    region: str
    year: str
    value: str
    unit: str | Column = "t/ha"
    area: str = ""
    area_unit: str = "ha"
    production: str = ""
    production_unit: str = "t"
    factor: float = 1.0
    area_factor: float = 1.0
    production_factor: float = 1.0
    year_shift: int = 0
    may_lack: tuple[str, ...] = ()
    lag_days: int = 365

    def __post_init__(self) -> None:
        if not self.file or self.optional:
            raise ValueError("yields need a file, and it is not optional")
        if not all(0 < factor < inf for factor in (self.factor, self.area_factor, self.production_factor)):
            raise ValueError("factors are greater than nothing")
        if abs(self.year_shift) > 1:
            raise ValueError("year_shift is -1, 0 or 1")
        try:
            hectares(1.0, self.area_unit)
            kilograms(1.0, self.production_unit)
            if isinstance(self.unit, str) and not self.unit.startswith("bu/"):  # a bushel waits for its crop
                tonnes_per_hectare(1.0, self.unit)
        except RefusedInput as error:
            raise ValueError(
                f"{error}, or one of these with a factor: factor, area_factor, production_factor"
            ) from None


class Index(Table, frozen=True, kw_only=True):
    """Where an index of the regions stands, and how it is written."""

    name: str
    region: str
    date: Dates
    value: str
    scale: float = 1.0
    offset: float = 0.0
    missing: tuple[float, ...] = ()
    lag_days: int = 10

    def __post_init__(self) -> None:
        if not self.file or not self.name.isidentifier():
            raise ValueError("an index needs a file, and a name without blanks, as NDVI")


class Calendar(Table, frozen=True, kw_only=True):
    """When the crop grows: columns of a file, or one pair of days for all regions."""

    region: str = ""
    sowing_doy: str | float
    harvest_doy: str | float

    def __post_init__(self) -> None:
        days = self.sowing_doy, self.harvest_doy
        by_row = {isinstance(day, str) for day in days}
        if by_row != {bool(self.file)} or bool(self.region) != bool(self.file):
            raise ValueError("name file, region and two columns of it, or two days of the year and no file")
        if not all(isinstance(day, str) or 0 <= day <= LAST_DOY for day in days):
            raise ValueError(f"days of the year lie in 1-{LAST_DOY}")


class Mapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that is to be known about a folder."""

    source: str
    crop: str | Column
    yields: Yields
    country: str | Column = ""
    season: str = ""
    """Which of the country's seasons, where it has several."""
    index: tuple[Index, ...] = ()
    calendar: Calendar | None = None
    separator: str = ","
    decimal: str = "."
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        names = [index.name.lower() for index in self.index]
        if len(set(names)) != len(names):
            raise ValueError(f"two indices of one name among {', '.join(names)}")
        if len(self.separator) != 1 or self.decimal not in {".", ","} or self.separator == self.decimal:
            raise ValueError("separator is one character, decimal a point or a comma, and they differ")
        try:
            codecs.lookup(self.encoding)
        except LookupError:
            raise ValueError(f"unknown encoding {self.encoding!r}: utf-8, latin-1, gb18030 …") from None


def load_mapping(name: str, shipped: Path) -> Mapping:
    """Read a mapping: a TOML file, or by name one of those in the folder ``shipped``.

    Raises
    ------
    UnknownName
        If no mapping of this name is shipped.
    MalformedInput
        If the file is not TOML, or a member is missing, unknown or impossible; names the member.
    """
    file = Path(name)
    if file.suffix != ".toml":
        known = tuple(sorted(path.stem for path in shipped.glob("*.toml")))
        if name not in known:
            raise UnknownName("mapping", name, (*known, "or a file FILE.toml"))
        file = shipped / f"{name}.toml"
    found: dict[str, Any] = read_toml(file)
    try:
        return msgspec.convert(found, Mapping)
    except msgspec.ValidationError as error:
        raise MalformedInput(f"is not a data mapping: {error}", where=str(file)) from None
