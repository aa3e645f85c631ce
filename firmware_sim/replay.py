"""Real readings from a CSV file: long form, or any wide table with a mapping file."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import tomllib
from collections import abc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Any

from firmware_sim.device import Reading
from firmware_sim.errors import BadInput
from firmware_sim.message import Value
from firmware_sim.plan import Span

MISSING = ("", "NA", "NaN", "nan", "null", "None")
LONG_COLUMNS = ("device", "time", "quantity", "channel", "value")
LONG_HELP = (
    "Long form: columns device,time,quantity,channel,value. Consecutive rows of one device and time become one\n"
    "message; a row with empty quantity and value makes a message that measured nothing. Time is ISO 8601; without\n"
    "an offset it is UTC, a bare date is midnight. Values go out as written, in the catalogue's unit. Cells that\n"
    "mean 'not measured': " + ", ".join(map(repr, MISSING)) + "."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a wide table: what it measures, and the factor to the catalogue's unit."""

    name: str
    quantity: str
    channel: str = ""
    scale: Decimal = Decimal(1)
    offset: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """How a wide table is read: one row is one message of one device."""

    device: str
    time: str
    time_format: str = ""
    """strptime format; empty for ISO 8601."""
    prefix: str = ""
    """Written before each device id."""
    missing: tuple[str, ...] = MISSING
    columns: tuple[Column, ...] = ()


def read_mapping(path: Path) -> Mapping:
    """Read a mapping file (TOML): ``device``, ``time``, and a ``[[column]]`` for each measurement."""
    try:
        facts = tomllib.loads(path.read_text("utf-8"))
        columns = tuple(_column(one) for one in facts.pop("column", []))
        facts["missing"] = tuple(facts.pop("missing", MISSING))
        mapping = Mapping(**facts, columns=columns)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, TypeError, InvalidOperation) as error:
        raise BadInput(f"{path}: not a mapping ({error}); see 'replay --help'") from error
    if not columns:
        raise BadInput(f"{path}: maps no [[column]]")
    return mapping


def _column(facts: dict[str, Any]) -> Column:
    numbers: dict[str, Any] = {n: Decimal(str(facts.pop(n))) for n in ("scale", "offset") if n in facts}
    return Column(**facts, **numbers)


class Replay:
    """A CSV file as a source of readings; a later run with the same journal goes on where it stopped."""

    live = False

    def __init__(self, path: Path, *, mapping: Mapping | None = None, skip: int = 0, known: Sequence[str] = ()) -> None:
        self.path = path
        self.silent: abc.Mapping[str, Span] = {}
        self.gone: abc.Mapping[str, int] = {}
        self._text = _read(path)
        how = b"" if mapping is None else repr(mapping).encode()
        self.digest = hashlib.sha256(self._text.encode() + how).hexdigest()
        self._known = frozenset(known)
        self._readings = self._rows(mapping)
        self._next = next(self._readings, None)
        if self._next is None:
            raise BadInput(f"{path}: holds no reading")
        self.skip(skip)

    def skip(self, readings: int) -> None:
        """Pass over what was recorded before."""
        for _ in range(readings):
            self._next = next(self._readings, None)

    def begun_ms(self, device_id: str) -> int | None:  # noqa: ARG002
        """Say None: a boot of a replay begins with its first reading."""
        return None

    def backlog(self) -> Iterator[Reading]:
        """Give nothing: everything goes through :meth:`take`."""
        return iter(())

    @property
    def exhausted(self) -> bool:
        """Say whether every reading was taken."""
        return self._next is None

    def take(self, limit: int, *, now_ms: int) -> list[Reading]:  # noqa: ARG002 - old readings do not wait for the clock
        """Give the next readings of the file."""
        if self._next is None or limit < 1:
            return []
        taken = [self._next, *islice(self._readings, limit - 1)]
        self._next = next(self._readings, None)
        return taken

    def _rows(self, mapping: Mapping | None) -> Iterator[Reading]:
        rows = csv.reader(io.StringIO(self._text))
        header = next(rows, [])
        needed = LONG_COLUMNS if mapping is None else (mapping.device, mapping.time, *(c.name for c in mapping.columns))
        absent = [name for name in needed if name not in header]
        if absent:
            cure = LONG_HELP if mapping is None else "the mapping file names columns the table does not have"
            raise BadInput(f"{self.path}: no column {', '.join(absent)}. {cure}")
        pick = itemgetter(*(header.index(name) for name in needed))
        numbered = ((f"{self.path} line {rows.line_num}", pick(row)) for row in _whole(rows, len(header), self.path))
        return self._long(numbered) if mapping is None else self._wide(numbered, mapping)

    def _long(self, rows: Iterator[tuple[str, tuple[str, ...]]]) -> Iterator[Reading]:
        for (device, time), group in groupby(rows, key=lambda numbered: numbered[1][:2]):
            values, where = [], ""
            for where, (_, _, quantity, channel, text) in group:
                if text not in MISSING and not quantity:
                    raise BadInput(f"{where}: a value {text!r} of no quantity")
                if text not in MISSING:
                    values.append((quantity, _number(text, where), channel))
            yield self._reading(device, time, "", values, where)

    def _wide(self, rows: Iterator[tuple[str, tuple[str, ...]]], mapping: Mapping) -> Iterator[Reading]:
        for where, (device, time, *cells) in rows:
            pairs = [(c, t) for c, t in zip(mapping.columns, cells, strict=True) if t not in mapping.missing]
            values = [(c.quantity, _converted(text, c, where), c.channel) for c, text in pairs]
            yield self._reading(mapping.prefix + device, time, mapping.time_format, values, where)

    def _reading(self, device: str, time: str, form: str, values: list[Value], where: str) -> Reading:
        if self._known and device not in self._known:
            raise BadInput(f"{where}: device {device!r} is not in the devices file; add it there, with its key")
        if len({(q, c) for q, _, c in values}) < len(values):
            raise BadInput(f"{where}: one quantity and channel stands twice for device {device!r} at {time}")
        return Reading(device, _milliseconds(time, form, where), tuple(values))


def _read(path: Path) -> str:
    try:
        raw = path.read_bytes()
        return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: cannot be read ({error})") from error


def _whole(rows: Any, width: int, path: Path) -> Iterator[list[str]]:
    for row in rows:
        if row and len(row) != width:
            raise BadInput(f"{path} line {rows.line_num}: {len(row)} cells where the header has {width}")
        if row:
            yield row


def _number(text: str, where: str) -> str:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise BadInput(f"{where}: {text!r} is not a number") from error
    if not number.is_finite():
        raise BadInput(f"{where}: {text!r} is not finite")
    return _plain(number)


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _converted(text: str, column: Column, where: str) -> str:
    if column.scale == 1 and column.offset == 0:
        return _number(text, where)
    return _plain(Decimal(_number(text, where)) * column.scale + column.offset)


def _milliseconds(text: str, form: str, where: str) -> int:
    try:
        instant = datetime.strptime(text, form) if form else datetime.fromisoformat(text)  # noqa: DTZ007 - see below
    except ValueError as error:
        raise BadInput(f"{where}: time {text!r} is not {form or 'ISO 8601'}") from error
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    since = aware - datetime(1970, 1, 1, tzinfo=UTC)
    return since // _MILLISECOND


_MILLISECOND = datetime.resolution * 1000
