"""Judge the declared crop by the fields around that declare it, and by those that declare something else.

As in Sen4CAP the declarations themselves are the labels: most are right, and a forest outvotes the few that are not. A
field is judged only by those trees that did not learn from it (out of bag), so a declaration cannot vouch for itself.
Nothing is stored: the forest is grown again from the same plantings whenever it is asked, to the last digit.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cropcredit.agronomy.series import DailyCurves, Floats

MIN_FIELDS = 30
"""Fields with, and fields without the crop, below which nothing is learned."""
MAX_FIELDS = 3_000
"""Fields of either kind that a forest learns from; more only cost time."""
PARTS = 12
"""Means over equal parts of the season are what a curve is judged by."""
MARGIN_DAYS = 20
"""The season is looked at from this long before the usual sowing until this long after the usual harvest."""
OVERLAP_DAYS = 30
"""A field of another crop is compared only if that crop stood there for so long in this season."""
TREES = 200
LEAF = 3


def declared_likelihood(
    curves: DailyCurves,
    field: NDArray[np.int_],
    crop: NDArray[np.str_],
    season: NDArray[np.str_],
    start: NDArray[np.int_],
    end: NDArray[np.int_],
) -> Floats:
    """Let forests say how likely each declared crop is, by a curve that they did not learn from.

    Parameters
    ----------
    curves : DailyCurves
        Rows are plantings.
    field : ndarray of int, shape (plantings,)
        Number of the field, the same for plantings on one field.
    crop, season : ndarray of str, shape (plantings,)
        As declared; one forest is grown per crop and season.
    start, end : ndarray of int, shape (plantings,)
        Declared sowing and harvest, days from ``curves.first_on``.

    Returns
    -------
    ndarray, shape (plantings,)
        Share of the trees' votes for the declared crop, in [0, 1]; crop and other crops weigh the same, however many
        fields they have. NaN where too few fields with or without the crop are known, or where nothing was seen.
    """
    found = np.full(len(field), np.nan)
    seen = np.asarray(np.isfinite(curves.values).any(axis=1))
    keys = np.char.add(np.char.add(crop, "/"), season)
    for key in np.unique(keys):
        own = np.flatnonzero((keys == key) & seen)
        if len(own) >= MIN_FIELDS:
            window = int(np.median(start[own])), int(np.median(end[own]))
            others = _others(crop, field, start, end, own, window)
            others = others[seen[others]]
            if len(others) >= MIN_FIELDS:
                _, first, back = np.unique(field[own], return_index=True, return_inverse=True)
                with_crop, without = (_parts(curves.values, window, rows) for rows in (own[first], others))
                found[own] = _votes(with_crop, without)[back]
    return found


def _others(
    crop: NDArray[np.str_],
    field: NDArray[np.int_],
    start: NDArray[np.int_],
    end: NDArray[np.int_],
    own: NDArray[np.int_],
    window: tuple[int, int],
) -> NDArray[np.int_]:
    """One planting per field that stood in this season and is of another crop, where the crop itself was not sown."""
    overlap = np.minimum(end, window[1]) - np.maximum(start, window[0])
    standing = overlap >= OVERLAP_DAYS
    with_crop = field[standing & (crop == crop[own[0]])]
    rows = np.flatnonzero(standing & (crop != crop[own[0]]) & ~np.isin(field, with_crop))
    _, first = np.unique(field[rows], return_index=True)
    return np.asarray(rows[first], dtype=int)


def _parts(values: Floats, window: tuple[int, int], rows: NDArray[np.int_]) -> Floats:
    """Mean of the curve over equal parts of the season, shape (rows, PARTS); the last value is held where it ends."""
    edges = np.linspace(window[0] - MARGIN_DAYS, window[1] + MARGIN_DAYS, PARTS + 1).round().astype(int)
    last = values.shape[1] - 1
    days = [np.clip(np.arange(a, b), 0, last) for a, b in pairwise(edges)]
    return np.stack([values[np.ix_(rows, part)].mean(axis=1) for part in days], axis=1)


def _votes(with_crop: Floats, without: Floats) -> Floats:
    """Share of votes for the crop, one per row of ``with_crop``, from the trees that did not learn from that row."""
    from sklearn.ensemble import RandomForestClassifier  # noqa: PLC0415 - a second that only verification is worth

    dice = np.random.default_rng(0)
    own, other = _some(len(with_crop), dice), _some(len(without), dice)
    forest = RandomForestClassifier(
        TREES, min_samples_leaf=LEAF, class_weight="balanced_subsample", oob_score=True, random_state=0
    )
    forest.fit(np.concatenate([with_crop[own], without[other]]), np.repeat([1, 0], [len(own), len(other)]))
    votes = np.empty(len(with_crop))
    votes[own] = forest.oob_decision_function_[: len(own), 1]
    rest = np.setdiff1d(np.arange(len(with_crop)), own)
    if len(rest):
        votes[rest] = forest.predict_proba(with_crop[rest])[:, 1]
    return votes


def _some(count: int, dice: np.random.Generator) -> NDArray[np.int_]:
    return np.sort(dice.permutation(count)[:MAX_FIELDS])
