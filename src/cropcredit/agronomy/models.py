"""The models of a crop's regions that compete: each learns from anomalies of the index, none from its level.

Four learn what is left of an expectation (average or trend): a line on the season's peak, one on its integral, a ridge
on a damped quadratic, boosted trees that may only rise with the integral. With few labels, or far from what they have
seen, they say "no deviation". The fifth is the mixed model, which has its own idea of what a region usually gives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Protocol

import numpy as np

from cropcredit.agronomy.baselines import BASELINES, Expectation, fit_expectation
from cropcredit.agronomy.features import PARTS, RECENT, RECENT_DAYS, RegionTable, anomalies, labelled, normals
from cropcredit.agronomy.mixed import MixedModel, fit_mixed
from cropcredit.agronomy.mixed_likelihood import Seasons
from cropcredit.agronomy.responses import Response, fit_response, response_from_json
from cropcredit.agronomy.series import Bools, Floats

SHRINK = 0.5
"""Labels' worth of the all-region mean in each region's expectation."""
SEEN_SHARE = 0.5
"""A model is tried where at least this share of the yields has a season that was seen."""
TREE_LABELS = 200
"""Yields from which on boosted trees compete."""
MIXED = "mixed"
WORDS = {
    MIXED: "mixed model",
    "peak": "line on the peak",
    "integral": "line on the integral",
    "quadratic": "ridge",
    "boosting": "boosted trees",
}


@dataclass(frozen=True, slots=True, order=True)
class Candidate:
    """One way to set a model up; the training years choose among :data:`CANDIDATES`."""

    kind: str
    """``mixed``, ``peak``, ``integral``, ``quadratic`` or ``boosting``."""
    expectation: str = ""
    """Baseline whose residual is learned; the mixed model has none."""
    alpha: float = 1.0
    """Penalty of the linear ones."""
    view: str = ""
    """Which look at the season; empty: the table's own parts."""

    def __str__(self) -> str:
        """Name it as a person would, e.g. ``ridge (0.3) over trend`` or ``mixed model (fapar, last 90 days)``."""
        penalty = f" ({self.alpha:g})" if self.kind == "quadratic" else ""
        over = f" over {self.expectation}" if self.expectation else ""
        seen = self.view.replace("/", ", ").replace(RECENT, f"last {RECENT_DAYS} days")
        return WORDS[self.kind] + penalty + over + (f" ({seen})" if seen else "")


CANDIDATES = (
    Candidate(MIXED),
    *(Candidate(kind, base) for kind, base in product(("peak", "integral", "boosting"), BASELINES)),
    *(Candidate("quadratic", base, alpha) for base, alpha in product(BASELINES, (0.3, 1.0, 3.0))),
)


def candidates_for(table: RegionTable, horizon: int) -> tuple[Candidate, ...]:
    """Give :data:`CANDIDATES`, and the mixed model on every other view; the last weeks are seen at the end alone.

    Trees are left out where there are few labels: with twenty in a leaf they could hardly part them.
    """
    views = [view for view in table.views if horizon == PARTS or not view.endswith(RECENT)]
    few = np.count_nonzero(labelled(table)) < TREE_LABELS
    usual = [candidate for candidate in CANDIDATES if not (few and candidate.kind == "boosting")]
    return (*usual, *(Candidate(MIXED, view=view) for view in views))


