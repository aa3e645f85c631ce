"""Entry of the desk: ``cropcredit dashboard`` serves this script."""

from __future__ import annotations

import streamlit as st

from dashboards import frame, session
from dashboards.screens import case, devices, queue, sign_in


def main() -> None:
    """Draw the frame, then the page this person may see."""
    desk = session.desk()
    words = desk.words
    st.set_page_config(
        page_title=desk.app.settings.lender, page_icon=frame.LEAF, layout="wide", initial_sidebar_state=230
    )
    signed_in = desk.account is not None
    places = {
        "queue": st.Page(
            queue.show if signed_in else sign_in.show,
            title=words("queue.title"),
            icon=":material/list_alt:",
            url_path="queue",
            default=True,
        ),
        "case": st.Page(
            case.show if signed_in else sign_in.show,
            title=words("case.title"),
            icon=":material/folder_open:",
            url_path="case",
        ),
    }
    if signed_in and desk.person.role in devices.OPERATORS:
        places["devices"] = st.Page(
            devices.show, title=words("devices.title"), icon=":material/sensors:", url_path="devices"
        )
    st.session_state["places"] = places
    page = st.navigation(list(places.values()), position="sidebar" if signed_in else "hidden")
    frame.sidebar(desk)
    frame.banner(desk)
    page.run()


main()
