"""Rules that doubt the unit of a yield: of single cells, whole regions, blocks of years, and half a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cropcredit.agronomy.label_panel import FEW, Expected, Floats, Panel, expected, mad, median
from cropcredit.agronomy.label_slips import Slip, nearest

Bools = NDArray[np.bool_]

UP, UP_Z, ALWAYS_UP = np.log(3.5), 4.5, np.log(5.0)
"""A label is too high so many times above what region, year and neighbours let expect, if that is so many spreads; at
the last of these, always …"""
DOWN, DROUGHT, DROUGHT_Z = np.log(5.0), np.log(4.0), 1.0
"""… and too low under a fifth, and this many spreads under a quarter: droughts reach a quarter, slips a tenth."""
NEAR_DROUGHT = np.log(2.7)
"""Where the regions with similar codes fell to this part as well, a low yield is a drought, however low."""
REGION_Z, REGIONS = 3.5, 5
"""A whole region is doubted as far from the levels of others, and from a fifth of them; asked of so many regions."""
NAMED_WITHIN, NAMED_Z = 0.35, 2.5
"""A single deviation has the factor of a slip within this, or so many spreads (natural logarithm)."""
BLOCK, BLOCK_SERIES = 4, 8
"""Shortest block of years, and shortest series in which one is looked for, labels."""
LOW_BLOCK = 6
"""Shortest block of low years: a calamity of one region may last, and is what a lender must not lose sight of."""
BLOCK_Z, BLOCK_CONTRAST = 7.0, 2.5
"""A block stands out by so many standard errors, and by so many spreads of the years within and without …"""
JIN, JIN_Z, JIN_WITHIN = np.log(2.0), 5.0, 0.20
"""… fewer where its years are doubled, as by jin for kg, within this (natural logarithm)."""
BLOCK_WITHIN = 0.10
"""A block has the factor of another slip within this, besides its own error (natural logarithm)."""
STEP = np.log(1.74)
"""Smallest shift of a block that is listed."""
EDGE, EDGE_YEARS = 0.5, 3
"""Share of the shift that must be taken within one step, between the medians of the labels next to it."""
COMMON_EDGE = 0.8
"""As :data:`EDGE`, for all regions together: progress has no sharp edges, a change of unit has."""
SMALLEST_NOISE = 0.03
"""Yields that agree more closely from year to year than this (natural logarithm) were not measured."""
MIXED, MIXED_CONTRAST, MIXED_SHARE = np.log(7.0), 4.0, 0.25
"""Two units in one file: groups so far apart (natural logarithm, spreads), the smaller with this share of labels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """What is held against one cell of a panel."""

    rule: str
    detail: str
    factor: float | None
    """Written over meant, unitless; None where no correction is likely."""


@dataclass(frozen=True, slots=True)
class Block:
    """A run of labels that stands apart from the others of its series."""

    inside: NDArray[np.intp]
    """Positions in the series."""
    shift: float
    """Mean inside less mean outside, natural logarithm."""
    z: float
    """Standard errors of the shift."""


def doubt_units(panel: Panel, crop: str) -> dict[tuple[int, int], Doubt]:
    """Doubt cells of a panel, by row and column: far off alone, with all their region, or with a block of years."""
    known = np.isfinite(panel.log)
    far, measured = _far_off(panel, known)
    found = {(i, j): doubt for i, j, doubt in _name_far(far, measured, crop)}
    rest = known & ~far
    for row, block in _blocks(np.where(rest, measured.off, np.nan)):
        doubt = _name_block(block, measured.spread[row], crop, "the region's other years")
        if doubt is not None:
            found |= dict.fromkeys(((row, int(j)) for j in block.inside), doubt)
    together = _block(measured.common, COMMON_EDGE)
    if together is not None:
        doubt = _name_block(together, float(np.median(measured.spread)), crop, "the other years of all regions")
        if doubt is not None:
            cells = ((int(i), int(j)) for j in together.inside for i in np.flatnonzero(rest[:, j]))
            found |= dict.fromkeys(cells, doubt)
    return found


def two_groups(values: Floats) -> tuple[float, float] | None:
    """Give the centres of the two groups that values fall into, or None where they are one.

    The split is the one with the smallest variance within (Otsu 1979, IEEE Trans. SMC 9: 62-66).

    Parameters
    ----------
    values : ndarray, shape (n,)
        Natural logarithms, finite.
    """
    ordered = np.sort(values)
    n = len(ordered)
    few = max(int(np.ceil(MIXED_SHARE * n)), FEW)
    if n < 2 * FEW:
        return None
    below = np.arange(1, n)
    sums = np.cumsum(ordered)[:-1]
    low, high = sums / below, (ordered.sum() - sums) / (n - below)
    within = np.sqrt(np.maximum(np.sum(ordered**2) - below * low**2 - (n - below) * high**2, 0) / n)
    best = int(np.argmin(within))
    apart = high[best] - low[best]
    if not few <= best + 1 <= n - few or apart < max(MIXED, MIXED_CONTRAST * within[best]):
        return None
    return float(np.exp(low[best])), float(np.exp(high[best]))


def _far_off(panel: Panel, known: Bools) -> tuple[Bools, Expected]:
    """Mark cells far from what the others let expect; a second look measures them against the unmarked alone."""
    strange = _strange_regions(panel.log)
    far = np.zeros_like(known)
    for _ in range(3):
        measured = expected(panel, known & ~far)
        far = _right_side(panel.log, known & (_beyond(measured) | strange), known)
    return far, expected(panel, known & ~far)


