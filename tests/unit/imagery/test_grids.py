"""Grids: where cells lie, which coarse cell lies over a fine one, what is read."""

import numpy as np
import pytest
import shapely

from cropcredit.errors import MalformedInput
from cropcredit.imagery import cell_area, coarse_cells, footprint, refinement
from cropcredit.model import Grid

FINE = Grid("EPSG:32650", (10, 0, 500_000, 0, -10, 4_000_000), (4, 6))
COARSE = Grid("EPSG:32650", (20, 0, 500_000, 0, -20, 4_000_000), (2, 3))


def test_a_twenty_metre_band_lies_two_by_two_over_a_ten_metre_one():
    assert refinement(FINE, COARSE) == 2
    assert refinement(FINE, FINE) == 1
    assert coarse_cells(np.array([0, 1, 2, 6, 12, 23]), FINE, COARSE, 2).tolist() == [0, 0, 1, 0, 3, 5]


def test_a_tile_of_an_odd_number_of_pixels_still_has_its_coarse_rim():
    odd = Grid("EPSG:32650", FINE.transform, (5, 5))
    assert refinement(odd, Grid("EPSG:32650", COARSE.transform, (3, 3))) == 2


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(Grid("EPSG:32650", (20, 0, 500_010, 0, -20, 4_000_000), (2, 3)), id="shifted by half a pixel"),
        pytest.param(Grid("EPSG:32650", (15, 0, 500_000, 0, -15, 4_000_000), (3, 4)), id="no whole multiple"),
        pytest.param(Grid("EPSG:32651", (20, 0, 500_000, 0, -20, 4_000_000), (2, 3)), id="another zone"),
        pytest.param(Grid("EPSG:32650", (20, 0, 500_000, 0, -20, 4_000_000), (2, 2)), id="too small"),
        pytest.param(Grid("EPSG:32650", (1, 0, 500_000, 0, -1, 4_000_000), (40, 60)), id="finer than the finest"),
    ],
)
def test_bands_that_do_not_lie_on_one_another_are_refused(other):
    with pytest.raises(MalformedInput, match=r"s1 scl: a band on grid .* does not lie on grid"):
        refinement(FINE, other, where="s1 scl")


def test_a_footprint_lies_where_the_grid_lies():
    west, south, east, north = shapely.bounds(footprint(FINE))
    assert (west, north) == pytest.approx((117.0, 36.1446), abs=1e-3)
    assert (east - west, north - south) == pytest.approx((60 / 90_000, 40 / 110_950), rel=2e-2)


def test_a_cell_of_ten_by_ten_metres_has_a_hundred_square_metres():
    assert cell_area(FINE) == 100


SINUSOIDAL = "+proj=sinu +R=6371007.181 +units=m"
MODIS_TILE_M, MODIS_PIXELS = 1_111_950.52, 4800


def modis(horizontal):
    """Lay the grid of a MODIS tile between 10 and 20 degrees south."""
    pixel = MODIS_TILE_M / MODIS_PIXELS
    west = -20_015_109.354 + horizontal * MODIS_TILE_M
    return Grid(SINUSOIDAL, (pixel, 0, west, 0, -pixel, -MODIS_TILE_M), (MODIS_PIXELS, MODIS_PIXELS))


def test_a_footprint_over_the_180th_meridian_has_a_part_on_each_side():
    found = footprint(Grid("EPSG:32701", (10, 0, 150_000, 0, -10, 8_140_000), (100, 6000)))
    assert shapely.is_valid(found)
    assert np.sort(shapely.bounds(shapely.get_parts(found))[:, 0]) == pytest.approx([-180, 179.72], abs=0.01)
    assert shapely.intersects_xy(found, [179.8, -179.8, 0], [-16.805] * 3).tolist() == [True, True, False]


def test_a_tile_that_hangs_over_the_rim_of_the_earth_covers_what_is_on_earth():
    """At 17 degrees south the meridian lies 19.14e6 m from the middle, inside the last tile and the first."""
    places = ([178, 179.98, -179.98, -179.5], [-17] * 4)
    assert shapely.intersects_xy(footprint(modis(35)), *places).tolist() == [True, True, False, False]
    assert shapely.intersects_xy(footprint(modis(0)), *places).tolist() == [False, False, True, True]
