"""Where the fields lie, how they grew, what they are expected to give, what the sensors say."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from cropcredit.model import YieldEstimate
from cropcredit.usecases.case_evidence import CaseEvidence
from cropcredit.usecases.cases import Case, CasePlanting
from dashboards import charts, maps
from dashboards.frame import panel
from dashboards.panels.evidence import evidence
from dashboards.panels.grain import grain
from dashboards.panels.sensors import sensors
from dashboards.session import Desk
from dashboards.words import plain

ROOM_FOR_NAMES = 3
"""More plantings than this are only numbered on the map."""


def show(desk: Desk, case: Case) -> None:
    """Draw map, curve and yield side by side; the map stays out of the part that a choice redraws."""
    found = desk.app.case_evidence(case.application.id, desk.person)
    left, right = st.columns([1, 1.35])
    with left:
        with panel(desk, desk.words("land.title"), found.as_of):
            _map(desk, case)
        sensors(desk, found)
    with right:
        _growth(desk, case, found)
        grain(desk, found)


def _map(desk: Desk, case: Case) -> None:
    words = desk.words
    placed = {view.field.id: view.field for view in case.plantings if view.field is not None}
    if placed:
        labels = [_label(desk, case, field_id) for field_id in placed]
        crops = [view.planting.crop for view in case.plantings]
        first = {view.planting.field_id: view.planting.crop for view in reversed(case.plantings)}
        deck = maps.field_map(list(placed.values()), labels, [crops.index(first[field_id]) for field_id in placed])
        st.pydeck_chart(deck, height=280, key="map", alt=words("land.map"))
    for view in case.plantings:
        st.markdown(f"**{_name(desk, case, view)}**")
        st.caption(_about(desk, view))


def _label(desk: Desk, case: Case, field_id: str) -> str:
    """Name what grows on a field; where there are many plantings, their numbers alone, as in the list below."""
    here = [view for view in case.plantings if view.planting.field_id == field_id]
    if len(case.plantings) > ROOM_FOR_NAMES:
        return ", ".join(str(_number(case, view)) for view in here)
    return "\n".join(f"{_number(case, view)} {desk.crop(view.planting.crop)}" for view in here)


def _number(case: Case, view: CasePlanting) -> int:
    return case.plantings.index(view) + 1


def _name(desk: Desk, case: Case, view: CasePlanting) -> str:
    return f"{_number(case, view)} · {desk.crop(view.planting.crop)} · {plain(view.planting.field_id)}"


def _about(desk: Desk, view: CasePlanting) -> str:
    words, formats, planting = desk.words, desk.formats, view.planting
    when = words("land.sown", sown=formats.day(planting.sowing_on), harvest=formats.day(planting.harvest_on))
    if view.field is None:
        return f"{words('land.no_boundary')} {when}"
    areas = words(
        "land.area", declared=formats.area(planting.declared_area_ha), measured=formats.area(view.field.area_ha)
    )
    return f"{areas}  \n{when}"


@st.fragment
def _growth(desk: Desk, case: Case, found: CaseEvidence) -> None:
    words = desk.words
    if not case.plantings:
        return
    with panel(desk, words("curve.title"), found.seen_as_of or found.as_of):
        view = case.plantings[0]
        if len(case.plantings) > 1:
            views = {each.planting.id: each for each in case.plantings}
            chosen = st.segmented_control(
                words("land.planting"),
                list(views),
                format_func=lambda name: f"{_number(case, views[name])} {desk.crop(views[name].planting.crop)}",
                default=view.planting.id,
                required=True,
                key="planting",
                label_visibility="collapsed",
            )
            view = views[chosen]
        _curve(desk, view, found)
        if "satellite" in found.withheld:
            return  # a yield that was learned from the curve tells what the curve would
        st.markdown(f"##### {words('yield.title')}")
        if view.estimate is None:
            st.caption(words("yield.none"))
        else:
            _yield(desk, view.estimate, view.estimate.as_of)
        if case.offer is not None:
            evidence(desk, case.offer, "yield")


def _curve(desk: Desk, view: CasePlanting, found: CaseEvidence) -> None:
    words = desk.words
    curve = found.curves.get(view.planting.field_id)
    if "satellite" in found.withheld:
        st.info(words("curve.withheld"), icon=":material/visibility_off:")
    elif curve is None or not curve.points:
        st.caption(words("curve.none"))
    else:
        chart = charts.ndvi_curve(curve, view.planting, words, desk.formats)
        st.altair_chart(chart, alt=words("curve.title"))
        st.caption(" ".join((words("curve.caption"), words("curve.mixed") if curve.mixed_pixel else "")))


def _yield(desk: Desk, estimate: YieldEstimate, as_of: datetime) -> None:
    words, formats = desk.words, desk.formats
    low, middle, high = (formats.yield_per_area(estimate.quantile(p)) for p in (0.05, 0.5, 0.95))
    st.markdown(words("yield.sentence", low=low, middle=middle, high=high))
    st.altair_chart(charts.yield_interval(estimate, words), alt=words("yield.title"))
    told = [
        words(
            "yield.compared",
            name=words.code("yield_baseline", estimate.baseline),
            value=formats.yield_per_area(estimate.baseline_t_ha),
        ),
        _skill(desk, estimate.skill),
        words("yield.quality", flag=estimate.qa_flag),
        _verified(desk, estimate),
        *(words.code("estimate_reason", code) for code in estimate.reasons if code != "model_no_skill"),
    ]
    if estimate.growth_percentile is not None:
        told.append(words("yield.percentile", rank=f"{estimate.growth_percentile:.0f}"))
    told.append(words("desk.as_of", instant=formats.instant(as_of)))
    st.caption("\n".join(f"- {line}" for line in told))


def _verified(desk: Desk, estimate: YieldEstimate) -> str:
    said = desk.words.code("verification", estimate.verification)
    if estimate.verification_confidence is None:
        return said
    return f"{said} {desk.words('yield.doubt', share=desk.formats.share(estimate.verification_confidence))}"


def _skill(desk: Desk, skill: float | None) -> str:
    words = desk.words
    if skill is None:
        return words("yield.no_skill")
    return words("yield.skill" if skill > 0 else "yield.lost", skill=desk.formats.share(skill))
