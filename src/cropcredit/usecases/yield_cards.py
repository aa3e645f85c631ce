"""The card that lies beside every stored model: what it is, what it learned from, how it did, when not to use it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cropcredit.agronomy.crop_model import CropModel
from cropcredit.agronomy.features import PARTS
from cropcredit.agronomy.models import CANDIDATES
from cropcredit.usecases.yield_data import CropData

_CARD = """# Yield of {crop}

Learned from {labels} yields of {regions} regions, {first}-{last}, all known by {known_by}.
Data {fingerprint}. Before it: {predecessor}.

Predicts the yield of a region's season from its past yields and the anomalies of the season's index, by the model, or
the mean of models, that did best on left-out years ({tried} candidates; a mixed model of level, trend, drift and
response among them). A field is then placed around
its region by its own growth (spread between fields {cv:.0%}, {spread}).

## On years it had not seen

| season seen | method | nRMSE % | MAPE % | R2 | 90 % covers | width t/ha | skill (90 % range) | used |
|---|---|---|---|---|---|---|---|---|
{rows}

## Left out before learning

{left_out}

## When not to trust it

A region without labels gets the mean of the others with a wider interval. Floods, hail and theft after the last clear
image are not seen. Before half of the season is seen, the baseline answers.
"""


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
        tried=len(CANDIDATES),
        cv=model.spread.cv,
        spread=model.spread.source,
        rows="\n".join(_rows(model)),
        left_out="\n".join(left_out) or "Nothing.",
    )


def _rows(model: CropModel) -> list[str]:
    rows = []
    for horizon, part in sorted(model.horizons.items()):
        seen = f"{horizon}/{PARTS}" if horizon else "before"
        for name, s in part.scores.items():
            gate = part.gate
            skill = f"{gate.skill:+.3f} ({gate.skill_low:+.3f} to {gate.skill_high:+.3f})" if name == "model" else ""
            cells = (seen, name, f"{s.nrmse:.1f}", f"{s.mape:.1f}", f"{s.r2:.2f}", f"{s.coverage:.0%}")
            made_of = f": {part.made_of}" if part.made_of and name == "model" else ""
            used = f"yes{made_of}" if gate.use == name else ""
            rows.append("| " + " | ".join((*cells, f"{s.width_t_ha:.2f}", skill, used)) + " |")
    return rows
