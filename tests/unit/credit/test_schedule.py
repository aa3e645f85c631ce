from datetime import date

import numpy as np
import pytest

from cropcredit.credit.cashflow import harvests
from cropcredit.credit.policy import draws_of
from cropcredit.credit.sampling import Risk
from cropcredit.credit.schedule import parts_of, plan, shares
from tests.lending import ask, cny, line, policy

START, END = date(2025, 4, 1), date(2025, 12, 15)
WHEAT = line(sold_on=date(2025, 6, 10))
MAIZE = line(planting_id="PL2", risk=Risk(group="maize", shared_share=0.5), sold_on=date(2025, 10, 5))
DRAWS = draws_of(policy())


def laid_out(household, debt_service: float):
    return shares(household, DRAWS, correlation=0.0, debt_service=debt_service, from_on=START, due_on=END)


def test_one_harvest_is_repaid_at_the_end():
    near = ask(line(sold_on=date(2025, 11, 10))).household
    assert laid_out(near, 5000.0) == ((END, 1.0),)


def test_wheat_repays_its_part_after_its_own_harvest():
    (first, share), (last, rest) = laid_out(ask(WHEAT, MAIZE).household, 2000.0)
    assert (first, last) == (date(2025, 7, 10), END)
    assert share == pytest.approx(0.5)
    assert share + rest == 1


def test_an_instalment_never_adds_a_season_of_failure():
    household = ask(WHEAT, MAIZE, household_draw=3_000.0).household
    parts = laid_out(household, 9000.0)
    assert len(parts) == 2
    assert parts[0][1] < 0.5  # capped by what is there
    wheat, maize = harvests(household, DRAWS, correlation=0.0)
    repaid = wheat + maize + household.besides >= 9000
    by_july = household.besides * (parts[0][0] - START).days / (END - START).days
    assert np.all((wheat + by_july)[repaid] >= parts[0][1] * 9000 - 1e-6)


def test_a_harvest_that_leaves_too_little_pays_no_instalment():
    household = ask(WHEAT, MAIZE, household_draw=22_000.0).household
    assert laid_out(household, 3000.0) == ((END, 1.0),)


def test_nothing_lent_is_nothing_due():
    assert laid_out(ask(WHEAT, MAIZE).household, 0.0) == ((END, 1.0),)
    assert plan(cny(0), apr=0.05, from_on=START, parts=((END, 1.0),)) == ()


def test_principal_adds_up_to_the_fen_and_interest_runs_by_day():
    parts = ((date(2025, 7, 10), 1 / 3), (END, 2 / 3))
    dues = plan(cny(1000), apr=0.0365, from_on=START, parts=parts)
    assert [due.principal for due in dues] == [cny(333.33), cny(666.67)]
    assert [due.interest for due in dues] == [cny(3.33), cny(17.20)]
    assert parts_of(dues) == ((date(2025, 7, 10), 0.33333), (END, 0.66667))


def test_an_instalment_that_leaves_next_to_nothing_for_the_end_is_dropped():
    household = ask(
        line((6.0,) * 7, sold_on=date(2025, 6, 10), input_cost_ha=8000.0),
        line(planting_id="PL2", sold_on=date(2025, 10, 5), input_cost_ha=400.0),
    ).household
    assert laid_out(household, 2000.0) == ((END, 1.0),)
