"""What stands around every page: the sidebar, the synthetic-data banner, the panel heads."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar

import streamlit as st

from cropcredit.errors import (
    CropcreditError,
    MissingEvidence,
    NotPermitted,
    RefusedInput,
    StateConflict,
    StoreUnavailable,
)
from dashboards import session
from dashboards.session import Desk
from dashboards.words import LANGUAGES, plain

RowT = TypeVar("RowT")

LEAF = """<svg xmlns="http://www.w3.org/2000/svg" width="26" height="26" viewBox="0 0 24 24">
<path fill="#1f6f4a" d="M20 3C11 3 5 7 5 14c0 1.6.4 3 1 4.2C8 13 11 10 15 8.5 11 11 8.5 14.5 7 21h2
 c.3-1.2.7-2.3 1-3.2 7 .7 10-5.3 10-14.8z"/>
</svg>"""
"""Drawn here: a Material icon in the browser's tab would be asked from a public font host."""

LEAF_URL = "data:image/svg+xml;base64," + base64.b64encode(LEAF.encode()).decode()

STYLE = """
<style>
[data-testid="stMainBlockContainer"] {padding-top: 2.6rem; padding-bottom: 3rem; max-width: 1240px;}
[data-testid="stMetricLabel"] p {font-size: 0.85rem; color: #5b6761; white-space: normal;}
[data-testid="stMetricValue"] {font-variant-numeric: tabular-nums; font-weight: 600;}
[data-testid="stMetricValue"] * {line-height: 1.6;}
[data-testid="stAlertContainer"] {padding: 0.55rem 0.8rem;}
[class*="st-key-row_"] [data-testid="stVerticalBlock"] {gap: 0.15rem;}
.lender {display: flex; gap: 0.5rem; align-items: center; font-weight: 700; line-height: 1.35; color: #22302a;}
@media (max-width: 640px) {
  [data-testid="stMainBlockContainer"] {padding-top: 4.2rem; padding-left: 0.8rem; padding-right: 0.8rem;}
  [class*="st-key-figures"] [data-testid="stHorizontalBlock"] > div {min-width: calc(50% - 0.5rem); flex: 1 1 45%;}
  [class*="st-key-row_"] [data-testid="stHorizontalBlock"] > div {min-width: calc(50% - 0.5rem); flex: 1 1 45%;}
  [class*="st-key-row_"] [data-testid="stHorizontalBlock"] > div:first-child {min-width: 100%;}
}
</style>
"""


def sidebar(desk: Desk) -> None:
    """Show the lender, who sits here, the language switch and the way out."""
    words = desk.words
    with st.sidebar:
        name = html.escape(desk.app.settings.lender)
        st.html(f'<div class="lender"><img src="{LEAF_URL}" width="26" alt=""><span>{name}</span></div>')
        if desk.account is not None:
            role = words(f"role.{desk.account.role}")
            everywhere = desk.account.branch == "*"
            where = (
                words("desk.all_branches") if everywhere else words("case.branch", branch=plain(desk.account.branch))
            )
            st.caption(f"{plain(desk.account.full_name)} · {role}  \n{where}")
        st.session_state["language_switch"] = words.language  # who signs in may bring another language along
        st.segmented_control(
            words("desk.language"),
            list(LANGUAGES),
            format_func=LANGUAGES.__getitem__,
            required=True,
            key="language_switch",
            on_change=_switch,
        )
        if desk.account is not None:
            st.button(words("desk.sign_out"), icon=":material/logout:", on_click=session.sign_out, key="sign_out")


def _switch() -> None:
    st.session_state["language"] = st.session_state["language_switch"]


def banner(desk: Desk) -> None:
    """Style the page, and say on every screen when the data are made up."""
    st.html(STYLE)
    if desk.app.settings.synthetic:
        st.warning(desk.words("desk.synthetic"), icon=":material/science:")


@contextmanager
def panel(desk: Desk, title: str, as_of: datetime | None = None) -> Iterator[None]:
    """Open a bordered panel with its title and the instant its data stand for."""
    with st.container(border=True, gap="xsmall"):
        head = f"##### {title}"
        if as_of is not None:
            head += f" &nbsp; :gray-badge[{desk.words('desk.as_of', instant=desk.formats.instant(as_of))}]"
        st.markdown(head)
        yield


def trouble(desk: Desk, error: CropcreditError) -> None:
    """Say in the reader's language what kind of refusal this is, and below it the facts as the use case put them."""
    kinds = (MissingEvidence, RefusedInput, NotPermitted, StateConflict, StoreUnavailable)
    kind = next((kind.__name__ for kind in kinds if isinstance(error, kind)), "RefusedInput")
    st.error(desk.words(f"trouble.{kind}"), icon=":material/block:")
    st.caption(plain(str(error)))


def metric_row(key: str, numbers: Sequence[tuple[str, str, str]]) -> None:
    """Show numbers side by side, each as (label, value, help); on a phone two in a row."""
    with st.container(key=key):
        for column, (label, value, help_) in zip(st.columns(len(numbers), gap="xsmall"), numbers, strict=True):
            with column, st.container(border=True, height="stretch", gap="xxsmall"):
                st.metric(label, value, help=help_)


def cell(column: st.delta_generator.DeltaGenerator, label: str, value: str) -> None:
    """Write a labelled value into a column of a row."""
    column.caption(label)
    column.markdown(value)


def page_of(rows: Sequence[RowT], size: int, desk: Desk, *, key: str) -> Sequence[RowT]:
    """Cut out the page that is open, and show where it lies; rows beyond it never travel to the browser."""
    pages = -(-len(rows) // size)
    left, right = st.columns([1, 2], vertical_alignment="center")
    number = 1
    if pages > 1:
        with right.container(horizontal_alignment="right"):
            number = st.pagination(pages, key=f"{key}_page_{pages}")
    first = (number - 1) * size
    shown = rows[first : first + size]
    left.caption(desk.words("desk.count", first=first + 1, last=first + len(shown), total=len(rows)))
    return shown
