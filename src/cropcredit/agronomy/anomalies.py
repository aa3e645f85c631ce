"""Is this much or little? A field against its own past, against its neighbours that day, and within its region."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cropcredit.agronomy.series import Floats

Ints = NDArray[np.int_]

MIN_YEARS = 3
"""Seasons of the same crop on the same field before an anomaly means anything."""
MIN_NEIGHBOURS = 5
"""Fields of one crop and administrative unit seen that day, the field included, below which a rank says nothing."""
SPREAD_FLOOR = 0.02
"""Smallest spread that an anomaly is measured against, index units: the noise of a field's mean."""
MAD_TO_SD = 1.4826
"""A normal law's standard deviation over its median absolute deviation."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OwnHistory:
    """A field now against its own seasons of the same crop; arrays have the shape of the value that was asked about."""

    normal: Floats
    """Mean of the past seasons."""
    difference: Floats
    """Now minus ``normal``, in the value's unit."""
    z: Floats
    """In standard deviations of a new season, so few years make small numbers."""
    percentile: Floats
    """Rank among all seasons, this one included, (0, 100)."""
    years: Ints
    """Past seasons that were seen."""


def against_history(now: Floats, past: Floats, *, floor: float = SPREAD_FLOOR) -> OwnHistory:
    """Hold a season against earlier ones of the same crop on the same field, at the same phase.

    Parameters
    ----------
    now : ndarray, shape (plantings, ...)
        Any feature, e.g. the index summed until a share of the season; NaN: not seen.
    past : ndarray, shape (plantings, seasons, ...)
        The same feature in earlier seasons; NaN: another crop, or not seen.
    floor : float
        Smallest standard deviation, in the feature's unit.

    Returns
    -------
    OwnHistory
        NaN with fewer than three earlier seasons.

    Notes
    -----
    z = (now - mean) / (s sqrt(1 + 1/n)): the spread of a season not yet seen when the mean of n is itself uncertain.
    """
    seen = np.isfinite(past)
    years = seen.sum(axis=1)
    count = np.maximum(years, 1)
    mean = np.where(seen, past, 0.0).sum(axis=1) / count
    squares = (np.where(seen, past - mean[:, None], 0.0) ** 2).sum(axis=1)
    spread = np.maximum(np.sqrt(squares / np.maximum(years - 1, 1)), floor)
    known = (years >= MIN_YEARS) & np.isfinite(now)
    difference = np.where(known, now - mean, np.nan)
    with np.errstate(invalid="ignore"):
        below = (seen & (past < now[:, None])).sum(axis=1)
        equal = (seen & (past == now[:, None])).sum(axis=1)
    rank = (below + (equal + 1) / 2) / (years + 1)
    return OwnHistory(
        normal=np.where(years >= MIN_YEARS, mean, np.nan),
        difference=difference,
        z=difference / (spread * np.sqrt(1 + 1 / count)),
        percentile=np.where(known, 100 * rank, np.nan),
        years=np.asarray(years, dtype=int),
    )


def against_neighbours(values: Floats, group: NDArray[np.generic], *, floor: float = SPREAD_FLOOR) -> Floats:
    """Hold each field against the fields of its crop and administrative unit on the same day, as a robust z.

    Parameters
    ----------
    values : ndarray, shape (fields, dates)
        Index values; NaN: not seen that day.
    group : ndarray, shape (fields,)
        Crop and unit as one number or text.
    floor : float
        Smallest spread, index units.

    Returns
    -------
    ndarray, shape (fields, dates)
        (value - median) / (1.4826 MAD); NaN where the field, or fewer than five of its group, were seen.
    """
    order, first, of_group = _groups(group)
    out = np.full(values.shape, np.nan)
    for date in range(values.shape[1]):
        column = values[order, date]
        median, seen = _medians(column, first, of_group)
        away = column - median[of_group]
        mad, _ = _medians(np.abs(away), first, of_group)
        z = away / np.maximum(MAD_TO_SD * mad, floor)[of_group]
        out[order, date] = np.where(seen[of_group] >= MIN_NEIGHBOURS, z, np.nan)
    return out


def ranks(values: Floats, group: NDArray[np.generic]) -> Floats:
    """Rank each value within its group, in (0, 1); equal values share the middle of their ranks.

    Parameters
    ----------
    values : ndarray, shape (fields,)
        NaN: not seen.
    group : ndarray, shape (fields,)
        Crop and region as one number or text.

    Returns
    -------
    ndarray, shape (fields,)
        NaN where the value, or fewer than five of its group, are known; times 100 it is a percentile.

    Examples
    --------
    >>> ranks(np.array([3.0, 1.0, 2.0, 2.0, 5.0]), np.zeros(5)).tolist()
    [0.7, 0.1, 0.4, 0.4, 0.9]
    """
    order, first, of_group = _groups(group)
    column = values[order]
    by_value = np.lexsort((column, of_group))
    lined, place = column[by_value], np.arange(len(values))
    new = np.ones(len(values), dtype=bool)
    new[1:] = (lined[1:] != lined[:-1]) | (np.diff(of_group) != 0)
    tie = np.cumsum(new) - 1
    starts = np.flatnonzero(new)
    middle = (starts + np.append(starts[1:], len(values))) / 2
    seen = np.add.reduceat(np.isfinite(column), first) if len(first) else np.empty(0, dtype=int)
    found = np.full(len(values), np.nan)
    found[by_value] = (middle[tie] - first[of_group[place]]) / np.maximum(seen, 1)[of_group[place]]
    out = np.full(len(values), np.nan)
    out[order] = np.where(np.isfinite(column) & (seen[of_group] >= MIN_NEIGHBOURS), found, np.nan)
    return out


def row_medians(values: Floats) -> Floats:
    """Median of each row without its NaN; NaN for a row of nothing else."""
    if not values.shape[1]:
        return np.full(len(values), np.nan)
    lined = np.sort(values, axis=1)  # NaN comes last
    seen = np.isfinite(values).sum(axis=1)
    at = np.arange(len(values))
    low, high = np.maximum(seen - 1, 0) // 2, np.maximum(np.minimum(seen // 2, seen - 1), 0)
    return np.asarray((lined[at, low] + lined[at, high]) / 2)


def _groups(group: NDArray[np.generic]) -> tuple[Ints, Ints, Ints]:
    """Give the order that puts groups together, where each group starts in it, and the group of each place."""
    _, code = np.unique(group, return_inverse=True)
    order = np.argsort(code, kind="stable")
    of_group = np.asarray(code[order], dtype=int)
    return order, np.flatnonzero(np.diff(of_group, prepend=-1)), of_group


def _medians(column: Floats, first: Ints, of_group: Ints) -> tuple[Floats, Ints]:
    """Median of each group, and how many of it are not NaN; the column has its groups together."""
    lined = column[np.lexsort((column, of_group))]  # NaN comes last within its group
    seen = np.add.reduceat(np.isfinite(column), first).astype(int) if len(first) else np.empty(0, dtype=int)
    low, high = first + np.maximum(seen - 1, 0) // 2, first + np.minimum(seen // 2, np.maximum(seen - 1, 0))
    return (lined[low] + lined[high]) / 2, seen
