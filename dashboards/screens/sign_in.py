"""The door."""

from __future__ import annotations

import streamlit as st

from cropcredit.errors import NotPermitted
from dashboards import session


def show() -> None:
    """Ask for name and password; say nothing about which of them was wrong."""
    desk = session.desk()
    words = desk.words
    _, middle, _ = st.columns([1, 1.4, 1])
    with middle:
        st.title(desk.app.settings.lender, anchor=False)
        st.caption(words("sign_in.promise"))
        with st.form("sign_in"):
            username = st.text_input(
                words("sign_in.username"), autocomplete="username", max_chars=64, key="sign_in_name"
            )
            password = st.text_input(
                words("sign_in.password"),
                type="password",
                autocomplete="current-password",
                max_chars=256,
                key="sign_in_password",
            )
            sent = st.form_submit_button(words("sign_in.enter"), type="primary", width="stretch", key="enter")
        if not sent:
            return
        try:
            account = desk.app.sign_in(username, password)
        except NotPermitted:
            st.error(words("sign_in.refused"), icon=":material/lock:")
            return
    session.sign_in(account)
    st.rerun()
