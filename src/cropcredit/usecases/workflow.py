"""How a case moves: its stages, the steps they leave open, and who may take them (four eyes, branch, tier)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeVar

from cropcredit.model import Account, Consent, Decision, LendingPolicy, Loan, Money, Offer, Outcome, Role, Step


class Stage(StrEnum):
    """How far a case has come."""

    NEW = "new"
    """Asked for, not sized yet."""
    SIZED = "sized"
    """An offer waits for the officer (also when a newer offer overtook a recommendation)."""
    RECOMMENDED = "recommended"
    """A second person has to look."""
    RETURNED = "returned"
    """The second person sent it back to the officer."""
    REFERRED = "referred"
    """Approved to be looked into further: a field visit, another product, the head office."""
    APPROVED = "approved"
    DECLINED = "declined"
    """Two people declined it; never a machine."""
    BOOKED = "booked"


class NextStep(StrEnum):
    """What a person can do with a case."""

    SIZE = "size"
    RECOMMEND = "recommend"
    APPROVE = "approve"
    RETURN = "return"
    BOOK = "book"


OPEN: dict[Stage, tuple[NextStep, ...]] = {
    Stage.NEW: (NextStep.SIZE,),
    Stage.SIZED: (NextStep.SIZE, NextStep.RECOMMEND),
    Stage.RECOMMENDED: (NextStep.SIZE, NextStep.APPROVE, NextStep.RETURN),
    Stage.RETURNED: (NextStep.SIZE, NextStep.RECOMMEND),
    Stage.REFERRED: (NextStep.SIZE, NextStep.RECOMMEND),
    Stage.APPROVED: (NextStep.BOOK,),
    Stage.DECLINED: (),
    Stage.BOOKED: (),
}
"""Steps that a stage leaves open to whoever has the right to them."""

ACTED_ON = (Stage.RECOMMENDED, Stage.APPROVED, Stage.DECLINED, Stage.BOOKED)
"""Stages in which a person's word stands; a batch does not overtake it with a new offer."""

ROLES: dict[NextStep, tuple[Role, ...]] = {
    NextStep.SIZE: (Role.OFFICER, Role.APPROVER),
    NextStep.RECOMMEND: (Role.OFFICER,),
    NextStep.APPROVE: (Role.APPROVER,),
    NextStep.RETURN: (Role.APPROVER,),
    NextStep.BOOK: (Role.OFFICER, Role.ADMIN),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """A step that the stage leaves open, but not to this person, and why."""

    step: NextStep
    why: str
    """``role``, ``branch``, ``own_recommendation`` (four eyes) or ``tier`` (the amount is above the person's reach)."""


def current_offer(offers: Sequence[Offer]) -> Offer | None:
    """Give the offer that counts: of the latest ``as_of``, then the latest known; None if there is none."""
    return max(offers, key=lambda offer: (offer.as_of, offer.known_at, offer.id), default=None)


def stage_of(offer: Offer | None, decisions: Sequence[Decision], loan: Loan | None) -> Stage:
    """Tell how far a case has come from its current offer, its decisions (oldest first) and its loan."""
    if loan is not None:
        return Stage.BOOKED
    last = decisions[-1] if decisions else None
    if last is not None and last.step is Step.APPROVE:
        return {Outcome.REFER: Stage.REFERRED, Outcome.DECLINE: Stage.DECLINED}.get(last.outcome, Stage.APPROVED)
    if offer is None:
        return Stage.NEW
    if last is None or last.offer_id != offer.id:
        return Stage.SIZED
    return Stage.RECOMMENDED if last.step is Step.RECOMMEND else Stage.RETURNED


def within_reach(account: Account, amount: Money, policy: LendingPolicy) -> bool:
    """Say whether the policy's tiers let this approver sign for ``amount``."""
    tiers = [tier for tier in policy.tiers if amount <= tier.up_to]
    tier = min(tiers, key=lambda each: each.up_to, default=None)
    return tier is not None and (tier.approver_branch == "own" or account.branch == "*")


def why_not(
    step: NextStep, account: Account, *, branch: str, last: Decision | None, policy: LendingPolicy | None
) -> str:
    """Tell why this person may not take an open step; empty if they may. Codes as in :class:`Blocked`."""
    if not account.active or account.role not in ROLES[step]:
        return "role"
    if not account.sees(branch):
        return "branch"
    second_pair_of_eyes = step in (NextStep.APPROVE, NextStep.RETURN)
    if second_pair_of_eyes and last is not None and last.by == account.username:
        return "own_recommendation"
    if step is NextStep.APPROVE and last is not None and policy is not None:
        return "" if within_reach(account, last.amount, policy) else "tier"
    return ""


def steps_of(
    stage: Stage, account: Account, branch: str, decisions: Sequence[Decision], policy: LendingPolicy | None
) -> tuple[tuple[NextStep, ...], tuple[Blocked, ...]]:
    """Part the steps that a stage leaves open into those this person may take and those they may not."""
    last = decisions[-1] if decisions else None
    answers = {step: why_not(step, account, branch=branch, last=last, policy=policy) for step in OPEN[stage]}
    allowed = tuple(step for step, why in answers.items() if not why)
    return allowed, tuple(Blocked(step=step, why=why) for step, why in answers.items() if why)


def covers_credit(consent: Consent, at: datetime) -> bool:
    """Say whether a consent stands that lets the lender look at the farm from space to assess credit."""
    return consent.allows("credit_assessment", "satellite", at)


class FindsPolicies(Protocol):
    """The one question that the search for a policy asks of the fact store."""

    def find(self, kind: type[LendingPolicy], *, as_of: datetime | None = None, **keys: str) -> list[LendingPolicy]: ...


def policy_for(facts: FindsPolicies, currency: str, *, as_of: datetime | None) -> LendingPolicy | None:
    """Give the policy under which loans of a currency are made; None if there is none.

    A workspace keeps one policy per currency, with the currency in its id; a new version replaces the old one.
    """
    policies = [policy for policy in facts.find(LendingPolicy, as_of=as_of) if policy.currency == currency]
    return max(policies, key=lambda policy: (policy.known_at, policy.id), default=None)


OfCase = TypeVar("OfCase", Offer, Decision)


def by_application(records: Sequence[OfCase]) -> defaultdict[str, list[OfCase]]:
    """Group offers or decisions by case, each in the order given."""
    grouped: defaultdict[str, list[OfCase]] = defaultdict(list)
    for record in records:
        grouped[record.application_id].append(record)
    return grouped
