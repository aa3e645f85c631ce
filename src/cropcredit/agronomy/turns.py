"""Where seasons lie: turning points of many daily curves at once, found in the curve itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int_]

SEASON_AMPLITUDE = 0.10
"""Smaller rises are not a season, index units (phenofit: ``ypeak_min``)."""
TROUGH_DEPTH = 0.20
"""Two peaks are two seasons if the curve between them falls, and rises again, by this share of the field's whole range
(phenofit: ``r_max``; Kong et al. 2022, Methods in Ecology and Evolution 13)."""
MIN_SEASON_DAYS = 45
"""Trough to trough; no field crop is shorter (phenofit: ``len_min``)."""
MOST_SEASONS = 3
"""Seasons of a year that are told apart: three rice crops are the most that is grown."""
NONE = -1


def season_windows(values: Floats, *, most: int = MOST_SEASONS) -> tuple[Ints, Ints]:
    """Find the seasons of each curve: from the trough before a peak to the trough after it.

    One walk over the days with a threshold for turning (Billauer's ``peakdet``), all fields at once: a curve has
    turned up when it stands ``SEASON_AMPLITUDE``, or ``TROUGH_DEPTH`` of its range if that is more, above its last
    low; down likewise. A season that has not turned down by the last day is still open and lasts to that day. What was
    already falling on the first day is no season: its rise was not seen.

    Parameters
    ----------
    values : ndarray, shape (fields, days)
        Daily curves of about one year; NaN rows have no season.
    most : int
        Where there are more, those of the greatest rise are taken.

    Returns
    -------
    start, end : ndarray of int, shape (fields, most)
        First and last day of each window, ordered in time; ``-1`` where there is no season.
    """
    lows, peaks, count = _walk(values)
    slots = np.arange(peaks.shape[1])
    start, end = lows[:, :-1], lows[:, 1:]
    is_open = end == values.shape[1]
    end = np.minimum(end, values.shape[1] - 1)
    real = (slots < count[:, None]) & ((end - start >= MIN_SEASON_DAYS) | is_open)
    rise = _at(values, peaks) - _at(values, start)
    rank = np.argsort(np.where(real, -rise, np.inf), axis=1, kind="stable")[:, :most]
    chosen = np.sort(np.where(np.take_along_axis(real, rank, axis=1), rank, len(slots)), axis=1)
    there, chosen = chosen < len(slots), np.minimum(chosen, len(slots) - 1)
    first, last = (np.where(there, np.take_along_axis(days, chosen, axis=1), NONE) for days in (start, end))
    wanted = ((0, 0), (0, max(most - first.shape[1], 0)))
    return np.pad(first, wanted, constant_values=NONE), np.pad(last, wanted, constant_values=NONE)


def _walk(values: Floats) -> tuple[Ints, Ints, Ints]:
    """Give the lows (one more than there can be peaks), the peaks and the number of peaks of each curve.

    The low after a peak that has not come yet is the number of days.
    """
    fields, length = values.shape
    room = length // MIN_SEASON_DAYS * 2 + 2
    lows, peaks = np.full((fields, room + 1), length), np.zeros((fields, room), dtype=int)
    alive = np.asarray(np.isfinite(values).all(axis=1))
    curve = np.where(alive[:, None], values, 0.0)
    turn = np.maximum(SEASON_AMPLITUDE, TROUGH_DEPTH * np.ptp(curve, axis=1))
    rows, count, up = np.arange(fields), np.zeros(fields, dtype=int), np.zeros(fields, dtype=bool)
    extreme, at = curve[:, 0].copy(), np.zeros(fields, dtype=int)  # the high since the last low, or the reverse
    for day in range(1, length):
        now = curve[:, day]
        further = np.where(up, now > extreme, now < extreme)
        extreme, at = np.where(further, now, extreme), np.where(further, day, at)
        turned = (np.where(up, extreme - now, now - extreme) >= turn) & (count < room)
        if turned.any():
            rising, falling = rows[turned & ~up], rows[turned & up]
            lows[rising, count[rising]] = at[rising]
            peaks[falling, count[falling]] = at[falling]
            count[falling] += 1
            up ^= turned
            extreme, at = np.where(turned, now, extreme), np.where(turned, day, at)
    rising, falling = rows[up], rows[~up]
    peaks[rising, count[rising]] = at[rising]
    count[rising] += 1
    lows[falling, count[falling]] = at[falling]
    return lows, peaks, count


def _at(values: Floats, days: Ints) -> Floats:
    return np.take_along_axis(values, np.minimum(days, values.shape[1] - 1), axis=1)
