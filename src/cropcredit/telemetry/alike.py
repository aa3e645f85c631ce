"""How alike two courses are in their smallest movements: sensors' own noise is a fingerprint that no two share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cropcredit.telemetry.tracks import Floats, Grid

CLIPPED = 4.0
"""Movements beyond so many robust deviations are cut there: rain and a door that opened move all sensors alike."""
TOP = 0.9995
"""Correlations are cut here, so that equal series differ from others by a finite amount."""
LEAST = 12
"""Steps that two courses must share."""


def fingerprint(values: Floats, grid: Grid) -> Floats:
    """Give what is left of a course once its neighbouring steps and its usual day are taken away.

    Parameters
    ----------
    values : ndarray, shape (..., steps)
        NaN: not measured.

    Returns
    -------
    ndarray, shape (..., steps)
        NaN at gaps and at both ends.
    """
    left = np.full(values.shape, np.nan)
    left[..., 1:-1] = values[..., 1:-1] - (values[..., :-2] + values[..., 2:]) / 2
    if grid.per_day > 1:
        days = left.reshape(*left.shape[:-1], grid.days, grid.per_day)
        left = (days - _mean(days, axis=-2)).reshape(left.shape)
    return cut(left)


def cut(moves: Floats) -> Floats:
    """Cut movements at a few robust deviations, row by row."""
    spread = CLIPPED * 1.4826 * _median(np.abs(moves))
    spread = np.where(spread > 0, spread, np.inf)[..., None]
    return np.clip(moves, -spread, spread)


def lagged_correlation(ours: Floats, theirs: Floats, *, earliest: int, latest: int) -> tuple[Floats, NDArray[np.int_]]:
    """Correlate courses row by row at every lag; a lag of k says that ours tells what theirs told k steps ago.

    Parameters
    ----------
    ours, theirs : ndarray, shapes (rows, n) and (rows, m)
        Of zero mean; NaN: unknown.
    earliest, latest : int
        First and last lag, steps.

    Returns
    -------
    ndarray, shape (rows, lags)
        Correlation; NaN where fewer than :data:`LEAST` steps are shared or one side does not move.
    ndarray, shape (lags,)
        The lags.
    """
    lags = np.arange(earliest, latest + 1)
    size = 1 << int(np.ceil(np.log2(ours.shape[1] + theirs.shape[1])))
    known, held = np.isfinite(ours), np.isfinite(theirs)
    x, y = np.where(known, ours, 0.0), np.where(held, theirs, 0.0)
    fx, fx2, fm = (np.fft.rfft(part, size) for part in (x, x**2, known.astype(float)))
    fy, fy2, fh = (np.conj(np.fft.rfft(part, size)) for part in (y, y**2, held.astype(float)))
    both, square_x, square_y, shared = (
        np.fft.irfft(product, size)[:, lags % size] for product in (fx * fy, fx2 * fh, fm * fy2, fm * fh)
    )
    scale = np.sqrt(np.maximum(square_x, 0) * np.maximum(square_y, 0))
    still = 1e-9 * np.maximum(x.std(axis=1), 1e-12)[:, None] * np.maximum(y.std(axis=1), 1e-12)[:, None]
    usable = (np.round(shared) >= LEAST) & (scale > still * ours.shape[1])
    return np.where(usable, np.clip(both / np.where(usable, scale, 1.0), -1, 1), np.nan), lags


def closeness(correlation: Floats) -> Floats:
    """Fisher's z of correlations, cut at :data:`TOP`: differences of it mean the same near 0 and near 1."""
    return np.asarray(np.arctanh(np.clip(correlation, -TOP, TOP)))


def paired(ours: Floats, theirs: Floats) -> Floats:
    """Correlate rows without a lag, about zero; NaN where fewer than :data:`LEAST` steps are shared."""
    known = np.isfinite(ours) & np.isfinite(theirs)
    x, y = np.where(known, ours, 0.0), np.where(known, theirs, 0.0)
    scale = np.sqrt((x**2).sum(axis=-1) * (y**2).sum(axis=-1))
    usable = (known.sum(axis=-1) >= LEAST) & (scale > 0)
    return np.asarray(np.where(usable, (x * y).sum(axis=-1) / np.where(usable, scale, 1.0), np.nan))


def _mean(values: Floats, axis: int) -> Floats:
    known = np.isfinite(values)
    count = known.sum(axis=axis, keepdims=True)
    total = np.where(known, values, 0.0).sum(axis=axis, keepdims=True)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), 0.0))


def _median(values: Floats) -> Floats:
    """Median of the last axis without NaN; 0 where nothing is known."""
    ordered = np.sort(values, axis=-1)  # NaN last
    count = np.isfinite(ordered).sum(axis=-1)
    at = np.maximum(count - 1, 0) // 2
    middle = np.take_along_axis(ordered, np.expand_dims(at, -1), axis=-1)[..., 0]
    return np.asarray(np.where(count > 0, middle, 0.0))


def median_of_rows(rows: Floats) -> Floats:
    """Median over the first axis without NaN; NaN where no row knows."""
    if not len(rows):
        return np.full(rows.shape[1:], np.nan)
    ordered = np.sort(rows, axis=0)  # NaN last
    count = np.isfinite(ordered).sum(axis=0)
    low = np.maximum(count - 1, 0) // 2
    high = np.minimum(count // 2, np.maximum(count - 1, 0))
    both = [np.take_along_axis(ordered, at[None], axis=0)[0] for at in (low, high)]
    return np.asarray(np.where(count > 0, (both[0] + both[1]) / 2, np.nan))
