"""One boundary: repaired and flagged, or refused by name; measured on the ellipsoid; named by its content."""

import numpy as np
import pytest
import shapely
from shapely import Point, Polygon, box

from cropcredit.errors import InvalidGeometry
from cropcredit.fields import boundary_version, measure, repair

SQUARE = box(36, 0, 36.001, 0.001)
BOW_TIE = Polygon([(36, 0), (36.002, 0.002), (36.002, 0), (36, 0.002)])


def test_a_valid_boundary_is_left_alone():
    fixed = repair(SQUARE)
    assert fixed.boundary.equals(SQUARE)
    assert (fixed.repaired, fixed.original_wkb) == ("", None)


def test_a_self_crossing_boundary_is_repaired_flagged_and_its_original_kept():
    fixed = repair(BOW_TIE)
    assert fixed.boundary.is_valid
    assert fixed.repaired.startswith("Self-intersection")
    assert fixed.original_wkb == BOW_TIE.wkb


def test_a_repair_keeps_polygons_only():
    spike = Polygon([(36, 0), (36.001, 0), (36.001, 0.001), (36, 0.001), (36, 0.003), (36, 0.001)])
    fixed = repair(spike)
    assert fixed.boundary.geom_type == "Polygon"
    assert fixed.boundary.area == pytest.approx(1e-6)


def test_height_is_dropped():
    assert not repair(shapely.force_3d(SQUARE, 7.0)).boundary.has_z


@pytest.mark.parametrize(
    ("geometry", "message"),
    [
        pytest.param(None, "f1: the field has no boundary", id="missing"),
        pytest.param(Polygon(), "no boundary", id="empty"),
        pytest.param(Point(36, 0), "is a Point, not a polygon", id="a point"),
        pytest.param(Polygon([(36, 0), (36.1, 0.1), (36.2, 0.2)]), "encloses no area", id="a line folded on itself"),
        pytest.param(box(36, 0, 36.000001, 0.000001), "encloses no area", id="a speck"),
        pytest.param(Polygon([(36, 0), (np.inf, 0), (36, 1)]), "not finite", id="infinite"),
        pytest.param(box(20, 0, 31, 0.1), "spans 11.0 degrees", id="wider than any field"),
        pytest.param(box(-170, 0, 170, 0.1), "spans 20.0 degrees", id="as wide across the meridian"),
    ],
)
def test_what_encloses_no_field_is_refused_by_name(geometry, message):
    with pytest.raises(InvalidGeometry, match=message):
        repair(geometry, where="f1")


def test_a_hole_is_taken_off_the_area_and_leaves_the_outer_border():
    whole = measure(box(36, 0, 36.003, 0.003))
    hole = measure(box(36.001, 0.001, 36.002, 0.002))
    outer, inner = box(36, 0, 36.003, 0.003), box(36.001, 0.001, 36.002, 0.002)
    ring = measure(Polygon(outer.exterior, [inner.exterior]))
    assert ring == pytest.approx((whole[0] - hole[0], whole[1]))


def test_start_point_direction_and_noise_below_a_tenth_of_a_millimetre_do_not_change_the_version():
    turned = Polygon(list(reversed(np.roll(np.array(SQUARE.exterior.coords)[:-1], 2, axis=0) + 1e-11)))
    assert boundary_version(turned) == boundary_version(SQUARE)


def test_a_moved_corner_changes_the_version():
    assert boundary_version(box(36, 0, 36.001, 0.00101)) != boundary_version(SQUARE)
