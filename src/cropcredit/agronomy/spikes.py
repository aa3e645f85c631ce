"""Missed clouds out, troughs and shared drops kept: what a smoother must not be left to spread."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Floats = NDArray[np.float64]
Ints = NDArray[np.int_]
Bools = NDArray[np.bool_]

SPIKE_DEPTH = 0.08
"""How far below the line between its neighbours an observation must lie to be suspect, index units."""
SPIKE_SPAN_DAYS = 60
"""Neighbours further apart than this say nothing about what lies between, unless other fields testify."""
LONG_SPAN_DAYS = 100
"""Up to this span, neighbours in time and other fields together may call a dip a cloud (16-day scenes, half cloudy)."""
SHORT_SPAN_DAYS = 25
"""Within this span a trough shows on both flanks; beyond, one flank may lie between two looks."""
EXPLAINED = 0.5
"""Share of a dip that the fall before it or the rise after it, drawn on, must explain for it to be a trough."""
MOST_RISE = 0.03
"""No crop greens up faster, index units per day (maize closing from bare soil in three weeks): what does is a cloud
that has gone."""
SHARED = 0.5
"""Share of neighbouring fields that must drop on the same date for the drop to be believed."""
UNSHARED = 0.2
"""Smaller shares call a dip between distant looks a cloud."""
MIN_NEIGHBOURS = 5
CONFIRMED_WITHIN = 0.10
"""A look that the one before or after it repeats to within this is no cloud: two seldom dim alike."""
CONFIRMED_DAYS = 40
"""Looks further apart confirm nothing."""
PASSES = 2
"""The second pass finds what stood beside a dropped look: two missed clouds in a row."""


class Dips(NamedTuple):
    """The verdict on every look, shape (fields, dates) each."""

    kept: Bools
    """Looks that count."""
    believed: Bools
    """Of these, troughs, shared drops and looks that the next one repeats. No later step may take their weight."""


def despike(mean: Floats, keep: Bools, days: Ints, *, neighbours: Ints | None = None) -> Bools:
    """Drop dips that look like clouds the mask has missed (V filter), and only those.

    Parameters
    ----------
    mean : ndarray, shape (fields, dates)
        Index values.
    keep : ndarray of bool, shape (fields, dates)
        Observations that count, as from :func:`cropcredit.agronomy.usable`.
    days : ndarray of int, shape (dates,)
        Day numbers, ascending.
    neighbours : ndarray of int, shape (fields,), optional
        Group of each field; fields of one group are neighbours. Default: all are.

    Returns
    -------
    ndarray of bool, shape (fields, dates)
        ``keep`` without the dips. First and last observations of a field are never dropped.
    """
    return judge_dips(mean, keep, days, neighbours=neighbours).kept


def judge_dips(mean: Floats, keep: Bools, days: Ints, *, neighbours: Ints | None = None) -> Dips:
    """Tell clouds from troughs: as :func:`despike`, with the dips that were believed.

    A look well below the line between the looks before and after it is a dip. It is believed as the bare soil between
    two crops where the curve was falling before it and goes on rising after it (between looks more than
    ``SHORT_SPAN_DAYS`` apart one flank is enough, if drawn on it leads half of the way down) and the rise out of it is
    one that a crop can grow. It is believed as harvest or flood where at least half of the neighbouring fields dip on
    that date. Looks more than ``SPIKE_SPAN_DAYS`` apart may hide a whole trough: between them a dip is dropped only
    if enough other fields were seen that day and hardly any shares it.
    """
    kept, believed = keep, np.zeros_like(keep)
    if not keep.size:
        return Dips(kept, believed)
    groups = np.zeros(len(mean), dtype=int) if neighbours is None else neighbours
    for _ in range(PASSES):
        dip, span, trough = _find(mean, kept, days)
        share = share_of_group(dip, kept, groups, days)
        near = span <= SPIKE_SPAN_DAYS
        alone = (share < UNSHARED) & (span <= LONG_SPAN_DAYS)
        cloud = dip & ~trough & ~(share >= SHARED) & (near | alone)
        believed = dip & near & ~cloud
        kept = kept & ~cloud
    return Dips(np.asarray(kept), np.asarray(kept & (believed | _confirmed(mean, kept, days))))


def _find(mean: Floats, keep: Bools, days: Ints) -> tuple[Bools, Floats, Bools]:
    """Give for each look whether it dips, the days between its neighbours, and whether its flanks make it a trough."""
    before, after = _previous(keep), _next(keep)
    v0, v2, d0, d2 = _take(mean, before), _take(mean, after), _days(days, before), _days(days, after)
    turns, foretold = [], []
    with np.errstate(invalid="ignore", divide="ignore"):
        line = v0 + (v2 - v0) * (days - d0) / (d2 - d0)
        depth = line - mean
        dip = keep & (depth > SPIKE_DEPTH)
        for near, value, day in ((before, v0, d0), (after, v2, d2)):
            far = _chain(near, near)
            gone = _take(mean, far) - value
            drawn_on = value + gone * (days - day) / (_days(days, far) - day)
            turns.append(gone > SPIKE_DEPTH / 2)
            foretold.append(line - drawn_on >= EXPLAINED * depth)
        both, one = turns[0] & turns[1], foretold[0] | foretold[1]
        grown = v2 - mean <= MOST_RISE * (d2 - days) + SPIKE_DEPTH / 2
    return dip, d2 - d0, dip & grown & (both | (one & (d2 - d0 > SHORT_SPAN_DAYS)))


def _confirmed(mean: Floats, keep: Bools, days: Ints) -> Bools:
    """Tell which looks the kept look before or after them repeats."""
    alike = np.zeros_like(keep)
    for near in (_previous(keep), _next(keep)):
        with np.errstate(invalid="ignore"):
            close = np.abs(_days(days, near) - days) <= CONFIRMED_DAYS
            alike |= close & (np.abs(_take(mean, near) - mean) <= CONFIRMED_WITHIN)
    return alike


def share_of_group(mask: Bools, seen: Bools, groups: Ints, days: Ints, *, within: int = 0) -> Floats:
    """Give the share of the group's looks within so many days of each date that are in the mask.

    Parameters
    ----------
    mask, seen : ndarray of bool, shape (fields, dates)
        The mask is part of what was seen.
    groups : ndarray of int, shape (fields,)
    days : ndarray of int, shape (dates,)

    Returns
    -------
    ndarray, shape (fields, dates)
        In [0, 1]; NaN where fewer than ``MIN_NEIGHBOURS`` looks can tell.
    """
    _, group = np.unique(groups, return_inverse=True)
    members = csr_array((np.ones(len(group)), (group, np.arange(len(group)))))
    near = (np.abs(days[:, None] - days) <= within).astype(float)
    marked, looks = ((members @ which.astype(float)) @ near for which in (mask, seen))
    return np.where(looks >= MIN_NEIGHBOURS, marked / np.maximum(looks, 1), np.nan)[group]


def _previous(keep: Bools) -> Ints:
    """Column of the kept observation before each one; -1 where there is none."""
    columns = np.where(keep, np.arange(keep.shape[1]), -1)
    running = np.maximum.accumulate(columns, axis=1)
    return np.concatenate([np.full((len(keep), 1), -1), running[:, :-1]], axis=1)


def _next(keep: Bools) -> Ints:
    mirrored = _previous(keep[:, ::-1])[:, ::-1]
    return np.where(mirrored < 0, -1, keep.shape[1] - 1 - mirrored)


def _chain(outer: Ints, inner: Ints) -> Ints:
    """Follow ``inner`` from where ``outer`` points; -1 stays -1."""
    return np.where(outer < 0, -1, np.take_along_axis(inner, np.maximum(outer, 0), axis=1))


def _take(values: Floats, columns: Ints) -> Floats:
    return np.where(columns < 0, np.nan, np.take_along_axis(values, np.maximum(columns, 0), axis=1))


def _days(days: Ints, columns: Ints) -> Floats:
    return np.where(columns < 0, np.nan, days[np.maximum(columns, 0)].astype(float))
