"""The rows of the queue: choose them, page them, draw one."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cropcredit.usecases.cases import QueueRow
from cropcredit.usecases.workflow import Stage
from dashboards.frame import cell
from dashboards.session import Desk
from dashboards.words import plain

COLOURS = {
    Stage.NEW: "gray",
    Stage.SIZED: "blue",
    Stage.RECOMMENDED: "orange",
    Stage.RETURNED: "orange",
    Stage.REFERRED: "violet",
    Stage.APPROVED: "green",
    Stage.DECLINED: "red",
    Stage.BOOKED: "green",
}


def stages(rows: Sequence[QueueRow]) -> list[str]:
    """Name the stages that occur, in the order a case goes through them."""
    present = {row.stage for row in rows}
    return [stage.value for stage in Stage if stage in present]


def matching(rows: Sequence[QueueRow], stage: str, wanted: str) -> list[QueueRow]:
    """Choose the rows of a stage (empty: all) whose name or number contains ``wanted``."""
    needle = wanted.strip().casefold()
    return [
        row
        for row in rows
        if stage in ("", row.stage) and needle in f"{row.party_name} {row.application_id}".casefold()
    ]


def draw(desk: Desk, row: QueueRow) -> bool:
    """Draw one case; True when it was opened."""
    words, formats = desk.words, desk.formats
    crops = words("desk.list").join(desk.crop(code) for code in row.crops)
    with st.container(border=True, key=f"row_{row.application_id}"):
        who, asked, limit, rule, risk, gaps, door = st.columns(
            [2.3, 1.3, 1.3, 1.2, 1.3, 1.3, 0.9], vertical_alignment="center"
        )
        badge = f":{COLOURS[row.stage]}-badge[{words(f'stage.{row.stage}')}]"
        who.markdown(f"**{plain(row.party_name)}** &nbsp;{badge}")
        who.caption(" · ".join(plain(part) for part in (row.application_id, crops) if part))
        who.caption(formats.area(row.declared_area_ha))
        cell(asked, words("queue.requested"), formats.money(row.requested))
        cell(limit, words("queue.limit"), formats.money(row.offered) if row.offered else words("queue.not_sized"))
        cell(rule, words("queue.binding"), words.code("rule.name", row.binding) if row.binding else words("desk.none"))
        share = row.shortfall_at_offer
        cell(risk, words("queue.risk"), words("desk.none") if share is None else formats.share(share))
        gaps.caption(words("queue.missing"))
        gaps.markdown(
            " ".join(f":orange-badge[{words.code('missing', name)}]" for name in row.gaps)
            or f":material/check: {words('queue.complete')}"
        )
        return door.button(
            words("queue.open"),
            key=f"open_{row.application_id}",
            type="primary" if row.waiting_for_me else "secondary",
            width="stretch",
        )
