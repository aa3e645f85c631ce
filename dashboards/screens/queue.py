"""Page 1: the queue."""

from __future__ import annotations

import streamlit as st

from dashboards import session
from dashboards.frame import page_of
from dashboards.panels import rows

PER_PAGE = 8


def show() -> None:
    """Show the cases of the person's branch, those waiting for the person first."""
    desk = session.desk()
    words = desk.words
    everything = desk.app.queue(desk.person)
    mine = [row for row in everything if row.waiting_for_me]
    st.title(words("queue.title"), anchor=False)
    st.caption(words("queue.lead"))
    left, middle, right = st.columns([2.2, 1, 1.2], vertical_alignment="bottom")
    views = {"mine": mine, "all": everything}
    view = left.segmented_control(
        words("queue.title"),
        list(views),
        format_func=lambda name: words(f"queue.{name}", count=len(views[name])),
        default="mine" if mine else "all",
        required=True,
        key="queue_view",
        label_visibility="collapsed",
    )
    stage = middle.selectbox(
        words("queue.stage"),
        ["", *rows.stages(everything)],
        format_func=lambda name: words(f"stage.{name}") if name else words("queue.any_stage"),
        key=f"queue_stage_{words.language}",  # a chosen label would stay in the other language
    )
    wanted = right.text_input(words("queue.search"), key="queue_search", max_chars=60)
    found = rows.matching(views[view], stage, wanted)
    if not found:
        st.info(words("queue.empty"), icon=":material/inbox:")
        return
    shown = page_of(found, PER_PAGE, desk, key="queue")
    for row in shown:
        if rows.draw(desk, row):
            session.go("case", application=row.application_id)
