"""A rectangle of a grid to look at: every pixel of it, or one of every so many."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor

import numpy as np
import shapely
from numpy.typing import NDArray

from cropcredit.fields import WGS84, reproject
from cropcredit.imagery.grids import Cells
from cropcredit.imagery.reading import Piece, plan
from cropcredit.model import Grid, RasterInfo, Scene, Window

Rings = tuple[NDArray[np.float64], ...]
"""Closed lines, each of shape (vertices, 2): columns and rows from the upper left corner, in pixels shown."""

MARGIN = 0.15
"""Share of a field's extent that is shown around it."""
MIN_MARGIN_PIXELS = 4
HAIR = 1e-3
"""How far, in pixels, a boundary that was moved between coordinate systems may miss the edge of a pixel."""


@dataclass(frozen=True, slots=True)
class View:
    """A rectangle of a grid; its cells stand for what is read, and its pixels for what is shown."""

    grid: Grid
    window: Window
    every: int = 1
    """Of this many rows and columns one is shown, the middle one."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns that are shown."""
        (top, bottom), (left, right) = self.window
        return ceil((bottom - top) / self.every), ceil((right - left) / self.every)

    @property
    def cells(self) -> Cells:
        """Cells of the grid that are shown, row by row, ascending.

        Examples
        --------
        >>> grid = Grid("EPSG:32650", (10, 0, 0, 0, -10, 0), (6, 6))
        >>> View(grid, ((0, 6), (0, 6)), every=3).cells.tolist()
        [7, 10, 25, 28]
        >>> View(grid, ((1, 3), (4, 6))).cells.tolist()
        [10, 11, 16, 17]
        """
        rows, columns = (_middles(first, last, self.every) for first, last in self.window)
        return (rows[:, None] * self.grid.shape[1] + columns).ravel()

    def plan(self, scene: Scene, info: RasterInfo, halo: int, *, where: str) -> list[Piece]:
        """Plan the reading of a band of ``scene``, whose grid is this one."""
        return plan(self.cells, scene.grid, info, halo=halo, where=where)

    def across(self, boundaries: NDArray[np.object_]) -> NDArray[np.float64]:
        """Measure the longer side of the extents of boundaries (EPSG:4326), in pixels shown."""
        west, south, east, north = shapely.bounds(reproject(boundaries, WGS84, self.grid.crs)).T
        a, e = self.grid.transform[0], self.grid.transform[4]
        return np.asarray(np.maximum((east - west) / a, (south - north) / e) / self.every)

    def outlines(self, boundaries: NDArray[np.object_]) -> Rings:
        """Move boundaries (EPSG:4326) into the pixels shown; what lies outside is kept."""
        a, _, c, _, e, f = self.grid.transform
        (top, _), (left, _) = self.window
        rings = shapely.get_rings(shapely.get_parts(reproject(boundaries, WGS84, self.grid.crs)))
        corners, ring = shapely.get_coordinates(rings, return_index=True)
        pixels = ((corners - (c, f)) / (a, e) - (left, top)) / self.every
        return tuple(np.split(pixels, np.flatnonzero(np.diff(ring)) + 1)) if len(rings) else ()


def whole(grid: Grid, longest: int) -> View:
    """View a whole grid in at most ``longest`` pixels a side."""
    rows, columns = grid.shape
    return View(grid, ((0, rows), (0, columns)), every=ceil(max(rows, columns) / longest))


def around(boundary: shapely.Geometry, grid: Grid, longest: int) -> View:
    """View a field and some pixels around it, in at most ``longest`` pixels a side.

    Parameters
    ----------
    boundary : shapely Polygon or MultiPolygon
        EPSG:4326; touches the grid.
    """
    a, _, c, _, e, f = grid.transform
    west, south, east, north = shapely.bounds(reproject(boundary, WGS84, grid.crs))
    left, right = (west - c) / a, (east - c) / a
    top, bottom = (north - f) / e, (south - f) / e
    margin = max(MIN_MARGIN_PIXELS, MARGIN * max(right - left, bottom - top))
    rows, columns = (
        (max(floor(first - margin + HAIR), 0), min(ceil(last + margin - HAIR), size))
        for first, last, size in ((top, bottom, grid.shape[0]), (left, right, grid.shape[1]))
    )
    return View(grid, (rows, columns), every=ceil(max(rows[1] - rows[0], columns[1] - columns[0]) / longest))


def _middles(first: int, last: int, every: int) -> Cells:
    return np.minimum(np.arange(first, last, every, dtype=np.int64) + every // 2, last - 1)
