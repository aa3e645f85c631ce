"""Recommend, approve, return: the only writes of the page, each through a use case that checks again."""

from __future__ import annotations

from typing import Any

import streamlit as st

from cropcredit.errors import CropcreditError
from cropcredit.model import Money, Outcome, Role, Step
from cropcredit.usecases.cases import Case
from cropcredit.usecases.decide import LENDS, REASONS
from cropcredit.usecases.workflow import NextStep, Stage
from dashboards.frame import panel, trouble
from dashboards.panels import missing
from dashboards.session import Desk
from dashboards.words import plain

DECIDING = (NextStep.RECOMMEND, NextStep.APPROVE, NextStep.RETURN)


def show(desk: Desk, case: Case) -> None:
    """Draw what happened so far and what this person may do now."""
    words = desk.words
    with panel(desk, words("decision.title")):
        _told(desk)
        st.caption(words("decision.two_people"))
        _history(desk, case)
        for blocked in case.blocked:
            if blocked.step in DECIDING and blocked.why != "role":
                told = words.code("blocked", blocked.why, step=words(f"decision.{blocked.step}"))
                st.info(told, icon=":material/lock:")
        if NextStep.RECOMMEND in case.steps:
            _recommend(desk, case)
        elif NextStep.APPROVE in case.steps or NextStep.RETURN in case.steps:
            _second_pair_of_eyes(desk, case)
        elif desk.person.role not in (Role.OFFICER, Role.APPROVER):
            st.caption(words("decision.read_only", role=words(f"role.{desk.person.role}")))
        else:
            st.caption(words(f"stage_help.{case.stage}"))


def _told(desk: Desk) -> None:
    told = st.session_state.pop("told", None)
    if told:
        st.success(desk.words(told), icon=":material/check_circle:")


def _history(desk: Desk, case: Case) -> None:
    words, formats = desk.words, desk.formats
    st.markdown(f"**{words('decision.history')}**")
    if not case.decisions:
        st.caption(words("decision.nothing"))
    for decision in case.decisions:
        line = words(
            "decision.line",
            instant=formats.instant(decision.at),
            by=plain(desk.who(decision.by)),
            step=words(f"step.{decision.step}"),
            outcome=words(f"outcome.{decision.outcome}"),
            amount=formats.money(decision.amount),
        )
        why = words("desk.list").join(words.code("decision_reason", code) for code in decision.reasons)
        said = " — ".join(filter(None, (why, plain(decision.note))))
        st.markdown(f"- {line}" + f"  \n  :gray[{said}]" * bool(said))


@st.fragment
def _recommend(desk: Desk, case: Case) -> None:
    words, offer = desk.words, case.offer
    assert offer is not None  # a recommendation is open only where there is an offer
    outcome = st.segmented_control(
        words("decision.outcome"),
        list(Outcome),
        format_func=lambda each: words(f"outcome.{each}"),
        default=Outcome.ACCEPT,
        required=True,
        key="outcome",
    )
    with st.form("recommend"):
        amount = _amount(desk, case, offer.amount) if outcome in LENDS else Money(0, offer.amount.currency)
        reasons, note = _why(desk, outcome)
        sent = st.form_submit_button(
            words("decision.recommend"), type="primary", icon=":material/send:", key="recommend_send"
        )
    if not sent:
        return
    if lacking := missing.to_recommend(outcome, amount, offer.amount, reasons, note):
        st.warning(words(f"decision.{lacking}"), icon=":material/edit:")
        return
    _take(desk, case, Step.RECOMMEND, outcome=outcome, amount=amount, reasons=reasons, note=note)


@st.fragment
def _second_pair_of_eyes(desk: Desk, case: Case) -> None:
    words, last = desk.words, case.decisions[-1]
    recommended = desk.formats.money(last.amount)
    outcome = words(f"outcome.{last.outcome}")
    st.markdown(words("decision.confirm", by=plain(desk.who(last.by)), outcome=outcome, amount=recommended))
    with st.form("second"):
        amount = _amount(desk, case, last.amount) if last.outcome in LENDS else last.amount
        reasons, note = _why(desk, last.outcome)
        left, right = st.columns(2)
        approved = left.form_submit_button(
            words("decision.approve"),
            type="primary",
            key="approve_send",
            icon=":material/verified:",
            width="stretch",
            disabled=NextStep.APPROVE not in case.steps,
        )
        returned = right.form_submit_button(
            words("decision.return"), icon=":material/undo:", width="stretch", key="return_send"
        )
    if approved:
        _take(desk, case, Step.APPROVE, amount=amount, reasons=reasons, note=note)
    elif returned and not note.strip():
        st.warning(words("decision.needs_note"), icon=":material/edit:")
    elif returned:
        _take(desk, case, Step.RETURN, reasons=reasons, note=note)


def _amount(desk: Desk, case: Case, start: Money) -> Money:
    ceiling = start if case.stage is Stage.RECOMMENDED or case.policy is None else case.policy.product_cap
    typed = st.number_input(
        desk.words("decision.amount", currency=start.currency),
        min_value=0.0,
        max_value=float(ceiling.major),
        value=float(start.major),
        step=100.0,
        help=desk.words("figure_help.offered"),
        key="amount",
    )
    return Money.of(str(typed), start.currency)


def _why(desk: Desk, outcome: Outcome) -> tuple[tuple[str, ...], str]:
    words = desk.words
    reasons = st.multiselect(
        words("decision.reasons"),
        REASONS[outcome],
        format_func=lambda code: words.code("decision_reason", code),
        placeholder=words("decision.choose"),
        key=f"reasons_{outcome}",
    )
    note = st.text_area(words("decision.note"), help=words("decision.note_help"), max_chars=2000, height=80, key="note")
    return tuple(reasons), note


def _take(desk: Desk, case: Case, step: Step, **chosen: Any) -> None:
    """Take a step; nothing is shown as done before the store has it."""
    try:
        desk.app.decide(case.application.id, by=desk.person.username, step=step, seen=len(case.decisions), **chosen)
    except CropcreditError as error:
        trouble(desk, error)
    else:
        st.session_state["told"] = f"decision.done_{step}"
        st.rerun()
