"""The one model that learns: kernel ridge on what the expectation leaves unexplained.

It sees index anomalies only, has no intercept and a penalty that does not grow with the data: far from what it has
seen, or with few labels, it says "no deviation from the expectation" instead of something bold.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from cropcredit.agronomy.baselines import BASELINES, Expectation, fit_expectation
from cropcredit.agronomy.features import RegionTable, anomalies, labelled, normals
from cropcredit.agronomy.series import Floats

GAMMA = 0.003
"""Width of the kernel; of 0.003, 0.01 and 0.03, tried on Spanish wheat, the smoothest did best. Not tuned further."""
SHRINK = 0.5
"""Labels' worth of the all-region mean in each region's expectation."""
MAX_SUPPORT = 3_000
"""Labelled seasons that the kernel keeps, taken evenly; its cost grows with their cube."""


class ResidualRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn brings no types
    """Kernel ridge with a Gaussian kernel on scaled, uncentred features; predicts 0 far from what it has seen.

    Parameters
    ----------
    gamma : float
        Inverse squared width of the kernel, in standard deviations of the features: small is nearly a parabola.
    alpha : float
        Penalty, in units of one label: each label's pull is worth 1 / alpha.
    """

    def __init__(self, gamma: float = GAMMA, alpha: float = 1.0) -> None:
        self.gamma = gamma
        self.alpha = alpha

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803 - scikit-learn's name
        """Learn residuals ``y`` (t/ha; one or several columns) from anomalies ``X``."""
        seen, left = validate_data(self, X, y, multi_output=True, y_numeric=True, dtype=np.float64)
        spread = seen.std(axis=0)
        self.scale_ = np.where(spread > 0, spread, 1.0)
        kernel = KernelRidge(kernel="rbf", gamma=self.gamma, alpha=self.alpha).fit(seen / self.scale_, left)
        self.support_, self.dual_ = kernel.X_fit_, kernel.dual_coef_
        return self

    def __sklearn_tags__(self) -> Tags:
        """Say that several targets may be learned at once."""
        tags: Tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def predict(self, X: ArrayLike) -> Floats:  # noqa: N803
        """Predict residuals, t/ha."""
        check_is_fitted(self)
        seen = validate_data(self, X, reset=False, dtype=np.float64)
        return np.asarray(rbf_kernel(seen / self.scale_, self.support_, gamma=self.gamma) @ self.dual_)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to set the model up; the training years choose among :data:`CANDIDATES`."""

    expectation: str
    gamma: float
    alpha: float


CANDIDATES = tuple(Candidate(kind, GAMMA, alpha) for kind, alpha in product(BASELINES, (0.3, 1.0, 3.0)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RegionalModel:
    """A fitted residual model: expectation, normals and kernel of one crop at one horizon."""

    horizon: int
    """Parts of the season it looks at."""
    expectation: Expectation
    normal: dict[str, Floats]
    gamma: float
    scale: Floats
    support: Floats
    dual: Floats

    def predict(self, table: RegionTable) -> Floats:
        """Yield of each row, t/ha; the bare expectation where the season was not seen."""
        expected = self.expectation.predict(table.region, table.year)
        seen = anomalies(table, self.normal, self.horizon)
        rows = np.isfinite(seen).all(axis=1)
        if rows.any():
            kernel = rbf_kernel(seen[rows] / self.scale, self.support, gamma=self.gamma)
            expected[rows] += kernel @ self.dual
        return np.maximum(expected, 0.0)

    def to_json(self) -> dict[str, Any]:
        """Give plain values."""
        return {
            "horizon": self.horizon,
            "expectation": self.expectation.to_json(),
            "normal": {r: [None if np.isnan(v) else float(v) for v in parts] for r, parts in self.normal.items()},
            "gamma": self.gamma,
            "scale": self.scale.tolist(),
            "support": self.support.tolist(),
            "dual": self.dual.tolist(),
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
            support=np.array(data["support"], dtype=float),
            dual=np.array(data["dual"], dtype=float),
        )


def learnable(table: RegionTable, horizon: int) -> NDArray[np.bool_]:
    """Tell which rows have both a yield and a season seen up to ``horizon``."""
    seen = np.isfinite(anomalies(table, normals(table), horizon)).all(axis=1)
    return np.asarray(labelled(table) & seen)


def fit_all(table: RegionTable, horizon: int, candidates: tuple[Candidate, ...]) -> dict[Candidate, RegionalModel]:
    """Fit every candidate on the labelled rows of ``table``; expectations of one kernel are solved together."""
    if not candidates:
        return {}
    known, normal = labelled(table), normals(table)
    seen = anomalies(table, normal, horizon)
    rows = np.flatnonzero(known & np.isfinite(seen).all(axis=1))
    rows = rows[:: -(-len(rows) // MAX_SUPPORT)] if len(rows) else rows
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
        kernel = ResidualRegressor(gamma=gamma, alpha=alpha).fit(seen[rows], left)
        for column, kind in enumerate(kinds):
            candidate = Candidate(kind, gamma, alpha)
            if candidate in candidates:
                fitted[candidate] = RegionalModel(
                    horizon=horizon,
                    expectation=expectations[kind],
                    normal=normal,
                    gamma=gamma,
                    scale=kernel.scale_,
                    support=kernel.support_,
                    dual=kernel.dual_[:, column],
                )
    return fitted
