"""Yields of the past, looked at before anything learns from them: the suspect are listed by rule and left out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cropcredit.errors import MalformedInput, RefusedInput
from cropcredit.model import YieldLabel

MIN_YEARS = 5
"""Fewer harvest years than this teach nothing about years."""
SLIP_Z = 5.0
"""Robust deviations from the region's own level, within its year, beyond which a label is suspect …"""
SLIP_FACTOR = 5.0
"""… if it is also this many times too large or too small: droughts reach a quarter, decimal slips a tenth."""
SPREAD_FLOOR = 0.10
"""Smallest spread of log yields that a robust deviation is measured against."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A label left out, and why."""

    label: YieldLabel
    rule: str
    """``not_positive`` or ``times_ten``."""
    detail: str


def sift(labels: Sequence[YieldLabel]) -> tuple[list[YieldLabel], list[Suspect]]:
    """Part regional labels of one crop into those to learn from and those to leave out.

    A label is compared, in logarithms, with the median of its region after the common deviation of its year has been
    taken off, so that a drought everywhere is not mistaken for an error.

    Raises
    ------
    MalformedInput
        If one region has two labels for a year.
    """
    _refuse_duplicates(labels)
    positive = [label for label in labels if label.t_ha > 0]
    suspects = [
        Suspect(label=label, rule="not_positive", detail=f"{label.t_ha} t/ha is no harvest")
        for label in labels
        if not label.t_ha > 0
    ]
    deviation = _deviations(positive)
    spread = max(1.4826 * float(np.median(np.abs(deviation))), SPREAD_FLOOR) if positive else SPREAD_FLOOR
    good: list[YieldLabel] = []
    for label, off in zip(positive, deviation, strict=True):
        if abs(off) > max(SLIP_Z * spread, np.log(SLIP_FACTOR)):
            detail = f"{label.t_ha:g} t/ha is {np.exp(off):.2g} times what region and year let expect"
            suspects.append(Suspect(label=label, rule="times_ten", detail=detail))
        else:
            good.append(label)
    return good, suspects


def require_years(labels: Sequence[YieldLabel], crop: str) -> None:
    """Refuse to learn from fewer than five harvest years."""
    years = {label.harvest_year for label in labels}
    if len(years) < MIN_YEARS:
        raise RefusedInput(
            f"{len(years)} harvest year(s) of {crop!r}, at least {MIN_YEARS} are needed",
            where="yield labels",
            cure="add years; until then `yield run` gives the official regional yield, widened",
        )


def _refuse_duplicates(labels: Sequence[YieldLabel]) -> None:
    seen = Counter((label.region, label.harvest_year) for label in labels)
    twice = sorted(key for key, count in seen.items() if count > 1)
    if twice:
        region, year = twice[0]
        raise MalformedInput(
            f"{len(twice)} region-year(s) with two labels, first {region} {year}",
            where="yield labels",
            cure="keep one yield per crop, region and harvest year",
        )


def _deviations(labels: Sequence[YieldLabel]) -> np.ndarray:
    logs = np.array([np.log(label.t_ha) for label in labels])
    overall = float(np.median(logs)) if len(logs) else 0.0
    by_region, by_year = defaultdict(list), defaultdict(list)
    for label, value in zip(labels, logs, strict=True):
        by_region[label.region].append(value)
    few = 3  # a median of fewer is the label itself
    level = {region: float(np.median(v)) if len(v) >= few else overall for region, v in by_region.items()}
    for label, value in zip(labels, logs, strict=True):
        by_year[label.harvest_year].append(value - level[label.region])
    common = {year: float(np.median(v)) if len(v) >= few else 0.0 for year, v in by_year.items()}
    return np.array([v - level[x.region] - common[x.harvest_year] for x, v in zip(labels, logs, strict=True)])
