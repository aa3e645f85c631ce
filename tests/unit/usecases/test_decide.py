from dataclasses import replace
from datetime import date, timedelta

import pytest

from cropcredit.errors import MalformedInput, NotPermitted, StateConflict, UnknownName
from cropcredit.model import Decision, Offer, Outcome, Step
from cropcredit.usecases.book import BookLoan
from cropcredit.usecases.cases import OpenCase, Queue
from cropcredit.usecases.size_loan import SizeAll
from cropcredit.usecases.workflow import NextStep, Stage
from tests.fakes import FakeFacts
from tests.lending import BRANCH, TODAY, Lender, application, cny, party, policy, records


@pytest.fixture
def desk() -> Lender:
    made = Lender()
    made.size("A1")
    return made


def offer(desk: Lender):
    return desk.facts.find(Offer)[0]


def recommend(desk: Lender, by: str = "li", outcome: Outcome = Outcome.ACCEPT, **more) -> Decision:
    return desk.decide("A1", by=by, step=Step.RECOMMEND, outcome=outcome, **more)


def book(desk: Lender) -> BookLoan:
    return BookLoan(facts=desk.facts, accounts=desk.accounts, clock=desk.clock, zone="Asia/Shanghai")


def test_an_officer_recommends_and_another_person_approves(desk):
    first = recommend(desk)
    second = desk.decide("A1", by="zhao", step=Step.APPROVE)
    assert (first.id, second.id) == ("A1/decision/0001", "A1/decision/0002")
    assert (second.outcome, second.amount) == (Outcome.ACCEPT, offer(desk).amount)


def test_an_officer_cannot_approve_and_an_approver_cannot_recommend(desk):
    with pytest.raises(NotPermitted, match=r"zhao \(approver\) may not recommend"):
        recommend(desk, by="zhao")
    recommend(desk)
    with pytest.raises(NotPermitted, match=r"wu \(officer\) may not approve"):
        desk.decide("A1", by="wu", step=Step.APPROVE)


def test_nobody_approves_their_own_recommendation_even_after_a_change_of_role(desk):
    recommend(desk)
    account, password = desk.accounts.find("zhao")
    desk.accounts.save(replace(account, username="li"), password)
    with pytest.raises(NotPermitted, match="a different person has to approve"):
        desk.decide("A1", by="li", step=Step.APPROVE)


def test_accepting_less_than_offered_says_that_less_was_asked_for(desk):
    with pytest.raises(MalformedInput, match=r"is below the offer of .*: reduce it, or say that less was asked for"):
        recommend(desk, amount=cny(100))
    assert recommend(desk, amount=cny(100), reasons=["less_than_offered_asked"]).amount == cny(100)


def test_a_batch_does_not_overtake_a_persons_word(desk):
    batch = SizeAll(facts=desk.facts, clock=desk.clock, size_loan=desk.size)
    assert [one.acted_on for one in batch()] == [False]
    recommend(desk)
    (left,) = batch()
    assert (left.acted_on, left.offer, left.refused) == (True, None, "")
    desk.decide("A1", by="zhao", step=Step.RETURN, note="look again")
    assert [one.acted_on for one in batch()] == [False]


def test_a_case_of_another_branch_is_not_theirs(desk):
    with pytest.raises(NotPermitted, match="is of branch north, far of south"):
        recommend(desk, by="far")


def test_an_unknown_or_inactive_person_does_nothing(desk):
    with pytest.raises(NotPermitted, match="no account 'ghost'"):
        recommend(desk, by="ghost")
    account, password = desk.accounts.find("li")
    desk.accounts.save(replace(account, active=False), password)
    with pytest.raises(NotPermitted, match="may not recommend"):
        recommend(desk)


def test_an_amount_above_the_branchs_tier_needs_the_head_office():
    rules = policy()
    small = replace(rules, tiers=(replace(rules.tiers[0], up_to=cny(1000)), rules.tiers[1]))
    desk = Lender(facts=FakeFacts(*records(policy=small)))
    desk.size("A1")
    recommend(desk)
    with pytest.raises(NotPermitted, match="is above what zhao may approve"):
        desk.decide("A1", by="zhao", step=Step.APPROVE)
    assert desk.decide("A1", by="sun", step=Step.APPROVE).by == "sun"


def test_above_all_tiers_nobody_approves():
    rules = policy()
    desk = Lender(facts=FakeFacts(*records(policy=replace(rules, tiers=(replace(rules.tiers[0], up_to=cny(1)),)))))
    desk.size("A1")
    recommend(desk)
    with pytest.raises(NotPermitted, match="is above what sun may approve"):
        desk.decide("A1", by="sun", step=Step.APPROVE)


