"""The devices one by one: how each is doing, what is missing of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

import streamlit as st

from cropcredit.usecases.oversee import DeviceRound, Life, Round
from dashboards import session
from dashboards.frame import cell, page_of
from dashboards.session import Desk
from dashboards.words import plain

PER_PAGE = 12
COLOURS: dict[Life, Literal["orange", "gray", "green", "red"]] = {
    Life.SILENT: "orange",
    Life.REFUSED: "red",
    Life.NEVER: "gray",
    Life.HEARD: "green",
    Life.REVOKED: "red",
}


def show(desk: Desk, met: Round) -> None:
    """Draw a page of the devices that fit."""
    words = desk.words
    left, right = st.columns([2.2, 1.2], vertical_alignment="bottom")
    life = left.segmented_control(
        words("devices.show"),
        ["", *(life for life, count in met.lives.items() if count)],
        format_func=lambda name: words(f"life.{name}") if name else words("devices.all"),
        default="",
        required=True,
        key=f"devices_life_{words.language}",
    )
    wanted = right.text_input(words("devices.search"), key="devices_search", max_chars=64)
    found = matching(met.devices, life or "", wanted)
    if not found:
        st.info(words("devices.empty"), icon=":material/sensors_off:")
        return
    for one in page_of(found, PER_PAGE, desk, key="devices"):
        if _draw(desk, one, met):
            session.go("devices", device=one.device_id)


def matching(devices: Sequence[DeviceRound], life: str, wanted: str) -> list[DeviceRound]:
    """Choose the devices of a kind (empty: all) whose id, model or place contains ``wanted``."""
    needle = wanted.strip().casefold()
    return [
        one
        for one in devices
        if life in ("", one.life)
        and needle in " ".join((one.device_id, one.status.device.model, *one.places)).casefold()
    ]


def _draw(desk: Desk, one: DeviceRound, met: Round) -> bool:
    words = desk.words
    with st.container(border=True, key=f"row_{one.device_id}"):
        who, heard, missing, door = st.columns([2.4, 2.2, 2.2, 0.9], vertical_alignment="center")
        badge = f":{COLOURS[one.life]}-badge[{words(f'life.{one.life}')}]"
        who.markdown(f"**{plain(one.device_id)}** &nbsp;{badge}")
        who.caption(" · ".join(plain(part) for part in (one.status.device.model, *one.places) if part))
        fork, refused, seen = one.status.fork, one.status.refused, one.status.last_seen
        if fork is not None:
            who.markdown(f":red-badge[{words('devices.cloned', count=fork.count)}]")
        cell(heard, words("devices.heard"), words("devices.never") if seen is None else ago(desk, met.at - seen))
        if refused is not None:
            heard.caption(words("devices.refused", count=f"{refused.count:,}", ago=ago(desk, met.at - refused.last_at)))
        told = [
            words(f"devices.{name}", count=count)
            for name, count in (("open", one.open_messages), ("lost", one.lost_messages))
            if count
        ]
        cell(missing, words("devices.missing"), words("desk.list").join(told) or words("devices.none_missing"))
        return door.button(words("devices.look"), key=f"look_{one.device_id}", width="stretch")


def ago(desk: Desk, passed: timedelta) -> str:
    """Write how long ago something was, in its largest sensible unit."""
    minutes = max(0, round(passed / timedelta(minutes=1)))
    for name, size in (("days", 1440), ("hours", 60)):
        if minutes >= 2 * size:
            return desk.words(f"devices.ago_{name}", count=minutes // size)
    return desk.words("devices.ago_minutes", count=minutes)
