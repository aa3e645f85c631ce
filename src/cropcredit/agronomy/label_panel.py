"""What region, year and the regions that move alike let expect of a yield: labels laid out as regions by years."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from cropcredit.model import YieldLabel

Floats = NDArray[np.float64]

FEW = 3
"""A median of fewer is the label itself."""
YEAR_LOW, YEAR_HIGH = -np.log(8.0), np.log(4.0)
"""No season takes all regions to less than an eighth of their level, or to four times it: then the year is wrong …"""
YEAR_SPLIT, UNTOUCHED, UNTOUCHED_SHARE = -np.log(5.0), -np.log(1.5), 0.10
"""… or to a fifth while this share of them stands near its own level: then most of its rows are another table's."""
TREND_YEARS = 9
"""Window of the running median that follows progress over decades, years."""
ALIKE = 5
"""So many regions speak for a region that has the same good and bad years."""
ALIKE_YEARS, ALIKE_RHO = 5, 0.2
"""Years by which a correlation is shrunk, and below which value (unitless) regions are not alike."""
CLIP = 3.0
"""Spreads beyond which a change counts no more for a correlation."""
SPREAD_FLOOR, SPREAD_YEARS = 0.05, 10
"""Smallest spread of log yields that deviations are measured against; years by which a region's own is shrunk."""
MAD = 1.4826
"""Standard deviations in a median absolute deviation, for a Gaussian."""


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Labels of one crop as regions by years."""

    regions: list[str]
    years: list[int]
    row: NDArray[np.intp]
    """Row of each label, shape (labels,)."""
    column: NDArray[np.intp]
    """Column of each label, shape (labels,)."""
    log: Floats
    """Natural logarithm of t/ha, shape (regions, years); NaN without a (positive) label."""
    near: list[NDArray[np.intp]]
    """Rows of the three or more other regions with the longest common beginning of codes; empty where there are few."""


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """Deviations of a panel, in natural logarithms, and what they are measured against."""

    level: Floats
    """Of each region, shape (regions,)."""
    own: Floats
    """From the region's level and the trend of all, shape (regions, years)."""
    common: Floats
    """Deviation that all regions share in a year, trend and drought alike, shape (years,); NaN where few are seen."""
    near: Floats
    """Median of what the regions with similar codes did beyond the year, shape (regions, years); 0 where few did."""
    off: Floats
    """From level, trend, year and the regions that move alike, shape (regions, years)."""
    spread: Floats
    """Robust standard deviation of ``off``, shape (regions,); shrunk towards that of all."""


def panel_of(labels: Sequence[YieldLabel]) -> Panel:
    """Lay labels out; one that is not positive leaves its cell empty."""
    regions = sorted({label.region for label in labels})
    years = sorted({label.harvest_year for label in labels})
    row_of, column_of = {r: i for i, r in enumerate(regions)}, {y: i for i, y in enumerate(years)}
    row = np.array([row_of[label.region] for label in labels], dtype=np.intp)
    column = np.array([column_of[label.harvest_year] for label in labels], dtype=np.intp)
    log = np.full((len(regions), len(years)), np.nan)
    log[row, column] = [np.log(label.t_ha) if label.t_ha > 0 else np.nan for label in labels]
    return Panel(regions, years, row, column, log, _similar_codes(regions))


def expected(panel: Panel, seen: NDArray[np.bool_]) -> Expected:
    """Measure every cell against what the trusted cells let expect.

    Level and year are the effects of a median polish (Tukey 1977, Exploratory Data Analysis); what the five most
    correlated regions did in that year, damped by their correlation, is taken off as well, so that a drought of one
    province is no error of its regions. Nothing need be known of where the regions lie; what the regions whose codes
    begin alike did stands beside it.

    Parameters
    ----------
    seen : ndarray of bool, shape (regions, years)
        Cells that levels, years and neighbours are learned from.
    """
    log = panel.log
    trusted = np.where(seen, log, np.nan)
    counts = np.isfinite(trusted).sum(axis=1)
    level, common = _polish(trusted, counts)
    trend = _trend(common)
    year = np.nan_to_num(common - trend)
    own = log - level[:, None] - trend
    wrong = _wrong_years(year, np.where(seen, own, np.nan))
    year[wrong] = 0.0
    rest = own - year
    usable = np.where(seen & ~wrong, rest, np.nan)
    off = rest - _alike(usable)
    return Expected(
        level, own, common, _near(usable, panel.near), off, _spread(np.where(seen, off, np.nan), level, counts)
    )


