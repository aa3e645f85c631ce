"""The lender's rules: read from plain values, checked, and turned into what the computation needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from cropcredit.credit.pricing import CostOfLending
from cropcredit.credit.sampling import Draws
from cropcredit.errors import MalformedInput
from cropcredit.model import ApprovalTier, LendingPolicy, Money, Stress

AMOUNTS = ("product_cap", "minimum", "round_to")
FEWEST_DRAWS = 1000
SHARES = ("capital_ratio", "collateral_advance")
RATES = ("funding_rate", "capital_return", "operating_rate")


def policy_from(values: Mapping[str, Any], *, known_at: datetime, where: str = "") -> LendingPolicy:
    """Build a checked policy from plain values, amounts in major units, as ``data/catalogues/policy.toml`` has them.

    Raises
    ------
    MalformedInput
        Naming the first value that is missing, unknown or impossible.
    """
    names = {field.name for field in fields(LendingPolicy)} - {"known_at"}
    if missing := sorted(names - set(values)):
        raise MalformedInput(f"policy lacks {missing[0]!r}", where=where)
    if strange := sorted(set(values) - names):
        raise MalformedInput(f"policy has an unknown value {strange[0]!r}", where=where)
    currency = str(values["currency"])
    try:
        policy = LendingPolicy(
            **{
                **values,
                **{name: Money.of(values[name], currency) for name in AMOUNTS},
                "stresses": tuple(Stress(**stress) for stress in values["stresses"]),
                "tiers": tuple(
                    ApprovalTier(up_to=Money.of(tier["up_to"], currency), approver_branch=tier["approver_branch"])
                    for tier in values["tiers"]
                ),
            },
            known_at=known_at,
        )
        check(policy)
    except (TypeError, KeyError, ArithmeticError) as error:
        raise MalformedInput(f"policy does not have its form: {error}", where=where) from None
    except MalformedInput as error:
        raise MalformedInput(error.what, where=where) from None
    return policy


def check(policy: LendingPolicy) -> None:
    """Refuse a policy by which nobody can lend.

    Raises
    ------
    MalformedInput
        Naming the value.
    """
    tiers = [tier.up_to for tier in policy.tiers]
    demands = {
        "alpha": 0 < policy.alpha <= 0.5,  # noqa: PLR2004 - beyond one half the median season fails
        "dscr_min": policy.dscr_min >= 1,
        "round_to": policy.round_to.minor > 0,
        "minimum": 0 <= policy.minimum.minor <= policy.product_cap.minor,
        "draws": policy.draws >= FEWEST_DRAWS,
        "seed": policy.seed >= 0,
        "yield_price_correlation": -1 <= policy.yield_price_correlation <= 1,
        "price_horizon_floor_months": policy.price_horizon_floor_months >= 1,
        "stresses": all(min(s.yield_factor, s.price_factor, s.cost_factor) >= 0 for s in policy.stresses),
        "tiers": bool(tiers) and tiers == sorted(tiers) and {t.approver_branch for t in policy.tiers} <= {"own", "*"},
        "lgd": 0 <= policy.lgd < 1,
        **{name: 0 <= getattr(policy, name) <= 1 for name in SHARES},
        **{name: 0 <= getattr(policy, name) < 1 for name in RATES},
    }
    for name, holds in demands.items():
        if not holds:
            raise MalformedInput(f"policy value {name!r} is impossible: {getattr(policy, name)}")


def cost_of_lending(policy: LendingPolicy) -> CostOfLending:
    """Give what lending costs under a policy, without a guarantee."""
    return CostOfLending(
        funding_rate=policy.funding_rate,
        capital_ratio=policy.capital_ratio,
        capital_return=policy.capital_return,
        operating_rate=policy.operating_rate,
        lgd=policy.lgd,
    )


def draws_of(policy: LendingPolicy) -> Draws:
    """Give the simulation's size and seed."""
    return Draws(number=policy.draws, seed=policy.seed)
