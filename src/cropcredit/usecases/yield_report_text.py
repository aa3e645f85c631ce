"""The yield report as Markdown: tables that read well in a terminal and in a review."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cropcredit.agronomy.features import PARTS
from cropcredit.agronomy.validation import MODEL, YEARS
from cropcredit.usecases.yield_report_words import SCHEMES_EN, SCHEMES_ZH, at_fullest, percent

CHOICES = 5
"""Choices that are named; the others are counted."""
HORIZON_COLUMNS = (
    "put aside",
    "season seen",
    "nRMSE %",
    "best baseline",
    "skill",
    "90 % range",
    "90 % covers",
    "used",
)
METHOD_COLUMNS = (
    "method",
    "nRMSE %",
    "MAPE %",
    "R2",
    "r space",
    "r time",
    "r anomaly",
    "90 % covers",
    "width t/ha",
    "interval score",
    "used",
)
YEAR_COLUMNS = ("year", "yields", "nRMSE %", "baseline nRMSE %", "90 % covers", "width t/ha")

Trial = Mapping[str, Any]


def markdown(facts: Mapping[str, Any]) -> str:
    """Write the report of one crop."""
    parts = [
        f"# Yield of {facts['name']['en']} ({facts['name']['zh']}): would it have held?",
        facts["summary"]["zh"],
        facts["summary"]["en"],
        "## Data",
        *data_lines(facts["data"]),
        _suspects(facts["data"]),
        "## By horizon",
        _table(HORIZON_COLUMNS, [horizon_row(trial) for trial in facts["trials"]]),
    ]
    for scheme, words in SCHEMES_EN.items():
        parts.append(f"## {words} ({SCHEMES_ZH[scheme]})")
        trial = at_fullest(facts, scheme)
        if trial is None:
            parts.append(f"Not run: {facts['not_run'][scheme]}.")
            continue
        parts += [trial["decision"], _table(METHOD_COLUMNS, method_rows(trial)), *trial_lines(trial)]
        parts.append(_table(YEAR_COLUMNS, [year_row(year) for year in trial["years"]]))
    return "\n\n".join(part for part in parts if part) + "\n"


def horizon_row(trial: Trial) -> tuple[str, ...]:
    """Give one scheme at one horizon."""
    gate, shown, baseline = trial["gate"], trial["scores"][trial["shown"]], trial["scores"][trial["baseline"]]
    tried = trial["shown"] == MODEL
    return (
        SCHEMES_EN[trial["scheme"]],
        f"{trial['parts']}/{PARTS}" if trial["parts"] else "none",
        f"{shown['nrmse']:.1f}",
        f"{trial['baseline']} {baseline['nrmse']:.1f}",
        f"{gate['skill']:+.3f}" if tried else "",
        f"{gate['skill_low']:+.3f} to {gate['skill_high']:+.3f}" if tried else "",
        percent(shown["coverage"]),
        gate["use"],
    )


def method_rows(trial: Trial) -> list[tuple[str, ...]]:
    """Give one row per method."""
    rows = []
    for name, s in trial["scores"].items():
        knows = (_number(s[r]) for r in ("r2", "spatial_r", "temporal_r", "anomaly_r"))
        interval = (percent(s["coverage"]), f"{s['width_t_ha']:.2f}", f"{s['interval_score']:.2f}")
        used = "yes" * (trial["gate"]["use"] == name)
        rows.append((name, f"{s['nrmse']:.1f}", f"{s['mape']:.1f}", *knows, *interval, used))
    return rows


def year_row(year: Mapping[str, Any]) -> tuple[str, ...]:
    """Give one year: the model's (or, without one, the baseline's) error and interval, and the baseline's error."""
    shown = year["shown"]
    return (
        str(year["year"]),
        str(year["labels"]),
        f"{shown['nrmse']:.1f}",
        f"{year['baseline']['nrmse']:.1f}",
        percent(shown["coverage"], 0),
        f"{shown['width_t_ha']:.2f}",
    )


def data_lines(data: Mapping[str, Any]) -> list[str]:
    """Say what was learned from."""
    blind = data["without_index"]
    known = f"all known by {data['known_by']}" if data["known_by"] else "read from files"
    span = f"{data['years']} harvest years, {data['first']}-{data['last']}"
    return [
        f"{data['labels']} yields of {data['regions']} regions in {span}, {known}.",
        f"Fingerprint of the data: {data['fingerprint']}.",
        *([f"Regions with yields but no index: {len(blind)} ({', '.join(blind)})."] if blind else []),
    ]


def trial_lines(trial: Trial) -> list[str]:
    """Say what competed, what was chosen, which year was worst, and what was not judged."""
    worst, lines = trial["worst"], []
    if trial["candidates"] and trial["chosen"]:
        named = [f"{name} ({count})" for name, count in list(trial["chosen"].items())[:CHOICES]]
        others = len(trial["chosen"]) - len(named)
        lines.append(
            f"{trial['candidates']} candidates and their stack competed within the training years of each fold; "
            f"chosen (folds): {', '.join(named)}{f' and {others} others' if others > 0 else ''}."
        )
    beside = "" if worst["method"] != MODEL else f" ({trial['baseline']} {worst['baseline_nrmse']:.1f} %)"
    lines.append(
        f"Worst year of the {worst['method']}, which {'is' if trial['scheme'] == YEARS else 'would be'} used: "
        f"{worst['year']}, nRMSE {worst['nrmse']:.1f} %{beside}; its 90 % interval covered "
        f"{percent(worst['coverage'], 0)} of {worst['labels']} yields."
    )
    if trial["without_past"]:
        lines.append(f"Not judged, as no other yield of their region was to be learned from: {trial['without_past']}.")
    return lines


def suspect_rows(data: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Give the labels left out, each with its rule."""
    return [
        (
            s["rule"],
            s["region"],
            str(s["harvest_year"]),
            f"{s['t_ha']:.3g}",
            s["detail"],
            "" if s["corrected_t_ha"] is None else f"{s['corrected_t_ha']:.3g}",
        )
        for s in sorted(data["left_out"], key=lambda s: (s["rule"], s["region"], s["harvest_year"]))
    ]


SUSPECT_COLUMNS = ("rule", "region", "year", "t/ha", "what was seen", "would be t/ha")


def _suspects(data: Mapping[str, Any]) -> str:
    rows = suspect_rows(data)
    if not rows:
        return "No label was left out."
    counts = ", ".join(f"{rule} ({count})" for rule, count in data["left_out_by_rule"].items())
    return f"Left out by rule: {counts}.\n\n{_table(SUSPECT_COLUMNS, rows)}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
