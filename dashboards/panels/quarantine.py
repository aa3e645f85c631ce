"""What was refused, why, what to do about it, and the button that tries it again."""

from __future__ import annotations

import streamlit as st

from cropcredit.usecases.quarantine import QuarantineView
from dashboards.frame import panel
from dashboards.session import Desk
from dashboards.words import plain

SHOWN = 50
EXCERPT = 160


def show(desk: Desk, found: QuarantineView) -> None:
    """Draw the reasons with their counts and the latest messages."""
    words = desk.words
    told = st.session_state.pop("replayed", "")
    if told:
        st.success(told, icon=":material/replay:")
    if not found.by_reason:
        st.info(words("quarantine.empty"), icon=":material/verified:")
        return
    with panel(desk, words("quarantine.reasons")):
        for reason, count in sorted(found.by_reason.items(), key=lambda item: -item[1]):
            what, number, door = st.columns([4, 0.8, 1.2], vertical_alignment="center")
            what.markdown(f"**{words.code('refusal', reason)}**")
            what.caption(words.code("refusal_cure", reason))
            number.markdown(f"{count:,}")
            door.button(
                words("quarantine.replay"),
                icon=":material/replay:",
                key=f"replay_{reason}",
                width="stretch",
                on_click=_replay,
                args=(desk, reason),
                help=words("quarantine.replay_help"),
            )
    messages(desk, found)


def messages(desk: Desk, found: QuarantineView) -> None:
    """Draw the latest messages with the beginning of their bytes."""
    words = desk.words
    total = sum(found.by_reason.values())
    latest = words("quarantine.latest", count=len(found.messages), total=f"{total:,}")
    with panel(desk, latest if total else words("quarantine.title")):
        if not found.messages:
            st.caption(words("quarantine.empty"))
        for one in found.messages:
            said = one.rejection
            times = words("quarantine.times", count=one.times) if one.times > 1 else ""
            head = " · ".join(
                part
                for part in (
                    desk.formats.instant(one.last_at),
                    plain(said.device_id or said.topic),
                    words.code("refusal", said.reason),
                    times,
                )
                if part
            )
            with st.expander(head):
                st.caption(plain(said.detail))
                st.code(said.payload[:EXCERPT].decode("utf-8", "backslashreplace"), language=None, wrap_lines=True)


def _replay(desk: Desk, reason: str) -> None:
    done = desk.app.replay_quarantine(reason=reason)
    refused = sum(done.refused.values())
    st.session_state["replayed"] = desk.words("quarantine.replayed", passed=done.passed, refused=refused)
