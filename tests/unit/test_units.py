from __future__ import annotations

import math

import pytest

from cropcredit.errors import MalformedInput, UnknownName
from cropcredit.units import Quantity, at_moisture, convert, hectares, kilograms, tonnes_per_hectare


@pytest.mark.parametrize(
    ("value", "unit", "expected"), [(15, "mu", 1.0), (10_000, "m2", 1.0), (1, "acre", 0.40468564224), (2, "ha", 2.0)]
)
def test_areas_become_hectares(value, unit, expected):
    assert hectares(value, unit) == pytest.approx(expected)


@pytest.mark.parametrize(("value", "unit", "expected"), [(2, "jin", 1.0), (1, "quintal", 100.0), (2, "bag90", 180.0)])
def test_weights_become_kilograms(value, unit, expected):
    assert kilograms(value, unit) == expected


@pytest.mark.parametrize(("value", "unit", "expected"), [(800, "jin/mu", 6.0), (60, "dt/ha", 6.0), (6, "t/ha", 6.0)])
def test_yields_become_tonnes_per_hectare(value, unit, expected):
    assert tonnes_per_hectare(value, unit) == pytest.approx(expected)


def test_an_unknown_unit_is_refused_with_the_known_ones():
    with pytest.raises(UnknownName, match=r"unknown unit of area 'feddan'; known: ha, m2, mu, acre"):
        hectares(1, "feddan")
    with pytest.raises(MalformedInput, match="a yield unit is weight/area, not 'kg'"):
        tonnes_per_hectare(1, "kg")


def test_a_bushel_weighs_what_its_crop_weighs():
    assert tonnes_per_hectare(100, "bu/acre", "winter_wheat") == pytest.approx(6.725, abs=1e-3)
    assert tonnes_per_hectare(100, "bu/acre", "maize") == pytest.approx(6.277, abs=1e-3)
    with pytest.raises(UnknownName, match="unknown crop sold by the bushel 'cotton'; known: winter_wheat"):
        tonnes_per_hectare(1, "bu/acre", "cotton")


def test_moisture_is_changed_with_the_dry_matter_kept():
    wet = 8.0
    assert at_moisture(wet, 25.0, 14.0) * (100 - 14.0) == pytest.approx(wet * (100 - 25.0))


def test_plausibility_includes_the_ends_and_never_nan():
    moisture = Quantity(name="soil.moisture", unit="%", low=0, high=100)
    assert moisture.plausible(0)
    assert moisture.plausible(100)
    assert not moisture.plausible(100.1)
    assert not moisture.plausible(math.nan)


@pytest.mark.parametrize(
    ("value", "unit", "to", "expected"),
    [
        (0.3, "S/m", "dS/m", 3.0),
        (131, "uS/cm", "dS/m", 0.131),
        (0.2815, "m3/m3", "%", 28.15),
        (75230, "Pa", "hPa", 752.3),
        (36, "km/h", "m/s", 10.0),
        (-120, "dBW", "dBm", -90.0),
        (0, "K", "Cel", -273.15),
        (0, "Cel", "K", 273.15),
    ],
)
def test_measured_values_keep_their_digits_in_another_unit(value, unit, to, expected):
    assert convert(value, unit, to) == expected


def test_a_unit_of_something_else_or_of_nothing_is_refused():
    with pytest.raises(MalformedInput, match="Cel cannot be converted to hPa"):
        convert(1, "Cel", "hPa")
    with pytest.raises(UnknownName, match="unknown unit 'furlong'"):
        convert(1, "furlong", "mm")
