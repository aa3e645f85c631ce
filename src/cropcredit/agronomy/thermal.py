"""Growing degree days from daily temperatures: gaps, formula, and what is usual for the days to come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cropcredit.agronomy.series import Bools, Floats
from cropcredit.errors import RefusedInput

Ints = NDArray[np.int_]

METHODS = ("triangle", "average")
LONGEST_GAP_DAYS = 3
"""Days in a row without a temperature that are still filled."""
NORMAL_YEARS = 3
"""Years of weather needed before the warmth to come is expected to be as usual."""
_LEAP_YEAR_DAYS = 366


@dataclass(frozen=True, slots=True, eq=False)
class Filled:
    """Daily values with their short gaps filled."""

    values: Floats
    """As given; NaN stays where a gap is too long."""
    filled: Bools
    """True on the days that were filled."""


def growing_degree_days(
    t_min_c: Floats, t_max_c: Floats, base_c: float, ceiling_c: float, *, method: str = "triangle"
) -> Floats:
    """Warmth above a base temperature, with a horizontal cutoff at a ceiling, °C day per day.

    Parameters
    ----------
    t_min_c, t_max_c : ndarray
        Lowest and highest temperature of each day, °C, of one shape; NaN: unknown.
    base_c, ceiling_c : float
        Development stands still below the one and does not quicken above the other.
    method : {"triangle", "average"}
        ``triangle``: the temperature rises and falls in straight lines (single triangle), so cold nights take nothing
        from warm days. ``average``: the mean of both extremes, each held between base and ceiling first.

    Returns
    -------
    ndarray
        At least 0; NaN where a temperature is unknown.

    Raises
    ------
    RefusedInput
        If the ceiling is not above the base, a lowest exceeds a highest temperature, or the method is unknown.

    References
    ----------
    Zalom, F. G. et al. (1983). Degree-days: the calculation and use of heat units in pest management. University of
    California leaflet 21373 (single triangle, horizontal cutoff).
    McMaster, G. S. & Wilhelm, W. W. (1997). Growing degree-days: one equation, two interpretations. Agricultural and
    Forest Meteorology 87 (average, method 2).

    Examples
    --------
    From 6 to 18 °C with a base of 10 °C, two thirds of the day lie above the base, by 4 °C on average:

    >>> [float(growing_degree_days(np.array(6.0), np.array(18.0), 10, 30, method=m).round(3)) for m in METHODS]
    [2.667, 4.0]
    """
    if not base_c < ceiling_c:
        raise RefusedInput(f"base {base_c:g} °C is not below the ceiling {ceiling_c:g} °C", where="growing degree days")
    if method not in METHODS:
        raise RefusedInput(f"unknown method {method!r}", where="growing degree days", cure=f"one of {METHODS}")
    low, high = np.asarray(t_min_c, dtype=float), np.asarray(t_max_c, dtype=float)
    _refuse_exchanged(low, high)
    cut_low, cut_high = np.clip(low, base_c, ceiling_c), np.clip(high, base_c, ceiling_c)
    if method == "average":
        return np.asarray((cut_low + cut_high) / 2 - base_c)
    span = np.where(high == low, 1.0, high - low)
    within = (cut_high - cut_low) * ((cut_low + cut_high) / 2 - base_c)
    above = np.maximum(high - np.maximum(low, ceiling_c), 0.0) * (ceiling_c - base_c)
    return np.asarray(np.where(high == low, cut_low - base_c, (within + above) / span))


def fill_gaps(values: Floats, *, longest: int = LONGEST_GAP_DAYS) -> Filled:
    """Fill gaps of a few days linearly; at the ends the nearest value is held.

    Parameters
    ----------
    values : ndarray, shape (rows, days)
        NaN: missing.
    longest : int
        Longer gaps stay as they are.

    Examples
    --------
    >>> fill_gaps(np.array([[1.0, np.nan, 3.0, np.nan, np.nan, np.nan, np.nan, 5.0]])).values
    array([[ 1.,  2.,  3., nan, nan, nan, nan,  5.]])
    """
    days, missing = np.arange(values.shape[1]), np.isnan(values)
    before = np.maximum.accumulate(np.where(missing, -1, days), axis=1)
    after = np.minimum.accumulate(np.where(missing, len(days), days)[:, ::-1], axis=1)[:, ::-1]
    short = missing & (after - before - 1 <= longest) & ((before >= 0) | (after < len(days)))
    left = np.where(before >= 0, before, after)
    right = np.where(after < len(days), after, before)
    v0, v1 = (np.take_along_axis(values, np.clip(at, 0, len(days) - 1), axis=1) for at in (left, right))
    line = v0 + (v1 - v0) * (days - left) / np.maximum(right - left, 1)
    return Filled(np.where(short, line, values), short)


def with_normals(gdd: Floats, first_on: np.datetime64, until: int, length: int) -> Floats:
    """Lengthen daily growing degree days beyond the last day known by what those days of the year gave before.

    Parameters
    ----------
    gdd : ndarray, shape (rows, days)
        From ``first_on`` on; NaN: unknown.
    until : int
        Last day known; later ones are not looked at.
    length : int
        Days of the result.

    Returns
    -------
    ndarray, shape (rows, length)
        NaN after ``until`` where a day of the year was known in fewer than three years.
    """
    out = np.full((len(gdd), length), np.nan)
    known = min(until + 1, gdd.shape[1], length)
    out[:, :known] = gdd[:, :known]
    of_year = _day_of_year(first_on, max(length, known))
    total, years = (np.zeros((_LEAP_YEAR_DAYS + 1, len(gdd))) for _ in range(2))
    past = gdd[:, : min(until + 1, gdd.shape[1])]
    seen = np.isfinite(past)
    doy = _day_of_year(first_on, past.shape[1])
    np.add.at(total, doy, np.where(seen, past, 0.0).T)
    np.add.at(years, doy, seen.T)
    enough = years >= np.where(np.arange(_LEAP_YEAR_DAYS + 1) == _LEAP_YEAR_DAYS, 1, NORMAL_YEARS)[:, None]
    normal = np.where(enough, total / np.maximum(years, 1), np.nan)
    out[:, known:] = normal[of_year[known:length]].T
    return out


def _day_of_year(first_on: np.datetime64, days: int) -> Ints:
    dates = first_on.astype("datetime64[D]") + np.arange(days)
    return np.asarray((dates - dates.astype("datetime64[Y]").astype("datetime64[D]")).astype(int) + 1)


def _refuse_exchanged(low: Floats, high: Floats) -> None:
    with np.errstate(invalid="ignore"):
        wrong = low > high
    if wrong.any():
        raise RefusedInput(
            f"the lowest temperature exceeds the highest on {int(wrong.sum())} day(s),"
            f" first {low[wrong][0]:g} > {high[wrong][0]:g} °C",
            where="daily temperatures",
            cure="exchange the columns t_min_c and t_max_c, or correct the days",
        )
