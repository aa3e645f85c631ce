"""The applicant's stored grain: what was inspected, what can be counted on, and what is wrong."""

from __future__ import annotations

import streamlit as st

from cropcredit.usecases.case_evidence import CaseEvidence
from cropcredit.usecases.inventory import StoredLot
from dashboards.frame import panel
from dashboards.session import Desk
from dashboards.words import plain


def grain(desk: Desk, found: CaseEvidence) -> None:
    """Draw each lot; nothing is drawn where there is none."""
    if not found.stock:
        return
    words = desk.words
    with panel(desk, words("grain.title"), found.as_of):
        for lot in found.stock:
            _lot(desk, lot)
        st.caption(words("grain.rule"))


def _lot(desk: Desk, one: StoredLot) -> None:
    words, counted = desk.words, one.quantity
    st.markdown(f"**{plain(one.lot.id)}** · {desk.crop(one.lot.crop)} {one.lot.harvest_year}")
    kilograms = words.code("unit", "kg")
    values = {
        "inspected": words("grain.never")
        if counted.inspected_kg is None
        else f"{counted.inspected_kg:,.0f} {kilograms}",
        "standard": f"{counted.standard_kg:,.0f} {kilograms}",
        "haircut": desk.formats.share(counted.haircut),
        "counts": f"{counted.pledgeable_kg:,.0f} {kilograms}",
    }
    st.table({words(f"grain.{name}"): [value] for name, value in values.items()}, border="horizontal")
    for alarm in one.alarms:
        facts = {
            name: value if isinstance(value, str) else desk.formats.share(value) if name == "share" else f"{value:,.4g}"
            for name, value in alarm.facts
        }
        st.warning(words.code("grain_alarm", alarm.code, **facts), icon=":material/warning:")
