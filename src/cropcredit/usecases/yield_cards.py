"""The card that lies beside every stored model: what it is, what it learned from, how it did, when not to use it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cropcredit.agronomy.crop_model import CropModel
from cropcredit.agronomy.features import PARTS
from cropcredit.agronomy.models import candidates_for
from cropcredit.usecases.yield_data import CropData

_CARD = """# Yield of {crop}

Learned from {labels} yields of {regions} regions, {first}-{last}, all known by {known_by}.
Data {fingerprint}. Before it: {predecessor}.

Predicts the yield of a region's season from its past yields and the anomalies of the season's index, by the model, or
the mean of models, that did best on left-out years ({tried} candidates; a mixed model of level, trend, drift and
response among them). A field is then placed around
its region by its own growth (spread between fields {cv:.0%}, {spread}).

## On years it had not seen

{scores}

## Left out before learning

{left_out}

## When not to trust it

A region without labels gets the mean of the others with a wider interval. Floods, hail and theft after the last clear
image are not seen. Before half of the season is seen, the baseline answers.
"""


_COLUMNS = (
    "season seen",
    "method",
    "nRMSE %",
    "MAPE %",
    "R2",
    "r anomaly",
    "90 % covers",
    "width t/ha",
    "interval score",
    "skill (90 % range)",
    "used",
)


def card(artefact: Mapping[str, Any], model: CropModel, data: CropData) -> str:
    """Write the card of one artefact, in Markdown."""
    left_out = [f"* {s.label.region} {s.label.harvest_year}: {s.rule}, {s.detail}" for s in data.suspects]
    return _CARD.format(
        crop=artefact["crop"],
        labels=artefact["labels"],
        regions=len({label.region for label in data.labels}),
        first=artefact["years"][0],
        last=artefact["years"][-1],
        known_by=artefact["known_by"],
        fingerprint=data.fingerprint[:16],
        predecessor=artefact["predecessor"] or "none",
        tried=max((len(candidates_for(data.table, parts)) for parts in model.horizons if parts), default=0),
        cv=model.spread.cv,
        spread=model.spread.source,
        scores="\n".join(_rows(model)),
        left_out="\n".join(left_out) or "Nothing.",
    )


def _rows(model: CropModel) -> list[str]:
    rows = [_line(_COLUMNS), _line(["---"] * len(_COLUMNS))]
    for horizon, part in sorted(model.horizons.items()):
        seen = f"{horizon}/{PARTS}" if horizon else "before"
        for name, s in part.scores.items():
            gate = part.gate
            skill = f"{gate.skill:+.3f} ({gate.skill_low:+.3f} to {gate.skill_high:+.3f})" if name == "model" else ""
            anomaly = "" if s.anomaly_r is None else f"{s.anomaly_r:.2f}"
            errors = (f"{s.nrmse:.1f}", f"{s.mape:.1f}", f"{s.r2:.2f}", anomaly)
            interval = (f"{s.coverage:.0%}", f"{s.width_t_ha:.2f}", f"{s.interval_score:.2f}")
            made_of = f": {part.made_of}" if part.made_of and name == "model" else ""
            used = f"yes{made_of}" if gate.use == name else ""
            rows.append(_line((seen, name, *errors, *interval, skill, used)))
    return rows


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"
