"""Latitude and longitude in the wrong order, found before anything is stored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cropcredit.errors import MalformedInput, RefusedInput, SwappedAxes
from cropcredit.fields.projection import WGS84, crs_of, transformer

Bounds = tuple[float, float, float, float]

AREA_OF_USE_MARGIN_DEG = 6.0
"""Registers run over the rim of their projection; one UTM zone is six degrees wide."""
MAX_LATITUDE, MAX_LONGITUDE, FULL_TURN_DEG = 90.0, 180.0, 360.0


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle of longitude and latitude, degrees, in which fields are expected."""

    west: float
    south: float
    east: float
    north: float

    @classmethod
    def parse(cls, text: str) -> Region:
        """Read ``west,south,east,north``.

        Examples
        --------
        >>> Region.parse("33.9,-4.7,41.9,5.5")
        Region(west=33.9, south=-4.7, east=41.9, north=5.5)
        """
        try:
            west, south, east, north = (float(part) for part in text.split(","))
        except ValueError:
            raise MalformedInput(f"{text!r} is not a region", cure="write west,south,east,north in degrees") from None
        return cls(west, south, east, north)

    def holds(self, bounds: Bounds, *, margin: float = 0.0) -> bool:
        """Say whether ``bounds`` (west, south, east, north) lie inside, give or take ``margin`` degrees."""
        west, south, east, north = bounds
        within_x = self.west - margin <= west and east <= self.east + margin
        return within_x and self.south - margin <= south and north <= self.north + margin


def check_axes(bounds: Bounds, crs: str, *, region: Region | None = None, where: str = "") -> None:
    """Refuse coordinates that only make sense with x and y exchanged, or not at all.

    Parameters
    ----------
    bounds : tuple of float
        Smallest x, smallest y, largest x, largest y, as in the file.
    crs : str
        Coordinate system that the file declares.
    region : Region, optional
        Where the fields are expected. Without one, the area of use of ``crs`` decides; for plain longitude and latitude
        that is the whole Earth, so there only latitudes beyond 90 degrees give a swap away.
    where : str, optional
        File, for the message.

    Raises
    ------
    SwappedAxes
        If the coordinates fit with x and y exchanged, and do not fit as they are.
    RefusedInput
        If they fit neither way.
    """
    expected, name = (region, "the declared region") if region else _area_of_use(crs)
    margin = 0.0 if region else AREA_OF_USE_MARGIN_DEG
    if _fits(bounds, crs, expected, margin):
        return
    x0, y0, x1, y1 = bounds
    spot = f"x {x0:.6g} to {x1:.6g}, y {y0:.6g} to {y1:.6g}"
    if _fits((y0, x0, y1, x1), crs, expected, margin):
        raise SwappedAxes(
            f"x and y are exchanged: {spot} lies outside {name}, and inside it the other way round",
            where=where,
            cure="exchange them, e.g. ogr2ogr with -dialect sqlite and SwapCoordinates(geometry)",
        )
    raise RefusedInput(f"coordinates {spot} lie outside {name}", where=where, cure="check the coordinate system")


def _fits(bounds: Bounds, crs: str, expected: Region, margin: float) -> bool:
    degrees = _in_degrees(bounds, crs)
    if degrees is None:
        return False
    west, south, east, north = degrees
    turns = (-FULL_TURN_DEG, 0.0, FULL_TURN_DEG)  # a zone beside the 180th meridian runs over it
    return any(expected.holds((west + turn, south, east + turn, north), margin=margin) for turn in turns)


def _in_degrees(bounds: Bounds, crs: str) -> Bounds | None:
    x0, y0, x1, y1 = bounds
    if crs_of(crs).is_geographic:
        possible = max(abs(y0), abs(y1)) <= MAX_LATITUDE and max(abs(x0), abs(x1)) <= MAX_LONGITUDE
        return bounds if possible else None
    xs, ys = transformer(crs, WGS84).transform([x0, x1, x0, x1], [y0, y0, y1, y1])
    if not (np.isfinite(xs).all() and np.isfinite(ys).all()):
        return None
    if max(xs) - min(xs) > MAX_LONGITUDE:
        xs = np.where(np.asarray(xs) < 0, np.asarray(xs) + FULL_TURN_DEG, xs)
    return float(min(xs)), min(ys), float(max(xs)), max(ys)


def _area_of_use(crs: str) -> tuple[Region, str]:
    area = crs_of(crs).area_of_use
    if area is None or area.west > area.east:
        return Region(-MAX_LONGITUDE, -MAX_LATITUDE, MAX_LONGITUDE, MAX_LATITUDE), "the Earth"
    return Region(*area.bounds), f"the area where {crs_of(crs).name} is used"
