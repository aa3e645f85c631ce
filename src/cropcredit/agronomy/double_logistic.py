"""Start and end of finished seasons made sharper by fitting a double logistic curve to their looks.

A smoother needs looks on both flanks; where they are few, the shape of a season helps. With nine clear looks or fewer
no fit rescues the start of season (errors of 23 to 70 days in one field of ten): those are flagged, not refined.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.special import expit

from cropcredit.agronomy.phenology import SeasonMetrics, season_metrics
from cropcredit.agronomy.series import DailyCurves

Floats = NDArray[np.float64]
Ints = NDArray[np.int_]
Bools = NDArray[np.bool_]

MOST_SPARSE = 9
"""With so few clear looks in a season nothing is refined."""
RESIDUAL_SCALE = 0.04
"""Residuals beyond this count linearly, not squared (soft-L1), index units."""
MOST_SHIFT_DAYS = 30
"""A fit that moves a date further than this has found another season and is not taken."""
WIDTH_DAYS = (1.5, 40.0)
"""Bounds of the logistic time constants."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Refinement:
    """Start and end of season after the fit; arrays of the shape of the windows, days from ``first_on``."""

    sos: Floats
    """Refined where ``refined``, else as measured on the smooth curve."""
    eos: Floats
    refined: Bools
    """False where the season is still open, has nine clear looks or fewer, or the fit did not hold."""


def refine_seasons(
    curves: DailyCurves,
    seasons: SeasonMetrics,
    windows: tuple[Ints, Ints],
    mean: Floats,
    acquired_on: NDArray[np.datetime64],
) -> Refinement:
    """Refine SOS and EOS of seasons that have ended and were looked at often enough.

    Fits ``left + (top - left) * s((t - t1) / w1) - (top - right) * s((t - t2) / w2)``, s the logistic function, to the
    used looks of each window by least squares with soft-L1 loss, and reads the dates off the fitted curve by the same
    rules as :func:`season_metrics`. One fit costs some milliseconds: for the fields of interest, not for a country.

    Parameters
    ----------
    curves : DailyCurves
        As :func:`smooth` gave them.
    seasons : SeasonMetrics
        As :func:`season_metrics` or :func:`find_seasons` measured them on these curves.
    windows : pair of ndarray of int
        The ``start`` and ``end`` they were measured in; shape (fields,) or (fields, seasons).
    mean : ndarray, shape (fields, dates)
        The looks that were smoothed.
    acquired_on : ndarray of datetime64, shape (dates,)

    References
    ----------
    Beck et al. (2006), Improved monitoring of vegetation dynamics at very high latitudes, Remote Sensing of
    Environment 100(3).
    """
    start, end = (days if days.ndim > 1 else days[:, None] for days in windows)
    sos, eos = (np.array(days).reshape(start.shape) for days in (seasons.sos, seasons.eos))
    peak, dates = seasons.peak.reshape(start.shape), acquired_on.astype("datetime64[D]")
    days = (dates - curves.first_on).astype(int)
    on_grid = (days >= 0) & (days < curves.values.shape[1])
    days, mean = days[on_grid], mean[:, on_grid]
    open_or_sparse = np.isnan(eos) | (seasons.clear_dates.reshape(start.shape) <= MOST_SPARSE)
    refined = np.zeros(start.shape, dtype=bool)
    for row, k in np.argwhere(~open_or_sparse):
        looks = curves.observed[row, days] & np.isfinite(mean[row]) & (days >= start[row, k]) & (days <= end[row, k])
        guess = _guess(curves.values[row], int(start[row, k]), int(end[row, k]), sos[row, k], peak[row, k], eos[row, k])
        fitted = _fit(days[looks].astype(float), mean[row, looks], guess)
        if fitted is None:
            continue
        first, last = _dates(fitted, int(start[row, k]), int(end[row, k]), curves)
        if max(abs(first - sos[row, k]), abs(last - eos[row, k])) <= MOST_SHIFT_DAYS:  # False for NaN
            sos[row, k], eos[row, k], refined[row, k] = first, last, True
    shape = np.shape(seasons.sos)
    return Refinement(sos=sos.reshape(shape), eos=eos.reshape(shape), refined=refined.reshape(shape))


def _guess(curve: Floats, start: int, end: int, sos: float, peak: float, eos: float) -> Floats:
    """Start the fit from the smooth curve: levels at the troughs and peak, flanks half way to the peak."""
    left, top, right = curve[max(start, 0)], curve[int(peak)], curve[min(end, len(curve) - 1)]
    return np.array([left, top, right, (sos + peak) / 2, 8.0, (peak + eos) / 2, 8.0])


def _curve(p: Floats, t: Floats) -> Floats:
    left, top, right, t1, w1, t2, w2 = p
    return np.asarray(left + (top - left) * expit((t - t1) / w1) - (top - right) * expit((t - t2) / w2))


def _slopes(p: Floats, t: Floats) -> Floats:
    """Give the derivatives of the curve by its parameters, shape (looks, 7)."""
    left, top, right, t1, w1, t2, w2 = p
    up, down = expit((t - t1) / w1), expit((t - t2) / w2)
    steep_up, steep_down = (top - left) * up * (1 - up) / w1, (top - right) * down * (1 - down) / w2
    by_flanks = (-steep_up, -steep_up * (t - t1) / w1, steep_down, steep_down * (t - t2) / w2)
    return np.column_stack([1 - up, up - down, down, *by_flanks])


def _fit(t: Floats, y: Floats, guess: Floats) -> Floats | None:
    span = t[-1] - t[0]
    low = np.array([-0.2, -0.2, -0.2, t[0] - span, WIDTH_DAYS[0], t[0], WIDTH_DAYS[0]])
    high = np.array([1.0, 1.2, 1.0, t[-1], WIDTH_DAYS[1], t[-1] + span, WIDTH_DAYS[1]])
    found = least_squares(
        lambda p: _curve(p, t) - y,
        np.clip(guess, low + 1e-6, high - 1e-6),
        jac=lambda p: _slopes(p, t),
        bounds=(low, high),
        loss="soft_l1",
        f_scale=RESIDUAL_SCALE,
        max_nfev=100,
    )
    return np.asarray(found.x) if found.success and found.x[3] < found.x[5] else None


def _dates(fitted: Floats, start: int, end: int, curves: DailyCurves) -> tuple[float, float]:
    length = curves.values.shape[1]
    curve = _curve(fitted, np.arange(length, dtype=float))[None, :]
    drawn = DailyCurves(first_on=curves.first_on, values=curve, observed=np.zeros((1, length), dtype=bool))
    found = season_metrics(drawn, np.array([start]), np.array([end]))
    return float(found.sos[0]), float(found.eos[0])
