"""The report as one page: style and pictures stand in it, nothing is fetched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any
from xml.etree.ElementTree import Element

from cropcredit.adapters.yield_pages import plots
from cropcredit.adapters.yield_pages.markup import Child, el, html
from cropcredit.agronomy.validation import MODEL
from cropcredit.usecases import yield_report_text as text
from cropcredit.usecases.yield_report_words import SCHEMES_EN, SCHEMES_ZH, at_fullest, percent

WORDS = frozenset({"method", "put aside", "season seen", "best baseline", "used", "rule", "region", "what was seen"})
"""Columns that hold words; the others hold numbers."""
GLOSSARY = (
    "nRMSE: root mean square error over the mean yield. Skill: 1 - RMSE / RMSE of the best baseline; its range comes "
    "from drawing whole years again. r space, r time, r anomaly: does it know good land from bad, good years from bad, "
    "and departures from a region's own mean? (The average of the other years is low where a year was good: its own r "
    "time is negative.) Interval score: width plus 20 times what lies outside, t/ha; "
    "less is better. Model and interval were chosen without the yields that are judged."
)


def page(facts: Mapping[str, Any]) -> str:
    """Write the report of one crop as HTML."""
    name = facts["name"]
    body = el(
        "main",
        el("h1", f"{name['en']} ", el("span", name["zh"])),
        el("p", "Would the yield model have held in years and regions it had not seen?", class_="soft"),
        el("p", facts["summary"]["zh"], class_="zh", lang="zh"),
        el("p", facts["summary"]["en"], class_="sum"),
        _tiles(facts),
        _horizons(facts),
        *(_scheme(facts, scheme) for scheme in SCHEMES_EN),
        _data(facts["data"]),
        el("footer", GLOSSARY),
    )
    style = files("cropcredit.adapters.yield_pages").joinpath("style.css").read_text("utf-8")
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("title", f"Yield of {name['en']}: validation"),
        el("style", style),
    )
    return f"<!DOCTYPE html>\n{html(el('html', head, el('body', body), lang='en'))}\n"


def _tiles(facts: Mapping[str, Any]) -> Element:
    trial = at_fullest(facts)
    assert trial is not None, "a report without left-out years is never made"
    gate, shown = trial["gate"], trial["scores"][trial["shown"]]
    used = trial["scores"][gate["use"]]
    baseline = trial["scores"][trial["baseline"]]
    tiles = [("used at the end of the season", gate["use"])]
    if trial["shown"] == MODEL:
        tiles.append((f"nRMSE of the model; {trial['baseline']} {baseline['nrmse']:.1f} %", f"{shown['nrmse']:.1f} %"))
        tiles.append((f"skill, {gate['skill_low']:+.2f} to {gate['skill_high']:+.2f}", f"{gate['skill']:+.2f}"))
    else:
        tiles.append((f"nRMSE of the {trial['baseline']}", f"{baseline['nrmse']:.1f} %"))
    tiles.append((f"of yields inside the 90 % interval of the {gate['use']}", percent(used["coverage"])))
    worst = trial["worst"]
    tiles.append((f"worst year, nRMSE {worst['nrmse']:.1f} %", str(worst["year"])))
    return el(
        "div", *(el("div", el("b", value), el("small", says), class_="tile") for says, value in tiles), class_="tiles"
    )


def _horizons(facts: Mapping[str, Any]) -> Element:
    rows = [text.horizon_row(trial) for trial in facts["trials"]]
    firsts = {row[0]: place for place, row in reversed(list(enumerate(rows)))}
    rows = [row if firsts[row[0]] == place else ("", *row[1:]) for place, row in enumerate(rows)]
    key = el("p", el("span", class_="key"), "model", el("span", class_="key baseline"), "best baseline", class_="soft")
    return el(
        "section",
        el("h2", "How early does it know? ", el("span", "季节进程与误差")),
        el(
            "p",
            "Error (nRMSE) by how much of the season was seen, for each way of putting yields aside.",
            class_="soft",
        ),
        plots.horizons(facts["trials"]),
        key,
        _table(text.HORIZON_COLUMNS, rows),
    )


def _scheme(facts: Mapping[str, Any], scheme: str) -> Element:
    head = el("h2", f"{SCHEMES_EN[scheme]} ", el("span", SCHEMES_ZH[scheme]))
    trial = at_fullest(facts, scheme)
    if trial is None:
        return el("section", head, el("p", f"Not run: {facts['not_run'][scheme]}.", class_="soft"))
    passed = "verdict model" if trial["gate"]["use"] == MODEL else "verdict"
    charts = el("div", plots.errors(trial), plots.coverage(trial))
    years = _table(text.YEAR_COLUMNS, [text.year_row(year) for year in trial["years"]])
    return el(
        "section",
        head,
        el("p", trial["decision"], class_=passed),
        el("div", plots.scatter(facts["yields"][scheme], trial), charts, class_="views"),
        _table(text.METHOD_COLUMNS, text.method_rows(trial), used=len(text.METHOD_COLUMNS) - 1),
        *(el("p", line, class_="soft") for line in text.trial_lines(trial)),
        el("details", el("summary", "Every year in numbers"), years),
    )


def _data(data: Mapping[str, Any]) -> Element:
    count, fingerprint = text.data_lines(data)[:2]
    rows = text.suspect_rows(data)
    rules = ", ".join(f"{rule} ({number})" for rule, number in data["left_out_by_rule"].items())
    left_out: list[Child] = [el("p", f"Left out by rule: {rules}."), _table(text.SUSPECT_COLUMNS, rows)] if rows else []
    return el(
        "section",
        el("h2", "Data ", el("span", "数据")),
        el("p", count),
        el("p", fingerprint, class_="code soft"),
        *(el("p", line) for line in text.data_lines(data)[2:]),
        *(left_out or [el("p", "No label was left out.")]),
    )


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, used: int | None = None) -> Element:
    """Lay rows out; ``used`` is the column that marks the rows to stand out."""

    def cell(tag: str, column: str, value: str) -> Element:
        kind = "word" if column in WORDS else ""
        return el(tag, value, class_=f"{kind} long" if column == "what was seen" else kind)

    head = el("tr", *(cell("th", column, column) for column in columns))
    lines = [
        el(
            "tr",
            *(cell("td", column, value) for column, value in zip(columns, row, strict=True)),
            class_="used" if used is not None and row[used] else "",
        )
        for row in rows
    ]
    return el("div", el("table", el("thead", head), el("tbody", *lines)), class_="wide")
