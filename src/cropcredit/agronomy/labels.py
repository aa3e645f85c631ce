"""Yields of the past, looked at before anything learns from them: the suspect are listed by rule and left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from cropcredit.agronomy.label_copies import copies
from cropcredit.agronomy.label_figures import doubt_areas, doubt_products
from cropcredit.agronomy.label_panel import panel_of
from cropcredit.agronomy.label_rules import Doubt, doubt_units, two_groups
from cropcredit.errors import MalformedInput, RefusedInput
from cropcredit.model import YieldLabel

MIN_YEARS = 5
"""Fewer harvest years than this teach nothing about years."""

RegionYear = tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A label left out, and why."""

    label: YieldLabel
    rule: str
    """``zero_yield``; ``area_yield_production``; ``repeated``; ``jump``; ``area_jump``; ``far_off``; or the name of a
    unit slip: ``times_ten``, ``jin_kg``, ``mu_hectare`` … (:mod:`cropcredit.agronomy.label_slips`)."""
    detail: str
    """What was seen, and what probably happened."""
    corrected_t_ha: float | None = None
    """What it would be after the likely correction, t/ha; None where none is likely."""


def sift(
    labels: Sequence[YieldLabel], *, keep: Collection[RegionYear] = (), regions: Collection[str] | None = None
) -> tuple[list[YieldLabel], list[Suspect]]:
    """Part regional labels of one crop into those to learn from and those to leave out.

    A label is compared, in logarithms, with the median of its region after the deviation of its year, and of the
    regions that have the same good and bad years, was taken off: a drought everywhere, or in one province, is no error.
    A factor near natural variation (jin and kg, acre) is believed only of a block of years with sharp edges, or
    where area and production tell.

    Parameters
    ----------
    keep : collection of (region, harvest year)
        Labels that somebody has looked at: never left out.
    regions : collection of str, optional
        All regions there are, where that is known.

    Returns
    -------
    good, suspects : list of YieldLabel, list of Suspect
        Each label is in one of them; both in the order given.

    Raises
    ------
    MalformedInput
        If a yield is negative or not finite, a region has two labels for a year or is not among ``regions``, the
        file mixes two units, or ``keep`` names no label.
    """
    _refuse(labels, keep, regions)
    kept = set(keep)
    doubts = {at: d for at, d in _doubts(labels).items() if (labels[at].region, labels[at].harvest_year) not in kept}
    good = [label for at, label in enumerate(labels) if at not in doubts]
    return good, [_suspect(labels[at], doubts[at]) for at in sorted(doubts)]


def require_years(labels: Sequence[YieldLabel], crop: str) -> None:
    """Refuse to learn from fewer than five harvest years, or from years that are all the same."""
    years = {label.harvest_year for label in labels}
    if len(years) < MIN_YEARS:
        raise RefusedInput(
            f"{len(years)} harvest year(s) of {crop!r}, at least {MIN_YEARS} are needed",
            where="yield labels",
            cure="add years; until then `yield run` gives the official regional yield, widened",
        )
    _require_variation(labels, crop)


def require_one_unit(labels: Sequence[YieldLabel]) -> None:
    """Refuse yields of one crop that fall into two groups a unit apart: which of them is right, nobody can tell.

    Raises
    ------
    MalformedInput
        Naming the middle of both groups.
    """
    groups = two_groups(np.log([label.t_ha for label in labels if label.t_ha > 0]))
    if groups is not None:
        low, high = (f"{float(f'{middle:.2g}'):g}" for middle in groups)
        raise MalformedInput(
            f"yields fall into two groups, around {low} and {high} t/ha: two units stand in one file",
            where="yield labels",
            cure="name the unit of each row: columns yield and unit instead of t_ha",
        )


def _require_variation(labels: Sequence[YieldLabel], crop: str) -> None:
    """Refuse yields that are the same in all years of every region: an interval from them would have no width."""
    by_region: dict[str, set[float]] = {}
    for label in labels:
        by_region.setdefault(label.region, set()).add(label.t_ha)
    if len(labels) > len(by_region) and all(len(values) == 1 for values in by_region.values()):
        raise RefusedInput(
            f"the yields of {crop!r} are the same in all years of every region: figures carried on, not harvests",
            where="yield labels",
            cure="give the yields that were harvested",
        )


def _doubts(labels: Sequence[YieldLabel]) -> dict[int, Doubt]:
    """Doubt labels by position; the rule that speaks first is the one that can correct most exactly."""
    found = {
        at: Doubt(rule="zero_yield", detail="0 t/ha is no harvest", factor=None)
        for at, label in enumerate(labels)
        if label.t_ha == 0
    }
    found = doubt_products(labels) | found
    for rule in (doubt_areas, _far_from_others, _copied):
        rest = [at for at in range(len(labels)) if at not in found]
        found |= {rest[at]: doubt for at, doubt in rule([labels[at] for at in rest]).items()}
    return found


def _far_from_others(labels: Sequence[YieldLabel]) -> dict[int, Doubt]:
    if not labels:
        return {}
    panel = panel_of(labels)
    cells = doubt_units(panel, labels[0].crop)
    where = zip(panel.row.tolist(), panel.column.tolist(), strict=True)
    return {at: cells[cell] for at, cell in enumerate(where) if cell in cells}


def _copied(labels: Sequence[YieldLabel]) -> dict[int, Doubt]:
    return {at: Doubt(rule="repeated", detail=detail, factor=None) for at, detail in copies(labels).items()}


def _suspect(label: YieldLabel, doubt: Doubt) -> Suspect:
    corrected = None if doubt.factor is None else label.t_ha / doubt.factor
    detail = f"{label.t_ha:g} t/ha is {doubt.detail}" if doubt.factor is not None else doubt.detail
    return Suspect(label=label, rule=doubt.rule, detail=detail, corrected_t_ha=corrected)


def _refuse(labels: Sequence[YieldLabel], keep: Collection[RegionYear], regions: Collection[str] | None) -> None:
    _refuse_impossible(labels)
    seen = Counter((label.region, label.harvest_year) for label in labels)
    _refuse_some(
        [key for key, count in seen.items() if count > 1],
        "region-year(s) with two labels",
        "keep one yield per crop, region and harvest year: of several seasons or varieties, pick one",
    )
    _refuse_some(
        [key for key in seen if regions is not None and key[0] not in regions],
        "label(s) of a region that is not known",
        "correct the code, or add the region",
    )
    _refuse_some([key for key in keep if key not in seen], "label(s) to keep that are not there", "name a label")
    require_one_unit(labels)


def _refuse_some(keys: Iterable[RegionYear], what: str, cure: str) -> None:
    if named := sorted(keys):
        region, year = named[0]
        raise MalformedInput(f"{len(named)} {what}, first {region} {year}", where="yield labels", cure=cure)


def _refuse_impossible(labels: Sequence[YieldLabel]) -> None:
    for label in labels:
        if not (np.isfinite(label.t_ha) and label.t_ha >= 0):
            raise MalformedInput(
                f"{label.t_ha:g} t/ha is no yield",
                where=f"yield label {label.region} {label.harvest_year}",
                cure="leave the row out where the yield is not known",
            )
