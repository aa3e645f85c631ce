"""From need to limit: the figures, the rule that binds in words, the ladder of caps, price and schedule."""

from __future__ import annotations

import streamlit as st

from cropcredit.model import Application, Offer
from cropcredit.usecases.cases import total_due
from dashboards import charts
from dashboards.facts import of_cap, sentence
from dashboards.frame import panel
from dashboards.panels.evidence import evidence
from dashboards.session import Desk


def figures(desk: Desk, application: Application, offer: Offer) -> None:
    """Show the six numbers of an offer, each with its evidence."""
    words, formats = desk.words, desk.formats
    numbers = [
        ("offered", formats.money(offer.amount), "offered"),
        ("requested", formats.money(application.requested), "requested"),
        ("needed", formats.money(offer.needed), "needed"),
        ("gap", formats.money(offer.gap), "needed"),
        ("shortfall_offer", formats.share(offer.shortfall_at_offer), "cash"),
        ("shortfall_need", formats.share(offer.shortfall_at_need), "cash"),
    ]
    with st.container(key="figures"):
        for column, (name, value, number) in zip(st.columns(6, gap="xsmall"), numbers, strict=True):
            with column, st.container(border=True, height="stretch", gap="xxsmall"):
                st.metric(words(f"figure.{name}"), value, help=words(f"figure_help.{name}"))
                evidence(desk, offer, number)


def ladder(desk: Desk, offer: Offer) -> None:
    """Say in words which rule binds, and show every cap."""
    words = desk.words
    with panel(desk, words("sizing.title"), offer.as_of):
        cap = next(cap for cap in offer.caps if cap.rule == offer.binding)
        says = words.code("rule.says", cap.rule, **of_cap(cap, offer, desk))
        st.info(words("sizing.binds", rule=words.code("rule.name", cap.rule), says=says), icon=":material/gavel:")
        chart = charts.ladder(offer.caps, offer.binding, offer.amount, words, desk.formats)
        st.altair_chart(chart, alt=words("sizing.title"))
        said = {reason.code for reason in offer.reasons}
        if not offer.viable_at_need and "full_need_not_viable" not in said:
            st.warning(words("sizing.not_viable"), icon=":material/warning:")
        with st.expander(words("sizing.all_rules")):
            for other in offer.caps:
                name = words.code("rule.name", other.rule)
                st.markdown(f"**{name}** · {desk.formats.money(other.amount)}")
                st.caption(words.code("rule.says", other.rule, **of_cap(other, offer, desk)))
        evidence(desk, offer, "cash")


def price(desk: Desk, offer: Offer) -> None:
    """Show the rate with its components, and what is due when."""
    words, formats = desk.words, desk.formats
    with panel(desk, words("price.title"), offer.as_of):
        st.metric(words("price.apr"), formats.rate(offer.apr), help=words("price.apr_help"))
        st.table(
            {words.code("price.part", name): formats.rate(part) for name, part in offer.price_parts},
            border="horizontal",
        )
        if offer.schedule:  # nothing lent, nothing due
            st.markdown(f"**{words('schedule.title')}**")
            st.table(
                {
                    words("schedule.due"): [formats.day(due.due_on) for due in offer.schedule],
                    words("schedule.principal"): [formats.money(due.principal) for due in offer.schedule],
                    words("schedule.interest"): [formats.money(due.interest) for due in offer.schedule],
                },
                border="horizontal",
            )
        evidence(desk, offer, "rate")


def cash(desk: Desk, offer: Offer) -> None:
    """Show the cash of bad and good seasons beside what falls due."""
    words, due = desk.words, total_due(offer)
    with panel(desk, words("cash.title"), offer.as_of):
        st.markdown(words("cash.due", amount=desk.formats.money(due)))
        st.altair_chart(charts.cash(offer, due, words, desk.formats), alt=words("cash.title"))
        st.caption(words("cash.caption"))
        evidence(desk, offer, "cash")


def reasons(desk: Desk, offer: Offer) -> None:
    """Show why the amount is what it is, and what would change it."""
    words = desk.words
    with panel(desk, words("reasons.title"), offer.as_of):
        if not offer.reasons:
            st.caption(words("reasons.none"))
        for number, reason in enumerate(offer.reasons, start=1):
            st.markdown(f"**{number}. {sentence(reason, offer.amount.currency, desk)}**")
            if reason.change:
                st.markdown(f":material/arrow_forward: {words.code('change', reason.change)}")
        evidence(desk, offer, "cash")
