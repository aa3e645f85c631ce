"""Units that were mistaken, and what farmland is like."""

from __future__ import annotations

import pytest

from cropcredit.telemetry.commissioning import SLIPS, fits, unit_slip

MISTAKEN = [
    # quantity, as sent, the slip, in the catalogue's unit
    ("soil.moisture", 0.24, "fraction", 24),
    ("soil.moisture", 240, "tenfold", 24),
    ("soil.temperature", 68, "fahrenheit", 20),
    ("soil.temperature", 293.15, "kelvin", 20),
    ("soil.temperature", 199, "tenfold", 19.9),
    ("soil.ec", 700, "us_per_cm", 0.7),
    ("soil.ec", 70, "us_per_cm", 0.07),  # nothing else tells it from 0.7 in mS/m
    ("air.temperature", 77, "fahrenheit", 25),
    ("air.temperature", 298.15, "kelvin", 25),
    ("air.temperature", 199, "tenfold", 19.9),
    ("air.relativeHumidity", 0.65, "fraction", 65),
    ("air.relativeHumidity", 650, "tenfold", 65),
    ("air.pressure", 101_325, "pascal", 1013.25),
    ("air.pressure", 101.325, "kilopascal", 1013.25),
    ("air.pressure", 380, "mmhg", 506.6),
    ("store.grainMoisture", 0.13, "fraction", 13),
    ("store.grainMoisture", 130, "tenfold", 13),
    ("store.grainTemperature", 64.4, "fahrenheit", 18),
    ("store.grainTemperature", 291.15, "kelvin", 18),
    ("store.grainTemperature", 180, "tenfold", 18),
]


@pytest.mark.parametrize(("quantity", "sent", "slip", "meant"), MISTAKEN)
def test_a_mistaken_unit_is_named_by_what_puts_the_value_right(quantity, sent, slip, meant):
    assert unit_slip(quantity, sent, []) == slip
    assert dict(SLIPS[quantity])[slip](sent) == pytest.approx(meant, rel=1e-3)


def test_of_two_units_that_would_do_the_neighbours_tell_which():
    assert unit_slip("air.temperature", 251, []) == "kelvin"
    assert unit_slip("air.temperature", 251, [24, 25, 26]) == "tenfold"
    assert unit_slip("soil.ec", 700, [8, 8, 8]) == "ms_per_m"


def test_a_value_that_no_unit_puts_right_has_no_slip():
    assert unit_slip("air.pressure", 1100, []) == ""


@pytest.mark.parametrize(
    ("quantity", "kept", "beyond"),
    [
        ("soil.moisture", (1.5, 65), (1.4, 65.1)),
        ("soil.temperature", (-20, 45), (-20.1, 45.1)),
        ("soil.ec", (0, 12), (-0.1, 12.1)),
        ("air.temperature", (-40, 48), (-40.1, 48.1)),
        ("air.relativeHumidity", (3, 100), (2.9, 100.1)),
        ("air.pressure", (500, 1060), (499, 1061)),
        ("store.grainMoisture", (4, 35), (3.9, 35.1)),
        ("store.grainTemperature", (-25, 55), (-25.1, 55.1)),
    ],
)
def test_farmland_keeps_its_bounds(quantity, kept, beyond):
    assert [fits(quantity, value, []) for value in kept] == [True, True]
    assert [fits(quantity, value, []) for value in beyond] == [False, False]


@pytest.mark.parametrize(
    ("quantity", "spread"),
    [("soil.moisture", 25), ("soil.temperature", 12), ("soil.ec", 3), ("air.temperature", 8),
     ("air.relativeHumidity", 35), ("air.pressure", 60), ("store.grainMoisture", 12), ("store.grainTemperature", 20)],
)  # fmt: skip
def test_three_near_devices_bound_what_a_value_may_be(quantity, spread):
    middle = {"air.pressure": 900.0, "soil.ec": 5.0}.get(quantity, 20.0 if spread < 35 else 50.0)
    near = [middle - 1, middle, middle + 1]
    assert fits(quantity, middle + spread, near)
    assert not fits(quantity, middle + spread + 0.1, near)
    assert fits(quantity, middle + spread + 0.1, near[:2]) == fits(quantity, middle + spread + 0.1, [])


def test_a_quantity_that_is_not_known_fits_and_has_no_slip():
    assert (fits("wind.speed", 1e9, []), unit_slip("wind.speed", 1e9, [])) == (True, "")
