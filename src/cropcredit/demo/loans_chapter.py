"""The loans of the story: size every application, two people decide, one loan is booked, the offer is replayed."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict

from cropcredit.demo.check import against_truth, read_truth
from cropcredit.demo.stage import Facts, Stage, demo_accounts
from cropcredit.errors import NotPermitted
from cropcredit.model import (
    Application,
    Decision,
    Installation,
    Loan,
    Money,
    Offer,
    Outcome,
    Party,
    PartyKind,
    Planting,
    Role,
    Step,
)
from cropcredit.usecases.workflow import current_offer

PREFERRED = ("quantile", "stress", "dscr", "need", "requested")
"""Binding rules by how much they tell about the harvest: the case of the story is chosen by them."""
REDUCED_PCT = 80
WORTH_TELLING_MINOR = 4_000_00
"""Smallest need, in fen, that makes a story."""
WAITING = 3
"""Recommendations that are left for whoever sits down at the desk."""


def loans(stage: Stage) -> Facts:
    """Size every application; what is refused is refused by name."""
    sized = stage.app.size_all(progress=stage.progress)
    offers = [one.offer for one in sized if one.offer is not None]
    return {
        "applications": len(sized),
        "offers": len(offers),
        "refused": {one.application_id: one.refused for one in sized if one.refused},
        "binding": dict(Counter(offer.binding for offer in offers).most_common()),
        "offered": str(Money(sum(o.amount.minor for o in offers), "CNY").major),
        "needed": str(Money(sum(o.needed.minor for o in offers), "CNY").major),
        "nothing": sum(offer.amount.minor == 0 for offer in offers),
    }


def decisions(stage: Stage) -> Facts:
    """Let officers recommend and a second person approve; book one loan, leave some cases waiting at the desk."""
    app, (hero, second, *others) = stage.app, _cases(stage)
    if not _decided(stage, hero):
        app.decide(hero, by=_officer(stage, hero), step=Step.RECOMMEND, outcome=Outcome.ACCEPT, reasons=["as_offered"])
    alone = _alone(stage, hero)
    if not _decided(stage, second):
        offered = _offer(stage, second).amount
        less = Money(offered.minor * REDUCED_PCT // 100 // 10_000 * 10_000, offered.currency)  # whole hundreds
        note = "Supplier delivers the rest on account (synthetic)."
        app.decide(
            second, by=_officer(stage, second), step=Step.RECOMMEND, outcome=Outcome.REDUCE, amount=less,
            reasons=["applicant_wishes"], note=note,
        )  # fmt: skip
    for case in (hero, second):
        if len(_decided(stage, case)) == 1:
            app.decide(case, by=_approver(), step=Step.APPROVE, note="Field visited (synthetic).")
    if not app.facts.find(Loan, application_id=hero):
        app.book_loan(hero, by=_officer(stage, hero))
    for case in others[:WAITING]:
        if not _decided(stage, case):
            app.decide(
                case, by=_officer(stage, case), step=Step.RECOMMEND, outcome=Outcome.ACCEPT, reasons=["as_offered"]
            )
    return {"hero": hero, "second": second, "waiting": others[:WAITING], "alone": alone}


def replay(stage: Stage) -> Facts:
    """Compute the booked offer again from the very versions it cites, and compare byte by byte."""
    offer = _offer(stage, stage.facts["decisions"]["hero"])
    found = stage.app.replay_offer(offer.id)
    return {"offer": offer.id, "same": found.same, "difference": found.difference, "inputs": found.inputs}


def truth(stage: Stage) -> Facts:
    """Compare the estimates with what the generator knows; the first and only look at the truth."""
    app = stage.app
    plantings = [planting.id for planting in app.facts.find(Planting)]
    estimates = app.estimate_yields.estimates.latest(plantings, as_of=app.clock.now())
    known = read_truth(stage.made / "truth" / "plantings.csv")
    return {check.crop: asdict(check) for check in against_truth(estimates.values(), known)}


def _cases(stage: Stage) -> list[str]:
    """Order the cases by what they tell: smallholders first, the harvest as the limit, sensors on the field."""
    app = stage.app
    parties = {party.id: party for party in app.facts.find(Party)}
    sensed = {place.field_id for place in app.facts.find(Installation)}
    planted = {planting.id: planting.field_id for planting in app.facts.find(Planting)}
    ranked = []
    for application in app.facts.find(Application):
        offer = current_offer(app.facts.find(Offer, application_id=application.id))
        if offer is not None and offer.amount.minor > 0:
            farm = parties[application.party_id].kind is not PartyKind.HOUSEHOLD
            blind = not sensed & {planted[planting_id] for planting_id in application.planting_ids}
            told = PREFERRED.index(offer.binding)
            small = offer.needed.minor < WORTH_TELLING_MINOR
            ranked.append((farm, told > 0, small + blind, told, -offer.needed.minor, application.id))
    return [case for *_, case in sorted(ranked)]


def _decided(stage: Stage, case: str) -> list[Decision]:
    return stage.app.facts.find(Decision, application_id=case)


def _offer(stage: Stage, case: str) -> Offer:
    offer = current_offer(stage.app.facts.find(Offer, application_id=case))
    assert offer is not None, "the cases of the story were chosen among those with an offer"
    return offer


def _alone(stage: Stage, case: str) -> str:
    """Let the officer try to approve the own recommendation; what the line says to that."""
    try:
        stage.app.decide(case, by=_officer(stage, case), step=Step.APPROVE)
    except NotPermitted as error:
        return str(error)
    raise AssertionError("four eyes did not hold: nobody may approve alone")


def _officer(stage: Stage, case: str) -> str:
    branch = stage.app.facts.get(Application, case).branch
    people = [one.account for one in demo_accounts(stage.region)]
    return next(p.username for p in people if p.role is Role.OFFICER and p.branch == branch)


def _approver() -> str:
    return "chen.head"
