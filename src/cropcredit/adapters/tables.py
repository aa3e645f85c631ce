"""CSV files as rows of text: UTF-8 with or without a byte-order mark, a header, commas."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from cropcredit.errors import EmptyInput, MalformedInput

Row = tuple[int, dict[str, str]]
"""Line of the file, from 1, and the cells by column."""


class CsvTables:
    """TableReader port over CSV files."""

    def rows(self, file: Path) -> tuple[tuple[str, ...], list[Row]]:
        """Read a whole table; blank lines are passed over.

        Returns
        -------
        tuple of (header, rows)
            Column names without surrounding blanks, and each row with the line on which it ends.

        Raises
        ------
        EmptyInput
            If the file has no header or no rows.
        MalformedInput
            If it cannot be read, or not as UTF-8 text, a column stands twice, or a row has more cells than the header
            or fewer.
        """
        try:
            with file.open(encoding="utf-8-sig", newline="") as text:
                reader = csv.reader(text, strict=True)
                return _table(file, ((reader.line_num, cells) for cells in reader))
        except OSError as error:
            raise MalformedInput(f"cannot be read: {error.strerror}", where=str(file)) from error
        except UnicodeDecodeError as error:
            raise MalformedInput(
                "cannot be read as UTF-8 text", where=str(file), cure="save it as CSV UTF-8"
            ) from error
        except csv.Error as error:
            raise MalformedInput(f"is not CSV: {error}", where=str(file)) from None


def _table(file: Path, lines: Iterator[tuple[int, list[str]]]) -> tuple[tuple[str, ...], list[Row]]:
    header = tuple(name.strip() for name in next(lines, (0, []))[1])
    if not any(header):
        raise EmptyInput("is empty", where=str(file))
    if doubled := sorted({name for name in header if header.count(name) > 1}):
        raise MalformedInput(f"column {doubled[0]!r} stands twice", where=str(file))
    rows: list[Row] = []
    for line, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            raise MalformedInput(f"has {len(cells)} cells, the header {len(header)}", where=f"{file} row {line}")
        rows.append((line, dict(zip(header, cells, strict=True))))
    if not rows:
        raise EmptyInput("has a header but no rows", where=str(file))
    return header, rows
