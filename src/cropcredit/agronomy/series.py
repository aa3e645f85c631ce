"""From scattered, partly clouded observations to one smooth daily curve per field.

The order matters: undetected clouds are taken out first (a smoother only spreads them), then what is left is smoothed.
Everything is vectorised over fields; nothing after the last given date can be known, so truncate before you call.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solveh_banded

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

MIN_CLEAR = 0.5
"""Smallest clear share of the core at which a date counts."""
SPIKE_DEPTH = 0.08
"""How far below the line between its neighbours an observation must lie to be suspect, index units."""
SPIKE_SPAN_DAYS = 60
"""Neighbours further apart than this say nothing about what lies between."""
SHARED = 0.5
"""Share of neighbouring fields that must drop on the same date for the drop to be believed."""
MIN_NEIGHBOURS = 5
LAMBDA = 1e3
"""Whittaker roughness penalty on a daily grid."""
BLOCK = 1_000
"""Fields solved in one banded system: large enough to hide the call, small enough for the cache."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DailyCurves:
    """Smooth daily curves of many fields on common days."""

    first_on: np.datetime64
    values: Floats
    """Shape (fields, days); NaN for a field with fewer than two usable observations."""
    observed: Bools
    """Shape (fields, days): True on days with an observation that was used."""


def usable(mean: Floats, clear_fraction: Floats, *, min_clear: float = MIN_CLEAR) -> Bools:
    """Tell which observations have enough clear core, shape (fields, dates)."""
    return np.asarray(np.isfinite(mean) & (clear_fraction >= min_clear))


def despike(mean: Floats, keep: Bools, days: NDArray[np.int_], *, neighbours: NDArray[np.int_] | None = None) -> Bools:
    """Drop single dips that look like clouds the mask has missed (3-point V filter), and only those.

    A dip is kept, though deep, where the curve was already falling before it and goes on rising after it (the bare
    soil between two crops), and where at least half of the neighbouring fields dip on that date (harvest, flood).

    Parameters
    ----------
    mean : ndarray, shape (fields, dates)
        Index values.
    keep : ndarray of bool, shape (fields, dates)
        Observations that count, as from :func:`usable`.
    days : ndarray of int, shape (dates,)
        Day numbers, ascending.
    neighbours : ndarray of int, shape (fields,), optional
        Group of each field; fields of one group are neighbours. Default: all are.

    Returns
    -------
    ndarray of bool, shape (fields, dates)
        ``keep`` without the dips. First and last observations of a field are never dropped.
    """
    if not len(days):
        return keep
    before, after = _previous(keep), _next(keep)
    v0, v2 = _take(mean, before), _take(mean, after)
    d0, d2 = _days(days, before), _days(days, after)
    with np.errstate(invalid="ignore", divide="ignore"):
        line = v0 + (v2 - v0) * (days - d0) / (d2 - d0)
        dip = keep & (line - mean > SPIKE_DEPTH) & (d2 - d0 <= SPIKE_SPAN_DAYS)
        falling = _take(mean, _chain(before, before)) - v0 > SPIKE_DEPTH / 2
        rising = _take(mean, _chain(after, after)) - v2 > SPIKE_DEPTH / 2
    trough = falling & rising
    groups = np.zeros(len(mean), dtype=int) if neighbours is None else neighbours
    return np.asarray(keep & ~(dip & ~trough & ~_shared(dip, keep, groups)))


def whittaker(values: Floats, weights: Floats, days: NDArray[np.int_], length: int, *, lam: float = LAMBDA) -> Floats:
    """Smooth each row on a daily grid: minimise sum w (y - z)^2 + lam * sum (second difference of z)^2.

    The fields of a block are laid end to end in one banded system without coupling, so that LAPACK runs once for
    many fields. Outside its first and last observation a curve is held at its value there: nothing is extrapolated.

    Parameters
    ----------
    values, weights : ndarray, shape (fields, dates)
        Observations and their weights (clear fraction; 0 or NaN value: not there).
    days : ndarray of int, shape (dates,)
        Column of each date on the grid, in [0, length).
    length : int
        Days of the grid, at least 3.

    Returns
    -------
    ndarray, shape (fields, length)
        NaN for rows with observations on fewer than two days.

    References
    ----------
    Eilers (2003), A perfect smoother, Analytical Chemistry 75(14).
    """
    out = np.empty((len(values), length))
    for start in range(0, len(values), BLOCK):
        rows = slice(start, start + BLOCK)
        out[rows] = _solve(values[rows], weights[rows], days, length, lam)
    return out


