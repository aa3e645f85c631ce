"""Ask a curve without knowing other fields: is there one season, at the time when the crop should have one.

Every test gives a strength: at or below 0 it is passed, at 1 nobody would believe the declaration; NaN where too little
was seen to ask. Weeds, volunteers and catch crops are green as well, so that green after the harvest alone is never
enough.

==========================  ============================================================================================
test                        fails when
==========================  ============================================================================================
``no_season``               nothing grew: no rise worth a season, and never green
``never_bare``              the ground was green all the time from before sowing to the peak: grass, trees, another crop
``started_before_sowing``   the rise to the peak began well before sowing
``peak_out_of_window``      the greatest greenness came before or after the part of the season in which the crop has it
``green_after_harvest``     the field stayed green long after the harvest
``two_seasons``             two seasons with bare ground between them where one was declared
==========================  ============================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cropcredit.agronomy.phenology import RISE
from cropcredit.agronomy.series import Bools, DailyCurves, Floats

TESTS = (
    "no_season",
    "never_bare",
    "started_before_sowing",
    "peak_out_of_window",
    "green_after_harvest",
    "two_seasons",
)
NEAR_DAYS = 25
"""A day this far from every observation is not known, whatever the smoother drew there."""
BEFORE_DAYS, EMERGED_DAYS = 45, 20
"""Bare ground is looked for from this long before sowing until after emergence."""
AFTER_DAYS = 50
"""The field must have been bare once within this time after harvest."""
EDGE_DAYS = 7
"""A curve that is highest within so many days of an edge of its season peaks beyond it."""
SLACK_DAYS = 20
"""Sowing dates are remembered, not measured; weather moves a season by weeks."""
MIN_RISE, POOR_RISE = 0.10, 0.15
"""Index units: from the first on a rise may be a season; below the second, nothing worth a harvest grew."""
GREEN, BARE = 0.40, 0.45
"""Index below which nobody speaks of green, and above which nobody speaks of bare ground."""
STAYED_GREEN = 0.60
"""Share of the rise still standing after harvest."""
DEEP = 0.60
"""Share of the rise by which a trough must part two seasons."""
PAST_PEAK = 0.25
"""The peak is believed once the curve has fallen by this share of the rise, or the season is over."""
BARE_LOOKS_DAYS = 10.0
"""Ground lies bare for a few weeks: looks further apart than this may have missed it, and weigh less."""
AT_MOST = np.array([1.0, 1.0, 1.0, 1.0, 0.35, 1.0])
"""Greatest strength of each test."""
BLOCK = 2_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CurveTests:
    """One row per planting."""

    strength: Floats
    """Shape (plantings, :data:`TESTS`); at most 1."""
    peak: Floats
    """Day of the greatest value between sowing and harvest; NaN where nothing was seen."""
    base: Floats
    """Lowest index from before sowing to the peak."""
    rise: Floats
    """From base to peak, index units."""


def curve_tests(
    curves: DailyCurves,
    start: NDArray[np.int_],
    end: NDArray[np.int_],
    peak_share: Floats,
    *,
    lowest: Floats | None = None,
    slack_days: int = SLACK_DAYS,
) -> CurveTests:
    """Run all tests on every planting.

    Parameters
    ----------
    curves : DailyCurves
        Rows are plantings (repeat a field's row for its second crop).
    start, end : ndarray of int, shape (plantings,)
        Declared sowing and harvest as day numbers from ``curves.first_on``; they may lie outside the grid.
    peak_share : ndarray, shape (plantings, 2)
        Where between sowing (0) and harvest (1) the crop has its greatest greenness.
    lowest : ndarray, shape (plantings, days), optional
        From :func:`lowest_seen`; default: the curves, which smooth over short bare times.
    slack_days : int
        By how much declared dates may be wrong.
    """
    low = curves.values if lowest is None else lowest
    pieces = [
        _block(
            curves.values[rows], low[rows], curves.observed[rows], start[rows], end[rows], peak_share[rows], slack_days
        )
        for rows in (slice(at, at + BLOCK) for at in range(0, len(start), BLOCK))
    ]
    if not pieces:
        return CurveTests(strength=np.empty((0, len(TESTS))), peak=np.empty(0), base=np.empty(0), rise=np.empty(0))
    strength, peak, base, rise = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
    return CurveTests(strength=strength, peak=peak, base=base, rise=rise)


def lowest_seen(curves: DailyCurves, mean: Floats, day: NDArray[np.int_]) -> Floats:
    """Give the lesser of the curve and the used look on each day: bare ground is short, and a smoother fills it.

    Parameters
    ----------
    mean : ndarray, shape (rows, dates)
        Looks as they were smoothed.
    day : ndarray of int, shape (dates,)
        Day number of each date; dates beyond the curves are not looked at.
    """
    low = curves.values.copy()
    for column, number in enumerate(day):
        if number < low.shape[1]:
            used = curves.observed[:, number]
            low[used, number] = np.fmin(low[used, number], mean[used, column])
    return low


def known_days(values: Floats, observed: Bools) -> Bools:
    """Tell on which days a curve rests on an observation at most :data:`NEAR_DAYS` away, shape (rows, days)."""
    day = np.arange(values.shape[1])
    far = values.shape[1] + NEAR_DAYS + 1
    before = np.maximum.accumulate(np.where(observed, day, -far), axis=1)
    after = np.minimum.accumulate(np.where(observed, day, far * 2)[:, ::-1], axis=1)[:, ::-1]
    return np.asarray(np.isfinite(values) & (np.minimum(day - before, after - day) <= NEAR_DAYS))


def _block(
    values: Floats,
    low: Floats,
    observed: Bools,
    start: NDArray[np.int_],
    end: NDArray[np.int_],
    share: Floats,
    slack: int,
) -> tuple[Floats, Floats, Floats, Floats]:
    day = np.arange(values.shape[1])
    known = known_days(values, observed)
    s, e, length = start[:, None], end[:, None], (end - start).astype(float)
    season = known & (day >= s + EMERGED_DAYS) & (day <= e)
    top, peak = _highest(values, season)
    growing = known & (day >= s - BEFORE_DAYS) & (day <= np.maximum(peak, start + EMERGED_DAYS)[:, None])
    base, _ = _lowest(values, growing)
    rise = top - base
    true_peak = _beyond(values, known, peak, start, end)
    last = np.where(known.any(axis=1), known.shape[1] - 1 - known[:, ::-1].argmax(axis=1), -1)
    after = known & (day >= peak[:, None]) & (day <= e + AFTER_DAYS)
    low_after, _ = _lowest(low, after)
    bare, _ = _lowest(low, growing)
    looks = (observed & growing).sum(axis=1)
    often = np.minimum(BARE_LOOKS_DAYS * looks / np.maximum(growing.sum(axis=1), 1), 1.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        past_peak = (top - low_after >= PAST_PEAK * rise) | (last >= end)
        sure_start = (known & (day >= s - BEFORE_DAYS) & (day < s + EMERGED_DAYS)).any(axis=1)
        grew = rise >= MIN_RISE
        strength = [
            np.where(last - start >= 0.6 * length, np.minimum((POOR_RISE - rise) / 0.05, (GREEN - top) / 0.1), np.nan),
            np.where(sure_start, (bare - BARE) / 0.15 * often, np.nan),
            np.where(grew, (start - slack - _start_of_rise(values, growing, peak, base, rise)) / 30, np.nan),
            np.where(grew & past_peak, _outside(true_peak - start, share, length, slack), np.nan),
            np.where(grew & (last >= end + AFTER_DAYS // 2), ((low_after - base) / rise - STAYED_GREEN) / 0.3, np.nan),
            np.where(grew, _second_season(values, season, base, rise), np.nan),
        ]
    seen = np.asarray(season.any(axis=1))
    clipped = np.where(seen[:, None], np.minimum(np.stack(strength, axis=1), AT_MOST), np.nan)
    return clipped, np.where(seen, peak, np.nan), np.where(seen, base, np.nan), np.where(seen, rise, np.nan)


def _highest(values: Floats, where: Bools) -> tuple[Floats, NDArray[np.int_]]:
    masked = np.where(where, values, -np.inf)
    top = masked.max(axis=1)
    return np.where(np.isfinite(top), top, np.nan), masked.argmax(axis=1)


def _lowest(values: Floats, where: Bools) -> tuple[Floats, NDArray[np.int_]]:
    top, day = _highest(-values, where)
    return -top, day


def _start_of_rise(values: Floats, growing: Bools, peak: NDArray[np.int_], base: Floats, rise: Floats) -> Floats:
    """Last day before the peak on which the curve was still below a quarter of the rise."""
    day = np.arange(values.shape[1])
    below = growing & (day <= peak[:, None]) & (values < (base + RISE * rise)[:, None])
    last = values.shape[1] - 1 - below[:, ::-1].argmax(axis=1)
    return np.where(below.any(axis=1), last, np.nan)


def _beyond(
    values: Floats, known: Bools, peak: NDArray[np.int_], start: NDArray[np.int_], end: NDArray[np.int_]
) -> NDArray[np.int_]:
    """Follow a curve that is highest at an edge of its season to the peak beyond it."""
    day = np.arange(values.shape[1])
    fell, rises = peak <= start + EMERGED_DAYS + EDGE_DAYS, peak >= end - EDGE_DAYS
    from_ = np.where(fell, start - BEFORE_DAYS, peak)[:, None]
    to = np.where(rises, end + AFTER_DAYS, peak)[:, None]
    _, found = _highest(values, known & (day >= from_) & (day <= to))
    return np.where(fell | rises, found, peak)


def _outside(after_sowing: NDArray[np.int_], share: Floats, length: Floats, slack: int) -> Floats:
    early = share[:, 0] * length - slack - after_sowing
    late = after_sowing - share[:, 1] * length - slack
    return np.asarray(np.maximum(early, late) / 30)


def _second_season(values: Floats, season: Bools, base: Floats, rise: Floats) -> Floats:
    """Find the trough that parts the season best: how deep below the lower of the two peaks beside it.

    The first peak must have risen within the season: what only falls there is the crop before.
    """
    level = np.where(season, values, -np.inf)
    first = np.take_along_axis(values, season.argmax(axis=1)[:, None], axis=1)
    left = np.maximum.accumulate(level, axis=1)
    right = np.maximum.accumulate(level[:, ::-1], axis=1)[:, ::-1]
    grown = left - first >= RISE * rise[:, None]
    near_bare = season & grown & (values <= np.minimum(base + RISE * rise, BARE)[:, None])
    depth = np.where(near_bare, np.minimum(left, right) - values, 0.0).max(axis=1)
    return np.asarray((depth / rise - DEEP) / 0.3)
