"""Who asks, for what, with which consent, and how far the case has come."""

from __future__ import annotations

import streamlit as st

from cropcredit.errors import CropcreditError
from cropcredit.model import Consent, Role
from cropcredit.usecases.cases import Case
from cropcredit.usecases.workflow import NextStep, Stage
from dashboards.frame import trouble
from dashboards.panels.rows import COLOURS
from dashboards.session import Desk
from dashboards.words import plain


def show(desk: Desk, case: Case) -> None:
    """Draw the head of a case."""
    words, formats, application = desk.words, desk.formats, case.application
    badge = f":{COLOURS[case.stage]}-badge[{words(f'stage.{case.stage}')}]"
    st.markdown(f"## {plain(case.party.name)} &nbsp;{badge}", help=words(f"stage_help.{case.stage}"))
    facts = [
        words(f"party_kind.{case.party.kind}"),
        plain(application.id),
        words("case.branch", branch=plain(application.branch)),
        words("case.received", day=formats.day(formats.local(application.known_at))),
        words("case.due", day=formats.day(application.due_on)),
    ]
    if case.party.identity_last4:
        facts.append(words("case.identity", last4=plain(case.party.identity_last4)))
    st.caption(" · ".join(facts))
    missing = [words.code("missing", name) for name in case.gaps]
    if missing:
        st.warning(words("case.missing", what=words("desk.list").join(missing)), icon=":material/contract_edit:")
    _household(desk, case)
    if case.offer is None:
        st.info(words("case.no_offer"), icon=":material/calculate:")
    works_here = desk.person.role in (Role.OFFICER, Role.APPROVER)  # others read; they size on the command line
    if works_here and NextStep.SIZE in case.steps and case.stage is not Stage.RECOMMENDED:
        _size(desk, case)


def _household(desk: Desk, case: Case) -> None:
    words, money, application = desk.words, desk.formats.money, case.application
    with st.expander(f"{words('case.household')} · {words('case.consent')}"):
        left, right = st.columns(2)
        left.table(
            {
                words("case.own_funds"): money(application.own_funds),
                words("case.off_farm"): money(application.off_farm_income),
                words("case.draw"): money(application.household_draw),
                words("case.debts"): money(application.debt_service),
            },
            border="horizontal",
        )
        right.markdown(f"**{words('case.consent')}**")
        for consent in case.consents:
            right.markdown(_consent(desk, consent))
        if not case.consents:
            right.markdown(words("case.consent_none"))


def _consent(desk: Desk, consent: Consent) -> str:
    words, formats = desk.words, desk.formats
    kinds = words("desk.list").join(words.code("data_kind", kind) for kind in consent.data_kinds)
    given = formats.day(formats.local(consent.given_at))
    line = words("case.consent_stands", day=given, version=plain(consent.text_version), kinds=kinds)
    if consent.withdrawn_at is not None:
        gone = words("case.consent_withdrawn", day=formats.day(formats.local(consent.withdrawn_at)))
        line = f"~~{line}~~ {gone}"
    return f"- {line}"


def _size(desk: Desk, case: Case) -> None:
    words = desk.words
    label = words("case.size" if case.offer is None else "case.resize")
    if not st.button(label, icon=":material/calculate:", type="secondary" if case.offer else "primary", key="size"):
        return
    try:
        desk.app.size_loan(case.application.id)
    except CropcreditError as error:
        trouble(desk, error)
        return
    st.toast(words("case.sized"), icon=":material/check:")
    st.rerun()
