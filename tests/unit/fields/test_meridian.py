"""A field on the 180th meridian is one field, though its longitudes jump."""

import numpy as np
import pytest
import shapely
from shapely import MultiPolygon, Polygon, box

from cropcredit.errors import InvalidGeometry, RefusedInput
from cropcredit.fields import check_axes, home_tiles, inward, measure, parted, repair, reproject
from cropcredit.fields.meridian import joined

WEST_HALF, EAST_HALF = box(179.999, -17, 180, -16.999), box(-180, -17, -179.999, -16.999)
JUMPING = Polygon([(179.999, -17), (-179.999, -17), (-179.999, -16.999), (179.999, -16.999)])
ELSEWHERE = box(178.999, -17, 179.001, -16.999)
"""As large as the two halves, a degree further west."""


def test_a_ring_that_jumps_is_parted_and_its_original_kept():
    fixed = repair(JUMPING)
    assert fixed.boundary.equals(MultiPolygon([WEST_HALF, EAST_HALF]))
    assert fixed.repaired == "crosses the 180th meridian: parted there"
    assert fixed.original_wkb == JUMPING.wkb


def test_a_boundary_that_comes_in_two_parts_stays_as_it_is():
    both = MultiPolygon([WEST_HALF, EAST_HALF])
    assert (repair(both).boundary.equals(both), repair(both).repaired) == (True, "")
    assert parted(ELSEWHERE) is ELSEWHERE


def test_a_speck_on_the_meridian_encloses_nothing():
    with pytest.raises(InvalidGeometry, match="encloses no area"):
        repair(box(-179.9999999, -17, 179.9999999, -16.9999999))


def test_a_field_on_the_meridian_measures_what_it_would_elsewhere():
    assert measure(repair(JUMPING).boundary) == pytest.approx(measure(ELSEWHERE), rel=1e-9)
    assert shapely.equals(joined(repair(JUMPING).boundary), box(179.999, -17, 180.001, -16.999))


def test_the_meridian_is_no_rim_of_a_core():
    """213 m by 111 m less 10 m all round, and nothing along the meridian."""
    core, peer = inward(np.array([repair(JUMPING).boundary, ELSEWHERE]), 10)
    areas = [shapely.area(reproject(shape, "EPSG:4326", "EPSG:32760")) for shape in (core, peer)]
    assert areas[0] == pytest.approx(areas[1], rel=3e-3) == pytest.approx(193 * 91, rel=0.01)


def test_tiles_on_both_sides_share_the_fields_between_them():
    both = MultiPolygon([box(179.5, -17.5, 180, -16.5), box(-180, -17.5, -179, -16.5)])
    tiles = {"01K": both, "60K": box(178, -17.5, 179.9, -16.5)}
    homes, shares = home_tiles(np.array([repair(JUMPING).boundary, ELSEWHERE, box(10, -17, 10.001, -16.999)]), tiles)
    assert (homes.tolist(), shares.tolist()) == (["01K", "60K", ""], pytest.approx([1, 1, 0]))


@pytest.mark.parametrize(
    ("bounds", "crs"),
    [
        pytest.param((817_000, 8_140_000, 822_000, 8_141_000), "EPSG:32760", id="zone 60, over the meridian"),
        pytest.param((821_000, 8_140_000, 822_000, 8_141_000), "EPSG:32760", id="zone 60, beyond it"),
        pytest.param((169_000, 8_140_000, 170_000, 8_141_000), "EPSG:32701", id="zone 1, before it"),
        pytest.param((2_000_000, 4_000_000, 2_200_000, 4_001_000), "EPSG:3460", id="Fiji's own grid, over it"),
    ],
)
def test_a_zone_beside_the_meridian_runs_over_it(bounds, crs):
    check_axes(bounds, crs)


def test_nothing_of_a_zone_on_the_other_side_of_the_earth_passes():
    with pytest.raises(RefusedInput, match="lie outside the area where WGS 84 / UTM zone 31N is used"):
        check_axes((169_000, 8_140_000, 170_000, 8_141_000), "EPSG:32631")
