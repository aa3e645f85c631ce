"""The limit: the lowest of named caps, so that the harvest repays the loan in a bad year too.

need        input costs less own funds
requested   what was asked for
quantile    debt service falls short with probability alpha at most
dscr        an ordinary season covers the debt service dscr_min times
stress      every named bad season covers it once
collateral  a share of what is pledged, where the product asks for it
policy      the product's own ceiling
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cropcredit.credit.capacity import Capacity
from cropcredit.credit.cashflow import Household, ordinary, simulate, stressed
from cropcredit.credit.policy import cost_of_lending, draws_of
from cropcredit.model import Cap, LendingPolicy, Money

CASH_LEVELS = (0.01, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90)
DAYS_PER_YEAR = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a sizing starts from."""

    household: Household
    requested: Money
    pledged: Money | None
    years: float
    """From lending to repayment."""
    declared_ha: tuple[float, ...]
    """Declared area per line, which the financed one may fall short of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """The limit and all that explains it."""

    amount: Money
    needed: Money
    caps: tuple[Cap, ...]
    binding: str
    capacity: Capacity
    shortfall_at_offer: float
    shortfall_at_need: float
    viable_at_need: bool
    apr: float
    cash_quantiles: tuple[tuple[float, Money], ...]
    below_minimum: bool
    """The caps leave less than the product's minimum, so that nothing is offered."""

    @property
    def gap(self) -> Money:
        """Needed less offered."""
        return self.needed - self.amount

    @property
    def debt_service(self) -> float:
        """Principal and interest at the end, major units."""
        return self.capacity.repayment(float(self.amount.major), self.apr)


def size(ask: Ask, policy: LendingPolicy) -> Sizing:
    """Size one loan.

    Parameters
    ----------
    ask : Ask
        Household, wishes and time; major units of the policy's currency.
    policy : LendingPolicy
        The rules, the number of draws and their seed.

    Returns
    -------
    Sizing
        Same arguments, same result, to the last bit.
    """
    capacity = _capacity(ask, policy)
    caps = limits(ask, policy, capacity)
    tightest = min(caps, key=lambda cap: cap.amount.minor)  # the first of equals, in the order of the docstring
    amount, below_minimum = _offered(tightest.amount, policy)
    needed = money(ask.household.needed, policy.currency)
    shortfall, apr = capacity.priced(float(amount.major))
    at_need, _ = capacity.priced(float(needed.major))
    return Sizing(
        amount=amount,
        needed=needed,
        caps=caps,
        binding=tightest.rule,
        capacity=capacity,
        shortfall_at_offer=shortfall,
        shortfall_at_need=at_need,
        viable_at_need=at_need <= policy.alpha,
        apr=apr,
        cash_quantiles=tuple((p, money(capacity.quantile(p), policy.currency)) for p in CASH_LEVELS),
        below_minimum=below_minimum,
    )


def limit(ask: Ask, policy: LendingPolicy) -> Money:
    """Give the amount alone, for one-at-a-time comparisons."""
    tightest = min(cap.amount for cap in limits(ask, policy, _capacity(ask, policy)))
    return _offered(tightest, policy)[0]


def limits(ask: Ask, policy: LendingPolicy, capacity: Capacity) -> tuple[Cap, ...]:
    """Compute every cap of a policy, each with the facts behind it."""
    household, currency = ask.household, policy.currency
    tolerated, usual = capacity.quantile(policy.alpha), ordinary(household)

    def cap(rule: str, amount: float, **basis: object) -> Cap:
        facts = " ".join(
            f"{name}={value:.2f}" if isinstance(value, float) else f"{name}={value}" for name, value in basis.items()
        )
        return Cap(rule=rule, amount=money(max(amount, 0.0), currency), basis=facts)

    caps = [
        cap("need", household.needed, costs=household.input_cost, own_funds=household.own_funds),
        Cap(rule="requested", amount=ask.requested, basis=""),
        cap("quantile", capacity.loan(tolerated), alpha=policy.alpha, cash=tolerated),
        cap("dscr", capacity.loan(usual / policy.dscr_min), dscr_min=policy.dscr_min, cash=usual),
    ]
    if policy.stresses:
        cash, name = min((stressed(household, stress), stress.name) for stress in policy.stresses)
        caps.append(cap("stress", capacity.loan(cash), scenario=name, cash=cash))
    if policy.collateral_advance > 0:
        pledged = float(ask.pledged.major) if ask.pledged else 0.0
        caps.append(
            cap("collateral", policy.collateral_advance * pledged, advance=policy.collateral_advance, pledged=pledged)
        )
    caps.append(Cap(rule="policy", amount=policy.product_cap, basis=""))
    return tuple(caps)


def viable_share(ask: Ask, capacity: Capacity, policy: LendingPolicy) -> float:
    """Give the largest share of the area, in twentieths, at which the season repays all that it needs; 0: none.

    A smaller area scales the harvest and the inputs; what is lived on, earned elsewhere and owed stays.
    """
    fixed, carried = ask.household.besides, capacity.quantile(policy.alpha)
    rate = float(cost_of_lending(policy).rate(policy.alpha))
    for twentieths in range(20, 0, -1):
        share = twentieths / 20
        needed = capacity.repayment(ask.household.scaled(share).needed, rate)
        if needed <= share * (carried - fixed) + fixed:
            return share
    return 0.0


def money(major: float, currency: str) -> Money:
    """Round an amount in major units down to whole minor units; a millionth of one is forgiven."""
    minor_per_major = float(Money.of(1, currency).minor)
    return Money(math.floor(major * minor_per_major + 1e-6), currency)


def financed_area_ha(
    *, declared: float, registered: float | None, geometry: float, planted_share: float | None
) -> float:
    """Give the area that is financed: the least of what is declared, registered, mapped and seen planted, hectares.

    Examples
    --------
    >>> financed_area_ha(declared=1.0, registered=None, geometry=0.9, planted_share=0.5)
    0.45
    """
    known = [declared, geometry]
    known += [] if registered is None else [registered]
    known += [] if planted_share is None else [geometry * planted_share]
    return min(known)


def with_area(ask: Ask, areas: tuple[float, ...]) -> Ask:
    """Give the same ask with other financed areas."""
    lines = tuple(replace(line, area_ha=area) for line, area in zip(ask.household.lines, areas, strict=True))
    return replace(ask, household=replace(ask.household, lines=lines))


def _capacity(ask: Ask, policy: LendingPolicy) -> Capacity:
    cash: NDArray[np.float64] = simulate(ask.household, draws_of(policy), correlation=policy.yield_price_correlation)
    return Capacity(cash, policy.alpha, cost_of_lending(policy), ask.years)


def _offered(ceiling: Money, policy: LendingPolicy) -> tuple[Money, bool]:
    """Round down to the policy's step; less than the minimum is nothing."""
    step = policy.round_to.minor
    rounded = Money(ceiling.minor // step * step, policy.currency)
    below = rounded < policy.minimum
    return (Money(0, policy.currency) if below else rounded), below
