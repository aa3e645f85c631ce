"""Fields beside, on and within one another; cores; home tiles."""

from datetime import UTC, datetime

import numpy as np
import pytest
import shapely
from shapely import box

from cropcredit.errors import MissingCRS, UnknownName
from cropcredit.fields import OverlapKind, field_set_hash, find_overlaps, home_tiles, inward, measure, reproject
from cropcredit.model import Field


def field(name, boundary):
    return Field(
        id=name,
        collection="toy",
        boundary=boundary,
        area_ha=1.0,
        perimeter_m=400.0,
        boundary_version=name,
        known_at=datetime(2025, 1, 1, tzinfo=UTC),
    )


def square(west, size=0.001):
    return box(west, 0, west + size, size)


@pytest.mark.parametrize(
    ("shift", "kind"),
    [
        pytest.param(0.0, OverlapKind.SAME, id="the same ground"),
        pytest.param(0.00002, OverlapKind.SAME, id="two metres apart"),
        pytest.param(0.0002, OverlapKind.REVIEW, id="a fifth apart"),
        pytest.param(0.0008, OverlapKind.OVERLAP, id="a fifth in common"),
    ],
)
def test_shared_ground_is_reported_by_how_much_is_shared(shift, kind):
    (found,) = find_overlaps([field("b", square(36)), field("a", square(36 + shift))])
    assert (found.left, found.right, found.kind) == ("a", "b", kind)
    assert found.left_share == pytest.approx(1 - shift / 0.001, abs=1e-6)


@pytest.mark.parametrize("shift", [pytest.param(0.001, id="touching"), pytest.param(0.00095, id="a careless border")])
def test_neighbours_are_not_reported(shift):
    assert find_overlaps([field("a", square(36)), field("b", square(36 + shift))]) == []


def test_a_small_field_inside_a_large_one_is_reported():
    (found,) = find_overlaps([field("big", square(36, 0.01)), field("small", square(36.002))])
    assert found.kind is OverlapKind.OVERLAP
    assert (found.left_share, found.right_share) == pytest.approx((0.01, 1.0), rel=1e-5)


def test_no_fields_no_overlaps():
    assert find_overlaps([]) == []


@pytest.mark.parametrize("latitude", [-34.0, 0.5, 51.0])
def test_a_core_is_as_much_smaller_as_the_rim_is_wide(latitude):
    boundary = box(36, latitude, 36.002, latitude + 0.002)
    area, perimeter = measure(boundary)
    core_area, _ = measure(inward(np.array([boundary]), 10.0)[0])
    assert core_area == pytest.approx(area - (perimeter * 10 - 4 * 100) / 1e4, rel=2e-3)


def test_a_strip_narrower_than_two_rims_has_no_core():
    assert shapely.is_empty(inward(np.array([box(36, 0, 36.01, 0.00015)]), 10.0)[0])


def test_a_field_lives_on_the_tile_that_covers_most_of_it_and_ties_go_to_the_first_name():
    tiles = {"b": box(0, 0, 2, 1), "a": box(0, 0, 1, 1)}
    fields = np.array([box(0.8, 0.4, 1.3, 0.6), box(0.1, 0.1, 0.2, 0.2), box(1.9, 0.1, 2.3, 0.2), box(5, 5, 6, 6)])
    homes, shares = home_tiles(fields, tiles)
    assert homes.tolist() == ["b", "a", "b", ""]
    assert shares == pytest.approx([1.0, 1.0, 0.25, 0.0], abs=1e-6)


def test_a_field_set_is_named_by_its_boundaries_in_any_order():
    a, b = field("a", square(36)), field("b", square(37))
    assert field_set_hash([a, b]) == field_set_hash([b, a]) != field_set_hash([a])


def test_reprojecting_without_a_coordinate_system_is_refused():
    with pytest.raises(MissingCRS, match="cannot be reprojected"):
        reproject(square(36), "", "EPSG:4326")
    with pytest.raises(UnknownName, match="unknown coordinate system 'EPSG:0'"):
        reproject(square(36), "EPSG:0", "EPSG:4326")


def test_longitude_comes_before_latitude_in_every_system():
    moved = reproject(shapely.Point(3.0, 50.0), "EPSG:4326", "EPSG:32631")
    assert shapely.get_x(moved) == pytest.approx(500_000)
