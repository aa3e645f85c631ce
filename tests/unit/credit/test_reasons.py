from dataclasses import replace

import pytest

from cropcredit.credit.reasons import explain
from cropcredit.credit.sizing import size
from tests.lending import ask, cny, estimate, line, policy

NO_STRESS = policy(stresses=())
TIGHT = {"household_draw": 8000.0}


def reasons(one, rules=NO_STRESS, **of_estimate):
    return explain(one, size(one, rules), rules, [estimate(**of_estimate)])


def test_the_binding_rule_comes_first_with_its_facts():
    first = reasons(ask(**TIGHT))[0]
    facts = dict(first.facts)
    assert (first.code, first.change, facts["rule"], facts["alpha"]) == (
        "bad_year_binds",
        "insurance",
        "quantile",
        "0.05",
    )
    assert float(facts["cash"]) > float(facts["cap"])


def test_a_need_that_a_bad_year_does_not_carry_is_said_with_the_area_it_would_carry():
    weak = ask(line((1.0, 1.5, 3.0, 6.0, 7.0, 8.0, 9.0)), own_funds=4000.0, off_farm_income=1500.0)
    second = reasons(weak)[1]
    assert (second.code, second.change) == ("full_need_not_viable", "smaller_area")
    assert 0 < float(dict(second.facts)["viable_area_share"]) < 1


def test_no_area_is_viable_where_living_takes_everything():
    hopeless = [r for r in reasons(ask(household_draw=20_000.0)) if r.code == "full_need_not_viable"]
    assert [r.change for r in hopeless] == ["insurance"]


def test_what_would_raise_the_limit_most_comes_first_and_its_gain_is_computed():
    one = ask(debt_service=2000.0, household_draw=6500.0)
    found = {reason.code: dict(reason.facts) for reason in reasons(one)}
    assert list(found)[2:] == ["yield_uncertain", "existing_debts"]
    freed = replace(one, household=replace(one.household, debt_service=0.0))
    gain = size(freed, NO_STRESS).amount - size(one, NO_STRESS).amount
    assert found["existing_debts"]["gain"] == str(gain.major)


def test_what_would_not_raise_the_limit_is_no_reason():
    trifle = ask(debt_service=0.01, household_draw=8000.0)
    assert "existing_debts" not in {reason.code for reason in reasons(trifle)}


def test_an_area_that_nobody_confirms_is_a_reason():
    one = replace(ask(line(area_ha=0.6), household_draw=4000.0), declared_ha=(1.0,))
    by_code = {reason.code: reason for reason in reasons(one)}
    assert by_code["area_not_confirmed"].change == "area_survey"


def test_a_met_need_has_one_reason():
    assert [reason.code for reason in reasons(ask(line((6.0,) * 7)))] == ["need_met"]


def test_a_crop_that_is_not_seen_asks_for_a_visit_and_a_cold_start_says_so():
    found = reasons(ask(line((6.0,) * 7)), verification="not_conform", reasons=("cold_start",))
    assert [(r.code, r.change) for r in found[1:]] == [
        ("crop_not_confirmed", "field_visit"),
        ("no_local_yields", "past_yields"),
    ]


def test_there_are_never_more_than_four():
    one = replace(ask(debt_service=2000.0, household_draw=6500.0), declared_ha=(2.0,))
    assert len(reasons(one, verification="not_conform", reasons=("cold_start",))) == 4


@pytest.mark.parametrize(
    ("rules", "code"),
    [({"product_cap": cny(2000)}, "product_ceiling"), ({"minimum": cny(100_000)}, "below_minimum")],
)
def test_a_rule_of_the_product_is_named_as_such(rules, code):
    assert reasons(ask(line((6.0,) * 7)), policy(stresses=(), **rules))[0].code == code
