"""When the loan is repaid: at the end, or in parts after each harvest, where that makes failure no likelier."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from cropcredit.credit.cashflow import Household, harvests
from cropcredit.credit.sampling import Draws
from cropcredit.credit.sizing import DAYS_PER_YEAR
from cropcredit.model import Due, Money

SELLING_DAYS = 30
"""From harvest to money in hand."""
APART_DAYS = 45
"""An instalment nearer than this to the end is not worth a trip to the bank."""
WORTHWHILE = 0.10
"""Smallest share of the debt service that makes an instalment."""

Shares = tuple[tuple[date, float], ...]
"""Due dates, ascending, and the share of the principal that falls due on each; the shares add up to 1."""


def shares(
    household: Household, draws: Draws, *, correlation: float, debt_service: float, from_on: date, due_on: date
) -> Shares:
    """Decide which harvests pay an instalment.

    A harvest before the last one repays the share of the inputs that went into it, but never more than the cash that
    is there after it in *every* simulated season in which the loan is repaid at all: parts that fall due earlier never
    add a season of failure to those of a single payment at the end.

    Parameters
    ----------
    household : Household
        With the day of sale of each planting.
    debt_service : float
        Principal and interest if all is paid at the end, major units.
    """
    days = sorted({line.sold_on + timedelta(days=SELLING_DAYS) for line in household.lines})
    early = [day for day in days if from_on < day <= due_on - timedelta(days=APART_DAYS)]
    if not early or debt_service <= 0:
        return ((due_on, 1.0),)
    cash = harvests(household, draws, correlation=correlation)
    repaid = sum(cash) + household.besides >= debt_service
    parts: list[tuple[date, float]] = []
    for day in early:
        sold = [line.sold_on + timedelta(days=SELLING_DAYS) <= day for line in household.lines]
        passed = (day - from_on).days / max((due_on - from_on).days, 1)
        held = sum((c for c, is_sold in zip(cash, sold, strict=True) if is_sold), np.zeros(draws.number))
        certain = float(np.min(held[repaid] + household.besides * passed, initial=np.inf))
        own_inputs = sum(line.input_cost for line, is_sold in zip(household.lines, sold, strict=True) if is_sold)
        wanted = debt_service * own_inputs / max(household.input_cost, 1e-9)
        share = min(wanted, certain, debt_service) / debt_service - sum(part for _, part in parts)
        if share >= WORTHWHILE:
            parts.append((day, share))
    rest = 1 - sum(part for _, part in parts)
    return (*parts, (due_on, rest)) if rest >= WORTHWHILE or not parts else (*parts[:-1], (due_on, parts[-1][1] + rest))


def plan(amount: Money, *, apr: float, from_on: date, parts: Shares) -> tuple[Due, ...]:
    """Lay out the instalments: each part of the principal with the simple interest it has run up by its day.

    Examples
    --------
    >>> plan(Money.of(1000, "CNY"), apr=0.10, from_on=date(2025, 1, 1), parts=((date(2026, 1, 1), 1.0),))[0].interest
    Money(minor=10000, currency='CNY')
    """
    if amount.minor <= 0:
        return ()
    principals = [Money(int(amount.minor * share), amount.currency) for _, share in parts[:-1]]
    principals.append(Money(amount.minor - sum(part.minor for part in principals), amount.currency))
    return tuple(
        Due(due_on=day, principal=part, interest=_interest(part, apr, (day - from_on).days))
        for (day, _), part in zip(parts, principals, strict=True)
    )


def parts_of(dues: Sequence[Due]) -> Shares:
    """Read the shares of the principal back from a schedule."""
    total = sum(due.principal.minor for due in dues)
    return tuple((due.due_on, due.principal.minor / total) for due in dues)


def _interest(principal: Money, apr: float, days: int) -> Money:
    return Money(round(principal.minor * apr * max(days, 0) / DAYS_PER_YEAR), principal.currency)
