"""The catalogues that come with the package, as TOML files in one folder."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from cropcredit.errors import MalformedInput, UnknownName
from cropcredit.model import Crop
from cropcredit.units import Quantity


class TomlCatalogues:
    """Catalogues port over ``crops.toml`` in ``folder``; the file is read once, when first asked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def _crops(self) -> dict[str, Crop]:
        file = self._folder / "crops.toml"
        rows = read_toml(file).get("crop", [])
        try:
            crops = msgspec.convert(rows, list[Crop])
        except msgspec.ValidationError as error:
            raise MalformedInput(f"is not a crop catalogue: {error}", where=str(file)) from None
        return {crop.code: crop for crop in crops}

    def crop(self, code: str) -> Crop:
        """Look a crop up; raises UnknownName."""
        if code not in self._crops:
            raise UnknownName("crop", code, tuple(self._crops))
        return self._crops[code]

    def crops(self) -> tuple[Crop, ...]:
        """Give all crops, in the order of the file."""
        return tuple(self._crops.values())


def load_quantities(file: Path) -> dict[str, Quantity]:
    """Read the quantity catalogue (``[[quantity]]`` tables), by name.

    Raises
    ------
    MalformedInput
        If a table lacks a member, has an unknown one, repeats a name, or its range is empty.
    """
    found: dict[str, Quantity] = {}
    members = {field.name for field in fields(Quantity)}
    for row in read_toml(file).get("quantity", []):
        try:
            quantity = msgspec.convert(row, Quantity)
        except msgspec.ValidationError as error:
            raise MalformedInput(f"is not a quantity catalogue: {error}", where=str(file)) from None
        if unknown := set(row) - members:
            raise MalformedInput(f"quantity {quantity.name!r} has unknown members {sorted(unknown)}", where=str(file))
        if quantity.name in found or not quantity.low < quantity.high:
            raise MalformedInput(f"quantity {quantity.name!r} stands twice or has an empty range", where=str(file))
        found[quantity.name] = quantity
    if not found:
        raise MalformedInput("holds no [[quantity]]", where=str(file))
    return found


def read_toml(file: Path) -> dict[str, Any]:
    """Read a TOML file; one that is absent or not TOML is refused by name."""
    try:
        return tomllib.loads(file.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise MalformedInput("cannot be read as UTF-8 text", where=str(file)) from error
    except tomllib.TOMLDecodeError as error:
        raise MalformedInput(f"is not TOML: {error}", where=str(file)) from None
