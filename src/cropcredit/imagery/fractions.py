"""The exact share of each pixel that a polygon covers, for many polygons at once.

A polygon's boundary is cut at every grid line it crosses. A piece of it inside one cell that runs ``dv`` rows down
adds the area on its right to that cell, and ``dv`` to every cell further right in its row; one that runs up takes as
much away. What the sums leave is the covered area. Font renderers fill outlines this way; here it runs over all edges
of all polygons in a few sorted arrays, so a field costs no Python call of its own.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from cropcredit.imagery.grids import Cells, bounds
from cropcredit.model import Grid

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NOTHING = 1e-9
"""Shares below this are rounding: an edge that runs along a grid line covers nothing beyond it."""


class Fractions(NamedTuple):
    """Covered shares of many polygons, polygon by polygon, cells ascending."""

    counts: Ints
    """Cells of each polygon."""
    cells: Cells
    """row * columns + column, all polygons one after another."""
    covered: Floats
    """Covered share of each of those cells, (0, 1]."""


def fractions(polygons: NDArray[np.object_], grid: Grid) -> Fractions:
    """Compute, per polygon, the cells it touches and the covered fraction of each.

    Parameters
    ----------
    polygons : ndarray of shapely polygons
        Valid, in the coordinate system of ``grid``; empty ones, and parts outside the grid, touch nothing.

    Examples
    --------
    A 2x2 square over the middle of a 3x3 grid covers quarters, halves and one whole:

    >>> grid = Grid("EPSG:32650", (1, 0, 0, 0, -1, 3), (3, 3))
    >>> found = fractions(np.array([shapely.box(0.5, 0.5, 2.5, 2.5)]), grid)
    >>> found.covered.reshape(3, 3).tolist()
    [[0.25, 0.5, 0.25], [0.5, 1.0, 0.5], [0.25, 0.5, 0.25]]
    """
    pieces = _pieces(*_edges(_inside(polygons, grid), grid), grid)
    order = np.argsort(pieces.place, kind="stable")
    place = pieces.place[order]
    first = np.flatnonzero(np.diff(place, prepend=-1))
    if not len(first):
        return Fractions(np.zeros(len(polygons), dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0))
    place = place[first]
    carried = np.cumsum(np.add.reduceat(pieces.height[order], first))  # rings close: it is 0 at the end of each row
    own = np.add.reduceat(pieces.area[order], first) + np.append(0.0, carried[:-1])
    run = np.where(np.abs(carried) > NOTHING, np.diff(place, append=place[-1] + 1), 1)
    start = np.cumsum(run) - run
    cells = np.repeat(place - start, run) + np.arange(start[-1] + run[-1])
    covered = np.repeat(np.minimum(np.abs(carried), 1), run)
    covered[start] = np.minimum(np.abs(own), 1)
    size = grid.shape[0] * grid.shape[1]
    kept = covered > NOTHING
    cells = cells[kept]
    polygon = cells // size
    return Fractions(np.bincount(polygon, minlength=len(polygons)), cells - polygon * size, covered[kept])


def _inside(polygons: NDArray[np.object_], grid: Grid) -> NDArray[np.object_]:
    """Cut off what hangs over the rim of the grid, and give all rings their direction."""
    west, south, east, north = bounds(grid)
    box = shapely.bounds(polygons)
    over = (box[:, 0] < west) | (box[:, 1] < south) | (box[:, 2] > east) | (box[:, 3] > north)
    if over.any():
        polygons = polygons.copy()
        polygons[over] = shapely.intersection(polygons[over], shapely.box(west, south, east, north))
    return np.asarray(shapely.orient_polygons(polygons))


def _edges(polygons: NDArray[np.object_], grid: Grid) -> tuple[Floats, Floats, Ints]:
    """Give both ends of every edge in (column, row) coordinates, and its polygon."""
    parts, owner = shapely.get_parts(polygons, return_index=True)
    areal = shapely.get_dimensions(parts) == 2  # noqa: PLR2004 - a cut may leave lines and points
    rings, part = shapely.get_rings(parts[areal], return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    a, _, c, _, e, f = grid.transform
    uv = np.column_stack([((xy[:, 0] - c) / a).clip(0, grid.shape[1]), ((xy[:, 1] - f) / e).clip(0, grid.shape[0])])
    begins = np.flatnonzero(ring[1:] == ring[:-1])
    begins = begins[uv[begins, 1] != uv[begins + 1, 1]]  # what runs along a row takes nothing from it
    return uv[begins], uv[begins + 1], owner[areal][part[ring[begins]]]


class _Pieces(NamedTuple):
    """Pieces of boundary, each inside one cell."""

    place: Ints
    """polygon * cells of the grid + cell."""
    height: Floats
    """Rows it runs, down positive."""
    area: Floats
    """The same times the share of the cell on its right."""


def _pieces(start: Floats, end: Floats, polygon: Ints, grid: Grid) -> _Pieces:
    """Cut every edge at the columns and rows it crosses."""
    count = len(start)
    edge, way = np.arange(count), end - start
    where = [(edge, np.zeros(count)), (edge, np.ones(count))]
    where += [_crossings(start[:, axis], end[:, axis]) for axis in (0, 1)]
    edges, along = np.concatenate([e for e, _ in where]), np.concatenate([t for _, t in where])
    order = np.argsort(edges + along * 0.5, kind="stable")  # 0.5: the end of one edge stays before the next one's begin
    edges, along = edges[order], along[order]
    same = np.flatnonzero(edges[1:] == edges[:-1])
    owner, begin, finish = edges[same], along[same], along[same + 1]
    u0, v0, du, dv = start[owner, 0], start[owner, 1], way[owner, 0], way[owner, 1]
    middle = (begin + finish) / 2
    u, v = u0 + middle * du, v0 + middle * dv
    rows, columns = grid.shape
    column = np.minimum(u.astype(np.int64), columns - 1)
    row = np.minimum(v.astype(np.int64), rows - 1)
    height = (finish - begin) * dv
    place = (polygon[owner] * rows + row) * columns + column
    return _Pieces(place, height, height * (1 - (u - column)))


def _crossings(start: Floats, end: Floats) -> tuple[Ints, Floats]:
    """Find the whole numbers strictly between the ends of each edge: edge, and how far along it (0 to 1)."""
    low, high = np.minimum(start, end), np.maximum(start, end)
    first = np.floor(low) + 1
    count = np.maximum(np.ceil(high) - first, 0).astype(np.int64)
    edge = np.repeat(np.arange(len(start)), count)
    step = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count)
    return edge, (first[edge] + step - start[edge]) / (end[edge] - start[edge])
