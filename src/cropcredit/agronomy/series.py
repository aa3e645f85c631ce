"""From scattered, partly clouded observations to one smooth daily curve per field.

The order matters: undetected clouds are taken out first (a smoother only spreads them), then what is left is smoothed,
and where much contamination is left, smoothed with robust weights. Everything is vectorised over fields; nothing after
the last given date can be known, so truncate before you call.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cropcredit.agronomy.smoothers import robust_whittaker
from cropcredit.agronomy.spikes import judge_dips
from cropcredit.agronomy.uncertainty import curve_sd, days_since_last
from cropcredit.errors import EmptyInput, MalformedInput

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

MIN_CLEAR = 0.5
"""Smallest clear share of the core at which a date counts."""
USED = 0.5
"""A look that has lost more of its weight than this was not used."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DailyCurves:
    """Smooth daily curves of many fields on common days."""

    first_on: np.datetime64
    values: Floats
    """Shape (fields, days); NaN for a field with fewer than two usable observations."""
    observed: Bools
    """Shape (fields, days): True on days with an observation that was used."""

    @property
    def sd(self) -> Floats:
        """Standard deviation of each value, index units, shape (fields, days): see :func:`.uncertainty.curve_sd`."""
        return np.where(np.isfinite(self.values), curve_sd(self.observed), np.nan)

    @property
    def days_since_last_clear(self) -> Floats:
        """Days from the last used observation to the last day, shape (fields,); NaN where there is none."""
        return days_since_last(self.observed)


def usable(mean: Floats, clear_fraction: Floats, *, min_clear: float = MIN_CLEAR) -> Bools:
    """Tell which observations have enough clear core, shape (fields, dates)."""
    return np.asarray(np.isfinite(mean) & (clear_fraction >= min_clear))


def smooth(
    mean: Floats,
    clear_fraction: Floats,
    acquired_on: NDArray[np.datetime64],
    *,
    neighbours: NDArray[np.int_] | None = None,
    until: np.datetime64 | None = None,
) -> DailyCurves:
    """Run the whole way from observations to daily curves: clear dates, de-spike, robust Whittaker.

    Parameters
    ----------
    mean, clear_fraction : ndarray, shape (fields, dates)
        As in :class:`cropcredit.model.FieldSeries`.
    acquired_on : ndarray of datetime64[D], shape (dates,)
        Ascending.
    neighbours : ndarray of int, shape (fields,), optional
        See :func:`cropcredit.agronomy.despike`.
    until : datetime64, optional
        Last day of the grid; observations after it are not looked at. Default: the last date.

    Returns
    -------
    DailyCurves
        From the first date (or ``until``, if all dates are later) on, three days at least. A field with fewer than
        two clear observations has NaN.

    Raises
    ------
    EmptyInput
        If there is neither a date nor ``until``.
    MalformedInput
        If shapes do not agree or dates do not ascend.
    """
    dates = _checked(mean, clear_fraction, acquired_on, until)
    last = dates[-1] if until is None else until.astype("datetime64[D]")
    seen = dates <= last
    mean, clear_fraction, dates = mean[:, seen], clear_fraction[:, seen], dates[seen]
    first = dates[0] if len(dates) else last
    days = (dates - first).astype(int)
    length = max(int((last - first).astype(int)) + 1, 3)
    dips = judge_dips(mean, usable(mean, clear_fraction), days, neighbours=neighbours)
    weights = np.where(dips.kept, clear_fraction, 0.0)
    values, final = robust_whittaker(mean, weights, days, length, believed=dips.believed, neighbours=neighbours)
    used = dips.kept & (final > USED * weights)
    observed = np.zeros((len(mean), length), dtype=bool)
    for column, day in enumerate(days):
        observed[:, day] |= used[:, column]
    return DailyCurves(first_on=first, values=values, observed=observed)


def _checked(
    mean: Floats, clear_fraction: Floats, acquired_on: NDArray[np.datetime64], until: np.datetime64 | None
) -> NDArray[np.datetime64]:
    dates = acquired_on.astype("datetime64[D]")
    if not len(dates) and until is None:
        raise EmptyInput("a series without dates has no last day", where="acquired_on", cure="give until")
    if mean.shape != clear_fraction.shape or mean.shape[1:] != dates.shape:
        shapes = f"mean {mean.shape}, clear_fraction {clear_fraction.shape}, acquired_on {dates.shape}"
        raise MalformedInput(f"shapes do not agree: {shapes}", cure="give (fields, dates) twice and (dates,)")
    if (np.diff(dates) < np.timedelta64(0, "D")).any():
        raise MalformedInput("dates do not ascend", where="acquired_on", cure="sort the columns by date")
    return dates
