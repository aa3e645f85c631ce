import numpy as np
import pytest

from cropcredit.credit.capacity import Capacity
from cropcredit.credit.pricing import CostOfLending


def cost(guaranteed: float = 0.0, lgd: float = 0.6) -> CostOfLending:
    return CostOfLending(
        funding_rate=0.02, capital_ratio=0.08, capital_return=0.12, operating_rate=0.012, lgd=lgd, guaranteed=guaranteed
    )


@pytest.mark.parametrize(
    ("pd", "percent"),
    [
        (0.02, (5.26, 4.63, 4.38, 4.25)),
        (0.04, (6.56, 5.26, 4.75, 4.50)),
        (0.06, (7.88, 5.91, 5.14, 4.75)),
    ],
)
def test_the_break_even_rate_with_and_without_a_guarantee(pd, percent):
    rates = [round(100 * float(cost(share).rate(pd)), 2) for share in (0, 0.5, 0.7, 0.8)]
    assert rates == list(percent)


def test_a_guarantor_who_does_not_pay_is_none():
    unpaid = CostOfLending(
        funding_rate=0.02,
        capital_ratio=0.08,
        capital_return=0.12,
        operating_rate=0.012,
        lgd=0.6,
        guaranteed=0.8,
        claim_paid=0.0,
    )
    assert float(unpaid.rate(0.04)) == float(cost().rate(0.04))


def test_the_components_of_the_rate_add_up_to_it():
    rate = float(cost().rate(0.04))
    parts = dict(cost().parts(rate))
    assert sum(parts.values()) == pytest.approx(rate)
    assert parts == pytest.approx(
        {"funding": 0.0184, "capital": 0.0096, "operating": 0.012, "expected_loss": 0.02557}, abs=1e-5
    )


FREE = CostOfLending(funding_rate=0.0, capital_ratio=0.0, capital_return=0.0, operating_rate=0.0, lgd=0.0)
TEN = np.arange(100.0, 1100.0, 100.0)
"""Ten equally likely seasons: 100, 200 … 1000."""


def test_with_free_money_a_season_repays_what_it_brings():
    seasons = Capacity(TEN, 0.1, FREE, 1.0)
    assert seasons.quantile(0.1) == 200
    assert seasons.quantile(0.05) == 100
    assert seasons.loan(250.0) == 250
    assert seasons.shortfall(200.0) == 0.1
    assert seasons.priced(200.0) == (0.1, 0.0)


def test_a_dearer_loan_leaves_less_of_the_same_debt_service():
    seasons = Capacity(TEN, 0.1, cost(), 1.0)
    carried = seasons.loan(200.0)
    assert carried == pytest.approx(200 / (1 + float(cost().rate(0.1))))
    assert seasons.priced(carried) == pytest.approx((0.1, float(cost().rate(0.1))))
    assert seasons.priced(50.0) == pytest.approx((0.0, 0.04))


def test_beyond_the_accepted_risk_the_rate_rises_no_more():
    seasons = Capacity(TEN, 0.1, cost(), 1.0)
    highest = float(cost().rate(0.1))
    assert seasons.priced(5000.0) == pytest.approx((1.0, highest))
    assert seasons.loan(1000.0) == pytest.approx(1000 / (1 + highest))


def test_a_family_that_does_not_cover_its_living_carries_no_loan():
    seasons = Capacity(TEN - 2000, 0.1, cost(), 1.0)
    assert seasons.loan(seasons.quantile(0.1)) == 0
    assert seasons.priced(0.0)[0] == 1.0


def test_the_loan_never_falls_when_the_debt_service_rises():
    """Half the seasons bring exactly 500: just above, half the seasons fail and the rate jumps."""
    seasons = Capacity(np.repeat([500.0, 1000.0], 50), 0.5, cost(), 1.0)
    assert seasons.loan(501.0) == seasons.loan(500.0)
    assert seasons.loan(1000.0) > seasons.loan(500.0)


def test_a_season_barely_better_than_the_bad_one_does_not_lower_the_loan():
    """Half bring 500, one brings 520, the rest 1000: at 520 every second season fails, and the rate eats the 20."""
    seasons = Capacity(np.array([500.0] * 50 + [520.0] + [1000.0] * 49), 0.5, cost(), 1.0)
    assert 520 / (1 + float(cost().rate(0.5))) < seasons.loan(500.0)
    assert seasons.loan(521.0) == seasons.loan(520.0) == seasons.loan(500.0)
