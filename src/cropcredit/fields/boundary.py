"""One boundary: made valid, measured on the ellipsoid, named by its content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from cropcredit.errors import InvalidGeometry
from cropcredit.fields.meridian import crosses_meridian, joined, parted
from cropcredit.model import Field, digest

MAX_WIDTH_DEG = 10.0
"""A wider boundary is no field."""
CROSSING = "crosses the 180th meridian: parted there"
SMALLEST_M2 = 1.0
"""A boundary enclosing less is degenerate."""
ROUNDING_DEG = 9
"""Decimals of a degree that count for identity: 0.1 mm, far below what any survey knows, above PROJ's last bit."""

Boundary = shapely.Polygon | shapely.MultiPolygon
_ELLIPSOID = pyproj.Geod(ellps="WGS84")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Repair:
    """A usable boundary, and what had to be done to get it."""

    boundary: shapely.Polygon | shapely.MultiPolygon
    """Valid, two-dimensional, EPSG:4326."""
    repaired: str = ""
    """What was wrong; empty when the original was valid."""
    original_wkb: bytes | None = None
    """The boundary as received, where it was repaired."""


def repair(geometry: shapely.Geometry | None, *, where: str = "") -> Repair:
    """Make a boundary valid, keeping only polygons, or refuse it by name.

    Parameters
    ----------
    geometry : shapely Geometry or None
        As received, moved to EPSG:4326 but otherwise untouched.
    where : str
        File and field id, for the message.

    Raises
    ------
    InvalidGeometry
        If there is no geometry, it is no polygon, has infinite coordinates, spans more than 10 degrees or encloses
        less than a square metre.

    Notes
    -----
    A boundary across the 180th meridian comes back in two parts, one on each side.

    Examples
    --------
    A boundary drawn as a bow tie becomes its two triangles:

    >>> tie = shapely.from_wkt("POLYGON ((36 0, 36.002 0.002, 36.002 0, 36 0.002, 36 0))")
    >>> repair(tie).repaired
    'Self-intersection[36.001 0.001]'
    >>> len(repair(tie).boundary.geoms)
    2
    """
    polygon = _plain_polygon(geometry, where)
    reason = "" if polygon.is_valid else shapely.is_valid_reason(polygon)
    if any(crosses_meridian(part) for part in shapely.get_parts(polygon)):
        polygon, reason = parted(polygon), CROSSING
    elif reason:
        polygon = _polygons_only(shapely.make_valid(polygon, method="structure", keep_collapsed=False))
    if polygon.is_empty or measure(polygon)[0] * 1e4 < SMALLEST_M2:
        raise InvalidGeometry("the boundary encloses no area", where=where, cure="draw it again")
    return Repair(boundary=polygon, repaired=reason, original_wkb=shapely.to_wkb(geometry) if reason else None)


def _plain_polygon(geometry: shapely.Geometry | None, where: str) -> shapely.Polygon | shapely.MultiPolygon:
    if geometry is None or shapely.is_empty(geometry):
        raise InvalidGeometry("the field has no boundary", where=where, cure="draw one")
    if not isinstance(geometry, shapely.Polygon | shapely.MultiPolygon):
        raise InvalidGeometry(f"the boundary is a {type(geometry).__name__}, not a polygon", where=where)
    if not np.isfinite(shapely.get_coordinates(geometry)).all():
        raise InvalidGeometry("the boundary has coordinates that are not finite numbers", where=where)
    west, _, east, _ = joined(geometry).bounds
    if east - west > MAX_WIDTH_DEG:
        raise InvalidGeometry(
            f"the boundary spans {east - west:.1f} degrees of longitude", where=where, cure="check its coordinates"
        )
    return shapely.force_2d(geometry)


def _polygons_only(geometry: shapely.Geometry) -> shapely.Polygon | shapely.MultiPolygon:
    parts = [part for part in shapely.get_parts(geometry, return_index=False) if part.geom_type == "Polygon"]
    parts = parts or [p for p in shapely.get_parts(shapely.get_parts(geometry)) if p.geom_type == "Polygon"]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def measure(boundary: shapely.Polygon | shapely.MultiPolygon) -> tuple[float, float]:
    """Measure a boundary (EPSG:4326) on the WGS 84 ellipsoid.

    Returns
    -------
    tuple of float
        Area in hectares, holes taken off; length of the outer border in metres.

    Examples
    --------
    A thousandth of a degree squared on the equator, 111.3 m by 110.6 m:

    >>> [round(v, 3) for v in measure(shapely.box(36, 0, 36.001, 0.001))]
    [1.231, 443.788]
    """
    area_m2, perimeter_m = _ELLIPSOID.geometry_area_perimeter(shapely.orient_polygons(joined(boundary)))
    return area_m2 / 1e4, perimeter_m


def distances_m(boundary: Boundary, others: Sequence[Boundary]) -> NDArray[np.float64]:
    """Give the geodesic distances between the centre of one boundary and those of others, m, shape (others,).

    Examples
    --------
    >>> here, there = shapely.box(0, 0, 0.001, 0.001), shapely.box(0, 1, 0.001, 1.001)
    >>> distances_m(here, [there]).round(-1)
    array([110570.])
    """
    centres = shapely.get_coordinates(shapely.centroid(np.array([boundary, *others], dtype=object)))
    x, y = centres.T
    first = np.zeros(len(others), dtype=int)
    return np.asarray(_ELLIPSOID.inv(x[first], y[first], x[1:], y[1:])[2])


def boundary_version(boundary: shapely.Polygon | shapely.MultiPolygon) -> str:
    """Name a boundary by its content: start point, ring order and noise below 0.1 mm do not matter."""
    rounded = shapely.transform(boundary, lambda xy: np.round(xy, ROUNDING_DEG) + 0.0)
    return hashlib.sha256(shapely.to_wkb(shapely.normalize(rounded), byte_order=1)).hexdigest()[:16]


def field_set_hash(fields: Iterable[Field]) -> str:
    """Name a set of fields by the boundaries in it."""
    return digest(sorted((field.id, field.boundary_version) for field in fields))
