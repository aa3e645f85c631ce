"""``loans``: size, decide in four eyes, book, replay."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import typer

from cropcredit.bootstrap import App
from cropcredit.cli.common import HERE, AsOf, Home, Json, as_of_instant, open_app, out, progress, show_json, show_table
from cropcredit.errors import MalformedInput
from cropcredit.model import Application, Money, Offer, Outcome, Step
from cropcredit.usecases.decide import REASONS
from cropcredit.usecases.size_loan import Sized

app = typer.Typer(name="loans", help="Size, decide, book and replay loans.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="APPLICATION", help="Id of the application.")]
By = Annotated[str, typer.Option("--by", metavar="USER", help="Account of the person who takes the step.")]
CODES = "; ".join(f"{outcome.value}: {', '.join(codes)}" for outcome, codes in REASONS.items())


@app.command()
def size(
    application: Annotated[str | None, typer.Argument(metavar="[APPLICATION]", help="Id of the application.")] = None,
    *,
    everyone: Annotated[bool, typer.Option("--all", help="Size every application.")] = False,
    as_of: AsOf = None,
    home: Home = HERE,
    as_json: Json = False,
) -> None:
    """Compute the offer of one application, or of all; exit 1 if any of them lacks evidence, each named in one line."""
    if (application is None) != everyone:
        raise MalformedInput("name one application, or give --all", where="loans size")
    opened = open_app(home)
    at = as_of_instant(opened, as_of)
    if application is not None:
        offer = opened.size_loan(application, as_of=at)
        show_json(offer) if as_json else _show_offer(offer)
        return
    outcomes = opened.size_all(as_of=at, progress=progress)
    if as_json:
        show_json(outcomes)
    else:
        _show_batch(outcomes)
    raise typer.Exit(1 if any(outcome.refused for outcome in outcomes) else 0)


@app.command(help=f"Recommend, approve or return one case; two different people are needed.\n\nReason codes. {CODES}.")
def decide(
    application: Id,
    *,
    by: By,
    step: Annotated[Step, typer.Option(help="recommend (officer), approve or return (approver).")] = Step.RECOMMEND,
    outcome: Annotated[Outcome | None, typer.Option(help="Required to recommend.")] = None,
    amount: Annotated[str | None, typer.Option(help="Amount in major units; without it, the offered one.")] = None,
    reason: Annotated[list[str] | None, typer.Option(help="Reason code; may be given several times.")] = None,
    note: Annotated[str, typer.Option(help="Required to refer, decline, return, or go above the offer.")] = "",
    home: Home = HERE,
    as_json: Json = False,
) -> None:
    opened = open_app(home)
    decision = opened.decide(
        application,
        by=by,
        step=step,
        outcome=outcome,
        amount=None if amount is None else _money(opened, application, amount),
        reasons=reason or (),
        note=note,
    )
    if as_json:
        show_json(decision)
        return
    out.print(f"{decision.id}: {by} {step.value} {decision.outcome.value} {_words(decision.amount)}", markup=False)


@app.command()
def book(application: Id, *, by: By, home: Home = HERE, as_json: Json = False) -> None:
    """Book an approved case as a loan."""
    loan = open_app(home).book_loan(application, by=by)
    if as_json:
        show_json(loan)
        return
    out.print(f"{loan.id}: {_words(loan.principal)} at {loan.apr:.2%}, booked by {by}", markup=False)
    rows = [(due.due_on, _words(due.principal), _words(due.interest)) for due in loan.schedule]
    show_table("Due", ("on", "principal", "interest"), rows, right=("principal", "interest"))


@app.command()
def replay(
    offer: Annotated[str, typer.Argument(metavar="OFFER", help="Id of the offer.")],
    *,
    home: Home = HERE,
    as_json: Json = False,
) -> None:
    """Compute a stored offer again from the versions it cites; exit 1 and name the first difference, if any."""
    replayed = open_app(home).replay_offer(offer)
    if as_json:
        show_json(replayed)
    elif replayed.same:
        out.print(f"{offer}: same bytes, from {replayed.inputs} cited versions", markup=False)
    else:
        out.print(f"{offer}: differs (made by {replayed.made_by}): {replayed.difference}", markup=False)
    raise typer.Exit(0 if replayed.same else 1)


def _money(opened: App, application_id: str, amount: str) -> Money:
    currency = opened.facts.get(Application, application_id).requested.currency
    try:
        money = Money.of(amount, currency)
    except ArithmeticError:
        raise MalformedInput(f"{amount!r} is not an amount", where="--amount") from None
    if money.major != Decimal(amount):
        raise MalformedInput(f"{amount} is finer than the smallest coin of {currency}", where="--amount")
    return money


def _words(money: Money) -> str:
    return f"{money.major:,} {money.currency}"


def _show_offer(offer: Offer) -> None:
    out.print(f"{offer.id} as of {offer.as_of:%Y-%m-%d %H:%M}Z", markup=False)
    out.print(f"offered {_words(offer.amount)} of {_words(offer.needed)} needed; {offer.binding} binds", markup=False)
    out.print(
        f"P(shortfall) {offer.shortfall_at_offer:.1%} at the offer, {offer.shortfall_at_need:.1%} at the need;"
        f" rate {offer.apr:.2%}",
        markup=False,
    )
    caps = [(cap.rule, _words(cap.amount), cap.basis) for cap in offer.caps]
    show_table("Caps", ("rule", "amount", "basis"), caps, right=("amount",))
    reasons = [(r.code, " ".join(f"{name}={value}" for name, value in r.facts), r.change) for r in offer.reasons]
    show_table("Reasons", ("reason", "facts", "would change it"), reasons)
    dues = [(due.due_on, _words(due.principal), _words(due.interest)) for due in offer.schedule]
    show_table("Due", ("on", "principal", "interest"), dues, right=("principal", "interest"))


def _show_batch(outcomes: list[Sized]) -> None:
    rows = [
        (
            o.application_id,
            _words(o.offer.needed),
            _words(o.offer.amount),
            o.offer.binding,
            f"{o.offer.shortfall_at_offer:.1%}",
            f"{o.offer.apr:.2%}",
        )
        for o in outcomes
        if o.offer is not None
    ]
    columns = ("application", "needed", "offered", "binds", "P(shortfall)", "rate")
    show_table("Offers", columns, rows, right=("needed", "offered", "P(shortfall)", "rate"))
    for outcome in outcomes:
        if outcome.refused:
            out.print(f"no offer: {outcome.refused}", markup=False)
    refused = sum(bool(outcome.refused) for outcome in outcomes)
    acted_on = sum(outcome.acted_on for outcome in outcomes)
    out.print(f"{len(rows)} sized, {refused} refused, {acted_on} left alone: a person has acted on them", markup=False)
