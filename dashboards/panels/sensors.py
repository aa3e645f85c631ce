"""What the sensors on the fields say, and how far each device can be trusted."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from cropcredit.usecases.case_evidence import CaseEvidence
from cropcredit.usecases.telemetry import DeviceEvidence, SensorSeries, SensorSummary
from dashboards.frame import panel
from dashboards.grades import sentence
from dashboards.session import Desk
from dashboards.words import plain

COLOURS: dict[str, Literal["green", "blue", "orange", "red"]] = {"A": "green", "B": "blue", "C": "orange", "D": "red"}


def sensors(desk: Desk, found: CaseEvidence) -> None:
    """Draw the devices with their grades and reasons, and one line per measured quantity."""
    words = desk.words
    with panel(desk, words("sensors.title"), found.as_of):
        if "sensors" in found.withheld:
            st.info(words("sensors.withheld"), icon=":material/visibility_off:")
        elif not found.sensors:
            st.caption(words("sensors.none"))
        for summary in found.sensors:
            names = {series.quantity.name: desk.quantity(series.quantity.name) for series in summary.series}
            for device_ in summary.devices:
                device(desk, device_, names)
            if summary.series:
                table(desk, summary)


def device(desk: Desk, found: DeviceEvidence, names: dict[str, str]) -> None:
    """Draw one device: its grade, and each reason with what to do about it."""
    words, grade = desk.words, found.evidence.grade.value
    badge = f":{COLOURS[grade]}-badge[{words('sensors.grade', grade=grade)}]"
    st.markdown(f"**{plain(found.device_id)}** &nbsp;{badge}", help=words(f"grade.{grade}"))
    told = [sentence(reason.code, reason.facts, names, words, desk.formats) for reason in found.evidence.reasons]
    if found.silent_since is not None:
        told.append(words("sensors.silent", instant=desk.formats.instant(found.silent_since)))
    if told:
        st.caption("\n".join(f"- {line}" for line in told))


def table(desk: Desk, summary: SensorSummary) -> None:
    """Draw one line per measured quantity."""
    words = desk.words
    window = _local_days(desk, summary)
    lines = {
        words("sensors.what"): [_measured(desk, series) for series in summary.series],
        words("sensors.latest"): [_latest(desk, series, window) for series in summary.series],
        words("sensors.days"): [
            words("sensors.of_days", days=len(series.days), window=window) for series in summary.series
        ],
    }
    st.table(lines, border="horizontal")


def _measured(desk: Desk, series: SensorSeries) -> str:
    """Name what was measured, with its depth in the soil, or the channel that tells it from others.

    One depth may be given for all channels of a device: it says nothing of the air, nor of a channel named otherwise.
    """
    name = desk.quantity(series.quantity.name)
    buried = series.depth_cm is not None and series.quantity.name.startswith("soil.")
    if buried and series.channel in ("", f"d{series.depth_cm:g}"):
        return desk.words("sensors.depth", name=name, depth=f"{series.depth_cm:g}")
    return f"{name} {series.channel}".rstrip()


def _latest(desk: Desk, series: SensorSeries, window: int) -> str:
    """Write the latest value; of a counter, what it gained over the window."""
    unit = desk.words.code("unit", series.quantity.unit)
    if series.total_rise is not None:
        return desk.words("sensors.gained", value=f"{desk.formats.number(series.total_rise)} {unit}", window=window)
    value = f"{desk.formats.number(series.last_value)} {unit}"
    return desk.words("sensors.at", value=value, instant=desk.formats.instant(series.last_at))


def _local_days(desk: Desk, summary: SensorSummary) -> int:
    """Count the calendar days that the window touches, as the daily summaries do."""
    return (desk.formats.local(summary.as_of) - desk.formats.local(summary.since)).days + 1
