"""The catalogues that come with the package, as TOML files in one folder."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from cropcredit.errors import ContractError, MalformedInput, UnknownName
from cropcredit.model import Crop, GrowingSeason
from cropcredit.units import Quantity
from cropcredit.wire.decoders import DecodedField, Decoder, model_key
from cropcredit.wire.measured import BATTERY, CHANNEL, in_unit


class TomlCatalogues:
    """Catalogues port over ``crops.toml`` and ``calendars.toml`` in ``folder``; read once, when first asked."""

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

    def seasons(self, crop: str) -> tuple[GrowingSeason, ...]:
        """Give the known growing seasons of a crop all over the world; none where no calendar names it."""
        return tuple(season for season in self._seasons if season.crop == crop)

    @cached_property
    def _seasons(self) -> list[GrowingSeason]:
        return load_seasons(self._folder / "calendars.toml", tuple(self._crops))


def load_seasons(file: Path, crops: tuple[str, ...]) -> list[GrowingSeason]:
    """Read the crop calendars: ``season`` rows that name a ``region`` row, a crop and one of the ``[sources]``.

    Raises
    ------
    MalformedInput
        If a row lacks a member, a region or source is not in the file, or a month is not one of 1-12.
    UnknownName
        If a crop is not in the crop catalogue.
    """
    found = read_toml(file)
    places = {str(row.get("code")): row.get("boxes") for row in found.get("region", [])}
    sources, seasons = found.get("sources", {}), []
    for number, row in enumerate(found.get("season", []), start=1):
        where = f"{file}: season {number}"
        try:
            said = {"boxes": places[row["region"]], "source": sources[row["source"]]}
            season = msgspec.convert({**row, **said}, GrowingSeason)
        except KeyError as error:
            raise MalformedInput(f"names {error}, which the file lacks", where=where) from None
        except msgspec.ValidationError as error:
            raise MalformedInput(f"is not a season: {error}", where=where) from None
        if season.crop not in crops:
            raise UnknownName("crop", season.crop, crops, where=where)
        if not all(1 <= month <= 12 for month in (*season.sowing, *season.harvest)):  # noqa: PLR2004 - of a year
            raise MalformedInput("has a month outside of 1-12", where=where)
        seasons.append(season)
    return seasons


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


def load_decoders(file: Path, quantities: Mapping[str, Quantity]) -> dict[str, Decoder]:
    """Read the profiles of device models (``[[decoder]]`` tables with ``[[decoder.field]]``), by :func:`model_key`.

    Raises
    ------
    MalformedInput
        If a table lacks a member or has an unknown one, a model stands twice, or a field names a quantity that the
        catalogue does not know, a unit that is none of its, or a channel that is none.
    """
    found: dict[str, Decoder] = {}
    for row in read_toml(file).get("decoder", []):
        where = f"{file}: decoder {row.get('model', '')!r}"
        try:
            named = tuple(_field(one, quantities) for one in row.get("field", []))
            decoder = Decoder(model=str(row["model"]), fields=named, source=str(row.get("source", "")))
        except (msgspec.ValidationError, ContractError, KeyError) as error:
            raise MalformedInput(f"is no profile: {error}", where=where) from None
        key = model_key(decoder.model)
        if key in found or not named or set(row) - {"model", "source", "field"}:
            raise MalformedInput("stands twice, names no field, or has unknown members", where=where)
        found[key] = decoder
    return found


def _field(row: dict[str, Any], quantities: Mapping[str, Quantity]) -> DecodedField:
    field = msgspec.convert(row, DecodedField)
    if unknown := set(row) - {member.name for member in fields(DecodedField)}:
        raise ContractError("schema", f"field {field.name!r} has unknown members {sorted(unknown)}")
    if field.quantity != BATTERY and field.quantity not in quantities:
        raise ContractError("quantity", f"field {field.name!r} is of unknown quantity {field.quantity!r}")
    if CHANNEL.fullmatch(field.channel) is None:
        raise ContractError("schema", f"field {field.name!r} is of channel {field.channel!r}, which is none")
    in_unit(1.0, field.unit, "V" if field.quantity == BATTERY else quantities[field.quantity].unit, what=field.name)
    return field


def read_toml(file: Path) -> dict[str, Any]:
    """Read a TOML file; one that is absent or not TOML is refused by name."""
    try:
        return tomllib.loads(file.read_text("utf-8-sig"))
    except OSError as error:
        raise MalformedInput(f"cannot be read: {error.strerror}", where=str(file)) from error
    except UnicodeDecodeError as error:
        raise MalformedInput("cannot be read as UTF-8 text", where=str(file)) from error
    except tomllib.TOMLDecodeError as error:
        raise MalformedInput(f"is not TOML: {error}", where=str(file)) from None
