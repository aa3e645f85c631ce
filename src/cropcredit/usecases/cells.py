"""One row of a table, read cell by cell; what cannot be read is refused with its row and column."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import NoReturn, TypeVar
from zoneinfo import ZoneInfo

from cropcredit.errors import MalformedInput, UnknownName
from cropcredit.model import Money, Record, end_of_day, parse_as_of
from cropcredit.ports import Catalogues
from cropcredit.units import hectares, kilograms

FIRST_YEAR, LAST_YEAR = 1900, 2100
YES_NO = {"yes": True, "no": False, "true": True, "false": False, "1": True, "0": False}
KindT = TypeVar("KindT", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a documented form."""

    name: str
    meaning: str
    required: bool = True


KNOWN_AT = Column("known_at", "since when the lender could know the row", required=False)
SYNTHETIC = Column("synthetic", "yes for made-up data; shown on every screen", required=False)
ID = Column("id", "stable id; the same id again is a correction")
CROP = Column("crop", "code of the crop catalogue: winter_wheat, maize, rice …")
REGION = Column(
    "region", "administrative unit it holds for: the longest one that begins a field's unit wins; * is anywhere"
)
AREA_UNIT = Column("area_unit", "ha, mu, acre or m2")
CURRENCY = Column("currency", "ISO 4217 code of all amounts in the row, which are in major units")
SOURCE = Column("source", "who says so")


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What every row of a file is read with."""

    now: datetime
    zone: str
    """IANA zone in which bare dates end."""
    catalogues: Catalogues
    lag_days: int | None = None
    """Days from the date in a row until it is known, for files that name no ``known_at``; None: known from now on."""
    identity: Callable[[str], str] | None = None
    """Keyed hash of an identity number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A documented table: its columns and how its rows become records."""

    noun: str
    columns: tuple[Column, ...]
    build: Callable[[list[Cells]], list[Record]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """The cells of one row, by column name, as text."""

    row: int
    """Line of the file, from 1."""
    values: Mapping[str, str]
    context: Context

    def text(self, name: str) -> str:
        """Read a cell that must not be empty."""
        return self.values.get(name, "").strip() or self._refuse(name, "is empty")

    def maybe(self, name: str) -> str:
        """Read a cell that may be empty or absent."""
        return self.values.get(name, "").strip()

    def several(self, name: str) -> tuple[str, ...]:
        """Read a list separated by semicolons; empty where the cell is."""
        return tuple(part.strip() for part in self.maybe(name).split(";") if part.strip())

    def number(self, name: str, *, low: float = float("-inf")) -> float:
        """Read a finite number not below ``low``."""
        return float(self.decimal(name, low=low))

    def decimal(self, name: str, *, low: float = float("-inf")) -> Decimal:
        """Read a finite decimal number not below ``low``."""
        text = self.text(name)
        try:
            value = Decimal(text)
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite():
            self._refuse(name, f"{text!r} is not a number")
        if value < Decimal(str(low)):
            self._refuse(name, f"{text} is below {low:g}")
        return value

    def year(self, name: str) -> int:
        """Read a year from 1900 to 2100."""
        number = self.decimal(name, low=FIRST_YEAR)
        if number > LAST_YEAR or number != int(number):
            self._refuse(name, f"{number} is not a whole year from {FIRST_YEAR} to {LAST_YEAR}")
        return int(number)

    def day(self, name: str) -> date:
        """Read a date, ``2025-06-01``."""
        text = self.text(name)
        try:
            return date.fromisoformat(text)
        except ValueError:
            self._refuse(name, f"{text!r} is not a date like 2025-06-01")

    def maybe_day(self, name: str) -> date | None:
        return self.day(name) if self.maybe(name) else None

    def instant(self, name: str) -> datetime:
        """Read an instant with its zone, or a date meaning its end in the workspace's zone."""
        try:
            return parse_as_of(self.text(name), self.context.zone)
        except MalformedInput as error:
            self._refuse(name, error.what)

    def happened(self, name: str) -> datetime:
        """Read when something happened, as :meth:`instant`; what lies beyond the end of today cannot have."""
        at, now = self.instant(name), self.context.now.astimezone(ZoneInfo(self.context.zone))
        if at > end_of_day(now.date(), self.context.zone):
            self._refuse(name, f"{self.text(name)} lies ahead: by the workspace's clock it is {now:%Y-%m-%d %H:%M}")
        return at

    def maybe_instant(self, name: str) -> datetime | None:
        return self.instant(name) if self.maybe(name) else None

    def flag(self, name: str) -> bool:
        """Read yes or no; an empty cell is no."""
        text = self.maybe(name).lower() or "no"
        return YES_NO[text] if text in YES_NO else self._refuse(name, f"{text!r} is neither yes nor no")

    def choice(self, name: str, kind: type[KindT]) -> KindT:
        """Read one of the values of an enumeration."""
        text = self.text(name)
        if text not in list(kind):
            raise UnknownName(name, text, tuple(kind), where=f"row {self.row}")
        return kind(text)

    def crop(self) -> str:
        """Read ``crop`` and look it up in the catalogue."""
        code, known = self.text("crop"), tuple(crop.code for crop in self.context.catalogues.crops())
        if code not in known:
            raise UnknownName("crop", code, known, where=f"row {self.row}")
        return code

    def money(self, name: str) -> Money:
        """Read an amount in major units of the row's ``currency``; not negative."""
        return Money.of(self.decimal(name, low=0), self.text("currency"))

    def per_kg(self, name: str, unit: str) -> tuple[Decimal, str]:
        """Read a price whose unit is ``CUR/weight``; returns (amount per kg, currency)."""
        currency, weight = self._ratio(unit)
        value = self.decimal(name, low=0) / Decimal(str(kilograms(1.0, weight)))
        return (value, currency) if value > 0 else self._refuse(name, "is not positive")

    def per_ha(self, name: str, unit: str) -> Money:
        """Read an amount whose unit is ``CUR/area``; returns money per hectare."""
        currency, area = self._ratio(unit)
        return Money.of(self.number(name, low=0) / hectares(1.0, area), currency)

    def known_at(self, on: date | None = None) -> datetime:
        """Read ``known_at``; without it, ``on`` plus the declared lag; without a lag, now."""
        if self.maybe("known_at"):
            return self.instant("known_at")
        if on is not None and self.context.lag_days is not None:
            try:
                return end_of_day(on, self.context.zone) + timedelta(days=self.context.lag_days)
            except OverflowError:
                raise MalformedInput(f"{on} is no day anybody lives to see", where=f"row {self.row}") from None
        return self.context.now

    def _ratio(self, unit: str) -> tuple[str, str]:
        currency, slash, per = self.text(unit).partition("/")
        return (currency, per) if slash else self._refuse(unit, f"{currency!r} is not like CNY/jin or CNY/mu")

    def _refuse(self, name: str, what: str) -> NoReturn:
        raise MalformedInput(f"{name} {what}", where=f"row {self.row}")
