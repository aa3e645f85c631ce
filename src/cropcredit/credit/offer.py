"""From evidence to an offer: no store, no clock, so that the same evidence always gives the same bytes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from cropcredit.credit import prices, schedule
from cropcredit.credit.cashflow import Household, Line, cost_per_ha, saleable_share
from cropcredit.credit.policy import cost_of_lending, draws_of
from cropcredit.credit.reasons import explain
from cropcredit.credit.sampling import YIELD_TAIL, QuantileLaw, Risk
from cropcredit.credit.sizing import DAYS_PER_YEAR, Ask, Sizing, financed_area_ha, size
from cropcredit.errors import CurrencyMismatch, MissingEvidence
from cropcredit.model import (
    PROBABILITIES,
    Application,
    Consent,
    CostSheet,
    Crop,
    Due,
    FarmGatePrice,
    InputRef,
    LendingPolicy,
    Offer,
    Party,
    Planting,
    PriceSeries,
    Tenure,
    YieldEstimate,
    digest,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldFacts:
    """What sizing needs of a field's boundary version."""

    id: str
    boundary_version: str
    area_ha: float
    """Geodesic area of the boundary, hectares."""
    admin_unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """One planting with the evidence about it."""

    planting: Planting
    crop: Crop
    field: FieldFacts
    tenure: Tenure
    """Under which the party operates the field."""
    estimate: YieldEstimate
    price: FarmGatePrice
    series: PriceSeries
    costs: CostSheet


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything one offer is computed from."""

    application: Application
    party: Party
    consents: tuple[Consent, ...]
    plots: tuple[Plot, ...]
    """In the order of the application."""
    policy: LendingPolicy

    def refs(self) -> tuple[InputRef, ...]:
        """Cite every piece once, by kind, id and hash."""
        pieces = [self.application, self.party, *self.consents, self.policy]
        pieces += [getattr(plot, part.name) for plot in self.plots for part in fields(Plot)]
        cited = {(_kind(piece), _id(piece)): digest(piece) for piece in pieces}
        return tuple(InputRef(kind, name, sha256) for (kind, name), sha256 in sorted(cited.items()))


def make_offer(evidence: Evidence, *, as_of: datetime, known_at: datetime, code_version: str) -> Offer:
    """Compute an offer.

    Parameters
    ----------
    evidence : Evidence
        Versions known at ``as_of``.
    as_of : datetime
        Instant of the computation: nothing published later counts, and interest runs from its day (UTC).
    known_at : datetime
        When the lender learns of the offer; not part of its id.

    Returns
    -------
    Offer
        Its id ends in a hash of its content, so equal offers have equal ids.

    Raises
    ------
    MissingEvidence, CurrencyMismatch
        If the evidence does not fit together: a harvest after the due day, another currency, too short a series.
    """
    application, policy = evidence.application, evidence.policy
    ask = ask_of(evidence, as_of=as_of)
    sizing = size(ask, policy)
    offer = Offer(
        id="unnamed",
        known_at=as_of,
        application_id=application.id,
        as_of=as_of,
        amount=sizing.amount,
        needed=sizing.needed,
        gap=sizing.gap,
        binding=sizing.binding,
        caps=sizing.caps,
        shortfall_at_offer=sizing.shortfall_at_offer,
        shortfall_at_need=sizing.shortfall_at_need,
        viable_at_need=sizing.viable_at_need,
        cash_quantiles=sizing.cash_quantiles,
        financed_area_ha=tuple((line.planting_id, line.area_ha) for line in ask.household.lines),
        apr=sizing.apr,
        price_parts=cost_of_lending(policy).parts(sizing.apr),
        schedule=_dues(ask, sizing, evidence, as_of),
        reasons=explain(ask, sizing, policy, [plot.estimate for plot in evidence.plots]),
        inputs=evidence.refs(),
        model_ids=tuple(sorted({plot.estimate.model_id for plot in evidence.plots})),
        policy_id=policy.id,
        code_version=code_version,
        synthetic=application.synthetic or evidence.party.synthetic,
    )
    return replace(offer, id=f"{application.id}/offer/{digest(offer)[:16]}", known_at=known_at)


def ask_of(evidence: Evidence, *, as_of: datetime) -> Ask:
    """Put the evidence into the numbers that sizing starts from."""
    application, currency = evidence.application, evidence.policy.currency
    if application.requested.currency != currency:
        raise CurrencyMismatch(application.requested.currency, currency, where=f"application {application.id}")
    days = (application.due_on - as_of.date()).days
    if days <= 0:
        raise MissingEvidence(
            f"is due on {application.due_on}, not after {as_of.date()}",
            where=f"application {application.id}",
            cure="correct due_on, or size it as of an earlier day",
        )
    return Ask(
        household=Household(
            lines=_within_fields(evidence.plots, [_line(plot, evidence, as_of) for plot in evidence.plots]),
            own_funds=float(application.own_funds.major),
            off_farm_income=float(application.off_farm_income.major),
            household_draw=float(application.household_draw.major),
            debt_service=float(application.debt_service.major),
        ),
        requested=application.requested,
        pledged=application.pledged,
        years=days / DAYS_PER_YEAR,
        declared_ha=tuple(plot.planting.declared_area_ha for plot in evidence.plots),
    )


def _line(plot: Plot, evidence: Evidence, as_of: datetime) -> Line:
    planting, policy, due_on = plot.planting, evidence.policy, evidence.application.due_on
    if planting.harvest_on > due_on:
        raise MissingEvidence(
            f"is harvested on {planting.harvest_on}, after the loan is due on {due_on}",
            where=f"planting {planting.id}",
            cure="move due_on past the sale, or leave the planting out",
        )
    if plot.costs.currency != policy.currency:
        raise CurrencyMismatch(plot.costs.currency, policy.currency, where=f"cost sheet {plot.costs.id}")
    return Line(
        planting_id=planting.id,
        area_ha=financed_area_ha(
            declared=planting.declared_area_ha,
            registered=plot.tenure.registered_area_ha,
            geometry=plot.field.area_ha,
            planted_share=plot.estimate.planted_share,
        ),
        yield_law=QuantileLaw(PROBABILITIES, tuple(max(value, 0.0) for value in plot.estimate.t_ha), YIELD_TAIL),
        price_law=prices.price_law(
            plot.price,
            plot.series,
            sold_on=planting.harvest_on,
            as_of=as_of,
            currency=policy.currency,
            floor_months=policy.price_horizon_floor_months,
        ),
        risk=Risk(
            group=f"{plot.estimate.crop}|{plot.estimate.region}|{plot.estimate.season_id}",
            shared_share=plot.estimate.shared_share,
        ),
        saleable=saleable_share(plot.crop),
        input_cost_ha=cost_per_ha(plot.costs.items, at_harvest=False),
        harvest_cost_ha=cost_per_ha(plot.costs.items, at_harvest=True),
        sold_on=planting.harvest_on,
    )


def _within_fields(plots: Sequence[Plot], lines: Sequence[Line]) -> tuple[Line, ...]:
    """Scale plantings that share a field and a season, so that together they fill the field at most once."""
    filled: defaultdict[tuple[str, str], float] = defaultdict(float)
    for plot, line in zip(plots, lines, strict=True):
        filled[plot.field.id, plot.planting.season_id] += line.area_ha
    room = (min(1.0, p.field.area_ha / (filled[p.field.id, p.planting.season_id] or 1.0)) for p in plots)
    return tuple(replace(line, area_ha=line.area_ha * share) for line, share in zip(lines, room, strict=True))


def _dues(ask: Ask, sizing: Sizing, evidence: Evidence, as_of: datetime) -> tuple[Due, ...]:
    policy, due_on = evidence.policy, evidence.application.due_on
    parts = schedule.shares(
        ask.household,
        draws_of(policy),
        correlation=policy.yield_price_correlation,
        debt_service=sizing.debt_service,
        from_on=as_of.date(),
        due_on=due_on,
    )
    return schedule.plan(sizing.amount, apr=sizing.apr, from_on=as_of.date(), parts=parts)


def _kind(piece: object) -> str:
    return "Field" if isinstance(piece, FieldFacts) else type(piece).__name__


def _id(piece: Any) -> str:
    return str(piece.code if isinstance(piece, Crop) else piece.id)
