"""From digital numbers at cells to statistics per field."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
import scipy.sparse as sp

from cropcredit.errors import MalformedInput, RadiometryError, UnknownName
from cropcredit.imagery import Coverage, Layers, Sample, bands_for, layers, observe, united, widened
from cropcredit.imagery.indices import INDICES
from cropcredit.model import Band, Grid, Offset, Scene

DAY = datetime(2025, 6, 1, 3, tzinfo=UTC)
GRID = Grid("EPSG:32650", (10, 0, 500_000, 0, -10, 4_000_000), (2, 2))


def scene(product="s2-l2a", **changes):
    said = {"offset": Offset.AUTO, "processing_baseline": "05.10"} | changes
    bands = (Band("red", "red"),)
    return Scene(id="s1", known_at=DAY, product=product, tile="t", acquired_at=DAY, available_at=DAY, grid=GRID,
                 bands=bands, **said)  # fmt: skip


def dn(*values, dtype=np.uint16, nodata=None):
    return Sample(dn=np.array(values, dtype=dtype), nodata=nodata)


def test_sentinel_2_gives_three_indices_where_the_red_edge_is_there():
    got = layers(scene(), {"red": dn(1500, 0), "nir": dn(4000, 4000), "rededge": dn(2000, 2000), "scl": dn(4, 4)})
    assert got.indices["NDVI"].tolist() == pytest.approx([0.25 / 0.35, np.nan], nan_ok=True, rel=1e-6)
    assert got.indices["EVI2"][0] == pytest.approx(2.5 * 0.25 / (0.3 + 2.4 * 0.05 + 1), rel=1e-6)
    assert got.indices["NDRE"][0] == pytest.approx(0.2 / 0.4, rel=1e-6)
    assert got.clear.tolist() == [True, False]


def test_scene_classes_decide_what_is_clear_and_what_is_doubtful():
    classes = np.arange(12, dtype=np.uint8)
    got = layers(scene(), {"red": dn(*[1500] * 12), "nir": dn(*[4000] * 12), "scl": Sample(dn=classes)})
    assert np.flatnonzero(got.clear).tolist() == [4, 5, 7]
    assert np.flatnonzero(got.clear_wet).tolist() == [4, 5, 6, 7]
    assert np.flatnonzero(got.doubtful).tolist() == [7]


def test_a_scene_without_a_band_it_needs_is_refused():
    with pytest.raises(MalformedInput, match="s1: has no band nir"):
        layers(scene(), {"red": dn(1500)})


def test_an_unknown_product_is_refused():
    with pytest.raises(UnknownName, match="s1: unknown product 'landsat'; known: s2-l2a, landsat-c2-l2, sentinel-1"):
        layers(scene("landsat"), {})


def test_an_offset_taken_out_twice_stops_the_run():
    many = Sample(dn=np.full(50, 500, dtype=np.uint16))
    with pytest.raises(RadiometryError, match="100% of clear field pixels"):
        layers(scene(), {"red": many, "nir": Sample(dn=np.full(50, 3500, dtype=np.uint16))})
    applied = layers(scene(offset=Offset.APPLIED), {"red": many, "nir": Sample(dn=np.full(50, 3500, dtype=np.uint16))})
    assert applied.indices["NDVI"][0] == pytest.approx(0.75, rel=1e-6)


def test_modis_values_outside_the_valid_range_are_no_data_though_no_tag_says_so():
    got = layers(scene("mod13q1"), {"ndvi": dn(-3105, -3000, -2000, 8500, 10000, 10001, dtype=np.int16)})
    np.testing.assert_allclose(got.indices["NDVI"], [np.nan, np.nan, -0.2, 0.85, 1.0, np.nan], rtol=1e-6)
    assert got.clear.tolist() == [False, False, True, True, True, False]


def test_the_reliability_layer_of_modis_drops_snow_and_cloud_and_doubts_the_marginal():
    quality = dn(-1, 0, 1, 2, 3, dtype=np.int8)
    got = layers(scene("mod13q1"), {"ndvi": dn(*[5000] * 5, dtype=np.int16), "reliability": quality})
    assert (got.clear.tolist(), np.flatnonzero(got.doubtful).tolist()) == ([False, True, True, False, False], [2])


def test_ready_made_ndvi_comes_as_floating_point_or_in_ten_thousandths():
    as_float = layers(scene("ndvi"), {"ndvi": dn(0.5, np.nan, -9999, dtype=np.float32, nodata=-9999)})
    as_int = layers(scene("ndvi"), {"ndvi": dn(5000, -9999, -9999, dtype=np.int16, nodata=-9999)})
    for got in (as_float, as_int):
        assert got.indices["NDVI"].tolist() == pytest.approx([0.5, np.nan, np.nan], nan_ok=True)


def test_numbers_beyond_one_are_no_ndvi():
    with pytest.raises(RadiometryError, match="s1: 50% of the values lie outside"):
        layers(scene("ndvi"), {"ndvi": dn(0.5, 87.0, dtype=np.float32)})


@pytest.mark.parametrize("name", INDICES)
def test_an_index_of_black_ground_is_no_number_and_never_leaves_its_range(name):
    rng = np.random.default_rng(1)
    index = INDICES[name]
    dark = index.formula(*np.zeros((len(index.bands), 5), dtype=np.float32))
    lit = index.formula(*rng.uniform(-0.1, 1.2, (len(index.bands), 500)).astype(np.float32))
    assert np.isnan(dark).all()
    assert dark.dtype == lit.dtype == np.float32
    assert np.nanmax(np.abs(lit)) <= (10 if name == "MTCI" else 1)


REFLECTANCE = {"blue": 0.04, "green": 0.08, "red": 0.05, "rededge": 0.1, "rededge2": 0.25, "nir": 0.4, "swir16": 0.2}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("NDVI", 0.35 / 0.45, id="NDVI"),
        pytest.param("EVI2", 2.5 * 0.35 / 1.52, id="EVI2"),
        pytest.param("NDRE", 0.3 / 0.5, id="NDRE"),
        pytest.param("EVI", 2.5 * 0.35 / 1.4, id="EVI"),
        pytest.param("GNDVI", 0.32 / 0.48, id="GNDVI"),
        pytest.param("KNDVI", np.tanh((0.35 / 0.45) ** 2), id="kernel NDVI"),
        pytest.param("MTCI", 0.15 / 0.05, id="MTCI"),
        pytest.param("NDMI", 0.2 / 0.6, id="NDMI"),
        pytest.param("NDWI", -0.32 / 0.48, id="NDWI"),
    ],
)
def test_an_index_is_what_its_formula_says(name, value):
    bands = (np.array([REFLECTANCE[band]], dtype=np.float32) for band in INDICES[name].bands)
    assert INDICES[name].formula(*bands) == pytest.approx(value, rel=1e-5)


def test_an_index_that_was_asked_for_must_have_its_bands():
    read = {"red": dn(1500), "nir": dn(4000), "scl": dn(4)}
    assert list(layers(scene(), read, ("EVI2",)).indices) == ["EVI2"]
    with pytest.raises(MalformedInput, match="s1: has no band rededge, which NDRE needs"):
        layers(scene(), read, ("NDRE",))
    with pytest.raises(UnknownName, match="unknown index 'SAVI'; known: NDVI, EVI2, NDRE, EVI"):
        layers(scene(), read, ("SAVI",))


def test_only_the_bands_that_an_index_takes_are_read():
    held = tuple(Band(name, name) for name in ("blue", "red", "nir", "rededge", "scl"))
    whole = replace(scene(), bands=held)
    assert [band.name for band in bands_for(whole, ("NDVI",))] == ["red", "nir", "scl"]
    assert [band.name for band in bands_for(whole)] == ["red", "nir", "rededge", "scl"]
    assert [band.name for band in bands_for(whole, ("EVI",))] == ["blue", "red", "nir", "scl"]


def test_clouds_reach_further_in_all_directions():
    marked = np.zeros((4, 5), dtype=bool)
    marked[1, 1] = True
    once, twice = widened(marked, 1), widened(marked, 2)
    assert np.argwhere(once).min(axis=0).tolist() == [0, 0]
    assert (once.sum(), twice.sum()) == (9, 16)
    assert widened(marked, 0) is marked


def test_of_two_parts_the_first_that_has_data_counts_and_they_are_never_averaged():
    nan = np.nan
    left = simple([0.2, nan, 0.4], [1, 0, 1], present=[1, 0, 1])
    right = simple([0.9, 0.8, 0.6], [1, 1, 0], doubtful=[0, 1, 0], present=[1, 1, 1])
    both = united([left, right])
    np.testing.assert_allclose(both.indices["NDVI"], [0.2, 0.8, 0.4])
    assert (both.clear.tolist(), both.doubtful.tolist()) == ([True, True, True], [False, True, False])


def coverage(whole):
    matrix = sp.csr_matrix(np.array(whole, dtype=float))
    fields = matrix.shape[0]
    return Coverage(cells=np.arange(matrix.shape[1]), whole=matrix, core=matrix,
                    core_buffer_m=np.zeros(fields), mixed_pixel=np.ones(fields, dtype=bool))  # fmt: skip


def simple(values, clear, *, wet_clear=None, doubtful=None, present=None):
    clear = np.array(clear, dtype=bool)
    return Layers(
        indices={"NDVI": np.array(values, dtype=np.float32)},
        clear=clear,
        clear_wet=clear if wet_clear is None else np.array(wet_clear, dtype=bool),
        doubtful=np.zeros(len(clear), dtype=bool) if doubtful is None else np.array(doubtful, dtype=bool),
        present=np.ones(len(clear), dtype=bool) if present is None else np.array(present, dtype=bool),
    )


def one(layer, whole, *, wet=(False,)):
    ids = np.array([f"f{k}" for k in range(len(whole))])
    [seen] = observe(scene(), layer, coverage(whole), ids, wet=np.array(wet))
    return seen


def test_a_half_covered_pixel_counts_half():
    seen = one(simple([0.2, 0.8], [1, 1]), [[0.5, 1.0]])
    assert (seen.mean[0], seen.covered_pixels[0], seen.clear_fraction[0]) == pytest.approx((0.6, 1.5, 1.0))
    assert seen.std[0] == pytest.approx(np.sqrt((0.5 * 0.4**2 + 0.2**2) / 1.5))


def test_a_cloudy_pixel_lowers_the_clear_share_and_leaves_the_mean_alone():
    seen = one(simple([0.2, 0.8, 0.1], [1, 1, 0]), [[1, 1, 2 / 3]])
    assert (seen.mean[0], seen.clear_fraction[0]) == pytest.approx((0.5, 0.75))


def test_a_field_without_a_clear_pixel_has_no_number():
    seen = one(simple([0.2], [0]), [[1.0], [0.0]], wet=(False, False))
    assert np.isnan(seen.mean).all()
    assert np.isnan(seen.std).all()
    assert seen.clear_fraction.tolist() == [0, 0]


def test_water_counts_in_a_paddy_and_nowhere_else():
    seen = one(simple([0.2, 0.6], [0, 1], wet_clear=[1, 1]), [[1, 1], [1, 1]], wet=(True, False))
    assert seen.mean == pytest.approx([0.4, 0.6])


def test_a_field_with_a_doubtful_pixel_is_flagged():
    seen = one(simple([0.2, 0.6], [1, 1], doubtful=[1, 0]), [[1, 0], [0, 1]], wet=(False, False))
    assert seen.flagged.tolist() == [True, False]
