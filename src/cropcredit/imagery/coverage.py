"""How much of each pixel each field covers: computed once per grid and field set, then used for every scene.

Exact area fractions come from exactextract. With them, the mean of any scene over all fields is one sparse product, so
another scene costs no more than reading it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
import shapely
from exactextract import exact_extract
from exactextract.feature import Feature, FeatureSource
from exactextract.raster import RasterSource
from exactextract.writer import Writer
from numpy.typing import NDArray

from cropcredit.fields import WGS84, inward, reproject
from cropcredit.imagery.grids import Cells, bounds
from cropcredit.model import Grid, digest

CORE_BUFFERS_M = (10.0, 5.0)
"""Rims tried for the core, widest first."""
MIN_FULL_PIXELS = 8
"""Full pixels a core needs (Vajsova et al. 2020, Remote Sensing 12:2195)."""
FULL = 1 - 1e-6
METHOD = "coverage-1"
"""Change when the numbers change: it is part of the key under which matrices are kept."""

Fractions = list[tuple[Cells, NDArray[np.float64]]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Coverage:
    """Field-by-pixel coverage of one grid, for whole fields and for their cores."""

    cells: Cells
    """Cells that any field touches, ascending: row * columns + column."""
    whole: sp.csr_matrix
    """Shape (fields, cells): covered fraction of each cell, (0, 1]."""
    core: sp.csr_matrix
    """The same for the cores."""
    core_buffer_m: NDArray[np.float64]
    """Rim taken off, m, per field: 10, 5 or 0."""
    mixed_pixel: NDArray[np.bool_]
    """True where the core is the whole field, because too few full pixels remain."""

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Flatten to plain arrays, for the cache."""
        arrays = {"cells": self.cells, "core_buffer_m": self.core_buffer_m, "mixed_pixel": self.mixed_pixel}
        for name, matrix in (("whole", self.whole), ("core", self.core)):
            arrays |= {f"{name}_{part}": getattr(matrix, part) for part in ("data", "indices", "indptr")}
        return arrays

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> Coverage:
        """Rebuild from :meth:`to_arrays`."""
        cells = arrays["cells"]
        shape = (len(arrays["mixed_pixel"]), len(cells))
        whole, core = (
            sp.csr_matrix(tuple(arrays[f"{name}_{part}"] for part in ("data", "indices", "indptr")), shape=shape)
            for name in ("whole", "core")
        )
        buffers = arrays["core_buffer_m"]
        return cls(cells=cells, whole=whole, core=core, core_buffer_m=buffers, mixed_pixel=arrays["mixed_pixel"])


def coverage_key(grid: Grid, field_set: str) -> str:
    """Name a coverage matrix by what it depends on."""
    return digest((METHOD, CORE_BUFFERS_M, MIN_FULL_PIXELS, grid, field_set))


def cover(boundaries: NDArray[np.object_], grid: Grid) -> Coverage:
    """Compute the coverage of ``grid`` by fields and by their cores.

    The core is the field less a rim of 10 m where at least 8 full pixels remain, else less 5 m, else the whole field,
    marked ``mixed_pixel``.

    Parameters
    ----------
    boundaries : ndarray of shapely polygons, shape (fields,)
        EPSG:4326.
    grid : Grid
        Any projected or geographic grid; boundaries are moved onto it, pixels never are.
    """
    whole = fractions(reproject(boundaries, WGS84, grid.crs), grid)
    core = list(whole)
    buffers, mixed = np.zeros(len(whole)), np.ones(len(whole), dtype=bool)
    for rim in CORE_BUFFERS_M:
        left = np.flatnonzero(mixed)
        shrunk = fractions(reproject(inward(boundaries[left], rim), WGS84, grid.crs), grid)
        for field, part in zip(left, shrunk, strict=True):
            if np.count_nonzero(part[1] >= FULL) >= MIN_FULL_PIXELS:
                core[field], buffers[field], mixed[field] = part, rim, False
    cells = _distinct(np.concatenate([c for c, _ in (*whole, *core)] or [np.empty(0, dtype=np.int64)]))
    return Coverage(
        cells=cells,
        whole=_matrix(whole, cells),
        core=_matrix(core, cells),
        core_buffer_m=buffers,
        mixed_pixel=mixed,
    )


