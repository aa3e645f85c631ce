import numpy as np
import pytest

from cropcredit.credit.cashflow import (
    at_standard_moisture,
    cost_per_ha,
    ordinary,
    saleable_share,
    simulate,
    stressed,
)
from cropcredit.credit.sampling import Draws
from cropcredit.model import Stress
from tests.fakes import FakeCatalogues
from tests.lending import ask, costs, line

SURE = (6.0,) * 7
DRAWS = Draws(number=1000, seed=1)


def test_wet_grain_weighs_less_at_the_standard():
    assert at_standard_moisture(1000, 20, 14) == pytest.approx(1000 * 80 / 86)


def test_what_is_lost_after_harvest_is_not_sold():
    crop = FakeCatalogues().crop("maize")
    assert saleable_share(crop) == 1.0
    assert saleable_share(crop, moisture_pct=57.0) == pytest.approx(0.5)


def test_costs_split_into_those_before_harvest_and_those_paid_from_it():
    assert cost_per_ha(costs().items, at_harvest=False) == 8000
    assert cost_per_ha(costs().items, at_harvest=True) == 1000


def test_one_hectare_of_six_tonnes_at_two_and_a_half_yuan():
    home = ask(
        line(SURE, area_ha=2.0, harvest_cost_ha=1000.0, saleable=0.9),
        off_farm_income=3000.0,
        household_draw=4000.0,
        debt_service=500.0,
    ).household
    usual = 2 * 6000 * 0.9 * 2.5 - 2 * 1000 + 3000 - 4000 - 500
    assert ordinary(home) == pytest.approx(usual)
    cash = simulate(home, DRAWS, correlation=0.0)
    assert np.median(cash) == pytest.approx(usual)
    assert cash.max() == pytest.approx(usual)
    assert cash.min() < usual  # the tail below the fifth percentile


def test_a_stress_lowers_yield_and_price_and_raises_what_inputs_cost():
    home = ask(line(SURE, harvest_cost_ha=1000.0)).household
    bad = Stress(name="bad", yield_factor=0.5, price_factor=0.8, cost_factor=1.1)
    assert stressed(home, bad) == pytest.approx(3000 * 2.0 - 1100 - 800)
    assert stressed(home, Stress(name="none", yield_factor=1, price_factor=1, cost_factor=1)) == ordinary(home)


def test_needed_is_what_inputs_cost_beyond_own_funds():
    assert ask(own_funds=3000.0).household.needed == 5000
    assert ask(own_funds=9000.0).household.needed == 0
    assert ask().household.scaled(0.5).needed == 4000
