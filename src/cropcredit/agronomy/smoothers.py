"""The smoother: penalised least squares on a daily grid, for many fields at once, with and without robust weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solveh_banded

from cropcredit.agronomy.spikes import share_of_group

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int_]

LAMBDA = 1e3
"""Roughness penalty on a daily grid; from 1e4 on, peaks are flattened by 0.02 to 0.09."""
BLOCK = 1_000
"""Fields solved in one banded system: large enough to hide the call, small enough for the cache."""
LEAST_WEIGHT = 1e-3
"""Looks of less weight are not there: a curve that hangs on them alone has no solution in double precision."""
ROUNDS = 5
"""Times a contaminated series is weighted anew."""
NOISE = 0.03
"""Residuals of a clear look are taken to be at least this large, index units."""
FAR_BELOW = 2.5
"""A look this many scales below its curve is suspect; one at twice that has no weight left."""
SHARED_LOW = 0.35
"""Where this share of the neighbours' looks of the same days lie low too, it is the land, not a cloud."""
SHARED_DAYS = 8
"""Days before and after a look over which neighbours' looks are counted."""


def whittaker(values: Floats, weights: Floats, days: Ints, length: int, *, lam: float = LAMBDA) -> Floats:
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


def robust_whittaker(
    values: Floats,
    weights: Floats,
    days: Ints,
    length: int,
    *,
    believed: Bools | None = None,
    neighbours: Ints | None = None,
    lam: float = LAMBDA,
) -> tuple[Floats, Floats]:
    """Smooth as :func:`whittaker`; where looks far below the curve are left, take their weight and smooth again.

    Clouds that mask and de-spike have missed pull a curve down, never up: only looks below the curve lose weight
    (Tukey's biweight of the residual over its robust scale), and only series with such looks are smoothed again, so
    that clean series cost nothing more.

    Parameters
    ----------
    values, weights, days, length, lam
        As for :func:`whittaker`.
    believed : ndarray of bool, shape (fields, dates), optional
        Looks that keep their weight however low they lie: see :class:`cropcredit.agronomy.spikes.Dips`.
    neighbours : ndarray of int, shape (fields,), optional
        Group of each field; a low that the group shares keeps its weight. Default: all are one group.

    Returns
    -------
    curve : ndarray, shape (fields, length)
    weights : ndarray, shape (fields, dates)
        The weights of the last round; 0 where there is no value.

    References
    ----------
    Beaton & Tukey (1974), Technometrics 16(2), the biweight. Chen et al. (2004), Remote Sensing of Environment 91,
    clouds only lower an index.
    """
    curve = whittaker(values, weights, days, length, lam=lam)
    there = (weights > 0) & np.isfinite(values)
    final = np.where(there, weights, 0.0)
    groups = np.zeros(len(values), dtype=int) if neighbours is None else neighbours
    below = _below(values, there, curve[:, days])
    safe = share_of_group(below > 1, there, groups, days, within=SHARED_DAYS) >= SHARED_LOW
    safe = safe if believed is None else safe | believed
    rows = np.flatnonzero(((below > FAR_BELOW) & ~safe).any(axis=1))
    below = below[rows]
    for _ in range(ROUNDS if len(rows) else 0):
        factor = np.clip(1 - (np.where(safe[rows], 0.0, below) / (2 * FAR_BELOW)) ** 2, 0.0, 1.0) ** 2
        final[rows] = np.where(there[rows], weights[rows], 0.0) * factor
        curve[rows] = whittaker(values[rows], final[rows], days, length, lam=lam)
        below = _below(values[rows], there[rows], curve[rows][:, days])
    return curve, final


def _below(values: Floats, there: Bools, fitted: Floats) -> Floats:
    """How many robust scales (1.4826 times the median absolute residual) each look lies below its curve; 0 above."""
    residual = np.where(there & np.isfinite(fitted), values - fitted, 0.0)
    ordered = np.sort(np.where(there, np.abs(residual), np.inf), axis=1)
    middle = np.minimum(there.sum(axis=1) // 2, max(values.shape[1] - 1, 0))[:, None]
    scale = np.take_along_axis(ordered, middle, axis=1) if values.size else np.zeros((len(values), 1))
    scale = np.maximum(1.4826 * np.where(np.isfinite(scale), scale, 0.0), NOISE)
    return np.maximum(-residual / scale, 0.0)


def _solve(values: Floats, weights: Floats, days: Ints, length: int, lam: float) -> Floats:
    weight, weighted = np.zeros((len(values), length)), np.zeros((len(values), length))
    present = np.where(np.isfinite(values), weights, 0.0)
    for column, day in enumerate(days):
        weight[:, day] += present[:, column]
        weighted[:, day] += present[:, column] * np.where(present[:, column] > 0, values[:, column], 0.0)
    seen = weight >= LEAST_WEIGHT
    enough = seen.sum(axis=1) >= 2  # noqa: PLR2004 - a line needs two points
    band = np.tile(lam * _penalty(length)[:, None, :], (1, len(values), 1))
    band[2] += np.where(enough[:, None], np.where(seen, weight, 0.0), 1.0)
    target = np.where(seen, weighted, 0.0).ravel()
    smooth_ = solveh_banded(band.reshape(3, -1), target, overwrite_ab=True, check_finite=False)
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