class RegionalModel(Protocol):
    """A fitted model of one crop at one horizon."""

    def predict(self, table: RegionTable) -> Floats:
        """Yield of each row, t/ha; what is known without the index where the season was not seen."""
        ...

    def sees(self, table: RegionTable) -> Bools:
        """Tell of each row whether its season was seen by every view that the model was fitted to."""
        ...

    def to_json(self) -> dict[str, Any]:
        """Give plain values."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lens:
    """How a model looks at a season: which parts, and against which normals."""

    horizon: int
    """Leading parts of the season that are looked at."""
    normal: Mapping[str, Floats]
    view: str = ""

    def seen(self, table: RegionTable) -> tuple[Floats, Bools]:
        """Anomalies, own and common, shape (rows, 2 * horizon), and which rows have them."""
        if self.view and self.view not in table.views:  # an index that nobody has sent this season
            return np.full((len(table.year), 2 * self.horizon), np.nan), np.zeros(len(table.year), dtype=bool)
        found = anomalies(table, self.normal, self.horizon, self.view)
        return found, np.asarray(np.isfinite(found).all(axis=1))

    def to_json(self) -> dict[str, Any]:
        """Give plain values."""
        normal = {r: [None if np.isnan(v) else float(v) for v in parts] for r, parts in self.normal.items()}
        return {"horizon": self.horizon, "view": self.view, "normal": normal}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Lens:
        """Read :meth:`to_json` back."""
        normal = {region: np.array(parts, dtype=float) for region, parts in data["normal"].items()}
        return cls(horizon=data["horizon"], view=data["view"], normal=normal)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ResidualModel:
    """An expectation, and what the index adds to it."""

    lens: Lens
    expectation: Expectation
    response: Response

    def predict(self, table: RegionTable) -> Floats:
        """Yield of each row, t/ha; the bare expectation where the season was not seen."""
        expected = self.expectation.predict(table.region, table.year)
        seen, rows = self.lens.seen(table)
        if rows.any():
            expected[rows] += self.response.predict(seen[rows])
        return np.maximum(expected, 0.0)

    def sees(self, table: RegionTable) -> Bools:
        """Tell of each row whether its season was seen."""
        return self.lens.seen(table)[1]

    def to_json(self) -> dict[str, Any]:
        """Give plain values."""
        return {
            "kind": "residual",
            "lens": self.lens.to_json(),
            "expectation": self.expectation.to_json(),
            "response": self.response.to_json(),
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MixedRegional:
    """The mixed model behind its lens."""

    lens: Lens
    scale: Floats
    """Standard deviation of each part's anomalies."""
    model: MixedModel

    def predict(self, table: RegionTable) -> Floats:
        """Yield of each row, t/ha; level, trend and drift alone where the season was not seen."""
        return self.model.predict(_seasons(table, self.lens, self.scale))

    def sees(self, table: RegionTable) -> Bools:
        """Tell of each row whether its season was seen."""
        return self.lens.seen(table)[1]

    def to_json(self) -> dict[str, Any]:
        """Give plain values."""
        return {"kind": MIXED, "lens": self.lens.to_json(), "scale": self.scale.tolist(), "model": self.model.to_json()}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stack:
    """A weighted mean of models."""

    members: tuple[tuple[float, RegionalModel], ...]
    """Weights add up to one."""

    def predict(self, table: RegionTable) -> Floats:
        """Yield of each row, t/ha."""
        return np.asarray(sum(weight * model.predict(table) for weight, model in self.members))

    def sees(self, table: RegionTable) -> Bools:
        """Tell of each row whether all members saw its season."""
        return np.asarray(np.all([model.sees(table) for _, model in self.members], axis=0))

    def to_json(self) -> dict[str, Any]:
        """Give plain values."""
        return {"kind": "stack", "members": [[weight, model.to_json()] for weight, model in self.members]}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BaselineModel:
    """A baseline as a member of a stack."""

    expectation: Expectation

    def predict(self, table: RegionTable) -> Floats:
        """Yield of each row, t/ha."""
        return self.expectation.predict(table.region, table.year)

    def sees(self, table: RegionTable) -> Bools:
        """Say yes everywhere: a baseline looks at no season."""
        return np.ones(len(table.year), dtype=bool)

    def to_json(self) -> dict[str, Any]:
        """Give plain values."""
        return {"kind": "baseline", "expectation": self.expectation.to_json()}


def model_from_json(data: Mapping[str, Any]) -> RegionalModel:
    """Read a stored model back."""
    if data["kind"] == "stack":
        return Stack(members=tuple((weight, model_from_json(member)) for weight, member in data["members"]))
    if data["kind"] == "baseline":
        return BaselineModel(expectation=Expectation.from_json(data["expectation"]))
    lens = Lens.from_json(data["lens"])
    if data["kind"] == MIXED:
        scale = np.array(data["scale"], dtype=float)
        return MixedRegional(lens=lens, scale=scale, model=MixedModel.from_json(data["model"]))
    response = response_from_json(data["response"])
    return ResidualModel(lens=lens, expectation=Expectation.from_json(data["expectation"]), response=response)


def learnable(table: RegionTable, horizon: int) -> bool:
    """Say whether at least half of the yields have a season that was seen up to ``horizon``."""
    known = table.take(labelled(table))
    seen = np.isfinite(anomalies(known, normals(table), horizon)).all(axis=1)
    return len(known.year) > 0 and float(np.mean(seen)) >= SEEN_SHARE


def fit_all(table: RegionTable, horizon: int, candidates: Sequence[Candidate]) -> dict[Candidate, RegionalModel]:
    """Fit every candidate on the labelled rows of ``table``; none where no season was seen."""
    known = table.take(labelled(table))
    lenses = {v: Lens(horizon=horizon, normal=normals(table, v), view=v) for v in {c.view for c in candidates}}
    looks = {view: (lens, *lens.seen(known)) for view, lens in lenses.items()}
    fitted: dict[Candidate, RegionalModel] = {}
    for candidate in candidates:
        lens, seen, rows = looks[candidate.view]
        if not rows.any():
            continue
        if candidate.kind == MIXED:
            spread = seen[rows, :horizon].std(axis=0)
            scale = np.where(spread > 0, spread, 1.0)
            model = fit_mixed(_seasons(known, lens, scale), known.t_ha)
            fitted[candidate] = MixedRegional(lens=lens, scale=scale, model=model)
            continue
        line = fit_expectation(candidate.expectation, known.region, known.year, known.t_ha, shrink=SHRINK)
        left = known.t_ha[rows] - line.predict(known.region[rows], known.year[rows])
        response = fit_response(candidate.kind, seen[rows], left, alpha=candidate.alpha)
        fitted[candidate] = ResidualModel(lens=lens, expectation=line, response=response)
    return fitted


def _seasons(table: RegionTable, lens: Lens, scale: Floats) -> Seasons:
    seen, rows = lens.seen(table)
    scaled = np.where(rows[:, None], seen / np.tile(scale, 2), 0.0)
    return Seasons(
        region=table.region, year=table.year, own=scaled[:, : lens.horizon], common=scaled[:, lens.horizon :]
    )
