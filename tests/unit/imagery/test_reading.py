"""What must be read of a raster: no more blocks than fields touch, each once."""

import numpy as np
import pytest

from cropcredit.errors import MalformedInput
from cropcredit.imagery.reading import plan
from cropcredit.model import Grid, RasterInfo

FINE = Grid("EPSG:32650", (10, 0, 500_000, 0, -10, 4_000_000), (2000, 1600))
COARSE = Grid("EPSG:32650", (20, 0, 500_000, 0, -20, 4_000_000), (1000, 800))
BLOCKS = (512, 512)


def cell(row, column):
    return row * FINE.shape[1] + column


def windows(pieces):
    return [piece.window for piece in pieces]


def found_in(pieces, cells, grid):
    """Read each piece of a raster that holds its own cell numbers."""
    numbers = np.arange(grid.shape[0] * grid.shape[1]).reshape(grid.shape)
    found = np.full(len(cells), -1)
    for piece in pieces:
        (up, down), (left, right) = piece.window
        found[piece.cells] = numbers[up:down, left:right].ravel()[piece.places]
    return found.tolist()


def test_only_blocks_that_hold_a_cell_are_read_and_a_gap_between_them_is_not():
    cells = np.array([cell(0, 0), cell(0, 1599), cell(600, 700)])
    pieces = plan(cells, FINE, RasterInfo(FINE, 0, BLOCKS))
    assert windows(pieces) == [((0, 512), (0, 512)), ((0, 512), (1536, 1600)), ((512, 1024), (512, 1024))]
    assert found_in(pieces, cells, FINE) == cells.tolist()


def test_neighbouring_blocks_are_read_together():
    cells = np.array([cell(3, 400), cell(3, 600)])
    assert windows(plan(cells, FINE, RasterInfo(FINE, 0, BLOCKS))) == [((0, 512), (0, 1024))]


def test_rows_of_a_file_in_strips_are_read_by_the_hundred_not_one_by_one():
    cells = np.array([cell(row, 5) for row in range(0, 2000, 10)])
    pieces = plan(cells, FINE, RasterInfo(FINE, 0, (1, 1600)))
    assert windows(pieces) == [((top, min(top + 512, 2000)), (0, 1600)) for top in range(0, 2000, 512)]
    assert found_in(pieces, cells, FINE) == cells.tolist()


def test_of_a_coarser_band_each_cell_takes_the_one_above_it():
    cells = np.array([cell(1, 1), cell(1, 2), cell(2, 3)])
    pieces = plan(cells, FINE, RasterInfo(COARSE, 0, BLOCKS))
    assert found_in(pieces, cells, COARSE) == [0, 1, 801]


def test_a_halo_is_read_around_a_block_and_ends_at_the_edge():
    pieces = plan(np.array([cell(0, 600)]), FINE, RasterInfo(FINE, 0, BLOCKS), halo=4)
    assert windows(pieces) == [((0, 516), (508, 1028))]


def test_nothing_wanted_is_nothing_read():
    assert plan(np.array([], dtype=np.int64), FINE, RasterInfo(FINE, 0, BLOCKS)) == []


def test_a_band_of_half_a_pixel_aside_is_refused():
    aside = Grid("EPSG:32650", (10, 0, 500_005, 0, -10, 4_000_000), (2000, 1600))
    with pytest.raises(MalformedInput, match="B04"):
        plan(np.array([0]), FINE, RasterInfo(aside, 0, BLOCKS), where="B04")
