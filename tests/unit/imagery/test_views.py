"""What of a grid is looked at, and where boundaries lie in it."""

import numpy as np
import pytest
import shapely

from cropcredit.imagery import View, around, whole
from cropcredit.model import Grid
from tests.rasterfiles import CRS, NORTH, WEST, square

GRID = Grid(CRS, (10, 0, WEST, 0, -10, NORTH), (40, 40))


def test_a_field_is_shown_with_four_pixels_around_it():
    view = around(square(100, 200, 50), GRID, longest=100)
    assert view.window == ((16, 29), (6, 19))
    assert view.shape == (13, 13)
    assert view.cells[0] == 16 * 40 + 6


def test_nothing_is_shown_beyond_the_edge_of_the_scene():
    assert around(square(10, 350, 50), GRID, longest=100).window == ((31, 40), (0, 10))


def test_a_field_too_large_for_the_picture_is_thinned():
    view = around(square(50, 50, 300), GRID, longest=20)
    assert view.every == 2
    assert max(view.shape) <= 20


@pytest.mark.parametrize(
    ("longest", "every", "shape"),
    [
        pytest.param(40, 1, (40, 40), id="as it is"),
        pytest.param(39, 2, (20, 20), id="one pixel too many"),
        pytest.param(13, 4, (10, 10), id="a quarter"),
    ],
)
def test_a_whole_grid_is_thinned_to_fit(longest, every, shape):
    view = whole(GRID, longest)
    assert (view.every, view.shape) == (every, shape)
    assert len(view.cells) == shape[0] * shape[1]


def test_the_cells_of_a_view_ascend_and_the_last_one_stays_inside():
    cells = View(GRID, ((0, 40), (0, 40)), every=39).cells
    assert cells.tolist() == [19 * 40 + 19, 19 * 40 + 39, 39 * 40 + 19, 39 * 40 + 39]


def test_an_outline_lies_in_the_pixels_shown():
    [ring] = View(GRID, ((10, 30), (5, 25)), every=2).outlines(np.array([square(100, 200, 50)]))
    np.testing.assert_allclose(ring.min(axis=0), [(10 - 5) / 2, (20 - 10) / 2], atol=1e-6)
    np.testing.assert_allclose(ring.max(axis=0), [(15 - 5) / 2, (25 - 10) / 2], atol=1e-6)


def test_holes_and_parts_have_rings_of_their_own():
    holed = square(100, 100, 100).difference(square(120, 120, 20))
    both = shapely.union(holed, square(300, 300, 20))
    assert len(whole(GRID, 40).outlines(np.array([both]))) == 3
    assert whole(GRID, 40).outlines(np.array([shapely.Polygon()])) == ()


def test_how_far_a_field_reaches_is_measured_in_pixels_shown():
    long = shapely.union(square(100, 100, 50), square(150, 100, 50))
    both = np.array([long, square(0, 0, 30)])
    np.testing.assert_allclose(View(GRID, ((0, 40), (0, 40)), every=2).across(both), [5, 1.5], atol=1e-3)
    assert View(GRID, ((0, 40), (0, 40))).across(both[:0]).tolist() == []
