"""The queue and the case as the desk and the command line see them, for one person and one instant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from cropcredit.errors import NotPermitted, UnknownRecord
from cropcredit.model import (
    Account,
    Application,
    Consent,
    Crop,
    Decision,
    Field,
    LendingPolicy,
    Loan,
    Money,
    Offer,
    Party,
    PartyKind,
    Planting,
    Tenure,
    YieldEstimate,
)
from cropcredit.ports import Catalogues, Clock, EstimateStore, FactStore, FieldStore
from cropcredit.usecases.workflow import (
    Blocked,
    NextStep,
    Stage,
    by_application,
    covers_credit,
    current_offer,
    policy_for,
    stage_of,
    steps_of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    """One line of the queue."""

    application_id: str
    party_id: str
    party_name: str
    party_kind: PartyKind | None
    """None where the party is not known (yet)."""
    branch: str
    admin_unit: str
    crops: tuple[str, ...]
    """Codes of the crop catalogue, each once."""
    declared_area_ha: float
    requested: Money
    due_on: date
    received_at: datetime
    """When the application became known."""
    stage: Stage
    offered: Money | None
    """None while not sized."""
    decided: Money | None
    """Amount of the last recommendation or approval; None without one."""
    binding: str
    """Rule of the cap that binds; empty while not sized."""
    shortfall_at_offer: float | None
    sized_as_of: datetime | None
    steps: tuple[NextStep, ...]
    """What this person may do now."""
    waiting_for_me: bool
    """The next decision or booking is this person's to take."""
    gaps: tuple[str, ...]
    """Evidence that is missing: ``party``, ``planting``, ``consent``; what the queue can tell at a glance."""
    synthetic: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePlanting:
    """One planting of a case with the evidence about it; None where that evidence is missing."""

    planting: Planting
    crop: Crop
    field: Field | None
    tenures: tuple[Tenure, ...]
    estimate: YieldEstimate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything a person needs to decide, on one page."""

    application: Application
    party: Party
    consents: tuple[Consent, ...]
    plantings: tuple[CasePlanting, ...]
    missing: tuple[str, ...]
    """Plantings of the application that the workspace does not hold."""
    offer: Offer | None
    """The current offer: the one with the latest ``as_of``."""
    earlier_offers: tuple[Offer, ...]
    """Older ones, newest first."""
    decisions: tuple[Decision, ...]
    """Oldest first."""
    loan: Loan | None
    policy: LendingPolicy | None
    stage: Stage
    steps: tuple[NextStep, ...]
    """What this person may do now."""
    blocked: tuple[Blocked, ...]
    """What the stage leaves open, but not to this person."""
    gaps: tuple[str, ...]
    """Evidence that is missing: ``planting``, ``consent``, ``field``, ``estimate``; never a mark against anybody."""


def total_due(offer: Offer) -> Money:
    """Give principal and interest of the whole schedule; zero where nothing is offered."""
    minor = sum(due.principal.minor + due.interest.minor for due in offer.schedule)
    return Money(minor, offer.amount.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """List the cases of the person's branch, oldest first; those waiting for the person come first."""

    facts: FactStore
    clock: Clock

    def __call__(self, account: Account, *, as_of: datetime | None = None) -> list[QueueRow]:
        at = as_of or self.clock.now()
        parties = {party.id: party for party in self.facts.find(Party, as_of=at)}
        plantings = {planting.id: planting for planting in self.facts.find(Planting, as_of=at)}
        offers = by_application(self.facts.find(Offer, as_of=at))
        decisions = by_application(self.facts.find(Decision, as_of=at))
        loans = {loan.application_id: loan for loan in self.facts.find(Loan, as_of=at)}
        policies = {policy.currency: policy for policy in self.facts.find(LendingPolicy, as_of=at)}
        agreed = {consent.party_id for consent in self.facts.find(Consent, as_of=at) if covers_credit(consent, at)}
        rows = [
            _row(
                application,
                parties.get(application.party_id),
                [plantings[p] for p in application.planting_ids if p in plantings],
                current_offer(offers[application.id]),
                decisions[application.id],
                loans.get(application.id),
                account,
                policies.get(application.requested.currency),
                consented=application.party_id in agreed,
            )
            for application in self.facts.find(Application, as_of=at)
            if account.sees(application.branch)
        ]
        return sorted(rows, key=lambda row: (not row.waiting_for_me, row.received_at, row.application_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCase:
    """Put everything about one application on one page."""

    facts: FactStore
    fields: FieldStore
    estimates: EstimateStore
    catalogues: Catalogues
    clock: Clock

    def __call__(self, application_id: str, account: Account, *, as_of: datetime | None = None) -> Case:
        """Read one case.

        Raises
        ------
        NotPermitted
            If the case belongs to another branch.
        UnknownRecord
            If there is no such application, or its party is not known.
        """
        at = as_of or self.clock.now()
        application = self.facts.get(Application, application_id, as_of=at)
        if not account.sees(application.branch):
            raise NotPermitted(f"case {application_id} belongs to branch {application.branch}, not {account.branch}")
        party = self.facts.get(Party, application.party_id, as_of=at)
        offers = self.facts.find(Offer, as_of=at, application_id=application_id)
        offer = current_offer(offers)
        decisions = self.facts.find(Decision, as_of=at, application_id=application_id)
        loan = next(iter(self.facts.find(Loan, as_of=at, application_id=application_id)), None)
        policy = policy_for(self.facts, application.requested.currency, as_of=at)
        stage = stage_of(offer, decisions, loan)
        steps, blocked = steps_of(stage, account, application.branch, decisions, policy)
        plantings, missing = self._plantings(application, at)
        consents = tuple(self.facts.find(Consent, as_of=at, party_id=party.id))
        return Case(
            application=application,
            party=party,
            consents=consents,
            plantings=plantings,
            missing=missing,
            offer=offer,
            earlier_offers=tuple(sorted((o for o in offers if o != offer), key=lambda o: o.as_of, reverse=True)),
            decisions=tuple(decisions),
            loan=loan,
            policy=policy,
            stage=stage,
            steps=steps,
            blocked=blocked,
            gaps=_named(
                planting=bool(missing),
                consent=not any(covers_credit(consent, at) for consent in consents),
                field=any(view.field is None for view in plantings),
                estimate=any(view.estimate is None for view in plantings),
            ),
        )

    def _plantings(self, application: Application, at: datetime) -> tuple[tuple[CasePlanting, ...], tuple[str, ...]]:
        held: list[Planting] = []
        missing: list[str] = []
        for planting_id in application.planting_ids:
            try:
                held.append(self.facts.get(Planting, planting_id, as_of=at))
            except UnknownRecord:
                missing.append(planting_id)
        fields = {f.id: f for f in self.fields.read(as_of=at, ids=sorted({p.field_id for p in held}))}
        estimates = self.estimates.latest([p.id for p in held], as_of=at)
        views = tuple(
            CasePlanting(
                planting=planting,
                crop=self.catalogues.crop(planting.crop),
                field=fields.get(planting.field_id),
                tenures=tuple(self.facts.find(Tenure, as_of=at, field_id=planting.field_id)),
                estimate=estimates.get(planting.id),
            )
            for planting in held
        )
        return views, tuple(missing)


def _named(**missing: bool) -> tuple[str, ...]:
    return tuple(name for name, absent in missing.items() if absent)


def _row(
    application: Application,
    party: Party | None,
    plantings: Sequence[Planting],
    offer: Offer | None,
    decisions: Sequence[Decision],
    loan: Loan | None,
    account: Account,
    policy: LendingPolicy | None,
    *,
    consented: bool,
) -> QueueRow:
    stage = stage_of(offer, decisions, loan)
    steps, _ = steps_of(stage, account, application.branch, decisions, policy)
    return QueueRow(
        application_id=application.id,
        party_id=application.party_id,
        party_name=party.name if party else application.party_id,
        party_kind=party.kind if party else None,
        branch=application.branch,
        admin_unit=party.admin_unit if party else "",
        crops=tuple(dict.fromkeys(planting.crop for planting in plantings)),
        declared_area_ha=sum(planting.declared_area_ha for planting in plantings),
        requested=application.requested,
        due_on=application.due_on,
        received_at=application.known_at,
        stage=stage,
        offered=offer.amount if offer else None,
        decided=decisions[-1].amount if decisions else None,
        binding=offer.binding if offer else "",
        shortfall_at_offer=offer.shortfall_at_offer if offer else None,
        sized_as_of=offer.as_of if offer else None,
        steps=steps,
        waiting_for_me=bool(set(steps) - {NextStep.SIZE}),
        gaps=_named(
            party=party is None, planting=len(plantings) < len(application.planting_ids), consent=not consented
        ),
        synthetic=application.synthetic,
    )
