"""Which pixels saw the ground."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]

SCL_VEGETATION, SCL_BARE, SCL_WATER, SCL_UNCLASSIFIED = 4, 5, 6, 7
SCL_CLOUD = 9
SCL_CLOUD_LIKE = (3, 8, SCL_CLOUD, 10)
"""Cloud shadow, cloud of medium and high probability, thin cirrus: what may reach beyond its own pixels."""

MODIS_GOOD, MODIS_MARGINAL = 0, 1
"""Pixel reliability of MOD13Q1; -1 is fill, 2 snow or ice, 3 cloud."""


QA_DILATED_CLOUD, QA_CIRRUS, QA_CLOUD, QA_SHADOW, QA_CLEAR, QA_WATER = (1 << bit for bit in (1, 2, 3, 4, 6, 7))
"""Bits of Landsat's QA_PIXEL; bit 0 is fill, 5 snow, those above 7 tell how sure the others are."""
QA_NOT_GROUND = 0b111111
"""Fill, dilated cloud, cirrus, cloud, cloud shadow, snow."""


def scl_clear(scl: NDArray[np.generic], *, wet: bool = False) -> Bools:
    """Keep vegetation, bare soil and the unclassified; water only over paddy (``wet``).

    Dropped are no data, saturated, dark, shadow, clouds, cirrus and snow (0, 1, 2, 3, 8, 9, 10, 11).

    Examples
    --------
    >>> np.flatnonzero(scl_clear(np.arange(12))).tolist(), np.flatnonzero(scl_clear(np.arange(12), wet=True)).tolist()
    ([4, 5, 7], [4, 5, 6, 7])
    """
    return _among(scl, (SCL_VEGETATION, SCL_BARE, SCL_UNCLASSIFIED) + (SCL_WATER,) * wet)


def scl_cloudy(scl: NDArray[np.generic]) -> Bools:
    """Mark clouds of medium and high probability, thin cirrus and cloud shadows."""
    return _among(scl, SCL_CLOUD_LIKE)


def scl_doubtful(scl: NDArray[np.generic]) -> Bools:
    """Mark pixels that are kept although the classification did not decide."""
    return np.asarray(scl == SCL_UNCLASSIFIED)


def qa_clear(qa: NDArray[np.integer[Any]], *, wet: bool = False) -> Bools:
    """Keep what is neither fill, cloud (dilated or cirrus too), shadow nor snow; water only over paddy (``wet``).

    Examples
    --------
    Clear, clear water, cloud:

    >>> qa = np.array([0b1000000, 0b11000000, 0b1000], dtype=np.uint16)
    >>> qa_clear(qa).tolist(), qa_clear(qa, wet=True).tolist()
    ([True, False, False], [True, True, False])
    """
    return np.asarray((qa & (QA_NOT_GROUND if wet else QA_NOT_GROUND | QA_WATER)) == 0)


def qa_cloudy(qa: NDArray[np.integer[Any]]) -> Bools:
    """Mark clouds, cirrus and cloud shadows; what Landsat itself has dilated is wide enough."""
    return np.asarray((qa & (QA_CIRRUS | QA_CLOUD | QA_SHADOW)) != 0)


def widened(marked: Bools, pixels: int) -> Bools:
    """Let what is marked on a 2-d raster reach ``pixels`` further, in all eight directions.

    Examples
    --------
    >>> widened(np.array([[False, False, True, False]]), 1).tolist()
    [[False, True, True, True]]
    """
    reach = marked
    for axis in (0, 1):
        for _ in range(pixels):
            grown = reach.copy()
            ahead, behind = ([slice(None)] * 2, [slice(None)] * 2)
            ahead[axis], behind[axis] = slice(1, None), slice(None, -1)
            grown[tuple(ahead)] |= reach[tuple(behind)]
            grown[tuple(behind)] |= reach[tuple(ahead)]
            reach = grown
    return reach


def _among(classes: NDArray[np.generic], wanted: tuple[int, ...]) -> Bools:
    """Tell which classes are wanted: for the few classes of a mask, comparing is faster than any table."""
    return np.asarray(reduce(or_, (classes == value for value in wanted)))
