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
TOGETHER = 2000
"""Fields covered at once: what bounds the memory, and what they need stays in the processor's cache."""
METHOD = "coverage-4"
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
    groups = [_cover(boundaries[k : k + TOGETHER], grid) for k in range(0, max(len(boundaries), 1), TOGETHER)]
    whole, core = [whole for whole, _, _ in groups], [core for _, core, _ in groups]
    cells, buffers = _touched([*whole, *core], grid), np.concatenate([rims for _, _, rims in groups])
    return Coverage(
        cells=cells,
        whole=_matrix(whole, cells),
        core=_matrix(core, cells),
        core_buffer_m=buffers,
        mixed_pixel=buffers == 0,
    )


def _cover(boundaries: NDArray[np.object_], grid: Grid) -> tuple[Fractions, Fractions, NDArray[np.float64]]:
    """Cover some fields: whole, their cores, and the rims taken off."""
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
    return whole, _in_order(cores), buffers


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


def _touched(groups: Sequence[Fractions], grid: Grid) -> Cells:
    """Give the distinct cells of all groups, ascending; with millions a table beats a sort."""
    touched = np.zeros(grid.shape[0] * grid.shape[1], dtype=bool)
    for group in groups:
        touched[group.cells] = True
    return np.flatnonzero(touched)


def _matrix(groups: Sequence[Fractions], cells: Cells) -> sp.csr_matrix:
    """Put groups of fields below one another; the columns are the places of their cells among ``cells``."""
    counts, covered = (np.concatenate([getattr(group, name) for group in groups]) for name in ("counts", "covered"))
    columns = np.concatenate([_places(group.cells, cells) for group in groups])
    starts = np.append(0, np.cumsum(counts)).astype(np.int32)
    return sp.csr_matrix((covered, columns, starts), shape=(len(counts), len(cells)))


def _places(some: Cells, cells: Cells) -> NDArray[np.int32]:
    """Find cells among all. They come in runs, row by row, so only the first of each run is searched for."""
    first = np.flatnonzero(np.diff(some, prepend=-2) != 1)
    shift = np.searchsorted(cells, some[first]) - some[first]
    return (some + np.repeat(shift, np.diff(first, append=len(some)))).astype(np.int32)
