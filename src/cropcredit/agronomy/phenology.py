"""Season metrics from daily curves, after TIMESAT and HR-VPP.

Windows come from a calendar, or are found in the curve. Both ways end in the
same measurement; a window is from sowing to harvest, or from trough to trough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cropcredit.agronomy.series import Bools, DailyCurves, Floats
from cropcredit.agronomy.turns import MOST_SEASONS, SEASON_AMPLITUDE, season_windows

Ints = NDArray[np.int_]

RISE = 0.25
"""Start of season: the curve passes this share of the amplitude on its way up (HR-VPP)."""
FALL = 0.15
"""End of season: it falls below this share of the amplitude on its way down (HR-VPP)."""
SLOPE_BETWEEN = (0.2, 0.8)
"""Shares of the amplitude between which the slopes of green-up and green-down are taken (TIMESAT)."""
PEAK_ZONE = 0.75
"""Above this share of the amplitude counts as the peak phase of the quality flag (our choice)."""
ENOUGH = 2
"""More clear observations than this make a phase well seen (HR-VPP QFLAG)."""
BLOCK = 500

_FLAGS: Ints = np.array([0, 4, 6, 8, 5, 7, 9, 10])
"""HR-VPP's order by the bits green-up, peak, green-down well seen: three phases 10, two 9-7, one 6-4, none 0."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SeasonMetrics:
    """One entry per window; days count from the curves' ``first_on``; NaN where nothing happened or was seen.

    The thirteen parameters of HR-VPP are ``sos``, ``sos_value``, ``sos_slope``, ``eos``, ``eos_value``, ``eos_slope``,
    ``length``, ``base_value`` (MINV), ``peak`` and ``peak_value`` (MAXD, MAXV), ``amplitude``, ``small_integral``
    (SPROD) and ``large_integral`` (TPROD).
    """

    sos: Floats
    """Start of season, day."""
    sos_value: Floats
    sos_slope: Floats
    """Mean daily rise of green-up, from 20 % to 80 % of the amplitude."""
    peak: Floats
    """Day of the greatest value."""
    eos: Floats
    """End of season, day; NaN while the curve has not come down."""
    eos_value: Floats
    eos_slope: Floats
    """Mean daily fall of green-down, from 80 % to 20 % of the amplitude; negative."""
    length: Floats
    """Days from SOS to EOS."""
    peak_value: Floats
    base_value: Floats
    """Lower envelope of the season: mean of the minima before and after the peak."""
    amplitude: Floats
    """``peak_value`` above ``base_value``."""
    large_integral: Floats
    """Index days above zero from SOS to EOS (or to the last day seen): HR-VPP TPROD."""
    small_integral: Floats
    """Index days above ``base_value`` over the same days: HR-VPP SPROD."""
    vigour: Floats
    """Mean of the curve from sowing to harvest or the last day, each day weighing the share of the season passed: the
    weeks from flowering on make the grain. Index units; what fields are compared by."""
    clear_dates: Ints
    """Used observations inside the window."""
    seen_share: Floats
    """Share of the window passed at its last used observation, [0, 1]; 0 where there is none."""
    qa_flag: Ints
    """HR-VPP QFLAG: 10 when green-up, peak and green-down are each well seen; 9-7 two of them, 6-4 one, 0 none."""


_COUNTS = {"clear_dates", "qa_flag"}
_ZERO = {*_COUNTS, "seen_share"}


def find_seasons(curves: DailyCurves, *, most: int = MOST_SEASONS) -> SeasonMetrics:
    """Find up to three seasons in each curve of a year, without a calendar, and measure them.

    What counts as a season stands at :func:`cropcredit.agronomy.turns.season_windows`.

    Returns
    -------
    SeasonMetrics
        Arrays of shape (fields, most), ordered in time; NaN and flag 0 where there is no (further) season.
    """
    return season_metrics(curves, *season_windows(curves.values, most=most))


def season_metrics(curves: DailyCurves, start: Ints, end: Ints) -> SeasonMetrics:
    """Measure one season per window.

    Parameters
    ----------
    curves : DailyCurves
        Rows are plantings (repeat a field's row for its second crop) or fields.
    start, end : ndarray of int, shape (plantings,) or (fields, seasons)
        First and last day of the windows (sowing and harvest) as day numbers from ``curves.first_on``; they may lie
        outside the grid.

    Returns
    -------
    SeasonMetrics
        Arrays of the shape of ``start``. A window outside the grid, or on a curve without values, has NaN, no clear
        dates and flag 0.
    """
    flat_start, flat_end = (days if days.ndim > 1 else days[:, None] for days in (start, end))
    out: dict[str, NDArray[Any]] = {
        name: np.zeros(flat_start.shape, dtype=int)
        if name in _COUNTS
        else np.full(flat_start.shape, 0.0 if name in _ZERO else np.nan)
        for name in SeasonMetrics.__dataclass_fields__
    }
    alive = np.asarray(np.isfinite(curves.values).any(axis=1))
    inside = alive[:, None] & (flat_start < curves.values.shape[1]) & (flat_end >= 0)
    for season in range(flat_start.shape[1]):
        rows = np.flatnonzero(inside[:, season])
        for at in range(0, len(rows), BLOCK):
            some = rows[at : at + BLOCK]
            window = flat_start[some, season], flat_end[some, season]
            for name, values in _measure(curves.values[some], curves.observed[some], *window).items():
                out[name][some, season] = values
    return SeasonMetrics(**{name: values.reshape(start.shape) for name, values in out.items()})


