"""Arithmetic of raster grids: where cells lie, which coarse cell holds a fine one, what must be read."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from cropcredit.errors import MalformedInput
from cropcredit.fields import WGS84, parted, reproject
from cropcredit.model import Grid

Cells = NDArray[np.int64]

EDGE_POINTS = 21
"""Vertices per edge of a footprint, so that a straight edge of a projection may bend on the globe."""
RIM_POINTS = 50
"""Vertices in the place of one where a grid hangs over the rim of the Earth, so that its last field is found."""
ALIGNMENT = 1e-3
"""How far, in fine pixels, the corners of two bands of one scene may differ."""


def bounds(grid: Grid) -> tuple[float, float, float, float]:
    """Give (x min, y min, x max, y max) of a grid in its own coordinate system.

    Examples
    --------
    >>> bounds(Grid("EPSG:32650", (10, 0, 500000, 0, -10, 4000000), (2, 3)))
    (500000.0, 3999980.0, 500030.0, 4000000.0)
    """
    a, _, c, _, e, f = grid.transform
    rows, columns = grid.shape
    return float(c), float(f + e * rows), float(c + a * columns), float(f)


def footprint(grid: Grid) -> shapely.Geometry:
    """Outline the ground a grid covers, EPSG:4326; across the 180th meridian in two parts."""
    west, south, east, north = bounds(grid)
    step = max(east - west, north - south) / (EDGE_POINTS - 1)
    outline = shapely.segmentize(shapely.box(west, south, east, north), step)
    if not _on_earth(outline, grid).all():
        fine = shapely.segmentize(outline, step / RIM_POINTS)
        outline = shapely.Polygon(shapely.get_coordinates(fine)[_on_earth(fine, grid)])
    ground = reproject(outline, grid.crs, WGS84)
    assert isinstance(ground, shapely.Polygon)
    return parted(ground)


def _on_earth(outline: shapely.Polygon, grid: Grid) -> NDArray[np.bool_]:
    """Tell which vertices are places: tiles at the rim of a world map hang over it, and there longitudes wrap."""
    back = reproject(reproject(outline, grid.crs, WGS84), WGS84, grid.crs)
    apart = np.abs(shapely.get_coordinates(back) - shapely.get_coordinates(outline))
    return np.asarray((apart < abs(grid.transform[0])).all(axis=1))


def cell_area(grid: Grid) -> float:
    """Give the area of one cell in squared units of the grid's coordinate system."""
    return abs(grid.transform[0] * grid.transform[4])


def refinement(fine: Grid, coarse: Grid, *, where: str = "") -> int:
    """Tell how many fine cells lie side by side in one coarse cell (20 m over 10 m: 2).

    Raises
    ------
    MalformedInput
        If the grids do not share coordinate system and upper left corner, or the ratio is no whole number: then no
        cell can be picked by its index, and nothing is resampled silently.
    """
    a, _, c, _, e, f = fine.transform
    ratio = coarse.transform[0] / a
    factor = round(ratio)
    shift = max(abs(coarse.transform[2] - c) / a, abs(coarse.transform[5] - f) / -e)
    fits = all(-(-n // factor) == m for n, m in zip(fine.shape, coarse.shape, strict=True)) if factor else False
    square = abs(ratio - factor) < ALIGNMENT and abs(coarse.transform[4] / e - factor) < ALIGNMENT
    if not (fits and square and shift < ALIGNMENT and fine.crs == coarse.crs):
        raise MalformedInput(
            f"a band on grid {coarse.transform} {coarse.shape} does not lie on grid {fine.transform} {fine.shape}",
            where=where,
            cure="bring the bands of a scene on one corner, in whole multiples of the finest pixel",
        )
    return factor


def coarse_cells(cells: Cells, fine: Grid, coarse: Grid, factor: int) -> Cells:
    """Find the coarse cell over each fine cell; cells are row * columns + column.

    Examples
    --------
    >>> fine = Grid("EPSG:32650", (10, 0, 0, 0, -10, 0), (4, 4))
    >>> coarse_cells(np.array([0, 1, 2, 5, 15]), fine, Grid("EPSG:32650", (20, 0, 0, 0, -20, 0), (2, 2)), 2).tolist()
    [0, 0, 1, 0, 3]
    """
    row = cells // fine.shape[1]
    column = cells - row * fine.shape[1]  # many times faster than divmod
    return np.asarray(row // factor * coarse.shape[1] + column // factor, dtype=np.int64)