def _beyond(measured: Expected) -> Bools:
    """Ask for a deviation from both the region's own level and what its year and neighbours let expect."""
    spread = measured.spread[:, None]
    high = (measured.off > np.clip(UP_Z * spread, UP, ALWAYS_UP)) & (measured.own > UP / 2)
    low = (measured.off < -np.maximum(DOWN, DROUGHT + DROUGHT_Z * spread)) & (measured.own < -DROUGHT)
    low &= measured.near > -NEAR_DROUGHT
    return np.asarray(high | low)


def _strange_regions(log: Floats) -> Bools:
    """Mark the cells of whole regions that stand far from all others, but for those that stand among them."""
    level = median(log, axis=1)
    away = level - median(level)
    if np.isfinite(level).sum() < REGIONS:
        return np.zeros(log.shape, dtype=bool)
    strange = np.abs(away) > max(DOWN, REGION_Z * float(mad(away)))
    return np.asarray(strange[:, None] & (np.abs(log - median(level)) > np.abs(away)[:, None] / 2))


def _right_side(log: Floats, far: Bools, known: Bools) -> Bools:
    """Where a region falls into two parts, mark the one that is further from the level of the other regions."""
    if len(log) < REGIONS:
        return far
    overall = float(median(median(log, axis=1)))
    for i in np.flatnonzero((far.sum(axis=1) >= FEW) & ((known & ~far).sum(axis=1) >= FEW)):
        marked, rest = (float(np.median(log[i, side[i]])) - overall for side in (far, known & ~far))
        if abs(marked) + UP / 2 < abs(rest):
            far[i] = known[i] & ~far[i]
    return far


def _name_far(far: Bools, measured: Expected, crop: str) -> Iterator[tuple[int, int, Doubt]]:
    for i in np.flatnonzero(far.any(axis=1)):
        marked = np.flatnonzero(far[i])
        together = float(np.median(measured.off[i, marked]))
        within = max(NAMED_WITHIN, NAMED_Z * float(measured.spread[i]))
        for j in marked:
            off = float(measured.off[i, j])
            # Several of one region are likely one slip: their median names it.
            ratio = together if len(marked) >= FEW and abs(off - together) < within else off
            seen = f"{np.exp(off):.2g} times what region, year and regions like it let expect"
            yield int(i), int(j), _named(nearest(ratio, crop, within), "far_off", seen)


def _named(slip: Slip | None, unnamed: str, seen: str) -> Doubt:
    if slip is None:
        return Doubt(rule=unnamed, detail=f"{seen}; no unit explains it", factor=None)
    return Doubt(rule=slip.rule, detail=f"{seen}; {slip.words}?", factor=slip.factor)


def _blocks(off: Floats) -> Iterator[tuple[int, Block]]:
    for row, series in enumerate(off):
        block = _block(series)
        if block is not None:
            yield row, block


def _block(series: Floats, edge: float = EDGE) -> Block | None:
    """Find the run of labels, at most half of a series, that stands out most and has sharp edges."""
    at = np.flatnonzero(np.isfinite(series))
    x, n = series[at], len(at)
    if n < BLOCK_SERIES:
        return None
    first, last = np.triu_indices(n + 1, BLOCK)
    keep = 2 * (last - first) <= n
    first, last = first[keep], last[keep]
    size, sums = last - first, np.concatenate([[0.0], np.cumsum(x)])
    inside = sums[last] - sums[first]
    shift = inside / size - (sums[n] - inside) / (n - size)
    weight = np.sqrt(size * (n - size) / n)
    noise = np.sqrt(np.maximum(np.sum((x - x.mean()) ** 2) - (shift * weight) ** 2, 0) / (n - 2))
    noise = np.maximum(noise, SMALLEST_NOISE)
    z = np.abs(shift) * weight / noise
    z[(np.abs(shift) < STEP) | (np.abs(shift) < BLOCK_CONTRAST * noise)] = 0.0
    best = int(np.argmax(z))
    if z[best] == 0.0 or not _sharp(x, int(first[best]), int(last[best]), float(shift[best]) * edge):
        return None
    return Block(at[first[best] : last[best]], float(shift[best]), float(z[best]))


def _sharp(x: Floats, first: int, last: int, step: float) -> bool:
    """Say whether the series takes the step between the labels on either side of each end of a run."""
    taken = []
    for end, inner, outer in (
        (first, x[first : first + EDGE_YEARS], x[max(first - EDGE_YEARS, 0) : first]),
        (len(x) - last, x[max(last - EDGE_YEARS, 0) : last], x[last : last + EDGE_YEARS]),
    ):
        if end:
            taken.append(float(np.median(inner) - np.median(outer)) * np.sign(step))
    return bool(min(taken) >= abs(step))


def _name_block(block: Block, spread: float, crop: str, others: str) -> Doubt | None:
    doubled = abs(block.shift - JIN) <= JIN_WITHIN
    if block.z < (JIN_Z if doubled else BLOCK_Z) or (block.shift < 0 and len(block.inside) < LOW_BLOCK):
        return None
    within = JIN_WITHIN if doubled else BLOCK_WITHIN + spread / np.sqrt(len(block.inside))
    slip = nearest(block.shift, crop, within)
    seen = f"{len(block.inside)} years together at {np.exp(block.shift):.2g} times {others}"
    return _named(slip, "jump", seen)
