"""The officer recommends; a different person approves or returns. Nothing is declined by the machine alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cropcredit.errors import MalformedInput, NotPermitted, StateConflict, UnknownName
from cropcredit.model import (
    Account,
    Application,
    Decision,
    LendingPolicy,
    Loan,
    Money,
    Offer,
    Outcome,
    Step,
    digest,
)
from cropcredit.ports import AccountStore, Clock, FactStore
from cropcredit.usecases.workflow import OPEN, NextStep, Stage, current_offer, policy_for, stage_of, why_not

LENDS = (Outcome.ACCEPT, Outcome.REDUCE)

REASONS: dict[Outcome, tuple[str, ...]] = {
    Outcome.ACCEPT: (
        "as_offered",
        "less_than_offered_asked",
        "override_contract_held",
        "override_guarantee",
        "override_known_customer",
        "override_other_income",
    ),
    Outcome.REDUCE: ("applicant_wishes", "existing_debts", "cautious", "stage_payment", "evidence_thin"),
    Outcome.REFER: ("field_visit", "documents_missing", "other_product", "head_office", "crop_not_confirmed"),
    Outcome.DECLINE: ("not_viable", "over_indebted", "outside_policy", "false_statement", "consent_withdrawn"),
}
"""Codes a person may choose from, by outcome; an amount above the offer takes an ``override_`` code and a note."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decide:
    """Take one step on one case: recommend, approve or return."""

    facts: FactStore
    accounts: AccountStore
    clock: Clock

    def __call__(
        self,
        application_id: str,
        *,
        by: str,
        step: Step,
        outcome: Outcome | None = None,
        amount: Money | None = None,
        reasons: Sequence[str] = (),
        note: str = "",
        seen: int | None = None,
    ) -> Decision:
        """Take a step.

        Parameters
        ----------
        application_id : str
            Which case.
        by : str
            Username of the person.
        step : Step
            ``recommend`` (officer), ``approve`` or ``return`` (approver, another person).
        outcome : Outcome, optional
            Required to recommend; an approver who names none takes over what was recommended.
        amount : Money, optional
            Without it: the offered amount (recommend accept), or the recommended one (approve).
        reasons : sequence of str
            Codes of :data:`REASONS`; required to reduce, refer or decline.
        note : str
            Required to refer, decline, return, or go above the offer.
        seen : int, optional
            How many decisions the person saw; if there are more by now, the step is refused.

        Raises
        ------
        NotPermitted
            If role, branch, four eyes or tier forbid it.
        StateConflict
            If the step is not open, a newer offer exists, or somebody else was first.
        MalformedInput, UnknownName
            If outcome, amount, reasons and note do not fit together.
        """
        application = self.facts.get(Application, application_id)
        decisions = self.facts.find(Decision, application_id=application_id)
        offer = current_offer(self.facts.find(Offer, application_id=application_id))
        loan = next(iter(self.facts.find(Loan, application_id=application_id)), None)
        policy = policy_for(self.facts, application.requested.currency, as_of=None)
        last = decisions[-1] if decisions else None
        account = _account(self.accounts, by)
        if seen is not None and seen != len(decisions):
            raise StateConflict(f"case {application_id} has moved on: {len(decisions)} decisions, you saw {seen}")
        _permit(step, account, application, last, stage_of(offer, decisions, loan), policy)
        assert offer is not None, "no step but sizing is open without an offer"
        assert policy is not None, "there is an offer, so there was a policy"
        chosen = _recommended(step, outcome, last)
        decided = _amount(step, chosen, amount, offer, last)
        _check(step, chosen, decided, offer, policy, last, reasons, note)
        decision = Decision(
            id=f"{application_id}/decision/{len(decisions) + 1:04d}",
            known_at=self.clock.now(),
            application_id=application_id,
            offer_id=offer.id,
            offer_sha256=digest(offer),
            step=step,
            outcome=chosen,
            amount=decided,
            reasons=tuple(reasons),
            note=note.strip(),
            by=by,
            at=self.clock.now(),
        )
        self.facts.add(decision, new=True)
        return decision


def _account(accounts: AccountStore, username: str) -> Account:
    found = accounts.find(username)
    if found is None:
        raise NotPermitted(f"there is no account {username!r}")
    return found[0]


