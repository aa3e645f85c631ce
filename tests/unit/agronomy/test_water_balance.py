"""The balance of FAO-56 on its own worked examples and on days that can be counted in the head."""

from __future__ import annotations

import numpy as np
import pytest

from cropcredit.agronomy.evapotranspiration import (
    extraterrestrial_radiation,
    hargreaves,
    penman_monteith,
    reference_et,
)
from cropcredit.agronomy.water_balance import (
    SOILS,
    crop_coefficient,
    root_depth,
    runoff,
    soil_of,
    water_balance,
)
from cropcredit.errors import RefusedInput

LOAM = np.array([0.30]), np.array([0.10])
HALF = np.array([0.5])


def one(*values: float) -> np.ndarray:
    return np.array([values])


@pytest.mark.parametrize(
    ("latitude", "day", "ra"),
    [
        pytest.param(-20.0, 246, 32.2, id="example 8: 3 September at 20 S"),
        pytest.param(45.72, 196, 40.6, id="example 20: July near Lyon"),
        pytest.param(50.80, 187, 41.09, id="example 18: 6 July at Uccle"),
        pytest.param(13.73, 105, 38.06, id="example 17: April at Bangkok"),
    ],
)
def test_radiation_on_top_of_the_atmosphere_is_that_of_fao_56(latitude, day, ra):
    assert extraterrestrial_radiation(np.array(latitude), np.array(day)) == pytest.approx(ra, abs=0.06)


def test_the_polar_night_has_no_radiation_and_hardly_any_evaporation():
    night, frost = np.array([[0.0]]), np.array([[-20.0]])

    assert extraterrestrial_radiation(np.array(80.0), np.array(355)) == 0
    dark = reference_et(frost, frost + 5, np.array([80.0]), np.array([355]), solar_mj_m2=night)[0, 0]
    assert 0 <= dark < 0.15


def test_hargreaves_gives_5_mm_near_lyon_in_july():
    ra = extraterrestrial_radiation(np.array(45.72), np.array(196))

    assert hargreaves(np.array(14.8), np.array(26.6), ra) == pytest.approx(5.0, abs=0.05)


def test_penman_monteith_gives_what_fao_56_works_out():
    uccle = penman_monteith(
        np.array(12.3),
        np.array(21.5),
        np.array(22.07),
        np.array(41.09),
        vapour_kpa=np.array(1.409),
        wind_m_s=2.078,
        elevation_m=100,
    )
    lyon = penman_monteith(np.array(14.8), np.array(26.6), np.array(22.29), np.array(40.55), elevation_m=200)

    assert uccle == pytest.approx(3.88, abs=0.01)  # example 18
    assert lyon == pytest.approx(4.56, abs=0.02)  # example 20: wind and humidity missing


def test_radiation_is_used_on_the_days_that_have_it():
    t_min, t_max = np.full((1, 2), 14.8), np.full((1, 2), 26.6)

    found = reference_et(t_min, t_max, np.array([45.72]), np.array([196, 196]), solar_mj_m2=one(22.29, np.nan))

    assert found[0, 0] == pytest.approx(4.56, abs=0.06)  # at sea level
    assert found[0, 1] == pytest.approx(5.0, abs=0.05)
    simple = reference_et(t_min, t_max, np.array([45.72]), np.array([196, 196]))
    np.testing.assert_allclose(simple, found[0, 1])


def test_the_crop_coefficient_rises_and_falls_and_roots_grow_until_mid_season():
    share = np.array([-0.5, 0.0, 0.2, 0.3, 0.4, 0.8, 0.9, 1.2])
    stages = (20, 20, 40, 20)

    np.testing.assert_allclose(
        crop_coefficient(share, (0.3, 1.2, 0.4), stages), [0.3, 0.3, 0.3, 0.75, 1.2, 1.2, 0.8, 0.4]
    )
    np.testing.assert_allclose(root_depth(share, 1.3, stages), [0.3, 0.3, 0.8, 1.05, 1.3, 1.3, 1.3, 1.3])
    assert root_depth(np.array([0.0]), 0.2, stages)[0] == 0.2


def test_a_dry_week_is_counted_down_to_stress():
    # TAW = 1000 * 0.2 * 0.5 = 100 mm, p = 0.5 at 5 mm/day: stress begins at 50 mm of depletion
    found = water_balance(
        one(0, 0, 0, 20), one(5, 5, 5, 5), np.full((1, 4), 0.5), soil=LOAM, depletion=HALF, begun=np.array([0.45])
    )

    np.testing.assert_allclose(found.stress, [[1.0, 1.0, 0.9, 0.81]])
    np.testing.assert_allclose(found.et_mm, [[5, 5, 4.5, 4.05]])
    np.testing.assert_allclose(found.depletion_mm, [[50, 55, 59.5, 43.55]])
    assert found.percolation_mm.sum() == 0
    np.testing.assert_allclose(found.available_mm, 100)


