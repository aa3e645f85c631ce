"""Digital numbers become reflectance once; what cannot be true stops the run."""

import numpy as np
import pytest

from cropcredit.errors import MalformedInput, RadiometryError
from cropcredit.imagery.radiometry import check_red, s2_offset_dn, s2_reflectance
from cropcredit.model import Offset


@pytest.mark.parametrize(
    ("offset", "baseline", "expected"),
    [
        pytest.param(Offset.APPLIED, "05.10", 0, id="the archive took it out"),
        pytest.param(Offset.APPLIED, "", 0, id="taken out, baseline unknown"),
        pytest.param(Offset.NOT_APPLIED, "04.00", -1000, id="the first baseline with an offset"),
        pytest.param(Offset.NOT_APPLIED, "03.01", 0, id="an old baseline has none"),
        pytest.param(Offset.AUTO, "05.00", -1000, id="an old date reprocessed: the baseline decides"),
        pytest.param(Offset.AUTO, "N0511", -1000, id="as it stands in file names"),
    ],
)
def test_the_baseline_and_the_declaration_decide_never_the_date(offset, baseline, expected):
    assert s2_offset_dn(offset, baseline) == expected


@pytest.mark.parametrize("offset", [Offset.AUTO, Offset.NOT_APPLIED])
def test_without_a_baseline_an_offset_that_may_be_there_is_refused(offset):
    with pytest.raises(RadiometryError, match=r"s1: offset .* needs a processing baseline and there is none; declare"):
        s2_offset_dn(offset, "", where="s1")


def test_a_baseline_that_is_none_is_refused():
    with pytest.raises(MalformedInput, match=r"'5' is not a processing baseline; write it as 05.10"):
        s2_offset_dn(Offset.AUTO, "5")


def test_zero_is_no_data_before_the_offset_is_added():
    got = s2_reflectance(np.array([0, 1000, 1500, 32767], dtype=np.uint16), -1000, nodata=32767)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, [np.nan, 0.0, 0.05, np.nan])


def test_65535_is_no_reflectance_though_no_tag_says_so():
    np.testing.assert_allclose(s2_reflectance(np.array([65535, 2500], dtype=np.uint16), 0), [np.nan, 0.25])


def test_the_published_medians_give_the_published_ndvi():
    """B04 1718, B08 3338: NDVI 0.320 with the offset left in, 0.530 without it."""
    for add, expected in ((0, 0.320), (-1000, 0.530)):
        red, nir = s2_reflectance(np.array([1718, 3338], dtype=np.uint16), add)
        assert (nir - red) / (nir + red) == pytest.approx(expected, abs=1e-3)


def every(count, value):
    return np.full(count, value, dtype=np.float32)


def test_negative_red_over_fields_means_the_offset_was_taken_out_twice():
    red = np.concatenate([every(93, 0.05), every(7, -0.02)])
    clear = np.ones(100, dtype=bool)
    with pytest.raises(RadiometryError, match=r"s1: 7% of clear field pixels have negative red .* --offset applied"):
        check_red(red, clear, clear, offset_may_be_left=False, where="s1")
    clear[93:] = False
    check_red(red, clear, clear, offset_may_be_left=False)


def test_a_handful_of_pixels_is_not_judged():
    check_red(every(29, -0.1), np.ones(29, dtype=bool), np.ones(29, dtype=bool), offset_may_be_left=True)


def test_vegetation_without_one_dark_pixel_means_the_offset_is_still_in():
    ones = np.ones(1000, dtype=bool)
    with pytest.raises(RadiometryError, match=r"no vegetated pixel has red reflectance below 0.1"):
        check_red(every(1000, 0.14), ones, ones, offset_may_be_left=True)
    check_red(every(1000, 0.14), ones, ones, offset_may_be_left=False)
    check_red(every(1000, 0.14), ones, ~ones, offset_may_be_left=True)
    check_red(np.append(every(999, 0.14), every(1, 0.04)), ones, ones, offset_may_be_left=True)
