"""How far a smooth curve can be trusted between looks and after the last one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LOOK_SD = 0.04
"""Error of the curve on a day with a clear look: noise, thin cloud, smoothing; index units."""
DRIFT = 0.02
"""Growth of the error with the square root of days, as of a random walk; index units per square root of a day."""
MOST_SD = 0.30
"""About what an index of unknown crop and stage spreads between bare soil and a closed canopy."""


def curve_sd(observed: Bools) -> Floats:
    """Estimate the standard deviation of a smooth curve on each day.

    Between two looks the truth wanders like a bridge of a random walk, after the last (or before the first) like
    the walk itself: var = LOOK_SD^2 + DRIFT^2 * a * b / (a + b), with a and b the days since the last and to the
    next look; with only one of them, var = LOOK_SD^2 + DRIFT^2 * a.

    Parameters
    ----------
    observed : ndarray of bool, shape (fields, days)
        Days with a look that was used.

    Returns
    -------
    ndarray, shape (fields, days)
        Index units, at most ``MOST_SD``; ``MOST_SD`` throughout for a field without a look.
    """
    back, ahead = _since(observed), _since(observed[:, ::-1])[:, ::-1]
    with np.errstate(invalid="ignore", divide="ignore"):
        both = np.where(back + ahead > 0, back * ahead / (back + ahead), 0.0)
    distance = np.where(np.isfinite(back) & np.isfinite(ahead), both, np.minimum(back, ahead))
    return np.minimum(np.sqrt(LOOK_SD**2 + DRIFT**2 * distance), MOST_SD)


def days_since_last(observed: Bools) -> Floats:
    """Count days from the last look to the last day, shape (fields,); NaN where there is no look."""
    last = observed.shape[1] - 1 - observed[:, ::-1].argmax(axis=1)
    return np.where(observed.any(axis=1), observed.shape[1] - 1 - last, np.nan)


def _since(observed: Bools) -> Floats:
    """Days since the last look up to each day; infinite before the first."""
    day = np.arange(observed.shape[1], dtype=float)
    return np.asarray(day - np.maximum.accumulate(np.where(observed, day, -np.inf), axis=1))
