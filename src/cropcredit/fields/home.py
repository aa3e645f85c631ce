"""One tile per field, so that a field in the overlap of two tiles is not counted twice."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import shapely
from numpy.typing import NDArray

from cropcredit.fields.projection import EQUAL_AREA, WGS84, reproject

NO_TILE = ""
"""Home of a field that lies outside every tile."""


def home_tiles(
    boundaries: NDArray[np.object_], footprints: Mapping[str, shapely.Geometry]
) -> tuple[NDArray[np.str_], NDArray[np.float64]]:
    """Choose for each field the tile that covers most of it; ties go to the first name in the alphabet.

    Parameters
    ----------
    boundaries : ndarray of shapely polygons, shape (fields,)
        EPSG:4326.
    footprints : mapping of str to shapely Geometry
        Ground covered by each tile, EPSG:4326.

    Returns
    -------
    homes : ndarray of str, shape (fields,)
        Name of the tile, or :data:`NO_TILE`.
    shares : ndarray of float, shape (fields,)
        Share of the field's area that its home tile covers, [0, 1].
    """
    names = sorted(footprints)
    flat = reproject(boundaries, WGS84, EQUAL_AREA)
    area = shapely.area(flat)
    best = np.full(len(flat), -1)
    shares = np.zeros(len(flat))
    for k, name in enumerate(names):
        tile = reproject(footprints[name], WGS84, EQUAL_AREA)
        shapely.prepare(tile)
        share = np.where(shapely.contains_properly(tile, flat), 1.0, 0.0)
        rim = shapely.intersects(tile, flat) & (share == 0)
        share[rim] = shapely.area(shapely.intersection(flat[rim], tile)) / area[rim]
        better = share > shares + 1e-9
        best[better], shares[better] = k, share[better]
    return np.array([*names, NO_TILE])[best], shares
