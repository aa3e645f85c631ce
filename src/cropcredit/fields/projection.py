"""From one coordinate system to another, always x before y, and never silently."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from cropcredit.errors import MissingCRS, UnknownName

WGS84 = "EPSG:4326"
"""Longitude and latitude in degrees, x = longitude: how boundaries are kept."""
EQUAL_AREA = "EPSG:6933"
"""Global cylindrical equal-area grid, metres: where shares of area are compared."""

Geometries = TypeVar("Geometries", NDArray[np.object_], shapely.Geometry)


def reproject(geometries: Geometries, source: str, target: str) -> Geometries:
    """Move every vertex from ``source`` to ``target`` (EPSG code or WKT); axes are x, y in both.

    A vertex that has no place in ``target`` becomes infinite; callers that take untrusted data check for it.

    Raises
    ------
    MissingCRS
        If either is empty.
    UnknownName
        If PROJ does not know one of them.
    """
    if not source or not target:
        raise MissingCRS("geometry without a coordinate system cannot be reprojected")
    if source == target:
        return geometries
    move = transformer(source, target)
    return shapely.transform(geometries, lambda xy: np.column_stack(move.transform(xy[:, 0], xy[:, 1])))


@lru_cache(maxsize=64)
def transformer(source: str, target: str) -> pyproj.Transformer:
    """Build (once) the transformation between two coordinate systems, x before y."""
    return pyproj.Transformer.from_crs(crs_of(source), crs_of(target), always_xy=True)


@lru_cache(maxsize=64)
def crs_of(text: str) -> pyproj.CRS:
    """Read an EPSG code or WKT; raises UnknownName where PROJ cannot."""
    try:
        return pyproj.CRS.from_user_input(text)
    except pyproj.exceptions.CRSError:
        raise UnknownName("coordinate system", text) from None
