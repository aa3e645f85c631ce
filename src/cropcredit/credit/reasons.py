"""Why the amount is what it is: the rule that binds, then what would move the limit most, measured one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cropcredit.credit.sizing import Ask, Sizing, limit, viable_share, with_area
from cropcredit.model import LendingPolicy, Money, Reason, YieldEstimate

MOST = 4
"""More reasons than four help nobody."""

BINDING: dict[str, tuple[str, str]] = {
    "need": ("need_met", "documented_costs"),
    "requested": ("asked_amount_met", "ask_for_more"),
    "quantile": ("bad_year_binds", "insurance"),
    "dscr": ("ordinary_year_binds", "smaller_area"),
    "stress": ("stress_binds", "insurance"),
    "collateral": ("pledge_binds", "larger_pledge"),
    "policy": ("product_ceiling", "other_product"),
}
"""Per rule: code of the reason, and code of what would change it."""

CASH_RULES = ("quantile", "dscr", "stress")


@dataclass(frozen=True, slots=True, kw_only=True)
class _WhatIf:
    code: str
    change: str
    ask: Ask
    facts: tuple[tuple[str, str], ...] = ()


def explain(ask: Ask, sizing: Sizing, policy: LendingPolicy, estimates: Sequence[YieldEstimate]) -> tuple[Reason, ...]:
    """Give at most four reasons, the most important first, each with its facts and what would change it."""
    reasons = [_binding(sizing, policy)]
    if sizing.gap.minor > 0 and not sizing.viable_at_need:
        reasons.append(_not_viable(ask, sizing, policy))
    reasons += [_unseen(estimate) for estimate in estimates if estimate.verification == "not_conform"]
    if sizing.binding in CASH_RULES:
        reasons += _gains(ask, sizing, policy)
    reasons += [_cold(estimate) for estimate in estimates if "cold_start" in estimate.reasons][:1]
    return tuple(reasons[:MOST])


def _binding(sizing: Sizing, policy: LendingPolicy) -> Reason:
    cap = next(cap for cap in sizing.caps if cap.rule == sizing.binding)
    code, change = BINDING[sizing.binding]
    if sizing.below_minimum:
        code, change = "below_minimum", BINDING[sizing.binding][1]
    stated = [tuple(pair.split("=", 1)) for pair in cap.basis.split()]
    facts = [("rule", cap.rule), ("cap", str(cap.amount.major)), *((name, value) for name, value in stated)]
    if sizing.below_minimum:
        facts.append(("minimum", str(policy.minimum.major)))
    return Reason(code=code, facts=tuple(facts), change=change)


def _not_viable(ask: Ask, sizing: Sizing, policy: LendingPolicy) -> Reason:
    share = viable_share(ask, sizing.capacity, policy)
    facts = (
        ("gap", str(sizing.gap.major)),
        ("needed", str(sizing.needed.major)),
        ("shortfall", f"{sizing.shortfall_at_need:.4f}"),
        ("alpha", f"{policy.alpha:g}"),
        ("viable_area_share", f"{share:.2f}"),
    )
    return Reason(code="full_need_not_viable", facts=facts, change="smaller_area" if share > 0 else "insurance")


def _unseen(estimate: YieldEstimate) -> Reason:
    facts = (("planting", estimate.planting_id), ("crop", estimate.crop))
    return Reason(code="crop_not_confirmed", facts=facts, change="field_visit")


def _cold(estimate: YieldEstimate) -> Reason:
    facts = (("planting", estimate.planting_id), ("model", estimate.model_id))
    return Reason(code="no_local_yields", facts=facts, change="past_yields")


def _gains(ask: Ask, sizing: Sizing, policy: LendingPolicy) -> list[Reason]:
    """Rank what would raise the limit, each by the amount it would add."""
    found: list[tuple[Money, Reason]] = []
    for what_if in _what_ifs(ask):
        gain = limit(what_if.ask, policy) - sizing.amount
        if gain.minor >= policy.round_to.minor:
            facts = (("gain", str(gain.major)), *what_if.facts)
            found.append((gain, Reason(code=what_if.code, facts=facts, change=what_if.change)))
    return [reason for _, reason in sorted(found, key=lambda pair: (-pair[0].minor, pair[1].code))]


def _what_ifs(ask: Ask) -> list[_WhatIf]:
    home = ask.household
    surer = tuple(replace(line, yield_law=line.yield_law.narrowed(0.5)) for line in home.lines)
    contracted = tuple(replace(line, price_law=line.price_law.narrowed(1.0)) for line in home.lines)
    changes = [
        _WhatIf(
            code="yield_uncertain",
            change="field_visit",
            ask=replace(ask, household=replace(home, lines=surer)),
            facts=_spread(ask, "yield_law"),
        ),
        _WhatIf(
            code="price_uncertain",
            change="forward_contract",
            ask=replace(ask, household=replace(home, lines=contracted)),
            facts=_spread(ask, "price_law"),
        ),
    ]
    if home.debt_service > 0:
        cleared = replace(ask, household=replace(home, debt_service=0.0))
        owed = (("debt_service", f"{home.debt_service:.2f}"),)
        changes.append(_WhatIf(code="existing_debts", change="repay_debts", ask=cleared, facts=owed))
    financed = sum(line.area_ha for line in home.lines)
    if sum(ask.declared_ha) > financed:
        areas = (("declared_ha", f"{sum(ask.declared_ha):.3f}"), ("financed_ha", f"{financed:.3f}"))
        measured = with_area(ask, ask.declared_ha)
        changes.append(_WhatIf(code="area_not_confirmed", change="area_survey", ask=measured, facts=areas))
    return changes


def _spread(ask: Ask, law: str) -> tuple[tuple[str, str], ...]:
    """Tell how far below its median the widest law's fifth percentile lies."""
    widest = 0.0
    for line in ask.household.lines:
        this = getattr(line, law)
        if this.median > 0:
            widest = max(widest, 1 - this.low / this.median)
    return (("p05_below_median", f"{widest:.2f}"),)
