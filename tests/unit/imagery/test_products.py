"""What the digital numbers of each product mean."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from cropcredit.errors import RadiometryError
from cropcredit.imagery import PRODUCTS, Sample, bands_for, layers
from cropcredit.imagery.masks import qa_cloudy
from cropcredit.model import Band, Grid, Offset, Scene

DAY = datetime(2025, 6, 1, 3, tzinfo=UTC)
GRID = Grid("EPSG:32650", (10, 0, 500_000, 0, -10, 4_000_000), (2, 2))


def scene(product, *bands):
    held = tuple(Band(name, name) for name in bands)
    return Scene(id="s1", known_at=DAY, product=product, tile="t", acquired_at=DAY, available_at=DAY, grid=GRID,
                 bands=held)  # fmt: skip


def dn(*values, dtype=np.uint16, nodata=None):
    return Sample(dn=np.array(values, dtype=dtype), nodata=nodata)


def power(*values, nodata=None):
    return dn(*values, dtype=np.float32, nodata=nodata)


def test_landsat_numbers_have_one_scale_and_one_offset():
    """DN 9090 is 0.05, DN 18182 is 0.3; 1000 and 50000 lie outside the valid range, 0 is fill."""
    got = layers(scene("landsat-c2-l2"), {"red": dn(9091, 1000, 0), "nir": dn(18182, 18182, 50000)})
    assert list(got.indices) == ["NDVI", "EVI2"]
    np.testing.assert_allclose(got.indices["NDVI"], [0.25 / 0.35, np.nan, np.nan], rtol=1e-4)
    assert (got.clear.tolist(), got.present.tolist()) == ([True, False, False], [True, True, False])


@pytest.mark.parametrize(
    ("bits", "clear", "clear_wet", "cloudy"),
    [
        pytest.param(0b0000_0000_0000_0001, False, False, False, id="fill"),
        pytest.param(0b0101_0101_0000_0010, False, False, False, id="dilated cloud"),
        pytest.param(0b1101_0110_0000_0100, False, False, True, id="cirrus"),
        pytest.param(0b0101_0111_0000_1000, False, False, True, id="cloud"),
        pytest.param(0b0101_1101_0001_0000, False, False, True, id="cloud shadow"),
        pytest.param(0b0111_0101_0010_0000, False, False, False, id="snow"),
        pytest.param(0b0101_0101_0100_0000, True, True, False, id="clear"),
        pytest.param(0b0101_0101_1100_0000, False, True, False, id="clear water"),
    ],
)
def test_the_quality_bits_of_landsat_say_what_saw_the_ground(bits, clear, clear_wet, cloudy):
    got = layers(scene("landsat-c2-l2"), {"red": dn(9091), "nir": dn(18182), "qa": dn(bits)})
    assert (got.clear.tolist(), got.clear_wet.tolist()) == ([clear], [clear_wet])
    assert qa_cloudy(dn(bits).dn).tolist() == [cloudy]


def test_what_a_landsat_cloud_spreads_is_a_dilated_cloud_that_spreads_no_further():
    product = PRODUCTS["landsat-c2-l2"]
    assert product.cloudy is not None
    assert not product.cloudy(np.array([product.cloud], dtype=np.uint16)).any()
    assert not layers(scene("landsat-c2-l2"), {"red": dn(9091), "nir": dn(18182), "qa": dn(product.cloud)}).clear.any()


@pytest.mark.parametrize(
    ("baseline", "stops"),
    [
        pytest.param("05.10", True, id="a baseline that had one"),
        pytest.param("", True, id="no baseline"),
        pytest.param("03.01", False, id="a baseline that never had one"),
    ],
)
def test_the_word_of_a_source_that_the_offset_is_gone_is_held_against_the_leaves(baseline, stops):
    """A thousand vegetated pixels, and not one whose red lies below 0.1."""
    said = replace(scene("s2-l2a"), offset=Offset.APPLIED, processing_baseline=baseline)
    read = {"red": dn(*[1500] * 1000), "nir": dn(*[4000] * 1000), "scl": dn(*[4] * 1000, dtype=np.uint8)}
    if stops:
        with pytest.raises(RadiometryError, match=r"s1: no vegetated pixel .* add the scene again with --offset"):
            layers(said, read)
    else:
        assert layers(said, read).indices["NDVI"][0] == pytest.approx(0.25 / 0.55, rel=1e-5)


@pytest.mark.parametrize("product", ["s2-l2a", "landsat-c2-l2"])
@pytest.mark.parametrize(
    ("kind", "red", "near", "message"),
    [
        pytest.param(np.float32, 0.05, 0.4, "s1: numbers of type float32 up to 0.05 are no digital numbers", id="unit"),
        pytest.param(
            np.uint8, 5, 40, "s1: numbers of type uint8 are no digital numbers: they are scaled", id="per cent"
        ),
    ],
)
def test_reflectance_that_somebody_has_scaled_is_not_scaled_again(product, kind, red, near, message):
    said = replace(scene(product), offset=Offset.APPLIED)
    with pytest.raises(RadiometryError, match=message):
        layers(said, {"red": dn(red, 255, dtype=kind, nodata=255), "nir": dn(near, 255, dtype=kind, nodata=255)})


@pytest.mark.parametrize("product", ["s2-l2a", "landsat-c2-l2"])
def test_digital_numbers_may_come_as_floating_point_and_nothing_at_all_is_no_error(product):
    said = replace(scene(product), offset=Offset.APPLIED)
    for red in (np.nan, 0, 9091):
        got = layers(said, {"red": power(red), "nir": power(18182)})
        assert np.isfinite(got.indices["NDVI"]).tolist() == got.present.tolist() == [red == 9091]


def test_backscatter_in_power_stays_what_it_is_and_the_border_is_no_data():
    got = layers(scene("sentinel-1-rtc"), {"vv": power(0.1, 0, np.nan, -1, nodata=-1), "vh": power(0.02, 0.02, 0, 0)})
    np.testing.assert_allclose(got.indices["VV"], [0.1, np.nan, np.nan, np.nan], rtol=1e-6)
    np.testing.assert_allclose(got.indices["VH"], [0.02, 0.02, np.nan, np.nan], rtol=1e-6)
    assert got.present.tolist() == got.clear.tolist() == [True, False, False, False]


def test_decibels_become_power_so_that_a_mean_is_a_mean_of_power():
    """-10 dB and -20 dB: 0.1 and 0.01, in the mean 0.055 or -12.6 dB; the mean of the decibels would say -15."""
    got = layers(scene("sentinel-1-rtc"), {"vv": power(-10, -20, 0), "vh": power(-20, -30, 0)})
    np.testing.assert_allclose(got.indices["VV"], [0.1, 0.01, np.nan], rtol=1e-5)
    assert 10 * np.log10(np.nanmean(got.indices["VV"])) == pytest.approx(-12.6, abs=0.01)


def test_one_bright_roof_does_not_make_decibels_power():
    got = layers(scene("sentinel-1-rtc"), {"vv": power(*[-10] * 39, 3)})
    assert got.indices["VV"][-1] == pytest.approx(10**0.3, rel=1e-5)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        pytest.param([0.1, 0.2, -0.1, 0.1], "s1: 25% of the backscatter is negative: of power none", id="both signs"),
        pytest.param([-1200, -1300], "s1: median VV of -[0-9]+ dB is no backscatter of land; calibrate", id="dB x 100"),
        pytest.param([300, 400], r"s1: median VV of 25 dB is no backscatter of land; calibrate", id="amplitudes"),
    ],
)
def test_what_is_neither_power_nor_decibels_is_refused(values, message):
    with pytest.raises(RadiometryError, match=message):
        layers(scene("sentinel-1-rtc"), {"vv": power(*values)})


def test_radar_bands_are_read_as_they_are_asked_for():
    held = scene("sentinel-1-rtc", "vv", "vh")
    assert [band.name for band in bands_for(held)] == ["vv", "vh"]
    assert [band.name for band in bands_for(held, ("VV",))] == ["vv"]
    assert list(layers(held, {"vv": power(np.nan)}).indices) == ["VV"]


def test_modis_brings_its_own_evi_where_it_is_asked_for():
    held = scene("mod13q1", "ndvi", "evi", "reliability")
    assert [band.name for band in bands_for(held)] == ["ndvi", "reliability"]
    assert [band.name for band in bands_for(held, ("NDVI", "EVI"))] == ["ndvi", "evi", "reliability"]
    read = {"ndvi": dn(8000, dtype=np.int16), "evi": dn(5000, dtype=np.int16)}
    assert layers(held, read, ("NDVI", "EVI")).indices["EVI"] == pytest.approx(0.5)


@pytest.mark.parametrize("product", ["ndvi", "evi2", "ndre"])
def test_a_ready_made_index_bears_the_name_of_its_product(product):
    got = layers(scene(product), {product: dn(5000, -9999, dtype=np.int16, nodata=-9999)})
    assert got.indices[product.upper()].tolist() == pytest.approx([0.5, np.nan], nan_ok=True)
    with pytest.raises(RadiometryError, match=f"this is no {product.upper()}; write floating point {product.upper()}"):
        layers(scene(product), {product: power(87.0)})


def test_minus_9999_without_a_tag_is_no_index_of_any_ground():
    """One of 200 is dropped; with two of them the whole raster is doubted."""
    got = layers(scene("ndvi"), {"ndvi": dn(*[5000] * 199, -9999, dtype=np.int16)})
    assert np.flatnonzero(np.isnan(got.indices["NDVI"])).tolist() == np.flatnonzero(~got.present).tolist() == [199]
    with pytest.raises(
        RadiometryError, match=r"2% of the values lie outside \[-0.99, 1\]: .* and tag what stands for no"
    ):
        layers(scene("ndvi"), {"ndvi": dn(*[5000] * 98, -9999, -9999, dtype=np.int16)})


@pytest.mark.parametrize("product", ["ndvi", "mod13q1"])
def test_eight_bits_hold_no_ten_thousandths(product):
    with pytest.raises(
        RadiometryError, match=r"s1: numbers of type uint8 cannot be in units of 0.0001; undo their own"
    ):
        layers(scene(product), {"ndvi": dn(200, 210, dtype=np.uint8)})


def test_modis_that_somebody_has_scaled_is_not_scaled_again():
    with pytest.raises(RadiometryError, match=r"s1: the values lie in .* scaled already; add it with --product ndvi"):
        layers(scene("mod13q1"), {"ndvi": dn(0.8, 0.6, -3000, np.nan, dtype=np.float32)})
    got = layers(scene("mod13q1"), {"ndvi": dn(8000, 6000, -3000, np.nan, dtype=np.float32)})
    np.testing.assert_allclose(got.indices["NDVI"], [0.8, 0.6, np.nan, np.nan], rtol=1e-6)
    assert not layers(scene("mod13q1"), {"ndvi": dn(-3000, np.nan, dtype=np.float32)}).present.any()