def _permit(
    step: Step,
    account: Account,
    application: Application,
    last: Decision | None,
    stage: Stage,
    policy: LendingPolicy | None,
) -> None:
    next_step = NextStep(step.value)
    said = {
        "role": f"{account.username} ({account.role}) may not {step.value}",
        "branch": f"case {application.id} is of branch {application.branch}, {account.username} of {account.branch}",
        "own_recommendation": f"{account.username} recommended this: a different person has to {step.value} it",
        "tier": f"{last.amount.major if last else ''} is above what {account.username} may approve",
    }
    why = why_not(next_step, account, branch=application.branch, last=last, policy=policy)
    if why in ("role", "branch"):
        raise NotPermitted(said[why])
    if next_step not in OPEN[stage]:
        raise StateConflict(f"case {application.id} is {stage.value}: nothing to {step.value}")
    if why:
        raise NotPermitted(said[why])


def _recommended(step: Step, outcome: Outcome | None, last: Decision | None) -> Outcome:
    if step is Step.RECOMMEND:
        if outcome is None:
            raise MalformedInput("a recommendation needs an outcome", cure=f"one of {', '.join(Outcome)}")
        return outcome
    assert last is not None, "a recommendation stands"
    return last.outcome if outcome is None or step is Step.RETURN else outcome


def _amount(step: Step, outcome: Outcome, amount: Money | None, offer: Offer, last: Decision | None) -> Money:
    if step is Step.RETURN and last is not None:
        return last.amount
    if outcome not in LENDS:
        return Money(0, offer.amount.currency)
    if amount is not None:
        return amount
    return last.amount if step is Step.APPROVE and last is not None else offer.amount


def _check(
    step: Step,
    outcome: Outcome,
    amount: Money,
    offer: Offer,
    policy: LendingPolicy,
    last: Decision | None,
    reasons: Sequence[str],
    note: str,
) -> None:
    if strange := [code for code in reasons if code not in REASONS[outcome]]:
        raise UnknownName(f"reason to {outcome.value}", strange[0], REASONS[outcome])
    if step is Step.RETURN:
        _demand(bool(note.strip()), "to return needs a note")
    if step is Step.APPROVE and last is not None and (outcome, amount) != (last.outcome, last.amount):
        _demand(bool(note.strip()), "to approve other than recommended needs a note")
    if step is Step.RECOMMEND:
        _demand(outcome is Outcome.ACCEPT or bool(reasons), f"to {outcome.value} needs a reason")
        _demand(outcome in LENDS or bool(note.strip()), f"to {outcome.value} needs a note")
    if outcome in LENDS and step is not Step.RETURN:
        _check_amount(outcome, amount, offer, policy, reasons, note, last if step is Step.APPROVE else None)
    elif step is Step.APPROVE and last is not None and outcome is Outcome.DECLINE:
        _demand(last.outcome is Outcome.DECLINE, "to decline what was not recommended so: return it instead")


def _check_amount(
    outcome: Outcome,
    amount: Money,
    offer: Offer,
    policy: LendingPolicy,
    reasons: Sequence[str],
    note: str,
    recommended: Decision | None,
) -> None:
    stated = f"{amount.major} {amount.currency}"
    _demand(amount.currency == offer.amount.currency, f"{stated}: the offer is in {offer.amount.currency}")
    _demand(amount.minor > 0, "there is nothing to lend: refer or decline, with the reason")
    _demand(amount <= policy.product_cap, f"{stated} is above the product's ceiling {policy.product_cap.major}")
    if recommended is not None:
        _demand(
            amount <= recommended.amount, f"{stated} is above the recommended {recommended.amount.major}: return it"
        )
        return
    if outcome is Outcome.REDUCE:
        _demand(amount < offer.amount, f"{stated} does not reduce the offer of {offer.amount.major}")
    elif amount < offer.amount:
        asked = "less_than_offered_asked" in reasons
        _demand(
            asked, f"{stated} is below the offer of {offer.amount.major}: reduce it, or say that less was asked for"
        )
    if amount > offer.amount:
        overridden = any(code.startswith("override_") for code in reasons) and bool(note.strip())
        _demand(overridden, f"{stated} is above the offer of {offer.amount.major}: give an override reason and a note")


def _demand(holds: bool, otherwise: str) -> None:
    if not holds:
        raise MalformedInput(otherwise)
