"""Which share of a field carries the crop: from the mean and the spread of its pixels around the peak.

A field of which the share f is planted shows two kinds of pixels, bare ones at B and green ones at C. Their mean and
variance are m = B + f (C - B) and s^2 = f (1 - f) (C - B)^2 + w (m - B)^2, the second part being the unevenness w that
fully planted fields have as well. C drops out: (s / (m - B))^2 = (1 - f) / f + w, so

    f = 1 / (1 + max(0, (s / (m - B))^2 - w)).

A thin crop (small C, small s) is told from a half empty field (large s). B is the field's own lowest level before the
rise; w comes from the fields of the same crop around, so far up their scatter that an uneven field is not called half
empty. Weeds on the empty part hide it: the share is then too large, never too small.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cropcredit.agronomy.series import MIN_CLEAR, Floats

MIN_FIELDS = 8
"""Fields of the crop needed to know how uneven a full field is."""
MIN_LOOKS = 2
"""Looks around the peak needed per field."""
PEAK_DAYS = 30
"""Looks at most this far from the peak count."""
MIN_RISE = 0.12
"""Below this rise the spread of the pixels tells the sensor's noise."""
SCATTER = 3.0
"""Robust standard deviations above the usual unevenness that are still called uneven, not empty."""
FULL = 0.90
"""Above this a share cannot be told from 1."""
_TO_SIGMA = 1.4826


def planted_share(
    mean: Floats,
    std: Floats,
    clear_fraction: Floats,
    day: NDArray[np.int_],
    *,
    peak: Floats,
    base: Floats,
    rise: Floats,
    group: NDArray[np.str_],
) -> Floats:
    """Estimate the planted share of each planting's field.

    Parameters
    ----------
    mean, std, clear_fraction : ndarray, shape (plantings, dates)
        Of the clear pixels of the field's core.
    day : ndarray of int, shape (dates,)
        Day numbers of the dates.
    peak, base, rise : ndarray, shape (plantings,)
        From :func:`cropcredit.agronomy.curve_tests.curve_tests`.
    group : ndarray of str, shape (plantings,)
        Crop, region and season: fields of one group are compared.

    Returns
    -------
    ndarray, shape (plantings,)
        Share in (0, 1]; NaN where it cannot be known: no clear rise, fewer than two looks near the peak, or fewer than
        eight fields to compare with.

    Examples
    --------
    Nine even fields, and one of which half is bare (0.2) and half is green (0.8):

    >>> one = np.ones((10, 2))
    >>> mean, std = 0.8 * one, 0.03 * one
    >>> mean[9], std[9] = 0.5, 0.3
    >>> ten = np.ones(10)
    >>> kind = np.repeat("maize", 10)
    >>> day, rise = np.array([0, 5]), mean[:, 0] - 0.2
    >>> planted_share(mean, std, one, day, peak=0 * ten, base=0.2 * ten, rise=rise, group=kind).round(2)
    array([1. , 1. , 1. , 1. , 1. , 1. , 1. , 1. , 1. , 0.5])
    """
    near = (np.abs(day - peak[:, None]) <= PEAK_DAYS) & (clear_fraction >= MIN_CLEAR) & np.isfinite(mean + std)
    green = near & (mean - base[:, None] >= np.maximum(0.7 * rise, MIN_RISE)[:, None])
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(green, (std / (mean - base[:, None])) ** 2, np.nan)
    unevenness = np.full(len(mean), np.nan)
    rows = green.sum(axis=1) >= MIN_LOOKS
    unevenness[rows] = np.nanmedian(ratio[rows], axis=1)
    share = 1 / (1 + np.maximum(unevenness - _usual(unevenness, group), 0.0))
    return np.where(share >= FULL, 1.0, share)


def _usual(unevenness: Floats, group: NDArray[np.str_]) -> Floats:
    """How uneven a full field of each group may be; NaN for groups too small to say."""
    usual = np.full(len(unevenness), np.nan)
    for name in np.unique(group):
        rows = group == name
        known = unevenness[rows & np.isfinite(unevenness)]
        if len(known) >= MIN_FIELDS:
            middle = np.median(known)
            usual[rows] = middle + SCATTER * _TO_SIGMA * np.median(np.abs(known - middle))
    return usual