def smooth(
    mean: Floats,
    clear_fraction: Floats,
    acquired_on: NDArray[np.datetime64],
    *,
    neighbours: NDArray[np.int_] | None = None,
    until: np.datetime64 | None = None,
) -> DailyCurves:
    """Run the whole way from observations to daily curves: clear dates, de-spike, Whittaker.

    Parameters
    ----------
    mean, clear_fraction : ndarray, shape (fields, dates)
        As in :class:`cropcredit.model.FieldSeries`.
    acquired_on : ndarray of datetime64[D], shape (dates,)
        Ascending.
    neighbours : ndarray of int, shape (fields,), optional
        See :func:`despike`.
    until : datetime64, optional
        Last day of the grid; observations after it are not looked at. Default: the last date.
    """
    dates = acquired_on.astype("datetime64[D]")
    last = dates[-1] if until is None else until.astype("datetime64[D]")
    seen = dates <= last
    mean, clear_fraction, dates = mean[:, seen], clear_fraction[:, seen], dates[seen]
    first = dates[0] if len(dates) else last
    days = (dates - first).astype(int)
    length = max(int((last - first).astype(int)) + 1, 3)
    keep = despike(mean, usable(mean, clear_fraction), days, neighbours=neighbours)
    observed = np.zeros((len(mean), length), dtype=bool)
    for column, day in enumerate(days):
        observed[:, day] |= keep[:, column]
    values = whittaker(mean, np.where(keep, clear_fraction, 0.0), days, length)
    return DailyCurves(first_on=first, values=values, observed=observed)


def _solve(values: Floats, weights: Floats, days: NDArray[np.int_], length: int, lam: float) -> Floats:
    weight, weighted = np.zeros((len(values), length)), np.zeros((len(values), length))
    present = np.where(np.isfinite(values), weights, 0.0)
    for column, day in enumerate(days):
        weight[:, day] += present[:, column]
        weighted[:, day] += present[:, column] * np.where(present[:, column] > 0, values[:, column], 0.0)
    seen = weight > 0
    enough = seen.sum(axis=1) >= 2  # noqa: PLR2004 - a line needs two points
    band = np.tile(lam * _penalty(length)[:, None, :], (1, len(values), 1))
    band[2] += np.where(enough[:, None], weight, 1.0)
    smooth_ = solveh_banded(band.reshape(3, -1), weighted.ravel(), overwrite_ab=True, check_finite=False)
    smooth_ = smooth_.reshape(values.shape[0], length)
    first, last = seen.argmax(axis=1), length - 1 - seen[:, ::-1].argmax(axis=1)
    held = np.clip(np.arange(length), first[:, None], last[:, None])
    return np.where(enough[:, None], np.take_along_axis(smooth_, held, axis=1), np.nan)


def _penalty(length: int) -> Floats:
    """Upper band of D'D for second differences, shape (3, length): second, first and main diagonal."""
    ones = np.ones(length - 2)
    band = np.zeros((3, length))
    band[2] = np.convolve(ones, [1.0, 4.0, 1.0])
    band[1, 1:] = np.convolve(ones, [-2.0, -2.0])
    band[0, 2:] = ones
    return band


def _previous(keep: Bools) -> NDArray[np.int_]:
    """Column of the kept observation before each one; -1 where there is none."""
    columns = np.where(keep, np.arange(keep.shape[1]), -1)
    running = np.maximum.accumulate(columns, axis=1)
    return np.concatenate([np.full((len(keep), 1), -1), running[:, :-1]], axis=1)


def _next(keep: Bools) -> NDArray[np.int_]:
    mirrored = _previous(keep[:, ::-1])[:, ::-1]
    return np.where(mirrored < 0, -1, keep.shape[1] - 1 - mirrored)


def _chain(outer: NDArray[np.int_], inner: NDArray[np.int_]) -> NDArray[np.int_]:
    """Follow ``inner`` from where ``outer`` points; -1 stays -1."""
    return np.where(outer < 0, -1, np.take_along_axis(inner, np.maximum(outer, 0), axis=1))


def _take(values: Floats, columns: NDArray[np.int_]) -> Floats:
    return np.where(columns < 0, np.nan, np.take_along_axis(values, np.maximum(columns, 0), axis=1))


def _days(days: NDArray[np.int_], columns: NDArray[np.int_]) -> Floats:
    return np.where(columns < 0, np.nan, days[np.maximum(columns, 0)].astype(float))


def _shared(dip: Bools, keep: Bools, groups: NDArray[np.int_]) -> Bools:
    """Tell where the other fields of the group dip on the same date."""
    _, group = np.unique(groups, return_inverse=True)
    count = int(group.max()) + 1 if len(group) else 0
    dips, seen = np.zeros((count, dip.shape[1])), np.zeros((count, dip.shape[1]))
    np.add.at(dips, group, dip)
    np.add.at(seen, group, keep)
    believed = (seen >= MIN_NEIGHBOURS) & (dips >= SHARED * seen)
    return np.asarray(believed[group])
