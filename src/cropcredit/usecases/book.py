"""Book an approved decision as a loan."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from cropcredit.credit.schedule import parts_of, plan
from cropcredit.errors import NotPermitted, StateConflict
from cropcredit.model import Application, Decision, Loan, Offer
from cropcredit.ports import AccountStore, Clock, FactStore
from cropcredit.usecases.workflow import NextStep, Stage, current_offer, stage_of, why_not

OPEN_LOANS = ("booked", "extended", "renewed")


@dataclass(frozen=True, slots=True, kw_only=True)
class BookLoan:
    """Make the loan that two people agreed on; a case is booked once, and a planting repays one loan."""

    facts: FactStore
    accounts: AccountStore
    clock: Clock
    zone: str
    """IANA zone of the lender's days."""

    def __call__(self, application_id: str, *, by: str) -> Loan:
        """Book one case; interest runs from today.

        Raises
        ------
        NotPermitted
            If role or branch forbid it.
        StateConflict
            If the case is not approved, is booked already, or one of its plantings repays another open loan.
        """
        application = self.facts.get(Application, application_id)
        self._permit(application, by)
        decisions = self.facts.find(Decision, application_id=application_id)
        loan = next(iter(self.facts.find(Loan, application_id=application_id)), None)
        stage = stage_of(current_offer(self.facts.find(Offer, application_id=application_id)), decisions, loan)
        if stage is not Stage.APPROVED:
            raise StateConflict(f"case {application_id} is {stage.value}: only an approved one is booked")
        self._refuse_double(application)
        approved = decisions[-1]
        offer = self.facts.get(Offer, approved.offer_id)
        now = self.clock.now()
        today = now.astimezone(ZoneInfo(self.zone)).date()
        if application.due_on <= today:
            raise StateConflict(f"case {application_id} was due on {application.due_on}: size and approve it anew")
        parts = parts_of(offer.schedule) if offer.schedule else ((application.due_on, 1.0),)
        loan = Loan(
            id=f"{application_id}/loan",
            known_at=now,
            application_id=application_id,
            offer_id=offer.id,
            decision_id=approved.id,
            party_id=application.party_id,
            principal=approved.amount,
            apr=offer.apr,
            schedule=plan(approved.amount, apr=offer.apr, from_on=today, parts=parts),
            booked_on=today,
            booked_by=by,
        )
        self.facts.add(loan, new=True)
        return loan

    def _permit(self, application: Application, by: str) -> None:
        found = self.accounts.find(by)
        if found is None:
            raise NotPermitted(f"there is no account {by!r}")
        why = why_not(NextStep.BOOK, found[0], branch=application.branch, last=None, policy=None)
        if why:
            raise NotPermitted(f"{by} may not book case {application.id}: {why}")

    def _refuse_double(self, application: Application) -> None:
        """Refuse what another open loan is already to be repaid from."""
        mine = set(application.planting_ids)
        for loan in self.facts.find(Loan):
            if loan.application_id == application.id or loan.status not in OPEN_LOANS:
                continue
            other = self.facts.get(Application, loan.application_id)
            if shared := sorted(mine & set(other.planting_ids)):
                raise StateConflict(f"planting {shared[0]} already repays loan {loan.id}: financed twice")
