"""In the soil, at its depth, with a calibration that fits; or in water, in air, on the ground."""

from __future__ import annotations

import numpy as np
import pytest

from cropcredit.telemetry.siting import not_buried, pores_of, soil_water
from tests.unit.telemetry.nature import DAILY, GRID, HOURS, doubt, reason, soil, track


def asked(values: np.ndarray, *, texture: str = "loam", warmth=None, flooded: bool = False, kind: str = "volumetric"):
    probe = track("soil.moisture", values, channel="d20", depth_cm=20.0, texture=texture, kind=kind)
    return {check.code: check for check in soil_water(probe, values, warmth, flooded=flooded)}


@pytest.mark.parametrize("texture", ["loam", "silt_loam", "Clay loam", ""])
def test_soil_that_dries_and_wets_is_soil(texture):
    found = asked(soil(), texture=texture)
    assert [check.suspicion for check in found.values()] == pytest.approx([0, 0, 0], abs=0.1)


def test_more_water_than_the_pores_hold_is_no_soil():
    assert asked(np.full(len(HOURS), 62.0))["above_porosity"].reason is not None
    assert asked(np.full(len(HOURS), 62.0), texture="")["above_porosity"].reason is None, "nobody named the soil"
    assert dict(asked(np.full(len(HOURS), 62.0))["above_porosity"].facts)["bound"] == 55.1


def test_next_to_nothing_is_air_unless_the_soil_is_frozen_or_sand():
    dry = np.full(len(HOURS), 0.8)
    assert asked(dry)["below_air_dry"].reason is not None
    assert asked(dry, warmth=np.full(len(HOURS), -3.0))["below_air_dry"].because == "cold"
    assert asked(np.full(len(HOURS), 1.4), texture="sand")["below_air_dry"].reason is None


def test_water_that_never_drains_is_asked_about_unless_it_is_paddy():
    standing = np.full(len(HOURS), 48.0)
    assert reason(asked(standing)["stands_in_water"]).grade == "B"
    assert asked(standing, flooded=True)["stands_in_water"].because == "flooded"


def test_what_is_not_volume_or_no_known_soil_is_not_judged():
    for found in (asked(soil(), kind="tension"), asked(soil(), texture="peat")):
        assert {check.because for check in found.values()} == {"no_texture"}
    assert asked(soil()[:20])["above_porosity"].because == "too_short"
    assert pores_of("PEAT") is None


def test_a_probe_that_swings_like_the_air_is_not_buried():
    deep = track("soil.temperature", soil(), channel="d30", depth_cm=30.0)
    assert doubt(not_buried(deep, 0.6, 6.0, GRID)) < 0.1
    assert doubt(not_buried(deep, 5.0, 6.0, GRID)) > 0.6
    shallow = track("soil.temperature", soil(), channel="d5", depth_cm=5.0)
    assert doubt(not_buried(shallow, 5.0, 6.0, GRID)) < 0.5, "bare soil swings so near the surface"


def test_without_air_depth_or_days_burial_is_not_judged():
    nowhere = track("soil.temperature", soil())
    deep = track("soil.temperature", soil(), depth_cm=30.0)
    assert not_buried(nowhere, 1.0, 6.0, GRID).because == "no_air"
    assert not_buried(deep, 1.0, None, GRID).because == "no_air"
    assert not_buried(deep, None, 6.0, DAILY).because == "too_short"