def fractions(polygons: NDArray[np.object_], grid: Grid) -> Fractions:
    """Compute, per polygon, the cells it touches and the covered fraction of each.

    Parameters
    ----------
    polygons : ndarray of shapely polygons
        In the coordinate system of ``grid``; empty ones touch nothing.

    Examples
    --------
    A 2x2 square over the middle of a 3x3 grid covers quarters, halves and one whole:

    >>> grid = Grid("EPSG:32650", (1, 0, 0, 0, -1, 3), (3, 3))
    >>> [(cells, covered)] = fractions(np.array([shapely.box(0.5, 0.5, 2.5, 2.5)]), grid)
    >>> covered.reshape(3, 3).tolist()
    [[0.25, 0.5, 0.25], [0.5, 1.0, 0.5], [0.25, 0.5, 0.25]]
    """
    touched: Fractions = [(np.empty(0, dtype=np.int64), np.empty(0))] * len(polygons)
    present = np.flatnonzero(~shapely.is_empty(polygons))
    found = _Rows()
    exact_extract(_BlankRaster(grid), _Polygons(polygons[present], grid.crs), ["cell_id", "coverage"], output=found)
    for field, (cells, covered) in zip(present, found.rows, strict=True):
        touched[field] = cells[covered > 0], covered[covered > 0]
    return touched


def _distinct(cells: Cells) -> Cells:
    """Sort and drop repetitions; on millions of cells several times faster than hashing them."""
    ordered = np.sort(cells)
    return ordered[np.append(True, np.diff(ordered) > 0)] if len(ordered) else ordered


def _matrix(parts: Fractions, cells: Cells) -> sp.csr_matrix:
    starts = np.cumsum([0, *(len(c) for c, _ in parts)], dtype=np.int32)
    columns = np.searchsorted(cells, np.concatenate([c for c, _ in parts] or [cells])).astype(np.int32)
    weights = np.concatenate([w for _, w in parts] or [np.empty(0)])
    return sp.csr_matrix((weights, columns, starts), shape=(len(parts), len(cells)))


class _BlankRaster(RasterSource):  # type: ignore[misc] # exactextract is untyped
    """A grid without values: only where its cells lie is asked for, so no band is ever held in memory."""

    def __init__(self, grid: Grid) -> None:
        super().__init__()
        self._grid = grid

    def res(self) -> tuple[float, float]:
        return self._grid.transform[0], -self._grid.transform[4]

    def extent(self) -> tuple[float, float, float, float]:
        return bounds(self._grid)

    def srs_wkt(self) -> str:
        return self._grid.crs

    def nodata_value(self) -> None:
        return None

    def read_window(self, _x: int, _y: int, columns: int, rows: int) -> NDArray[np.uint8]:
        return np.zeros((rows, columns), dtype=np.uint8)


class _Polygons(FeatureSource):  # type: ignore[misc] # exactextract is untyped
    """Polygons handed over as WKB, without a detour through GeoJSON text."""

    def __init__(self, polygons: NDArray[np.object_], crs: str) -> None:
        super().__init__()
        self._wkb, self._crs = shapely.to_wkb(polygons), crs

    def count(self) -> int:
        return len(self._wkb)

    def __iter__(self) -> Iterator[_Polygon]:
        return (_Polygon(wkb) for wkb in self._wkb)

    def srs_wkt(self) -> str:
        return self._crs


class _Polygon(Feature):  # type: ignore[misc] # exactextract is untyped
    def __init__(self, wkb: bytes) -> None:
        super().__init__()
        self._wkb = wkb

    def geometry(self) -> bytes:
        return self._wkb

    def fields(self) -> list[str]:
        return []


class _Row(Feature):  # type: ignore[misc] # exactextract is untyped
    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, NDArray[Any]] = {}

    def set(self, name: str, value: NDArray[Any]) -> None:
        self.values[name] = value

    def set_geometry(self, _geometry: Any) -> None:
        pass


class _Rows(Writer):  # type: ignore[misc] # exactextract is untyped
    """Takes the two arrays of each polygon as they are, instead of features for a file."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: Fractions = []

    def add_operation(self, _operation: Any) -> None:
        pass

    def write(self, feature: Any) -> None:
        row = _Row()
        feature.copy_to(row)
        self.rows.append((row.values["cell_id"], row.values["coverage"]))

    def features(self) -> Fractions:
        return self.rows
