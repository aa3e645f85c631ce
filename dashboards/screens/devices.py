"""Page 3: the devices, for whoever keeps them running."""

from __future__ import annotations

import streamlit as st

from cropcredit.model import Role
from dashboards import session
from dashboards.frame import metric_row
from dashboards.panels import device_rows, device_view, quarantine

OPERATORS = (Role.AGRONOMIST, Role.ADMIN)
"""Who keeps the devices running; officers see the sensors of a case, as far as its family consented."""


def show() -> None:
    """Show which devices want somebody, and what was refused; a device in the address is opened."""
    desk = session.desk()
    words = desk.words
    device_id = st.query_params.get("device")
    if device_id:
        device_view.show(desk, device_id)
        return
    st.title(words("devices.title"), anchor=False)
    st.caption(words("devices.lead"))
    met = desk.app.oversee_devices()
    refused = desk.app.show_quarantine(limit=quarantine.SHOWN)
    metric_row(
        "figures_devices",
        [
            (words(f"life.{life}").capitalize(), f"{count:,}", words(f"life_help.{life}"))
            for life, count in met.lives.items()
        ]
        + [(words("devices.contradicted"), f"{met.contradicted:,}", words("devices.contradicted_help"))]
        + [(words("quarantine.title"), f"{sum(refused.by_reason.values()):,}", words("quarantine.help"))],
    )
    views = ("devices", "quarantine")
    view = st.segmented_control(
        words("devices.title"),
        views,
        format_func=lambda name: words(f"{name}.title"),
        default="devices",
        required=True,
        key="devices_view",
        label_visibility="collapsed",
    )
    if view == "devices":
        device_rows.show(desk, met)
    else:
        quarantine.show(desk, refused)
