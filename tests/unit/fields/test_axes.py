"""Latitude and longitude in the wrong order are found before anything is stored."""

import pytest

from cropcredit.errors import MalformedInput, RefusedInput, SwappedAxes
from cropcredit.fields import Region, check_axes

HENAN = (113.0, 34.0, 114.0, 35.0)
KENYA = Region(33.9, -4.7, 41.9, 5.5)


def test_longitude_before_latitude_passes():
    check_axes(HENAN, "EPSG:4326")


def test_a_latitude_beyond_ninety_degrees_gives_the_swap_away():
    with pytest.raises(SwappedAxes, match=r"h.geojson: x and y are exchanged: x 34 to 35, y 113 to 114"):
        check_axes((34.0, 113.0, 35.0, 114.0), "EPSG:4326", where="h.geojson")


def test_degrees_that_land_outside_the_declared_region_but_inside_it_exchanged_are_refused():
    with pytest.raises(SwappedAxes, match="outside the declared region"):
        check_axes((0.5, 34.2, 0.6, 34.3), "EPSG:4326", region=KENYA)


def test_fields_far_from_the_declared_region_either_way_are_refused():
    with pytest.raises(RefusedInput, match="lie outside the declared region; check the coordinate system"):
        check_axes(HENAN, "EPSG:4326", region=KENYA)


def test_exchanged_utm_coordinates_are_refused_by_the_area_of_use():
    check_axes((644026, 66011, 652616, 78987), "EPSG:32636")
    with pytest.raises(SwappedAxes, match="outside the area where WGS 84 / UTM zone 31N is used"):
        check_axes((5651000, 607000, 5652000, 608000), "EPSG:32631")


def test_metres_declared_as_degrees_are_refused():
    with pytest.raises(RefusedInput, match="lie outside the area where WGS 84 is used"):
        check_axes((644026, 66011, 652616, 78987), "EPSG:4326")


def test_a_region_that_is_not_four_numbers_is_refused():
    with pytest.raises(MalformedInput, match="write west,south,east,north"):
        Region.parse("33.9,-4.7,41.9")
