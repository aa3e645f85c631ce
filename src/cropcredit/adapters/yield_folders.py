"""Past yields, index and calendar of one crop, read from a folder as a data mapping says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import numpy as np

from cropcredit.adapters.sheets import Numbers, Sheet, Texts, sheets
from cropcredit.adapters.yield_calendars import region_calendars
from cropcredit.adapters.yield_looks import FIRST_YEAR, LAST_YEAR, end_of, region_months
from cropcredit.adapters.yield_mapping import Column, Mapping, load_mapping
from cropcredit.errors import MalformedInput, RefusedInput
from cropcredit.model import Record, YieldLabel
from cropcredit.ports import Catalogues
from cropcredit.units import hectares, kilograms, tonnes_per_hectare


class YieldFolders:
    """YieldArchive port over folders of CSV files.

    Parameters
    ----------
    mappings : Path
        Folder of the mappings that are known by name.
    catalogues : Catalogues
        Whose growing seasons serve where a mapping brings a country and no calendar.
    """

    def __init__(self, *, mappings: Path, catalogues: Catalogues) -> None:
        self._mappings, self._catalogues = mappings, catalogues

    def read(self, folder: Path, mapping: str, *, crop: str = "", lag_days: int | None = None) -> list[Record]:
        """Read labels, index and calendars as records; of several indices, the first that is there.

        Parameters
        ----------
        folder : Path
            Where the files are.
        mapping : str
            Name of a known mapping, or a TOML file (:mod:`cropcredit.adapters.yield_mapping`).
        crop : str
            Code under which the crop is known here; without it, the mapping's.
        lag_days : int, optional
            Days from the end of a harvest year until its yields are published; without it, the mapping's.

        Raises
        ------
        RefusedInput
            Naming file, row and column, or the member of the mapping, and what to do.
        """
        form = load_mapping(mapping, self._mappings)
        found = _yields(folder, form)
        code = crop or _one_crop(form, found)
        lag = form.yields.lag_days if lag_days is None else lag_days
        return [
            *(label for sheet in found for label in _labels(sheet, form, code, lag)),
            *region_months(folder, form, code),
            *region_calendars(folder, form, code, self._catalogues),
        ]


def _yields(folder: Path, form: Mapping) -> list[Sheet]:
    said = form.yields
    texts = {said.region, *(given.column for given in (form.crop, said.unit) if isinstance(given, Column))}
    numbers = {said.year, said.value, said.area, said.production} - {""}
    return sheets(folder, said, form, texts=texts, numbers=numbers, may_lack=said.may_lack)


def _one_crop(form: Mapping, found: list[Sheet]) -> str:
    if isinstance(form.crop, str):
        return form.crop
    names: list[str] = sorted({name for sheet in found for name in sheet.texts(form.crop.column)})
    if len(names) != 1:
        raise MalformedInput(
            f"yields of {', '.join(names)} stand together",
            where=", ".join(str(sheet.file) for sheet in found),
            cure=f"pick one in the mapping: where = {{ {form.crop.column} = {names[0]!r} }}",
        )
    return names[0]


def _labels(sheet: Sheet, form: Mapping, crop: str, lag_days: int) -> Iterator[YieldLabel]:
    """Make a label of every row whose yield is known."""
    said = form.yields
    sheet = sheet.take(~np.isnan(sheet.numbers(said.value)))
    regions, years = sheet.texts(said.region), sheet.whole(said.year, FIRST_YEAR, LAST_YEAR) + said.year_shift
    per_unit = _per_unit(sheet, said.unit, lambda unit: tonnes_per_hectare(said.factor, unit, crop))
    t_ha = sheet.numbers(said.value) * per_unit
    area_ha = _optional(sheet, said.area) * hectares(said.area_factor, said.area_unit)
    production_t = _optional(sheet, said.production) * kilograms(said.production_factor, said.production_unit) / 1000
    figures = (column.tolist() for column in (t_ha, area_ha, production_t))
    for region, year, yielded, area, production in zip(regions, years.tolist(), *figures, strict=True):
        yield YieldLabel(
            id=f"{crop}/{region}/{year}",
            known_at=end_of(date(year, 12, 31), lag_days),
            crop=crop,
            harvest_year=year,
            t_ha=yielded,
            region=region,
            source=form.source,
            area_ha=None if np.isnan(area) else area,
            production_t=None if np.isnan(production) else production,
        )


def _per_unit(sheet: Sheet, unit: str | Column, factor: Callable[[str], float]) -> Numbers:
    """Give the t/ha that one of each row's unit is, shape (rows,)."""
    units: Texts = np.full(len(sheet.rows), unit, object) if isinstance(unit, str) else sheet.texts(unit.column)
    known: dict[str, float] = {}
    for name in sorted(set(units)):
        try:
            known[name] = factor(name)
        except RefusedInput as error:
            at = int((units == name).argmax())
            raise MalformedInput(error.what, where=f"{sheet.file} row {sheet.rows[at]}", cure=error.cure) from None
    return np.array([known[name] for name in units], float)


def _optional(sheet: Sheet, name: str) -> Numbers:
    """Give a column of figures that are not negative, shape (rows,); NaN where the file does not tell."""
    if not name or not sheet.has(name):
        return np.full(len(sheet.rows), np.nan)
    figures = sheet.numbers(name)
    sheet.refuse(figures < 0, lambda at: f"{name} {figures[at]:g} is below nothing")
    return figures
