"""How much of each pixel each field covers: computed once per grid and field set, then used for every scene.

With exact area fractions the mean of any scene over all fields is one sparse product, so another scene costs no more
than reading it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from cropcredit.fields import WGS84, inward, reproject
from cropcredit.imagery.fractions import Fractions, Ints, fractions
from cropcredit.imagery.grids import Cells
from cropcredit.model import Grid, digest

CORE_BUFFERS_M = (10.0, 5.0)
"""Rims tried for the core, widest first."""
MIN_FULL_PIXELS = 8
"""Full pixels a core needs (Vajsova et al. 2020, Remote Sensing 12:2195)."""
FULL = 1 - 1e-6
METHOD = "coverage-3"
"""Change when the numbers change: it is part of the key under which matrices are kept."""


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
    buffers, mixed = np.zeros(len(boundaries)), np.ones(len(boundaries), dtype=bool)
    cores: list[tuple[Ints, Fractions]] = []
    for rim in CORE_BUFFERS_M:
        left = np.flatnonzero(mixed)
        shrunk = fractions(inward(boundaries[left], rim, grid.crs), grid)
        pure = _full_pixels(shrunk) >= MIN_FULL_PIXELS
        buffers[left[pure]], mixed[left[pure]] = rim, False
        cores.append((left[pure], _chosen(shrunk, pure)))
    cores.append((np.flatnonzero(mixed), _chosen(whole, mixed)))
    core = _in_order(cores)
    cells, columns = _numbered([whole.cells, core.cells], grid)
    shape = (len(boundaries), len(cells))
    return Coverage(
        cells=cells,
        whole=_matrix(whole, columns[0], shape),
        core=_matrix(core, columns[1], shape),
        core_buffer_m=buffers,
        mixed_pixel=mixed,
    )


def _full_pixels(found: Fractions) -> Ints:
    owner = np.repeat(np.arange(len(found.counts)), found.counts)
    return np.bincount(owner[found.covered >= FULL], minlength=len(found.counts))


def _chosen(found: Fractions, polygons: NDArray[np.bool_]) -> Fractions:
    """Keep the cells of some polygons."""
    kept = np.repeat(polygons, found.counts)
    return Fractions(found.counts[polygons], found.cells[kept], found.covered[kept])


def _in_order(groups: Sequence[tuple[Ints, Fractions]]) -> Fractions:
    """Put groups of fields back into the order of the fields."""
    field = np.concatenate([np.repeat(fields, found.counts) for fields, found in groups])
    order = np.argsort(field, kind="stable")
    cells, covered = (np.concatenate([getattr(f, name) for _, f in groups])[order] for name in ("cells", "covered"))
    return Fractions(np.bincount(field, minlength=sum(len(fields) for fields, _ in groups)), cells, covered)


def _numbered(groups: Sequence[Cells], grid: Grid) -> tuple[Cells, list[NDArray[np.int32]]]:
    """Give the distinct cells of all groups, ascending, and their numbers; with millions a table beats a sort."""
    touched = np.zeros(grid.shape[0] * grid.shape[1], dtype=bool)
    for cells in groups:
        touched[cells] = True
    distinct = np.flatnonzero(touched)
    return distinct, [np.searchsorted(distinct, cells).astype(np.int32) for cells in groups]


def _matrix(found: Fractions, columns: NDArray[np.int32], shape: tuple[int, int]) -> sp.csr_matrix:
    starts = np.append(0, np.cumsum(found.counts)).astype(np.int32)
    return sp.csr_matrix((found.covered, columns, starts), shape=shape)
