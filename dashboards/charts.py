"""The desk's charts: altair specifications over plain rows; nothing is computed that an officer could dispute."""

from __future__ import annotations

from datetime import date
from typing import Any

import altair as alt

from cropcredit.model import Cap, Money, Offer, Planting, YieldEstimate
from cropcredit.usecases.case_evidence import Curve
from dashboards.formats import Formats
from dashboards.words import Words

Layers = alt.LayerChart | alt.FacetChart
"""What altair says a layering gives; ours are never facetted."""

GREEN, INK, QUIET, PALE, AMBER, RED = "#1f6f4a", "#22302a", "#b9c4bd", "#e3e9e5", "#c77700", "#b3413a"
FAR = 1.25
"""A ceiling further off than this times the largest amount at stake is drawn pale, and cut at the edge."""


def _day(value: date) -> str:
    """Write a day so that every browser reads it as local midnight, in any time zone."""
    return f"{value.isoformat()}T00:00:00"


def _months(words: Words) -> alt.Axis:
    form = "%Y年%-m月" if words.language == "zh" else "%b %Y"
    return alt.Axis(title=None, format=form, labelAngle=0, labelOverlap=True, grid=False, tickCount="month")


def _chart(*rows: dict[str, Any]) -> alt.Chart:
    return alt.Chart(alt.InlineData(list(rows)))


def ndvi_curve(curve: Curve, planting: Planting, words: Words, formats: Formats) -> Layers:
    """Draw observations (size and strength by clear fraction), the smoothed line, sowing and harvest.

    Parameters
    ----------
    curve : Curve
        NDVI is unitless, in [-1, 1]; days are local.
    """
    seen = [
        {
            "on": _day(point.on),
            "ndvi": point.ndvi,
            "clear": point.clear_fraction,
            "kept": words("curve.kept" if point.kept else "curve.dropped"),
            "told": formats.day(point.on),
            "share": formats.share(point.clear_fraction),
        }
        for point in curve.points
    ]
    line = [{"on": _day(on), "ndvi": value} for on, value in curve.line]
    marks = [
        {"on": _day(planting.sowing_on), "what": words("curve.sown")},
        {"on": _day(planting.harvest_on), "what": words("curve.harvest")},
    ]
    x = alt.X("on:T", axis=_months(words))
    y = alt.Y("ndvi:Q", title="NDVI", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(tickCount=5))
    clear = words("curve.clear")
    kept = alt.Scale(domain=[words("curve.kept"), words("curve.dropped")], range=[GREEN, AMBER])
    points = (
        _chart(*seen)
        .mark_circle()
        .encode(
            x=x,
            y=y,
            color=alt.Color("kept:N", scale=kept, legend=alt.Legend(title=None, orient="top")),
            size=alt.Size("clear:Q", scale=alt.Scale(domain=[0, 1], range=[12, 110]), legend=None),
            opacity=alt.Opacity("clear:Q", scale=alt.Scale(domain=[0, 1], range=[0.2, 0.85]), legend=None),
            tooltip=[
                alt.Tooltip("told:N", title=words("curve.day")),
                alt.Tooltip("ndvi:Q", title="NDVI", format=".2f"),
                alt.Tooltip("share:N", title=clear),
                alt.Tooltip("kept:N", title=words("curve.use")),
            ],
        )
    )
    smooth = _chart(*line).mark_line(color=GREEN, strokeWidth=2.5).encode(x=x, y=y)
    rules = _chart(*marks).mark_rule(color=QUIET, strokeDash=[4, 4]).encode(x=x)
    names = _chart(*marks).mark_text(align="left", dx=4, baseline="top", color="#66736c")
    return alt.layer(rules, names.encode(x=x, y=alt.value(2), text="what:N"), smooth, points).properties(height=250)


