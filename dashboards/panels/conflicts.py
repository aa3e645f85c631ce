"""What contradicts a device's stored readings: a sign of a cloned key, or of firmware that counts wrongly."""

from __future__ import annotations

import streamlit as st

from cropcredit.model import Reading
from dashboards.frame import panel
from dashboards.session import Desk

SHOWN = 20


def show(desk: Desk, device_id: str) -> None:
    """Draw the contradictions of one device, the latest first; nothing where there are none."""
    words = desk.words
    found = sorted(desk.app.show_conflicts([device_id]), key=lambda one: one.received_at, reverse=True)
    if not found:
        return
    with panel(desk, words("conflicts.title", count=f"{len(found):,}")):
        st.warning(words("conflicts.lead"), icon=":material/content_copy:")
        shown = found[:SHOWN]
        st.table(
            {
                words("conflicts.message"): [f"{one.said.boot}, {one.said.seq}" for one in shown],
                words("conflicts.arrived"): [desk.formats.instant(one.received_at) for one in shown],
                words("conflicts.stands"): [_measured(desk, one.stands) for one in shown],
                words("conflicts.said"): [_measured(desk, one.said) for one in shown],
            },
            border="horizontal",
        )
        if len(found) > SHOWN:
            st.caption(words("conflicts.more", count=SHOWN))


def _measured(desk: Desk, reading: Reading) -> str:
    """Write what a message measured, each with its channel and unit."""
    units = desk.app.summarise_sensors.quantities
    values = [
        " ".join(
            part
            for part in (
                desk.quantity(one.quantity),
                one.channel,
                desk.formats.number(one.value),
                desk.words.code("unit", units[one.quantity].unit) if one.quantity in units else "",
            )
            if part
        )
        for one in reading.measurements
    ]
    return desk.words("desk.list").join(values) or desk.words("conflicts.nothing")
