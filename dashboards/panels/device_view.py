"""One device: is it put up rightly, how far it can be trusted, what is missing and what was refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import streamlit as st

from cropcredit.usecases.first_reading import Finding, InstallationCheck, Verdict
from dashboards import session
from dashboards.frame import panel
from dashboards.panels import conflicts, quarantine, sensors
from dashboards.session import Desk
from dashboards.words import plain

ICONS = {
    Verdict.OK: ":green[:material/check_circle:]",
    Verdict.LOOK: ":orange[:material/help:]",
    Verdict.WRONG: ":red[:material/cancel:]",
    Verdict.WAIT: ":blue[:material/hourglass_empty:]",
}


def show(desk: Desk, device_id: str) -> None:
    """Draw the wizard's findings, the grade at each of its places, its gaps and its refused messages."""
    words = desk.words
    if st.button(words("devices.back"), icon=":material/arrow_back:", type="tertiary"):
        session.go("devices")
    st.title(plain(device_id), anchor=False)
    found = desk.app.check_installation(device_id)
    _check(desk, found)
    for kind, place in _places(found):
        _at_place(desk, device_id, kind, place)
    _gaps(desk, device_id)
    conflicts.show(desk, device_id)
    quarantine.messages(desk, desk.app.show_quarantine(device_id=device_id, limit=quarantine.SHOWN))


def _check(desk: Desk, found: InstallationCheck) -> None:
    words = desk.words
    with panel(desk, words("installation.title"), found.at):
        st.markdown("  \n".join(f"{ICONS[one.verdict]} {worded(desk, one)}" for one in found.findings))
        st.caption(words(f"installation.{found.verdict}"))
        st.button(words("installation.again"), icon=":material/refresh:", key="installation_again")


def worded(desk: Desk, finding: Finding) -> str:
    """Put one finding into a sentence of the reader's language."""
    facts: dict[str, str] = {}
    for name, value in finding.facts:
        if name == "quantity":
            facts[name] = desk.quantity(str(value))
        elif name == "last":
            facts[name] = desk.formats.instant(datetime.fromisoformat(str(value)))
        elif name == "slip":
            facts[name] = desk.words(f"slip.{value}")
        else:
            facts[name] = plain(value) if isinstance(value, str) else desk.formats.number(value)
    quantity = desk.app.summarise_sensors.quantities.get(str(dict(finding.facts).get("quantity")))
    if "value" in facts and quantity is not None:
        facts["value"] += f" {desk.words.code('unit', quantity.unit)}"
    return desk.words.code("finding", finding.code, **facts)


def _places(found: InstallationCheck) -> list[tuple[str, str]]:
    """Give (field or store, its id), each once."""
    placed = [dict(one.facts) for one in found.findings if one.code == "placed"]
    return list(dict.fromkeys((str(facts["kind"]), str(facts["place"])) for facts in placed))


def _at_place(desk: Desk, device_id: str, kind: str, place: str) -> None:
    """Draw the grade and the series of this device alone; others at the place have their own page."""
    field_id, store_id = (place, "") if kind == "field" else ("", place)
    seen = desk.app.summarise_sensors(field_id=field_id, store_id=store_id)
    own = tuple(series for series in seen.series if series.device_id == device_id)
    names = {series.quantity.name: desk.quantity(series.quantity.name) for series in own}
    with panel(desk, desk.words("devices.at", place=plain(place)), seen.as_of):
        for device in seen.devices:
            if device.device_id == device_id:
                sensors.device(desk, device, names)
        if own:
            sensors.table(desk, replace(seen, series=own))


def _gaps(desk: Desk, device_id: str) -> None:
    words = desk.words
    gaps = desk.app.find_gaps([device_id])
    with panel(desk, words("devices.missing")):
        if not gaps:
            st.caption(words("devices.none_missing"))
            return
        st.table(
            {
                words("gaps.boot"): [gap.boot for gap in gaps],
                words("gaps.messages"): [f"{gap.first}–{gap.last} ({gap.size})" for gap in gaps],
                words("gaps.kind"): [words(f"gaps.{gap.kind}") for gap in gaps],
            },
            border="horizontal",
        )
