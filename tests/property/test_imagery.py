"""Laws of boundaries and imagery: conservation, range, order, and no look into the future."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import scipy.sparse as sp
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cropcredit.fields import boundary_version, check_axes, measure, repair, reproject
from cropcredit.imagery import cover, judge
from cropcredit.imagery.fractions import fractions
from cropcredit.imagery.indices import evi2, kndvi, ndvi
from cropcredit.imagery.quantiles import weighted_quantiles
from cropcredit.imagery.radiometry import s2_reflectance
from cropcredit.model import Band, Field, Grid, Offset, Scene
from cropcredit.usecases.refresh_ndvi import RefreshNdvi
from tests.fakes import FakeCache, FakeClock, FakeFacts, FakeFields, FakeObservations, FakeRasters, FakeRuns
from tests.rasterfiles import square

GRID = Grid("EPSG:32650", (10, 0, 500_000, 0, -10, 4_000_000), (60, 60))
inside = st.floats(30, 570)
rings = st.lists(st.tuples(inside, inside), min_size=3, max_size=7, unique=True)


def drawn(ring):
    """Give the hull of some points of the grid (metres from its corner), EPSG:4326."""
    hull = shapely.MultiPoint([(500_000 + x, 4_000_000 - y) for x, y in ring]).convex_hull
    return hull, reproject(hull, "EPSG:32650", "EPSG:4326")


@given(rings)
@settings(max_examples=60, deadline=None)
def test_covered_area_is_the_field_s_area_and_the_core_is_no_larger(ring):
    flat, boundary = drawn(ring)
    assume(shapely.area(flat) > 1)
    found = cover(np.array([boundary], dtype=object), GRID)
    assert found.whole.sum() * 100 == pytest.approx(shapely.area(flat), rel=1e-6, abs=1e-3)
    assert found.core.sum() <= found.whole.sum() + 1e-6
    assert found.whole.nnz == 0 or (found.whole.data.min() > 0 and found.whole.data.max() <= 1 + 1e-9)


grid_floats = st.floats(-3, 12).map(lambda value: round(value, 9))  # GEOS, the reference, fails between 0 and 1e-58
wild_rings = st.lists(st.tuples(grid_floats, grid_floats), min_size=3, max_size=9, unique=True)
UNIT = Grid("EPSG:32650", (1, 0, 0, 0, -1, 8), (8, 9))


@given(st.lists(wild_rings, min_size=1, max_size=4))
@settings(max_examples=80, deadline=None)
def test_each_pixel_is_covered_as_geometry_cuts_it_whatever_the_shape(outlines):
    polygons = np.array(
        [shapely.make_valid(shapely.Polygon(ring), method="structure", keep_collapsed=False) for ring in outlines]
    )
    found = fractions(polygons, UNIT)
    row, column = np.divmod(np.arange(72), 9)
    pixels = shapely.box(column, 7 - row, column + 1, 8 - row)
    ours, stop = np.zeros((len(polygons), 72)), np.cumsum(found.counts)
    for shares, first, last in zip(ours, stop - found.counts, stop, strict=True):
        shares[found.cells[first:last]] = found.covered[first:last]
    np.testing.assert_allclose(ours, shapely.area(shapely.intersection(polygons[:, None], pixels)), atol=1e-8)


pairs = st.lists(st.tuples(st.floats(-1, 1, width=32), st.sampled_from([0.1, 0.25, 1.0]), st.booleans()), max_size=12)


@given(st.lists(pairs, min_size=1, max_size=4), st.floats(0, 1))
def test_a_quantile_lies_among_the_values_that_count_and_with_equal_weights_is_the_usual_one(fields, probability):
    weights = [w for field in fields for _, w, _ in field]
    starts = np.cumsum([0, *map(len, fields)])
    values = np.array([v for field in fields for v, _, _ in field], dtype=np.float32)
    counted = np.array([ok for field in fields for _, _, ok in field], dtype=bool)
    shape = (len(fields), max(len(values), 1))
    for each in (weights, [1.0] * len(weights)):
        matrix = sp.csr_matrix((np.array(each), np.arange(len(each)), starts), shape=shape)
        got = weighted_quantiles(matrix, values, counted, probability)
        for number, field in enumerate(fields):
            seen = [v for v, _, ok in field if ok]
            assert np.isnan(got[number]) if not seen else min(seen) - 1e-7 <= got[number] <= max(seen) + 1e-7
    usual = [np.quantile([v for v, _, ok in field if ok] or [np.nan], probability) for field in fields]
    np.testing.assert_allclose(got, usual, atol=1e-6)


@given(rings)
@settings(max_examples=60, deadline=None)
def test_a_repair_is_valid_and_repairing_it_again_changes_nothing(ring):
    crossing = shapely.Polygon([(36 + x / 1e5, y / 1e5) for x, y in ring])
    assume(shapely.area(shapely.make_valid(crossing, method="structure", keep_collapsed=False)) > 1e-9)
    fixed = repair(crossing)
    assert fixed.boundary.is_valid
    again = repair(fixed.boundary)
    assert (again.repaired, boundary_version(again.boundary)) == ("", boundary_version(fixed.boundary))
    assert measure(fixed.boundary)[0] > 0


@given(st.floats(-179, 170), st.floats(-80, 80))
def test_degrees_in_their_order_are_never_taken_for_exchanged(west, south):
    check_axes((west, south, west + 1, south + 1), "EPSG:4326")


@given(st.lists(st.tuples(st.integers(0, 65535), st.integers(0, 65535)), min_size=1), st.sampled_from([0, -1000]))
def test_an_index_lies_in_its_range_or_is_no_number(numbers, offset):
    low, high = (s2_reflectance(np.array(band, dtype=np.uint16), offset) for band in zip(*numbers, strict=True))
    for index in (ndvi, kndvi, evi2):
        value = index(low, high)
        assert value.dtype == np.float32
        assert (np.isnan(value) | (np.abs(value) <= 1)).all()


courses = st.lists(st.lists(st.floats(0, 1), min_size=8, max_size=8), min_size=5, max_size=9)


@given(courses, st.integers(1, 8))
def test_later_scenes_settle_doubt_and_change_nothing_else(course, known):
    """What is judged with the first ``known`` scenes stays, except that the unconfirmed gets its verdict."""
    mean = np.array(course)
    before, after = judge(mean[:, :known], np.ones((len(mean), known))), judge(mean, np.ones_like(mean))
    doubt = next((k for k, verdict in enumerate(before) if verdict == "unconfirmed"), known)
    assert before[:doubt] == after[:doubt]


def scene(number, lag_hours):
    acquired = datetime(2025, 6, 1, 3, tzinfo=UTC) + timedelta(days=number)
    available = acquired + timedelta(hours=lag_hours)
    return Scene(id=f"s{number}", known_at=available, product="ndvi", tile="t", acquired_at=acquired,
                 available_at=available, grid=GRID, bands=(Band("ndvi", f"s{number}"),), offset=Offset.APPLIED,
                 content_hash=f"s{number}")  # fmt: skip


def line(scenes, values):
    boundary = square(100, 100, 200)
    field = Field(id="f1", collection="toy", boundary=boundary, area_ha=4.0, perimeter_m=800.0,
                  boundary_version=boundary_version(boundary), known_at=datetime(2025, 1, 1, tzinfo=UTC))  # fmt: skip
    pixels = {s.id: (GRID, np.full((60, 60), values[s.id], dtype=np.float32), None) for s in scenes}
    return RefreshNdvi(facts=FakeFacts(*scenes), fields=FakeFields(field), rasters=FakeRasters(**pixels),
                       cache=FakeCache(), observations=FakeObservations(), runs=FakeRuns(),
                       clock=FakeClock(datetime(2026, 1, 1, tzinfo=UTC)))  # fmt: skip


@given(
    st.lists(st.tuples(st.integers(0, 200), st.floats(-0.2, 1)), min_size=2, max_size=6),
    st.integers(1, 8),
)
@settings(max_examples=30, deadline=None)
def test_scenes_that_come_later_change_nothing_of_an_earlier_instant(lags_and_values, days):
    scenes = [scene(number, lag) for number, (lag, _) in enumerate(lags_and_values)]
    values = {s.id: value for s, (_, value) in zip(scenes, lags_and_values, strict=True)}
    as_of = datetime(2025, 6, 1, tzinfo=UTC) + timedelta(days=days)
    known = [s for s in scenes if s.available_at <= as_of]
    assume(known)
    alone, together = line(known, values), line(scenes, values)
    assert alone(as_of=as_of) == together(as_of=as_of)
    assert alone.runs.manifests() == together.runs.manifests()
    ours, theirs = (run.observations.series("NDVI", run(as_of=as_of).units) for run in (alone, together))
    np.testing.assert_array_equal(ours.mean, theirs.mean)
