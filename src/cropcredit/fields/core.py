"""The core of a field: what remains when its rim, which neighbours and tracks colour, is taken off."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from cropcredit.fields.meridian import MERIDIAN_DEG, joined
from cropcredit.fields.projection import WGS84, reproject


def inward(boundaries: NDArray[np.object_], metres: float, crs: str = WGS84) -> NDArray[np.object_]:
    """Shrink boundaries by ``metres`` on all sides; what vanishes comes back empty.

    The distance is true: each boundary is shrunk in the UTM zone of its centre (scale within 0.1 % of one).

    Parameters
    ----------
    boundaries : ndarray of shapely polygons, shape (fields,)
        EPSG:4326.
    metres : float
        Width of the rim taken off, m.
    crs : str
        In which coordinate system to give them; in the fields' own UTM zone nothing is moved once more.

    Returns
    -------
    ndarray of shapely polygons, shape (fields,)
        Across the 180th meridian in one piece, whose longitudes jump there.
    """
    boundaries = _joined(boundaries)
    shrunk = np.empty(len(boundaries), dtype=object)
    zones = _utm_zones(boundaries)
    for zone in np.unique(zones):
        here = zones == zone
        metric = reproject(boundaries[here], WGS84, f"EPSG:{zone}")
        shrunk[here] = reproject(shapely.buffer(metric, -metres), f"EPSG:{zone}", crs)
    return shrunk


def _joined(boundaries: NDArray[np.object_]) -> NDArray[np.object_]:
    """Bring the parts on both sides of the 180th meridian together: it is no rim of a field."""
    west, _, east, _ = shapely.bounds(boundaries).reshape(-1, 4).T
    across = np.flatnonzero(east - west > MERIDIAN_DEG)
    if len(across):
        boundaries = boundaries.copy()
        boundaries[across] = [joined(boundary) for boundary in boundaries[across]]
    return boundaries


def _utm_zones(boundaries: NDArray[np.object_]) -> NDArray[np.int64]:
    centres = shapely.centroid(boundaries)
    lon, lat = shapely.get_x(centres), shapely.get_y(centres)
    zone = np.floor((lon + 180) / 6).astype(np.int64) % 60 + 1
    return zone + np.where(lat < 0, 32700, 32600)