def median(values: Floats, axis: int | None = None) -> Floats:
    """Give the median without NaN; NaN where nothing is left (where ``np.nanmedian`` warns)."""
    if axis is None:
        values, axis = np.append(values, np.nan), 0
    ordered = np.sort(values, axis=axis)  # NaN come last
    count = np.isfinite(values).sum(axis=axis, keepdims=True)
    low, high = np.maximum((count - 1) // 2, 0), np.minimum(count // 2, values.shape[axis] - 1)
    middle = (np.take_along_axis(ordered, low, axis) + np.take_along_axis(ordered, high, axis)) / 2
    return np.asarray(np.squeeze(middle, axis))


def mad(values: Floats, axis: int | None = None) -> Floats:
    """Give the robust standard deviation around zero, without NaN."""
    return MAD * median(np.abs(values), axis)


def _polish(log: Floats, counts: NDArray[np.int_]) -> tuple[Floats, Floats]:
    common = np.zeros(log.shape[1])
    level = np.zeros(log.shape[0])
    for _ in range(3):
        level = median(log - np.nan_to_num(common), axis=1)
        overall = float(np.nan_to_num(median(level[counts >= FEW] if (counts >= FEW).any() else level)))
        level = np.where(counts >= FEW, level, overall)
        common = median(log - level[:, None], axis=0)
        common[np.isfinite(log).sum(axis=0) < FEW] = np.nan
        common -= np.nan_to_num(median(common))
    return level, common


def _trend(common: Floats) -> Floats:
    known = np.isfinite(common)
    if not known.any():
        return np.zeros_like(common)
    at = np.arange(len(common))
    filled = np.interp(at, at[known], common[known])
    return np.asarray(median_filter(filled, size=TREND_YEARS, mode="mirror"), dtype=float)


def _wrong_years(year: Floats, own: Floats) -> NDArray[np.bool_]:
    untouched = (own > UNTOUCHED).sum(axis=0) >= UNTOUCHED_SHARE * np.maximum(np.isfinite(own).sum(axis=0), 1)
    return np.asarray((year < YEAR_LOW) | (year > YEAR_HIGH) | (untouched & (year < YEAR_SPLIT)))


def _alike(rest: Floats) -> Floats:
    """Give what each region's most correlated others did in each year, shape (regions, years); 0 where few did."""
    known = np.isfinite(rest)
    shared = np.zeros_like(rest)
    for i, alike in enumerate(_correlation(np.diff(rest, axis=1))):
        order = np.argsort(-alike, kind="stable")[: 3 * ALIKE]
        order = order[alike[order] > ALIKE_RHO]
        nearest = known[order] & (np.cumsum(known[order], axis=0) <= ALIKE)
        enough = nearest.sum(axis=0) >= FEW
        if enough.any():
            did = median(np.where(nearest, rest[order], np.nan)[:, enough], axis=0)
            weight = np.where(nearest, alike[order][:, None], 0.0).sum(axis=0)[enough] / nearest.sum(axis=0)[enough]
            shared[i, enough] = did * weight
    return shared


def _near(rest: Floats, near: Sequence[NDArray[np.intp]]) -> Floats:
    did = np.zeros_like(rest)
    for row, others in enumerate(near):
        enough = np.isfinite(rest[others]).sum(axis=0) >= FEW
        if enough.any():
            did[row, enough] = median(rest[others][:, enough], axis=0)
    return did


def _similar_codes(regions: Sequence[str]) -> list[NDArray[np.intp]]:
    by_start: dict[str, list[int]] = defaultdict(list)
    for row, code in enumerate(regions):
        for length in range(1, len(code) + 1):
            by_start[code[:length]].append(row)
    found = []
    for row, code in enumerate(regions):
        starts = (by_start[code[:length]] for length in range(len(code), 0, -1))
        group = next((rows for rows in starts if len(rows) > FEW), [row])
        found.append(np.array([other for other in group if other != row], dtype=np.intp))
    return found


def _correlation(change: Floats) -> Floats:
    """Correlate the year-to-year changes of regions, shape (regions, regions), shrunk where they have few in common.

    Changes, and clipped ones: neither one wrong label nor a block of them makes two regions alike.
    """
    known = np.isfinite(change).astype(float)
    spread = max(float(np.nan_to_num(mad(change))), SPREAD_FLOOR)
    z = np.nan_to_num(np.clip(change / spread, -CLIP, CLIP))
    both, power = known @ known.T, z**2 @ known.T
    rho = z @ z.T / np.sqrt(power * power.T + 1e-12) * both / (both + ALIKE_YEARS)
    np.fill_diagonal(rho, -1.0)
    return np.asarray(rho)


def _spread(off: Floats, level: Floats, counts: NDArray[np.int_]) -> Floats:
    overall = max(float(np.nan_to_num(mad(off))), SPREAD_FLOOR)
    own = np.nan_to_num(mad(off, axis=1))
    shrunk = np.sqrt((SPREAD_YEARS * overall**2 + counts * own**2) / (SPREAD_YEARS + counts))
    between = level[counts >= FEW]
    unknown_level = float(mad(between - median(between))) if len(between) else 0.0
    # A region with few labels is measured against the level of all, so the spread between regions comes on top.
    return np.where(counts >= FEW, shrunk, np.hypot(shrunk, unknown_level))