def yield_interval(estimate: YieldEstimate, words: Words) -> Layers:
    """Draw P05-P95 and P25-P75 as bars, the median as a tick and the baseline as a diamond, in t/ha."""
    low, lower, middle, upper, high = (estimate.quantile(p) for p in (0.05, 0.25, 0.5, 0.75, 0.95))
    y = alt.Y("row:N", axis=None)
    span = alt.X("low:Q", title=words("yield.axis"), scale=alt.Scale(zero=True), axis=alt.Axis(tickCount=6, grid=True))

    tips = [
        alt.Tooltip("told:N", title=words("yield.what")),
        alt.Tooltip("low:Q", title=words("yield.from"), format=".2f"),
        alt.Tooltip("high:Q", title=words("yield.to"), format=".2f"),
    ]

    def bar(a: float, b: float, *, thick: int, strength: float, told: str) -> Any:
        mark = _chart({"row": "", "low": a, "high": b, "told": told}).mark_bar(
            size=thick, color=GREEN, opacity=strength, cornerRadius=3
        )
        return mark.encode(x=span, x2="high:Q", y=y, tooltip=tips)

    def point(value: float, told: str, **mark: Any) -> Any:
        drawn = _chart({"row": "", "low": value, "told": told}).mark_point(filled=True, opacity=1, **mark)
        return drawn.encode(x=span, y=y, tooltip=tips[:2])

    return alt.layer(
        bar(low, high, thick=16, strength=0.25, told=words("yield.p90")),
        bar(lower, upper, thick=26, strength=0.55, told=words("yield.p50")),
        point(middle, words("yield.median"), shape="stroke", size=900, angle=90, stroke=INK, strokeWidth=3),
        point(estimate.baseline_t_ha, words("yield.baseline"), shape="diamond", size=150, color=AMBER),
    ).properties(height=90)


def ladder(caps: tuple[Cap, ...], binding: str, offered: Money, words: Words, formats: Formats) -> Layers:
    """Draw each cap as a bar in the order of the rules; the binding one stands out, a line marks the offer."""
    near = max(float(cap.amount.major) for cap in caps if cap.rule in ("requested", "need", binding))
    names = [words.code("rule.name", cap.rule) for cap in caps]
    rows = [
        {
            "rule": name,
            "amount": float(cap.amount.major),
            "told": formats.money(cap.amount),
            "binds": cap.rule == binding,
            "far": float(cap.amount.major) > FAR * near,
        }
        for name, cap in zip(names, caps, strict=True)
    ]
    y = alt.Y("rule:N", sort=names, title=None, axis=alt.Axis(labelLimit=170, labelFontSize=13, ticks=False))
    scale = alt.Scale(nice=False, domain=[0, FAR * near], clamp=True)  # a far ceiling must not flatten the rest
    x = alt.X("amount:Q", axis=None, scale=scale)
    base = _chart(*rows).encode(y=y, x=x)
    bars = base.mark_bar(size=20, cornerRadiusEnd=3).encode(
        color=alt.when("datum.binds")
        .then(alt.value(GREEN))
        .when("datum.far")
        .then(alt.value(PALE))
        .otherwise(alt.value(QUIET)),
        tooltip=[alt.Tooltip("rule:N", title=words("sizing.rule")), alt.Tooltip("told:N", title=words("sizing.cap"))],
    )
    text = base.mark_text(align="left", dx=8, color=INK, fontSize=13).encode(text="told:N")
    limit = _chart({"amount": float(offered.major)}).mark_rule(color=GREEN, strokeDash=[5, 3]).encode(x=x)
    return alt.layer(bars, limit, text).properties(height=34 * len(rows) + 10, padding={"right": 90})


def cash(offer: Offer, due: Money, words: Words, formats: Formats) -> Layers:
    """Draw the cash of worse and better seasons against what falls due; seasons that fall short stand out.

    Parameters
    ----------
    due : Money
        Principal and interest of the whole schedule.
    """
    rows = [
        {
            "season": words("cash.season", share=f"{100 * probability:g}"),
            "amount": float(amount.major),
            "told": formats.money(amount),
            "short": amount < due,
        }
        for probability, amount in offer.cash_quantiles
    ]
    x = alt.X("season:N", sort=[str(row["season"]) for row in rows], title=words("cash.axis"))
    x = x.axis(labelAngle=0, ticks=False)
    y = alt.Y("amount:Q", title=None, axis=alt.Axis(tickCount=4, format=",.0f"))
    bars = _chart(*rows).mark_bar(size=22, cornerRadiusEnd=3)
    bars = bars.encode(
        x=x,
        y=y,
        color=alt.when("datum.short").then(alt.value(RED)).otherwise(alt.value(QUIET)),
        tooltip=[alt.Tooltip("season:N", title=words("cash.axis")), alt.Tooltip("told:N", title=words("cash.title"))],
    )
    line = _chart({"amount": float(due.major)}).mark_rule(color=INK, strokeWidth=2).encode(y=y)
    return alt.layer(bars, line).properties(height=170)
