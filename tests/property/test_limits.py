"""Laws of the limit that hold for every farm: what makes a season worse never makes a loan larger."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cropcredit.credit.sampling import YIELD_TAIL, QuantileLaw, Risk
from cropcredit.credit.sizing import Ask, limit, size
from cropcredit.model import PROBABILITIES, LendingPolicy, Money
from tests.lending import ask, cny, line, policy

amounts = st.floats(0, 20_000)
shares = st.floats(0, 1)


@st.composite
def yields(draw: st.DrawFn) -> tuple[float, ...]:
    """Seven ascending quantiles, t/ha."""
    return tuple(sorted(draw(st.lists(st.floats(0.1, 12.0), min_size=7, max_size=7))))


@st.composite
def farms(draw: st.DrawFn) -> Ask:
    """One or two crops with anything between a gift and a burden around them."""
    lines = [
        line(
            draw(yields()),
            planting_id=f"PL{number}",
            area_ha=draw(st.floats(0.1, 5.0)),
            input_cost_ha=draw(st.floats(500, 15_000)),
            harvest_cost_ha=draw(st.floats(0, 2000)),
            risk=Risk(group=f"crop {number}", shared_share=draw(shares)),
        )
        for number in range(draw(st.integers(1, 2)))
    ]
    return ask(
        *lines,
        requested=draw(st.floats(0, 60_000)),
        years=draw(st.floats(0.05, 1.5)),
        own_funds=draw(amounts),
        off_farm_income=draw(amounts),
        household_draw=draw(amounts),
        debt_service=draw(amounts),
    )


@st.composite
def policies(draw: st.DrawFn) -> LendingPolicy:
    return policy(
        draws=1000,
        alpha=draw(st.sampled_from([0.01, 0.05, 0.10, 0.20])),
        dscr_min=draw(st.sampled_from([1.0, 1.25, 1.5])),
        yield_price_correlation=draw(st.sampled_from([0.0, -0.3])),
        round_to=cny(1),
        minimum=cny(0),
    )


def household(one: Ask, **changes: Any) -> Ask:
    return replace(one, household=replace(one.household, **changes))


def with_yields(one: Ask, change) -> Ask:
    lines = tuple(
        replace(each, yield_law=QuantileLaw(PROBABILITIES, change(each.yield_law.values), YIELD_TAIL))
        for each in one.household.lines
    )
    return replace(one, household=replace(one.household, lines=lines))


@given(farms(), policies(), yields())
def test_a_worse_yield_never_raises_a_loan(farm, rules, other):
    """Lower at any level, equal at all others."""
    worse = with_yields(farm, lambda values: tuple(map(min, zip(values, other, strict=True))))
    assert limit(worse, rules) <= limit(farm, rules)


@given(farms(), policies(), st.sampled_from([1.2, 1.5, 2.0]))
def test_a_wider_yield_never_raises_the_loan_of_a_one_crop_farm(farm, rules, factor):
    """The price is certain here, so that the bad harvest is the bad season."""
    one = replace(farm, household=replace(farm.household, lines=farm.household.lines[:1]))
    wide = with_yields(one, lambda v: tuple(max(0.0, v[3] + (value - v[3]) * factor) for value in v))
    assert limit(wide, rules) <= limit(one, rules)


@given(farms(), policies(), amounts)
def test_more_debt_never_raises_a_loan(farm, rules, more):
    assert limit(household(farm, debt_service=farm.household.debt_service + more), rules) <= limit(farm, rules)


@given(farms(), policies(), amounts)
def test_a_dearer_living_never_raises_a_loan(farm, rules, more):
    assert limit(household(farm, household_draw=farm.household.household_draw + more), rules) <= limit(farm, rules)


@given(farms(), policies(), amounts)
def test_more_income_from_elsewhere_never_lowers_a_loan(farm, rules, more):
    assert limit(household(farm, off_farm_income=farm.household.off_farm_income + more), rules) >= limit(farm, rules)


@given(farms(), policies(), st.floats(0, 3000))
def test_a_dearer_harvest_never_raises_a_loan(farm, rules, more):
    lines = tuple(replace(each, harvest_cost_ha=each.harvest_cost_ha + more) for each in farm.household.lines)
    assert limit(replace(farm, household=replace(farm.household, lines=lines)), rules) <= limit(farm, rules)


@given(farms(), policies(), st.floats(0, 5000))
def test_dearer_inputs_never_raise_what_the_season_carries(farm, rules, more):
    """They raise the need: that is what a loan is for; no cap on what can be repaid rises with them."""
    lines = tuple(replace(each, input_cost_ha=each.input_cost_ha + more) for each in farm.household.lines)
    dear = size(replace(farm, household=replace(farm.household, lines=lines)), rules)
    cheap = {cap.rule: cap.amount for cap in size(farm, rules).caps}
    assert all(cap.amount <= cheap[cap.rule] for cap in dear.caps if cap.rule != "need")


@given(farms(), policies())
def test_less_accepted_risk_never_raises_a_loan(farm, rules):
    limits = [limit(farm, replace(rules, alpha=alpha)) for alpha in (0.005, 0.01, 0.05, 0.10, 0.20, 0.40)]
    assert limits == sorted(limits)


@given(farms(), policies(), st.floats(0.1, 1))
def test_a_lower_price_never_raises_a_loan(farm, rules, factor):
    lines = tuple(replace(each, price_law=each.price_law.times(factor)) for each in farm.household.lines)
    assert limit(replace(farm, household=replace(farm.household, lines=lines)), rules) <= limit(farm, rules)


@given(farms(), policies())
def test_an_offer_keeps_within_every_cap_and_the_accepted_risk(farm, rules):
    sized = size(farm, rules)
    assert all(sized.amount <= cap.amount for cap in sized.caps)
    assert sized.amount == Money(0, "CNY") or sized.shortfall_at_offer <= rules.alpha
    assert sized.gap.minor >= 0
    assert [money for _, money in sized.cash_quantiles] == sorted(money for _, money in sized.cash_quantiles)


@given(farms(), policies())
def test_the_order_of_plantings_does_not_matter(farm, rules):
    turned = replace(farm, household=replace(farm.household, lines=farm.household.lines[::-1]))
    assert abs(limit(turned, rules).minor - limit(farm, rules).minor) <= rules.round_to.minor
