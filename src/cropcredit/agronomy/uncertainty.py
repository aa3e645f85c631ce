"""How far a smooth curve can be trusted between looks and after the last one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LOOK_SD = 0.03
"""Error of the curve on a day between other looks: noise, thin cloud, smoothing; index units."""
BEND = 0.0075
"""Growth of the error between two looks, index units per day of effective distance."""
EDGE_SD = 0.08
"""Error on the day of the last look: no later one tells whether it was a missed cloud."""
PACE = 0.010
"""Growth of the error after the last look, index units per day: the curve is held, the crop goes on."""
MOST_SD = 0.40
"""More is not known of an index than that it lies between bare soil and a closed canopy."""


def curve_sd(observed: Bools) -> Floats:
    """Estimate the standard deviation of a smooth curve on each day of the growing season.

    With a and b the days since the last and to the next look: between the first and the last look
    ``var = LOOK_SD^2 + (BEND a b / (a + b))^2``; from the last look on ``var = EDGE_SD^2 + (PACE a)^2``, and up to the
    first one likewise with b.

    Parameters
    ----------
    observed : ndarray of bool, shape (fields, days)
        Days with a look that was used.

    Returns
    -------
    ndarray, shape (fields, days)
        Index units, at most ``MOST_SD``; ``MOST_SD`` throughout for a field without a look.

    Notes
    -----
    The constants were set on made skies (50 and 75 % cloud, one look in ten a missed cloud; one crop, and wheat
    followed by maize) with as-of days all over the growing season; a test holds them to it.
    """
    back, ahead = _since(observed), _since(observed[:, ::-1])[:, ::-1]
    seen = np.cumsum(observed, axis=1)
    inside = (np.where(observed, seen - 1, seen) > 0) & (seen < seen[:, -1:])
    with np.errstate(invalid="ignore", divide="ignore"):
        distance = np.where(back + ahead > 0, back * ahead / (back + ahead), 0.0)
    sd = np.where(inside, np.hypot(LOOK_SD, BEND * distance), np.hypot(EDGE_SD, PACE * np.minimum(back, ahead)))
    return np.asarray(np.minimum(sd, MOST_SD))


def days_since_last(observed: Bools) -> Floats:
    """Count days from the last look to the last day, shape (fields,); NaN where there is no look."""
    last = observed.shape[1] - 1 - observed[:, ::-1].argmax(axis=1)
    return np.where(observed.any(axis=1), observed.shape[1] - 1 - last, np.nan)


def _since(observed: Bools) -> Floats:
    """Days since the last look up to each day; infinite before the first."""
    day = np.arange(observed.shape[1], dtype=float)
    return np.asarray(day - np.maximum.accumulate(np.where(observed, day, -np.inf), axis=1))