def test_more_than_the_offer_takes_an_override_and_a_note(desk):
    more = offer(desk).amount + cny(500)
    with pytest.raises(MalformedInput, match=r"above the offer of .*: give an override reason and a note"):
        recommend(desk, amount=more, reasons=["as_offered"])
    with pytest.raises(MalformedInput, match="give an override reason and a note"):
        recommend(desk, amount=more, reasons=["override_contract_held"])
    assert recommend(desk, amount=more, reasons=["override_contract_held"], note="order 7").amount == more


def test_no_override_goes_above_the_products_ceiling(desk):
    with pytest.raises(MalformedInput, match="above the product's ceiling"):
        recommend(desk, amount=cny(4_000_000), reasons=["override_contract_held"], note="x")


@pytest.mark.parametrize(
    ("step", "message"),
    [
        pytest.param({"outcome": None}, "needs an outcome", id="no outcome"),
        pytest.param({"outcome": Outcome.REFER, "reasons": ["field_visit"]}, "to refer needs a note", id="no note"),
        pytest.param({"outcome": Outcome.DECLINE, "note": "x"}, "to decline needs a reason", id="no reason"),
        pytest.param({"outcome": Outcome.REDUCE, "amount": cny(1000)}, "to reduce needs a reason", id="just less"),
        pytest.param(
            {"outcome": Outcome.REDUCE, "reasons": ["cautious"]}, "does not reduce the offer", id="not reduced"
        ),
        pytest.param({"outcome": Outcome.ACCEPT, "amount": cny(0)}, "nothing to lend", id="nothing"),
    ],
)
def test_a_recommendation_that_does_not_fit_together_is_refused(desk, step, message):
    with pytest.raises(MalformedInput, match=message):
        desk.decide("A1", by="li", step=Step.RECOMMEND, **step)


def test_a_reason_that_is_not_one_is_refused_with_those_that_are(desk):
    with pytest.raises(UnknownName, match="unknown reason to decline 'face'; known: not_viable"):
        recommend(desk, outcome=Outcome.DECLINE, reasons=["face"], note="x")


def test_an_approver_may_lower_but_not_raise_and_says_why(desk):
    recommend(desk)
    less = offer(desk).amount - cny(1000)
    with pytest.raises(MalformedInput, match="other than recommended needs a note"):
        desk.decide("A1", by="zhao", step=Step.APPROVE, outcome=Outcome.REDUCE, amount=less)
    with pytest.raises(MalformedInput, match=r"above the recommended .*: return it"):
        desk.decide("A1", by="zhao", step=Step.APPROVE, amount=offer(desk).amount + cny(100), note="x")
    lowered = desk.decide("A1", by="zhao", step=Step.APPROVE, outcome=Outcome.REDUCE, amount=less, note="drought")
    assert lowered.amount == less


def test_an_approver_does_not_decline_what_was_recommended(desk):
    recommend(desk)
    with pytest.raises(MalformedInput, match="return it instead"):
        desk.decide("A1", by="zhao", step=Step.APPROVE, outcome=Outcome.DECLINE, note="no")


def test_a_case_is_declined_only_by_two_people(desk):
    recommend(desk, outcome=Outcome.DECLINE, reasons=["not_viable"], note="debts")
    assert stage(desk) is Stage.RECOMMENDED
    desk.decide("A1", by="zhao", step=Step.APPROVE)
    assert stage(desk) is Stage.DECLINED


def test_a_returned_case_goes_back_to_the_officer(desk):
    recommend(desk)
    with pytest.raises(MalformedInput, match="to return needs a note"):
        desk.decide("A1", by="zhao", step=Step.RETURN)
    desk.decide("A1", by="zhao", step=Step.RETURN, note="visit the field")
    assert stage(desk) is Stage.RETURNED
    assert recommend(desk, by="wu").id == "A1/decision/0003"


def test_a_referred_case_can_be_recommended_again(desk):
    recommend(desk, outcome=Outcome.REFER, reasons=["field_visit"], note="look")
    desk.decide("A1", by="zhao", step=Step.APPROVE)
    assert stage(desk) is Stage.REFERRED
    assert recommend(desk).outcome is Outcome.ACCEPT


def test_a_newer_offer_overtakes_a_recommendation(desk):
    recommend(desk)
    desk.clock.instant = TODAY + timedelta(days=5)
    desk.size("A1")
    with pytest.raises(StateConflict, match="is sized: nothing to approve"):
        desk.decide("A1", by="zhao", step=Step.APPROVE)


def test_nothing_is_decided_without_an_offer():
    with pytest.raises(StateConflict, match="is new: nothing to recommend"):
        recommend(Lender())


def test_who_looked_at_an_old_page_is_told(desk):
    recommend(desk)
    with pytest.raises(StateConflict, match="has moved on: 1 decisions, you saw 0"):
        desk.decide("A1", by="zhao", step=Step.APPROVE, seen=0)