def test_a_small_demand_lets_the_soil_give_more_before_stress():
    # p = 0.5 + 0.04 (5 - 1) = 0.66: at 60 mm of depletion there is no stress yet
    found = water_balance(one(0.0), one(1.0), np.full((1, 1), 0.5), soil=LOAM, depletion=HALF, begun=np.array([0.60]))

    assert found.stress[0, 0] == 1.0


def test_rain_beyond_field_capacity_fills_what_lies_below_and_then_drains():
    root = one(0.5, 0.5, 1.0)
    found = water_balance(one(40, 100, 0), one(0, 0, 0), root, soil=LOAM, depletion=HALF, begun=np.array([0.25]))

    # 25 mm are missing in the root zone and 25 below it; the first rain leaves 10 below, the second drains 90
    np.testing.assert_allclose(found.depletion_mm, [[0, 0, 0]])
    np.testing.assert_allclose(found.below_mm, [[10, 0, 0]])
    np.testing.assert_allclose(found.percolation_mm, [[0, 90, 0]])
    assert found.begun_mm[0] == pytest.approx(50)


def test_growing_roots_find_the_soil_as_it_was_left():
    found = water_balance(one(0, 0), one(0, 0), one(0.5, 0.75), soil=LOAM, depletion=HALF, begun=np.array([0.4]))

    np.testing.assert_allclose(found.depletion_mm, [[40, 60]])
    np.testing.assert_allclose(found.below_mm, [[20, 0]])


def test_without_a_measurement_half_of_what_is_readily_there_is_gone_at_sowing():
    found = water_balance(one(0.0), one(0.0), one(0.5), soil=LOAM, depletion=HALF)

    assert found.begun_mm[0] == pytest.approx(25)


def test_measured_moisture_is_followed_and_what_it_adds_is_named():
    measured = one(np.nan, 0.28, 0.35, 0.05)
    found = water_balance(
        one(0, 0, 0, 0),
        one(5, 5, 5, 5),
        np.full((1, 4), 0.5),
        soil=LOAM,
        depletion=HALF,
        begun=np.array([0.4]),
        measured=measured,
    )

    # moisture of 0.28 is a depletion of 10 mm where 50 were reckoned: 40 mm of irrigation nobody told of
    np.testing.assert_allclose(found.depletion_mm, [[45, 10, 0, 100]])
    np.testing.assert_allclose(found.adjustment_mm, [[0, 40, 15, -95]])


def test_heavy_rain_runs_off_where_a_curve_number_is_given():
    rain = one(5, 50)
    found = water_balance(
        rain, one(0, 0), np.full((1, 2), 0.5), soil=LOAM, depletion=HALF, begun=np.array([0.9]), curve_number=80
    )

    np.testing.assert_allclose(found.runoff_mm, runoff(rain, 80))
    assert found.depletion_mm[0, 1] == pytest.approx(90 - 55 + found.runoff_mm.sum())


@pytest.mark.parametrize(
    ("rain", "demand", "root", "soil", "match"),
    [
        pytest.param(one(-1, 0), one(1, 1), one(0.5, 0.5), LOAM, "rain is negative", id="rain"),
        pytest.param(one(1, 0), one(1, -1), one(0.5, 0.5), LOAM, "evapotranspiration is negative", id="demand"),
        pytest.param(one(1, 0), one(1, 1), one(0.5, 0.4), LOAM, "roots shrink", id="roots"),
        pytest.param(one(1, 0), one(1, 1), one(0.5, 0.5), LOAM[::-1], "wilting point is not below", id="soil"),
    ],
)
def test_what_cannot_be_is_refused(rain, demand, root, soil, match):
    with pytest.raises(RefusedInput, match=match):
        water_balance(rain, demand, root, soil=soil, depletion=HALF)


def test_unknown_rain_makes_what_follows_unknown():
    found = water_balance(one(5, np.nan, 5), one(1, 1, 1), np.full((1, 3), 0.5), soil=LOAM, depletion=HALF)

    assert np.isfinite(found.depletion_mm).tolist() == [[True, False, False]]


def test_textures_are_found_in_the_words_of_installers():
    assert soil_of("Silt-Loam") == SOILS["silt loam"]
    assert soil_of("clay loam") == SOILS["silt clay loam"]
    assert soil_of("") is None
