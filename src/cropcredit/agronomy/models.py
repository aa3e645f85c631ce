"""The one model that learns: a ridge on a damped quadratic of what the season's index says, for the residual alone.

It sees index anomalies only and has a penalty that does not grow with the data: far from what it has seen, or with few
labels, it says "no deviation from the expectation" instead of something bold.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from cropcredit.agronomy.baselines import BASELINES, Expectation, fit_expectation
from cropcredit.agronomy.features import GAMMA, RegionTable, anomalies, damped_quadratic, labelled, normals
from cropcredit.agronomy.series import Floats

SHRINK = 0.5
"""Labels' worth of the all-region mean in each region's expectation."""
SEEN_SHARE = 0.5
"""A model is tried where at least this share of the yields has a season that was seen."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to set the model up; the training years choose among :data:`CANDIDATES`."""

    expectation: str
    gamma: float
    alpha: float


CANDIDATES = tuple(Candidate(kind, GAMMA, alpha) for kind, alpha in product(BASELINES, (0.3, 1.0, 3.0)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RegionalModel:
    """A fitted residual model: expectation, normals and coefficients of one crop at one horizon."""

    horizon: int
    """Parts of the season it looks at."""
    expectation: Expectation
    normal: dict[str, Floats]
    gamma: float
    scale: Floats
    coef: Floats
    """One per feature of :func:`damped_quadratic`, t/ha."""

    def predict(self, table: RegionTable) -> Floats:
        """Yield of each row, t/ha; the bare expectation where the season was not seen."""
        expected = self.expectation.predict(table.region, table.year)
        seen = anomalies(table, self.normal, self.horizon)
        rows = np.isfinite(seen).all(axis=1)
        if rows.any():
            expected[rows] += damped_quadratic(seen[rows] / self.scale, self.gamma) @ self.coef
        return np.maximum(expected, 0.0)

    def to_json(self) -> dict[str, Any]:
        """Give plain values."""
        return {
            "horizon": self.horizon,
            "expectation": self.expectation.to_json(),
            "normal": {r: [None if np.isnan(v) else float(v) for v in parts] for r, parts in self.normal.items()},
            "gamma": self.gamma,
            "scale": self.scale.tolist(),
            "coef": self.coef.tolist(),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> RegionalModel:
        """Read :meth:`to_json` back."""
        return cls(
            horizon=data["horizon"],
            expectation=Expectation.from_json(data["expectation"]),
            normal={r: np.array(parts, dtype=float) for r, parts in data["normal"].items()},
            gamma=data["gamma"],
            scale=np.array(data["scale"], dtype=float),
            coef=np.array(data["coef"], dtype=float),
        )


def learnable(table: RegionTable, horizon: int) -> bool:
    """Say whether at least half of the yields have a season that was seen up to ``horizon``."""
    known = table.take(labelled(table))
    seen = np.isfinite(anomalies(known, normals(table), horizon)).all(axis=1)
    return len(known.year) > 0 and float(np.mean(seen)) >= SEEN_SHARE


def fit_all(table: RegionTable, horizon: int, candidates: tuple[Candidate, ...]) -> dict[Candidate, RegionalModel]:
    """Fit every candidate on the labelled rows of ``table``; expectations under one penalty are solved together."""
    from cropcredit.agronomy.regressor import ResidualRegressor  # noqa: PLC0415 - a second that only training is worth

    if not candidates:
        return {}
    known, normal = labelled(table), normals(table)
    seen = anomalies(table, normal, horizon)
    rows = np.flatnonzero(known & np.isfinite(seen).all(axis=1))
    kinds = sorted({candidate.expectation for candidate in candidates})
    args = table.region[known], table.year[known], table.t_ha[known]
    expectations = {kind: fit_expectation(kind, *args, shrink=SHRINK) for kind in kinds}
    if not len(rows):
        return {}
    left = np.column_stack(
        [table.t_ha[rows] - expectations[kind].predict(table.region[rows], table.year[rows]) for kind in kinds]
    )
    fitted: dict[Candidate, RegionalModel] = {}
    for gamma, alpha in sorted({(c.gamma, c.alpha) for c in candidates}):
        ridge = ResidualRegressor(gamma=gamma, alpha=alpha).fit(seen[rows], left)
        for column, kind in enumerate(kinds):
            candidate = Candidate(kind, gamma, alpha)
            if candidate in candidates:
                fitted[candidate] = RegionalModel(
                    horizon=horizon,
                    expectation=expectations[kind],
                    normal=normal,
                    gamma=gamma,
                    scale=ridge.scale_,
                    coef=ridge.coef_.reshape(-1, len(kinds))[:, column],
                )
    return fitted
