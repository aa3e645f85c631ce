"""Which windows of a raster must be read for some cells, and where in them the cells lie."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cropcredit.imagery.grids import Cells, coarse_cells, refinement
from cropcredit.model import Grid, RasterInfo, Window

READ_ROWS = 512
"""Rows read at once where the file's blocks are flatter: of a Sentinel-2 band (10,980 columns, 16 bit) 11 MB."""


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """One window to read."""

    window: Window
    """Whole blocks, with a halo where the mask is to be widened."""
    cells: slice | NDArray[np.int64]
    """Which of the wanted cells lie in it."""
    places: NDArray[np.int32]
    """Where each of them lies in the window, row * columns + column."""


def plan(cells: Cells, grid: Grid, info: RasterInfo, *, halo: int = 0, where: str = "") -> list[Piece]:
    """Plan the reading of one band at some cells of its scene's grid.

    Only blocks that hold a wanted cell are read, each once; neighbouring blocks of a row are read together. A coarser
    band (scene classes, red edge: 20 m over 10 m) gives each fine cell the value of the cell above it: the nearest,
    never a mixture.

    Parameters
    ----------
    cells : ndarray
        Cells of ``grid``, ascending: row * columns + column.
    info : RasterInfo
        Grid and blocks of the band.
    halo : int
        Cells of the band to read around each window.

    Raises
    ------
    MalformedInput
        If the band does not lie on ``grid``.
    """
    factor = refinement(grid, info.grid, where=where)
    wanted = cells if factor == 1 else coarse_cells(cells, grid, info.grid, factor)
    rows, columns = info.grid.shape
    tall, wide = info.block[0] * max(1, READ_ROWS // info.block[0]), info.block[1]
    row = wanted // columns
    column = (wanted - row * columns).astype(np.int32)
    row = row.astype(np.int32)
    cuts = np.flatnonzero(np.diff(row // tall)) + 1
    pieces = []
    for start, stop in zip([0, *cuts.tolist()], [*cuts.tolist(), len(wanted)], strict=True):
        for first, last, among in _runs(column[start:stop] // wide):
            here = slice(start, stop) if among is None else start + among
            top = int(row[start]) // tall * tall
            ((up, down), (left, right)) = window = (
                (max(top - halo, 0), min(top + tall + halo, rows)),
                (max(first * wide - halo, 0), min((last + 1) * wide + halo, columns)),
            )
            assert up < down
            pieces.append(Piece(window, here, (row[here] - up) * (right - left) + (column[here] - left)))
    return pieces


def _runs(blocks: NDArray[np.int32]) -> Iterator[tuple[int, int, NDArray[np.int64] | None]]:
    """Part a row of blocks at its gaps: first and last block, and which cells; None where there is no gap."""
    touched = np.flatnonzero(np.bincount(blocks))
    runs = [run for run in np.split(touched, np.flatnonzero(np.diff(touched) > 1) + 1) if len(run)]
    for run in runs:
        first, last = int(run[0]), int(run[-1])
        yield first, last, None if len(runs) == 1 else np.flatnonzero((blocks >= first) & (blocks <= last))