def test_the_second_of_two_approvals_is_refused(desk):
    recommend(desk)
    desk.decide("A1", by="zhao", step=Step.APPROVE)
    with pytest.raises(StateConflict, match="is approved: nothing to approve"):
        desk.decide("A1", by="qian", step=Step.APPROVE)


def stage(desk: Lender, who: str = "li"):
    return case(desk, who).stage


def case(desk: Lender, who: str = "li"):
    opened = OpenCase(
        facts=desk.facts, fields=desk.fields, estimates=desk.estimates, catalogues=desk.catalogues, clock=desk.clock
    )
    return opened("A1", desk.accounts.find(who)[0])


def test_an_approved_case_is_booked_once_with_interest_from_today(desk):
    recommend(desk)
    desk.decide("A1", by="zhao", step=Step.APPROVE)
    desk.clock.instant = TODAY + timedelta(days=10)
    loan = book(desk)("A1", by="li")
    assert (loan.principal, loan.booked_on) == (offer(desk).amount, date(2025, 4, 11))
    assert loan.schedule[-1].interest < offer(desk).schedule[-1].interest
    assert stage(desk) is Stage.BOOKED
    with pytest.raises(StateConflict, match="is booked: only an approved one"):
        book(desk)("A1", by="li")


def test_what_is_not_approved_is_not_booked(desk):
    recommend(desk)
    with pytest.raises(StateConflict, match="is recommended"):
        book(desk)("A1", by="li")
    with pytest.raises(NotPermitted, match="zhao may not book case A1: role"):
        book(desk)("A1", by="zhao")
    with pytest.raises(NotPermitted, match="no account"):
        book(desk)("A1", by="ghost")


def test_a_case_past_its_due_day_is_not_booked(desk):
    recommend(desk)
    desk.decide("A1", by="zhao", step=Step.APPROVE)
    desk.clock.instant = TODAY + timedelta(days=365)
    with pytest.raises(StateConflict, match="was due on 2025-08-01"):
        book(desk)("A1", by="li")


def test_a_planting_repays_one_loan_only(desk):
    desk.facts.add(replace(application(), id="A2"))
    desk.size("A2")
    for name in ("A1", "A2"):
        desk.decide(name, by="li", step=Step.RECOMMEND, outcome=Outcome.ACCEPT)
        desk.decide(name, by="zhao", step=Step.APPROVE)
    book(desk)("A1", by="li")
    with pytest.raises(StateConflict, match="planting PL1 already repays loan A1/loan: financed twice"):
        book(desk)("A2", by="li")


def test_an_override_of_an_empty_offer_is_booked_at_the_due_day():
    desk = Lender(facts=FakeFacts(*records(application=application(household_draw=cny(50_000)))))
    desk.size("A1")
    assert offer(desk).amount == cny(0)
    recommend(desk, amount=cny(1000), reasons=["override_other_income"], note="pension")
    desk.decide("A1", by="zhao", step=Step.APPROVE)
    assert [due.due_on for due in book(desk)("A1", by="li").schedule] == [date(2025, 8, 1)]


def test_the_queue_shows_each_person_their_branch_and_what_waits_for_them(desk):
    desk.facts.add(replace(application(branch="south", party_id="P2"), id="A9"), party("P2", branch="south"))
    queue = Queue(facts=desk.facts, clock=desk.clock)
    (row,) = queue(desk.accounts.find("li")[0])
    assert (row.application_id, row.stage, row.waiting_for_me) == ("A1", Stage.SIZED, True)
    assert (row.party_name, row.crops, row.offered) == ("王建国", ("winter_wheat",), offer(desk).amount)
    assert [r.application_id for r in queue(desk.accounts.find("sun")[0])] == ["A1", "A9"]
    recommend(desk)
    assert not queue(desk.accounts.find("li")[0])[0].waiting_for_me
    assert queue(desk.accounts.find("zhao")[0])[0].waiting_for_me


def test_a_case_tells_who_may_do_what_and_why_not(desk):
    recommend(desk)
    assert set(case(desk, "zhao").steps) == {NextStep.SIZE, NextStep.APPROVE, NextStep.RETURN}
    assert {(b.step, b.why) for b in case(desk, "li").blocked} == {
        (NextStep.APPROVE, "role"),
        (NextStep.RETURN, "role"),
    }
    with pytest.raises(NotPermitted, match="belongs to branch north"):
        case(desk, "far")


def test_a_case_names_the_plantings_it_does_not_know():
    desk = Lender(facts=FakeFacts(*records(planting=None, consent=None)))
    opened = case(desk)
    assert (opened.missing, opened.stage, opened.offer) == (("PL1",), Stage.NEW, None)
    assert opened.application.branch == BRANCH
