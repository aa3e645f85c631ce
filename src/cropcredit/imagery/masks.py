"""Which pixels saw the ground."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Bools = NDArray[np.bool_]

SCL_VEGETATION, SCL_BARE, SCL_WATER, SCL_UNCLASSIFIED = 4, 5, 6, 7
SCL_CLOUD_LIKE = (3, 8, 9, 10)
"""Cloud shadow, cloud of medium and high probability, thin cirrus: what may reach beyond its own pixels."""

MODIS_GOOD, MODIS_MARGINAL = 0, 1
"""Pixel reliability of MOD13Q1; -1 is fill, 2 snow or ice, 3 cloud."""


def scl_clear(scl: NDArray[np.generic], *, wet: bool = False) -> Bools:
    """Keep vegetation, bare soil and the unclassified; water only over paddy (``wet``).

    Dropped are no data, saturated, dark, shadow, clouds, cirrus and snow (0, 1, 2, 3, 8, 9, 10, 11).

    Examples
    --------
    >>> np.flatnonzero(scl_clear(np.arange(12))).tolist(), np.flatnonzero(scl_clear(np.arange(12), wet=True)).tolist()
    ([4, 5, 7], [4, 5, 6, 7])
    """
    kept = (SCL_VEGETATION, SCL_BARE, SCL_UNCLASSIFIED) + (SCL_WATER,) * wet
    return np.isin(scl, kept)


def scl_doubtful(scl: NDArray[np.generic]) -> Bools:
    """Mark pixels that are kept although the classification did not decide."""
    return np.asarray(scl == SCL_UNCLASSIFIED)


def widen_clouds(scl: NDArray[np.generic], pixels: int) -> NDArray[np.generic]:
    """Let clouds and their shadows reach ``pixels`` further (in all eight directions) on the 2-d class raster.

    Examples
    --------
    >>> widen_clouds(np.array([[4, 4, 4, 9]]), 1).tolist()
    [[4, 4, 9, 9]]
    """
    if pixels == 0:
        return scl
    clouds = np.isin(scl, SCL_CLOUD_LIKE)
    reach = ndimage.binary_dilation(clouds, structure=np.ones((3, 3), dtype=bool), iterations=pixels)
    return np.where(reach & ~clouds, scl.dtype.type(9), scl)
