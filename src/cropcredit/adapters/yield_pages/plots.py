"""The report's pictures as SVG: points, bars and lines between two axes, drawn from plain numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np

from cropcredit.adapters.yield_pages.markup import el
from cropcredit.agronomy.features import PARTS
from cropcredit.agronomy.validation import MODEL
from cropcredit.usecases.yield_report_words import SCHEMES_EN, percent

PROMISED = 0.90
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 30, 36
"""Margins around the plot, pixels."""
LABELLED_YEARS = 12
"""More years than this are named every other one."""
STEPS = (1, 2, 2.5, 5, 10)

Trial = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Axes:
    """Where numbers lie on a picture."""

    width: float
    height: float
    x: tuple[float, float]
    y: tuple[float, float]

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Give the pixel of a pair of numbers."""
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        plot = self.width - LEFT - RIGHT, self.height - TOP - BOTTOM
        return LEFT + across * plot[0], TOP + (1 - up) * plot[1]

    def frame(self, label: str, title: str, *marks: Element) -> Element:
        """Put marks under a title; ``label`` says what is seen to whoever cannot see it."""
        return el(
            "svg",
            el("title", label),
            el("text", title, x=LEFT, y=15, class_="title"),
            *marks,
            viewBox=f"0 0 {self.width:g} {self.height:g}",
            role="img",
        )

    def rows(self, values: Sequence[float], unit: str = "") -> list[Element]:
        """Draw one line across and one number per value of y."""
        marks = []
        for value in values:
            _, y = self.at(self.x[0], value)
            marks.append(el("line", x1=LEFT, x2=self.width - RIGHT, y1=y, y2=y, class_="grid"))
            marks.append(el("text", f"{value:g}{unit}", x=LEFT - 6, y=y + 4, text_anchor="end"))
        return marks

    def columns(self, values: Sequence[tuple[float, str]]) -> list[Element]:
        """Write one name per value of x."""
        y = self.height - BOTTOM + 16
        return [el("text", name, x=self.at(x, self.y[0])[0], y=y, text_anchor="middle") for x, name in values]


def scatter(yields: Mapping[str, Any], trial: Trial) -> Element:
    """Draw predicted against observed; the worst year stands out."""
    observed, predicted = np.array(yields["t_ha"]), np.array(yields["predicted"])
    both = np.append(observed, predicted)
    ticks = _ticks(float(both.max()), float(both.min()))
    axes = Axes(width=330, height=330, x=(ticks[0], ticks[-1]), y=(ticks[0], ticks[-1]))
    (x1, y1), (x2, y2) = axes.at(ticks[0], ticks[0]), axes.at(ticks[-1], ticks[-1])
    worst = np.array(yields["year"]) == trial["worst"]["year"]
    dots = [
        _dot(axes, x, y, "point worst" if bad else "point", 3 if bad else 2.2)
        for bad, x, y in sorted(zip(worst.tolist(), observed.tolist(), predicted.tolist(), strict=True))
    ]
    legend = el("text", f"{trial['worst']['year']}, worst year", x=x1 + 18, y=TOP + 16, class_="worst-name")
    marks = [
        *axes.rows(ticks),
        *axes.columns([(value, f"{value:g}") for value in ticks]),
        el("line", x1=x1, y1=y1, x2=x2, y2=y2, class_="ideal"),
        *dots,
        el("circle", cx=x1 + 9, cy=TOP + 12, r=3.5, class_="point worst"),
        legend,
        el("text", "observed, t/ha", x=330 - RIGHT, y=330 - 4, text_anchor="end"),
    ]
    label = f"Predicted against observed yields of {len(dots)} region-years"
    return axes.frame(label, f"Guessed by the {trial['shown']}, t/ha", *marks)


def errors(trial: Trial) -> Element:
    """Draw the error per year with the baseline beside it."""
    years = trial["years"]
    pairs = [("baseline", [year["baseline"]["nrmse"] for year in years])]
    if trial["shown"] == MODEL:
        pairs.append(("shown", [year["shown"]["nrmse"] for year in years]))
    ticks = _ticks(max(max(values) for _, values in pairs))
    axes = Axes(width=640, height=165, x=(-0.6, len(years) - 0.4), y=(0, ticks[-1]))
    wide = min(30.0, 0.72 * (640 - LEFT - RIGHT) / len(years)) / len(pairs)
    bars = []
    for side, (kind, values) in enumerate(pairs):
        for place, value in enumerate(values):
            x, y = axes.at(place, value)
            left = x + (side - len(pairs) / 2) * wide
            tip = el("title", f"{years[place]['year']}: {value:.1f} %")
            height = axes.at(0, 0)[1] - y
            bars.append(el("rect", tip, x=left, y=y, width=wide - 1, height=height, class_=f"bar {kind}"))
    names = [(trial["baseline"], "baseline"), (MODEL, "shown")][: len(pairs)]
    marks = [*axes.rows(ticks, " %"), *bars, *axes.columns(_year_names(years)), *_key(names, 640)]
    return axes.frame("Error of each year, model and baseline", "Error per year, nRMSE", *marks)


