"""Columns of CSV files that other people wrote, as a mapping names them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv

from cropcredit.adapters.yield_mapping import Mapping, Table
from cropcredit.errors import EmptyInput, MalformedInput

UNKNOWN = ("", "NA", "N/A", "NaN", "nan", "null", "None", ":", "-")
"""What people write into a cell of numbers that they do not know."""

_CELL = re.compile(r"In CSV column #(\d+): Row #(\d+): CSV conversion error to double: (.*)")

Numbers = NDArray[np.float64]
Texts = NDArray[np.object_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sheet:
    """Some columns of one file."""

    file: Path
    table: pa.Table
    rows: NDArray[np.int_]
    """Line of each row, from 1 for the header, blank lines not counted."""

    def texts(self, name: str) -> Texts:
        """Give a column as text without surrounding blanks, shape (rows,); an empty cell is refused."""
        trimmed = _trimmed(self, name)
        self.refuse(pc.equal(trimmed, "").to_numpy(zero_copy_only=False), lambda _: f"{name} is empty")
        texts: Texts = trimmed.to_numpy(zero_copy_only=False)
        return texts

    def numbers(self, name: str) -> Numbers:
        """Give a column as numbers, shape (rows,); NaN where the cell says that it is not known."""
        numbers: Numbers = self.table[name].cast(pa.float64()).to_numpy(zero_copy_only=False)
        self.refuse(np.isinf(numbers), lambda at: f"{name} {numbers[at]} is no number")
        return numbers

    def whole(self, name: str, low: int, high: int) -> NDArray[np.int_]:
        """Give a column of whole numbers in ``[low, high]``, shape (rows,)."""
        numbers = self.numbers(name)
        good = (numbers >= low) & (numbers <= high) & (numbers == np.round(numbers))
        self.refuse(~good, lambda at: f"{name} {numbers[at]:g} is not a whole number from {low} to {high}")
        return numbers.astype(int)

    def has(self, name: str) -> bool:
        """Say whether the file has a column that was asked for."""
        return name in self.table.column_names

    def take(self, rows: NDArray[np.bool_]) -> Sheet:
        """Give some of the rows."""
        return Sheet(file=self.file, table=self.table.filter(pa.array(rows)), rows=self.rows[rows])

    def refuse(self, bad: NDArray[np.bool_], say: Callable[[int], str], cure: str = "") -> None:
        """Refuse the file if any row is ``bad``; ``say`` tells what is wrong with the row at a position."""
        if bad.any():
            at = int(bad.argmax())
            more = f" ({bad.sum()} such rows)" if bad.sum() > 1 else ""
            raise MalformedInput(say(at) + more, where=f"{self.file} row {self.rows[at]}", cure=cure)


def sheets(
    folder: Path,
    table: Table,
    form: Mapping,
    *,
    texts: Collection[str],
    numbers: Collection[str],
    may_lack: Collection[str] = (),
) -> list[Sheet]:
    """Read the named columns of the files of a table; none where it is optional and absent.

    Parameters
    ----------
    texts, numbers : collection of str
        Columns to read.
    may_lack : collection of str
        Those of them that a file need not have.

    Raises
    ------
    EmptyInput
        If no file matches, or none of its rows is to be read.
    MalformedInput
        If several files match and the table does not say so, or a file is no such table; names file, column, row.
    """
    if not folder.is_dir():
        raise MalformedInput("is no folder", where=str(folder), cure="name the folder that the mapping is for")
    files = sorted(folder.glob(table.file))
    if not files and table.optional:
        return []
    if not files:
        raise EmptyInput(f"holds no {table.file}", where=str(folder), cure="correct `file` in the mapping")
    if len(files) > 1 and not table.several:
        raise MalformedInput(
            f"holds {len(files)} files {table.file}",
            where=str(folder),
            cure="one crop per folder; or write `several = true` in the mapping where they are parts of one table",
        )
    types = dict.fromkeys(sorted(numbers), pa.float64()) | dict.fromkeys(sorted({*texts, *table.where}), pa.string())
    found = [_selected(_sheet(file, types, form, may_lack), table.where) for file in files]
    if not any(len(sheet.rows) for sheet in found):
        picked = ", ".join(f"{name} = {text!r}" for name, text in table.where.items())
        raise EmptyInput(f"has no rows{' with ' * bool(picked)}{picked}", where=str(folder / table.file))
    return found


def _sheet(file: Path, types: dict[str, pa.DataType], form: Mapping, may_lack: Collection[str]) -> Sheet:
    parse, header = csv.ParseOptions(delimiter=form.separator), []
    try:
        with csv.open_csv(file, csv.ReadOptions(encoding=form.encoding), parse) as reader:
            header = [name.strip() for name in reader.schema.names]
        _refuse_header(file, header, [name for name in types if name not in may_lack])
        read = csv.ReadOptions(
            column_names=header,
            skip_rows=1,
            encoding=form.encoding,
            use_threads=False,  # with threads no error names its row
        )
        convert = csv.ConvertOptions(
            column_types=types,
            include_columns=[name for name in types if name in header],
            null_values=list(UNKNOWN),
            decimal_point=form.decimal,
        )
        table = csv.read_csv(file, read, parse, convert)
    except (OSError, UnicodeDecodeError, pa.ArrowException) as error:
        raise _refused(file, header, error) from error
    return Sheet(file=file, table=table, rows=np.arange(2, table.num_rows + 2))


def _refused(file: Path, header: list[str], error: Exception) -> MalformedInput:
    """Say what the parser found, with row and column by name where it tells them."""
    said = " ".join(str(error).split())
    if "UTF8" in said or isinstance(error, UnicodeDecodeError):
        cure = "write the encoding into the mapping, as in encoding = 'latin-1'"
        return MalformedInput(f"is not text of the mapping's encoding: {said}", where=str(file), cure=cure)
    if cell := _CELL.match(said):
        column, row, what = cell.groups()
        return MalformedInput(f"{header[int(column)]} is no number: {what}", where=f"{file} row {row}")
    return MalformedInput(f"is not the table that the mapping describes: {said}", where=str(file))


def _refuse_header(file: Path, header: list[str], needed: list[str]) -> None:
    if missing := [name for name in needed if name not in header]:
        there = ", ".join(header)
        raise MalformedInput(
            f"column {missing[0]!r} is missing", where=str(file), cure=f"name one of {there} in the mapping"
        )
    if doubled := [name for name in needed if header.count(name) > 1]:
        raise MalformedInput(f"column {doubled[0]!r} stands twice", where=str(file))


def _selected(sheet: Sheet, where: dict[str, str]) -> Sheet:
    for name, text in where.items():
        sheet = sheet.take(pc.equal(_trimmed(sheet, name), text).to_numpy(zero_copy_only=False))
    return sheet


def _trimmed(sheet: Sheet, name: str) -> pa.ChunkedArray:
    return pc.utf8_trim_whitespace(sheet.table[name])
