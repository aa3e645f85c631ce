"""Page 2: one case, from the person to the decision."""

from __future__ import annotations

import streamlit as st

from cropcredit.errors import NotPermitted, UnknownRecord
from dashboards import session
from dashboards.panels import decision, head, land, sizing


def show() -> None:
    """Show the case named in the address."""
    desk = session.desk()
    words = desk.words
    application_id = st.query_params.get("application")
    if not application_id:
        st.info(words("case.choose"), icon=":material/folder_open:")
        return
    try:
        case = desk.app.open_case(application_id, desk.person)
    except (NotPermitted, UnknownRecord):
        st.error(words("case.absent"), icon=":material/block:")
        return
    if st.button(words("case.back"), icon=":material/arrow_back:", type="tertiary"):
        session.go("queue")
    head.show(desk, case)
    if case.offer is not None:
        sizing.figures(desk, case.application, case.offer)
    land.show(desk, case)
    if case.offer is not None:
        left, right = st.columns([1.35, 1])
        with left:
            sizing.ladder(desk, case.offer)
            sizing.reasons(desk, case.offer)
        with right:
            sizing.cash(desk, case.offer)
            sizing.price(desk, case.offer)
    decision.show(desk, case)
