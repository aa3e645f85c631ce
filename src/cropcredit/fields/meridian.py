"""Boundaries that cross the 180th meridian: longitude jumps there from 180 to -180, the ground does not."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

Areal = shapely.Polygon | shapely.MultiPolygon

MERIDIAN_DEG, FULL_TURN_DEG = 180.0, 360.0
SNAP_DEG = 1e-11
"""What two halves of one boundary may miss one another by: a thousandth of a millimetre."""


def crosses_meridian(geometry: shapely.Geometry) -> bool:
    """Tell whether a geometry (EPSG:4326) has vertices on both sides of the 180th meridian.

    Nothing on a farm is as wide as half the Earth, so what looks wider has jumped.
    """
    west, _, east, _ = shapely.bounds(geometry)
    return bool(east - west > MERIDIAN_DEG)


def parted(geometry: Areal) -> Areal:
    """Part a polygon at the 180th meridian, so that each part lies where its coordinates say; others stay as they are.

    Examples
    --------
    A ring whose corners were moved to degrees one by one:

    >>> ring = shapely.Polygon([(179, -17), (-179, -17), (-179, -16), (179, -16)])
    >>> [part.bounds for part in parted(ring).geoms]
    [(179.0, -17.0, 180.0, -16.0), (-180.0, -17.0, -179.0, -16.0)]
    """
    if not crosses_meridian(geometry):
        return geometry
    whole = joined(geometry)
    _, south, _, north = whole.bounds
    west_of_it, east_of_it = (
        shapely.intersection(whole, shapely.box(first, south, first + MERIDIAN_DEG, north))
        for first in (0.0, MERIDIAN_DEG)
    )
    back = shapely.transform(east_of_it, lambda xy: np.add(xy, (-FULL_TURN_DEG, 0.0)))
    return _polygons(np.array([west_of_it, back]))


def joined(geometry: Areal) -> Areal:
    """Bring both sides of a crossing polygon together, with longitudes in [0, 360]; others stay as they are."""
    if not crosses_meridian(geometry):
        return geometry
    east = shapely.make_valid(shapely.transform(geometry, _east_of_greenwich))
    return _polygons(shapely.union_all(shapely.get_parts(east), grid_size=SNAP_DEG))


def _polygons(found: shapely.Geometry | NDArray[np.object_]) -> Areal:
    """Keep the polygons: where one merely touches the meridian, a line is cut off."""
    parts = [part for part in shapely.get_parts(found) if isinstance(part, shapely.Polygon)]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def _east_of_greenwich(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.column_stack([np.where(xy[:, 0] < 0, xy[:, 0] + FULL_TURN_DEG, xy[:, 0]), xy[:, 1]])
