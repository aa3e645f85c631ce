"""Quantiles from errors made in years the model had not seen.

The errors of one year go together (a drought is everywhere), so the year is the unit: each left-out year has the same
say, however many regions it has, and few years widen the interval as Student's t does.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from cropcredit.agronomy.groups import rows_by
from cropcredit.agronomy.series import Floats
from cropcredit.model import PROBABILITIES

PRIOR_LABELS = 30.0
"""Errors' worth of the spread of all regions in each region's own."""


def year_quantiles(errors: Floats, years: NDArray[np.int_], levels: tuple[float, ...] = PROBABILITIES) -> Floats:
    """Quantiles of the errors, every year weighing the same, stretched for few years.

    Parameters
    ----------
    errors : ndarray, shape (n,)
        Observed minus predicted, t/ha, each made with its own year left out.
    years : ndarray of int, shape (n,)
        Year of each error; at least two different ones.
    levels : tuple of float
        Probabilities, ascending.

    Returns
    -------
    ndarray, shape (levels,)
        Offsets to add to a prediction, ascending: quantiles of one level never cross those of another.
    """
    unique, group, counts = np.unique(years, return_inverse=True, return_counts=True)
    order = np.argsort(errors, kind="stable")
    weight = (1.0 / counts[group])[order] / len(unique)
    position = np.cumsum(weight) - weight / 2
    raw = np.interp(levels, position, errors[order])
    middle = float(np.interp(0.5, position, errors[order]))
    return np.maximum.accumulate(middle + (raw - middle) * _stretch(len(unique), levels))


def year_sd(errors: Floats, years: NDArray[np.int_]) -> float:
    """Root mean square error, every year weighing the same."""
    return float(np.sqrt(np.mean([np.mean(errors[years == year] ** 2) for year in np.unique(years)])))


def region_scales(errors: Floats, region: NDArray[np.str_]) -> dict[str, float]:
    """Tell how large the errors of each region are beside all, shrunk towards one where a region has few.

    Errors divided by it are alike, so quantiles from all regions serve each: intervals conditional on the region
    (Mondrian) as far as its number of labels allows.
    """
    pooled = float(np.mean(errors**2)) or 1.0
    scales = {}
    for name, rows in rows_by(region):
        mine = errors[rows]
        scales[name] = float(np.sqrt((PRIOR_LABELS + (mine**2).sum() / pooled) / (PRIOR_LABELS + len(mine))))
    return scales


def scale_of(scales: Mapping[str, float], region: NDArray[np.str_]) -> Floats:
    """Give the scale of each row; one for a region that is not known."""
    return np.array([scales.get(str(name), 1.0) for name in region])


def wider(offsets: Floats, sd: float, more: float) -> Floats:
    """Stretch the quantiles of errors of spread ``sd`` by a further, independent spread, both t/ha."""
    return offsets * float(np.hypot(sd, more)) / max(sd, 1e-9)


def _stretch(years: int, levels: tuple[float, ...]) -> Floats:
    """Student's t over the normal quantile at each level, with years - 1 degrees of freedom."""
    probability = np.array(levels)
    probability = np.where(np.isclose(probability, 0.5), 0.75, probability)  # both are 0 there: any level will do
    return np.asarray(stdtrit(max(years - 1, 1), probability) / ndtri(probability))