def coverage(trial: Trial) -> Element:
    """Draw the share of yields inside the 90 % interval per year, against the 90 % that were promised."""
    years = trial["years"]
    axes = Axes(width=640, height=165, x=(-0.6, len(years) - 0.4), y=(0, 100))
    goal = axes.at(0, 100 * PROMISED)[1]
    stems = []
    for place, year in enumerate(years):
        share = 100 * year["shown"]["coverage"]
        x, y = axes.at(place, share)
        kind = "short" if share < 100 * PROMISED else "held"
        tip = el("title", f"{year['year']}: {share:.0f} % of {year['labels']} yields")
        stems.append(el("line", x1=x, x2=x, y1=goal, y2=y, class_=f"stem {kind}"))
        stems.append(el("circle", tip, cx=x, cy=y, r=4.5, class_=f"dot {kind}"))
    pooled = trial["scores"][trial["shown"]]["coverage"]
    marks = [
        *axes.rows([0, 50], " %"),
        el("line", x1=LEFT, x2=640 - RIGHT, y1=goal, y2=goal, class_="goal"),
        el("text", "90 %", x=LEFT - 6, y=goal + 4, text_anchor="end", class_="goal-name"),
        *stems,
        *axes.columns(_year_names(years)),
        el("text", f"all years together {percent(pooled)}", x=640 - RIGHT, y=15, text_anchor="end"),
    ]
    return axes.frame(
        "Coverage of the 90 % interval per year",
        f"Yields inside the {trial['shown']}'s 90 % interval, per year",
        *marks,
    )


def horizons(trials: Sequence[Trial]) -> Element:
    """Draw the error by how much of the season was seen: one panel per scheme, the best baseline dashed."""
    schemes = [scheme for scheme in SCHEMES_EN if any(trial["scheme"] == scheme for trial in trials)]
    values = [
        s["nrmse"] for trial in trials for s in (trial["scores"][trial["shown"]], trial["scores"][trial["baseline"]])
    ]
    ticks = _ticks(max(values))
    panels = [_panel(scheme, [t for t in trials if t["scheme"] == scheme], ticks) for scheme in schemes]
    return el("div", *panels, class_="panels")


def _panel(scheme: str, trials: Sequence[Trial], ticks: Sequence[float]) -> Element:
    axes = Axes(width=320, height=230, x=(-0.3, max(len(trials) - 0.7, 0.3)), y=(0, ticks[-1]))
    marks = [*axes.rows(ticks, " %"), *axes.columns([(i, f"{t['parts']}/{PARTS}") for i, t in enumerate(trials)])]
    errors_of = {kind: [trial["scores"][trial[kind]]["nrmse"] for trial in trials] for kind in ("baseline", "shown")}
    for kind, values in errors_of.items():
        points = [axes.at(place, value) for place, value in enumerate(values)]
        marks += [el("line", x1=a[0], y1=a[1], x2=b[0], y2=b[1], class_=f"line {kind}") for a, b in pairwise(points)]
        marks += [el("circle", cx=x, cy=y, r=4, class_=f"dot {kind}") for x, y in points]
    for baseline, shown, (place, trial) in zip(*errors_of.values(), enumerate(trials), strict=True):
        named = [("baseline", baseline), ("shown", shown)] if trial["shown"] == MODEL else [("baseline", baseline)]
        for kind, value in named:
            above = (kind == "baseline") == (baseline >= shown)
            x, y = axes.at(place, value)
            name = el("text", f"{value:.1f}", x=x, y=y + (-10 if above else 18), text_anchor="middle")
            name.set("class", f"value {kind}")
            marks.append(name)
    marks.append(el("text", "of the season seen", x=320 - RIGHT, y=230 - 4, text_anchor="end"))
    return axes.frame(f"Error by horizon: {SCHEMES_EN[scheme]}", SCHEMES_EN[scheme], *marks)


def _key(names: Sequence[tuple[str, str]], width: float) -> list[Element]:
    marks = []
    for place, (name, kind) in enumerate(reversed(names)):
        x = width - RIGHT - 74 - 84 * place
        marks += [el("rect", x=x, y=6, width=10, height=10, class_=f"bar {kind}"), el("text", name, x=x + 15, y=15)]
    return marks


def _year_names(years: Sequence[Mapping[str, Any]]) -> list[tuple[float, str]]:
    every = 1 if len(years) <= LABELLED_YEARS else 2
    return [(place, str(year["year"])) for place, year in enumerate(years) if place % every == 0]


def _dot(axes: Axes, x: float, y: float, kind: str, radius: float) -> Element:
    across, down = axes.at(x, y)
    return el("circle", cx=across, cy=down, r=radius, class_=kind)


def _ticks(highest: float, lowest: float = 0.0) -> list[float]:
    """Give four to eight round numbers from ``lowest``, or a little below it, to ``highest`` or a little above."""
    rough = max(highest - lowest, 1e-9) / 5
    scale = 10 ** float(np.floor(np.log10(rough)))
    step = next(scale * nice for nice in STEPS if scale * nice >= rough)
    first, last = int(np.floor(lowest / step + 1e-9)), int(np.ceil(highest / step - 1e-9))
    return [round(step * count, 10) for count in range(first, max(last, first + 1) + 1)]
