import tomllib
from datetime import UTC, datetime

import pytest

from cropcredit.credit.policy import cost_of_lending, draws_of, policy_from
from cropcredit.errors import MalformedInput
from cropcredit.model import Money
from tests.lending import POLICY_FILE

NOW = datetime(2025, 1, 1, tzinfo=UTC)


def values(**changes):
    return tomllib.loads(POLICY_FILE.read_text("utf-8")) | changes


def test_the_policy_that_comes_with_the_package_is_sound():
    policy = policy_from(values(), known_at=NOW)
    assert (policy.alpha, policy.dscr_min, policy.draws) == (0.05, 1.25, 20_000)
    assert policy.product_cap == Money.of(3_000_000, "CNY")
    assert [tier.approver_branch for tier in policy.tiers] == ["own", "*"]
    assert round(float(cost_of_lending(policy).rate(0.04)), 4) == 0.0656
    assert draws_of(policy).number == 20_000


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"alpha": 0.0}, "'alpha' is impossible: 0.0", id="no risk accepted"),
        pytest.param({"alpha": 0.7}, "'alpha' is impossible", id="most seasons fail"),
        pytest.param({"dscr_min": 0.9}, "'dscr_min'", id="not covered"),
        pytest.param({"round_to": 0}, "'round_to'", id="no step"),
        pytest.param({"minimum": 5_000_000}, "'minimum'", id="minimum above the ceiling"),
        pytest.param({"draws": 10}, "'draws'", id="too few seasons"),
        pytest.param({"lgd": 1.0}, "'lgd'", id="everything lost"),
        pytest.param({"yield_price_correlation": 2.0}, "'yield_price_correlation'", id="no correlation"),
        pytest.param({"tiers": []}, "'tiers'", id="nobody approves"),
        pytest.param({"tiers": [{"up_to": 1, "approver_branch": "x"}]}, "'tiers'", id="unknown reach"),
        pytest.param({"colour": "red"}, "unknown value 'colour'", id="unknown value"),
        pytest.param({"currency": "yuan"}, "ISO 4217", id="no currency"),
        pytest.param({"stresses": [{"name": "x"}]}, "does not have its form", id="half a stress"),
        pytest.param({"alpha": "much"}, "does not have its form", id="words for numbers"),
        pytest.param({"minimum": "much"}, "does not have its form", id="words for money"),
    ],
)
def test_an_impossible_policy_is_refused_by_value(changes, message):
    with pytest.raises(MalformedInput, match=message):
        policy_from(values(**changes), known_at=NOW, where="policy.toml")


def test_a_policy_with_a_gap_is_refused():
    short = values()
    del short["lgd"]
    with pytest.raises(MalformedInput, match=r"policy\.toml: policy lacks 'lgd'"):
        policy_from(short, known_at=NOW, where="policy.toml")