def _measure(values: Floats, observed: Bools, start: Ints, end: Ints) -> dict[str, NDArray[Any]]:
    day = np.arange(values.shape[1])
    inside = (day >= start[:, None]) & (day <= end[:, None]) & np.isfinite(values)
    alive = inside.any(axis=1)
    top = np.where(inside, values, -np.inf)
    peak = top.argmax(axis=1)
    peak_value = np.where(alive, top.max(axis=1), np.nan)
    low = np.where(inside, values, np.inf)
    left, right = inside & (day <= peak[:, None]), inside & (day >= peak[:, None])
    left_base = np.where(left, low, np.inf).min(axis=1)
    right_base = np.where(right, low, np.inf).min(axis=1)
    with np.errstate(invalid="ignore"):
        rise, fall = peak_value - left_base, peak_value - right_base
        began = alive & (rise >= SEASON_AMPLITUDE)
        ended = began & (fall >= np.maximum((1 - FALL) * rise / 2, SEASON_AMPLITUDE))
    base = np.where(ended, (left_base + right_base) / 2, left_base)
    sos = np.where(began, _passed_up(values, left, left_base + RISE * rise), np.nan)
    eos = np.where(ended, _passed_down(values, right, right_base + FALL * fall), np.nan)
    up, down = (
        [_passed_up(values, left, left_base + share * rise) for share in SLOPE_BETWEEN],
        [_passed_down(values, right, right_base + share * fall) for share in SLOPE_BETWEEN],
    )
    gained, lost = ((SLOPE_BETWEEN[1] - SLOPE_BETWEEN[0]) * height for height in (rise, fall))
    in_season = inside & (day >= sos[:, None]) & ((day < eos[:, None]) | np.isnan(eos)[:, None])
    curve = np.where(inside, values, 0.0)
    above = np.maximum(curve - np.where(began, base, 0.0)[:, None], 0.0)
    return {
        "sos": sos,
        "sos_value": _value(values, sos),
        "sos_slope": np.where(began, gained / np.maximum(up[1] - up[0], 1), np.nan),
        "peak": np.where(alive, peak, np.nan),
        "eos": eos,
        "eos_value": _value(values, eos),
        "eos_slope": np.where(ended, -lost / np.maximum(down[0] - down[1], 1), np.nan),
        "length": eos - sos,
        "peak_value": peak_value,
        "base_value": np.where(alive, base, np.nan),
        "amplitude": np.where(began, peak_value - base, np.nan),
        "large_integral": np.where(began, np.where(in_season, np.maximum(curve, 0), 0).sum(axis=1), np.nan),
        "small_integral": np.where(began, np.where(in_season, above, 0).sum(axis=1), np.nan),
        "vigour": _vigour(curve, inside, start, end),
        "clear_dates": (observed & inside).sum(axis=1),
        "seen_share": _seen_share(observed & inside, start, end),
        "qa_flag": _quality(values, observed & inside, peak, base, peak_value, began),
    }


def _passed_up(values: Floats, left: Bools, level: Floats) -> Ints:
    """Give the first day from which on the curve stays at or above the level up to its peak."""
    below = left & (values < level[:, None])
    return np.asarray(np.where(below.any(axis=1), values.shape[1] - below[:, ::-1].argmax(axis=1), left.argmax(axis=1)))


def _passed_down(values: Floats, right: Bools, level: Floats) -> Floats:
    """Give the first day after the peak on which the curve stands below the level; NaN if it never does."""
    below = right & (values < level[:, None])
    return np.where(below.any(axis=1), below.argmax(axis=1), np.nan)


def _value(values: Floats, day: Floats) -> Floats:
    known = np.isfinite(day)
    found = np.take_along_axis(values, np.where(known, day, 0).astype(int)[:, None], axis=1)[:, 0]
    return np.where(known, found, np.nan)


def _vigour(curve: Floats, inside: Bools, start: Ints, end: Ints) -> Floats:
    passed = (np.arange(curve.shape[1]) - start[:, None] + 1) / np.maximum(end - start + 1, 1)[:, None]
    weight = np.where(inside, passed, 0.0)
    total = weight.sum(axis=1)
    return np.where(total > 0, (weight * curve).sum(axis=1) / np.where(total > 0, total, 1.0), np.nan)


def _seen_share(observed: Bools, start: Ints, end: Ints) -> Floats:
    last = observed.shape[1] - 1 - observed[:, ::-1].argmax(axis=1)
    share = (last - start) / np.maximum(end - start, 1)
    return np.where(observed.any(axis=1), np.clip(share, 0.0, 1.0), 0.0)


def _quality(values: Floats, observed: Bools, peak: Ints, base: Floats, peak_value: Floats, began: Bools) -> Ints:
    day = np.arange(values.shape[1])
    with np.errstate(invalid="ignore"):
        high = values >= (base + PEAK_ZONE * (peak_value - base))[:, None]
    before, after = observed & ~high & (day < peak[:, None]), observed & ~high & (day > peak[:, None])
    well = [(phase.sum(axis=1) > ENOUGH) & began for phase in (before, observed & high, after)]
    flags: Ints = _FLAGS[4 * well[0] + 2 * well[1] + well[2]]
    return flags
