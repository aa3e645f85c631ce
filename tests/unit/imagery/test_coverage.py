"""How much of each pixel each field covers, whole and core."""

import numpy as np
import pytest
import shapely
from shapely import box

from cropcredit.fields import reproject
from cropcredit.imagery import Coverage, cover, coverage, coverage_key
from cropcredit.imagery.fractions import fractions
from cropcredit.model import Grid

UTM = "EPSG:32650"
GRID = Grid(UTM, (10, 0, 500_000, 0, -10, 4_000_000), (50, 50))
UNIT = Grid(UTM, (1, 0, 0, 0, -1, 3), (3, 3))


def field(left, top, width, height=None):
    """Make a field in EPSG:4326 from metres right of and below the corner of GRID."""
    height = height or width
    x, y = 500_000 + left, 4_000_000 - top
    return reproject(box(x, y - height, x + width, y), UTM, "EPSG:4326")


def covering(*fields):
    return cover(np.array(fields, dtype=object), GRID)


@pytest.mark.parametrize(
    ("polygon", "cells", "covered"),
    [
        pytest.param(shapely.Polygon(), [], [], id="empty"),
        pytest.param(box(10, 10, 11, 11), [], [], id="outside"),
        pytest.param(box(-5, -5, 0.5, 0.5), [6], [0.25], id="hanging over the corner"),
        pytest.param(box(0, 0, 1, 1).union(box(2, 2, 3, 3)), [2, 6], [1, 1], id="two parts"),
        pytest.param(box(0, 0, 3, 3).difference(box(1, 1, 2, 2)), [0, 1, 2, 3, 5, 6, 7, 8], [1] * 8, id="a hole"),
        pytest.param(box(1.2, 1.4, 1.7, 1.6), [4], [0.1], id="smaller than a pixel"),
    ],
)
def test_cells_are_numbered_by_row_and_column_and_covered_exactly(polygon, cells, covered):
    found = fractions(np.array([polygon], dtype=object), UNIT)
    assert (found.counts.tolist(), found.cells.tolist()) == ([len(cells)], cells)
    assert found.covered == pytest.approx(covered)


def test_a_corner_that_is_there_three_times_costs_no_pixel():
    # A Kenyan field as it was drawn; exactextract 0.3.0 covers 4.58 of its 4.81 pixels.
    corners = [
        (640725.2724900744, 64560.470683932355),
        (640712.2408089656, 64599.238041100725),
        (640729.5145800969, 64601.4773432248),
        (640729.5081675842, 64601.43116991824),
        (640731.9242242207, 64562.52496499613),
    ]
    drawn = shapely.Polygon([*corners, *[corners[0]] * 3])
    grid = Grid("EPSG:32636", (10, 0, 640_710, 0, -10, 64_610), (6, 4))
    assert fractions(np.array([drawn]), grid).covered.sum() == pytest.approx(drawn.area / 100)


def test_a_hectare_covers_a_hundred_pixels_and_its_core_sixty_four():
    found = covering(field(100, 100, 100))
    assert found.whole.sum() == pytest.approx(100, rel=1e-6)
    assert found.core.sum() == pytest.approx(64, rel=1e-3)
    assert (found.core_buffer_m.tolist(), found.mixed_pixel.tolist()) == ([10.0], [False])


@pytest.mark.parametrize(
    ("left", "width", "buffer_m", "mixed"),
    [
        pytest.param(99, 62, 10.0, False, id="16 full pixels remain at 10 m"),
        pytest.param(94, 52, 5.0, False, id="16 remain at 5 m, only 4 at 10 m"),
        pytest.param(99, 32, 0.0, True, id="4 remain at 5 m: the whole field, mixed"),
    ],
)
def test_the_core_is_as_deep_as_eight_full_pixels_allow(left, width, buffer_m, mixed):
    found = covering(field(left, left, width))
    assert (found.core_buffer_m.tolist(), found.mixed_pixel.tolist()) == ([buffer_m], [mixed])
    if mixed:
        assert (found.core != found.whole).nnz == 0


def test_overlapping_fields_both_keep_their_pixels():
    found = covering(field(100, 100, 100), field(150, 100, 100))
    assert np.asarray(found.whole.sum(axis=1)).ravel() == pytest.approx([100, 100], rel=1e-6)


def test_a_field_outside_the_grid_covers_nothing():
    found = covering(field(100, 100, 100), field(10_000, 0, 100))
    assert np.asarray(found.whole.sum(axis=1)).ravel() == pytest.approx([100, 0], rel=1e-6)
    assert found.mixed_pixel.tolist() == [False, True]


def test_coverage_survives_its_journey_through_plain_arrays():
    found = covering(field(100, 100, 100), field(300, 100, 40))
    back = Coverage.from_arrays(found.to_arrays())
    assert (back.whole != found.whole).nnz == (back.core != found.core).nnz == 0
    assert (back.cells == found.cells).all()


def test_a_matrix_is_kept_under_its_grid_and_field_set():
    other = Grid(UTM, GRID.transform, (50, 51))
    assert len({coverage_key(GRID, "a"), coverage_key(GRID, "b"), coverage_key(other, "a")}) == 3


def test_fields_covered_a_few_at_a_time_are_covered_as_all_at_once(monkeypatch):
    fields = [field(20, 20, 130), field(35, 99, 32), field(160, 40, 60), field(30, 30, 52), field(300, 300, 90)]
    at_once = covering(*fields).to_arrays()
    monkeypatch.setattr(coverage, "TOGETHER", 2)
    for name, values in covering(*fields).to_arrays().items():
        assert values == pytest.approx(at_once[name], abs=1e-12), name
