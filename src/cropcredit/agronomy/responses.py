"""What a season's index adds to an expectation: fitted by scikit-learn, stored and applied as plain numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np

from cropcredit.agronomy.features import GAMMA, damped_quadratic
from cropcredit.agronomy.series import Floats


class Response(Protocol):
    """Residuals, t/ha, of anomalies, shape (rows, 2 * horizon): the region's own, then those of all regions."""

    def predict(self, seen: Floats) -> Floats:
        """Give the residual of each row, t/ha."""
        ...

    def to_json(self) -> dict[str, Any]:
        """Give plain values."""
        ...


def features(name: str, scaled: Floats, gamma: float = GAMMA) -> Floats:
    """Turn anomalies in standard deviations into what a linear response is linear in.

    ``peak``: the greatest of the season's parts; ``integral``: their mean; ``quadratic``: see
    :func:`cropcredit.agronomy.features.damped_quadratic`. Own and common anomalies each give theirs.
    """
    if name == "quadratic":
        return damped_quadratic(scaled, gamma)
    halves = scaled.reshape(len(scaled), 2, -1)
    return np.asarray(halves.max(axis=2) if name == "peak" else halves.mean(axis=2))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LinearResponse:
    """Linear in :func:`features` of the anomalies."""

    name: str
    gamma: float
    scale: Floats
    coef: Floats

    def predict(self, seen: Floats) -> Floats:
        """Give the residual of each row, t/ha."""
        return np.asarray(features(self.name, seen / self.scale, self.gamma) @ self.coef)

    def to_json(self) -> dict[str, Any]:
        """Give plain values."""
        return {"name": self.name, "gamma": self.gamma, "scale": self.scale.tolist(), "coef": self.coef.tolist()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read :meth:`to_json` back."""
        return cls(name=data["name"], gamma=data["gamma"], scale=np.array(data["scale"]), coef=np.array(data["coef"]))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TreeResponse:
    """Boosted regression trees."""

    base: float
    trees: tuple[dict[str, list[float]], ...]
    """Nodes of each tree: ``feature``, ``threshold``, ``left``, ``right`` (-1 in a leaf), ``value``."""

    def predict(self, seen: Floats) -> Floats:
        """Give the residual of each row, t/ha."""
        columns = with_integral(seen)
        return self.base + np.asarray(sum((_grown(tree, columns) for tree in self.trees), np.zeros(len(seen))))

    def to_json(self) -> dict[str, Any]:
        """Give plain values."""
        return {"name": "boosting", "base": self.base, "trees": list(self.trees)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read :meth:`to_json` back."""
        return cls(base=data["base"], trees=tuple(data["trees"]))


def response_from_json(data: dict[str, Any]) -> Response:
    """Read a stored response back."""
    return TreeResponse.from_json(data) if data["name"] == "boosting" else LinearResponse.from_json(data)


def with_integral(seen: Floats) -> Floats:
    """Add the season's own mean as a last column: the one in which boosted yields may only rise."""
    return np.column_stack([seen, seen[:, : max(seen.shape[1] // 2, 1)].mean(axis=1)])


def fit_response(name: str, seen: Floats, left: Floats, *, alpha: float = 1.0) -> Response:
    """Fit what is left of the yields, t/ha, to anomalies; ``name`` as in :func:`features`, or ``boosting``."""
    # scikit-learn takes a second to import, and only training is worth it
    from cropcredit.agronomy.regressor import MonotoneBoosting, ResidualRegressor  # noqa: PLC0415

    if name == "boosting":
        booster = MonotoneBoosting().fit(seen, left)
        return TreeResponse(base=booster.base_, trees=booster.trees_)
    ridge = ResidualRegressor(features=name, alpha=alpha).fit(seen, left)
    return LinearResponse(name=name, gamma=ridge.gamma, scale=ridge.scale_, coef=ridge.coef_)


def _grown(tree: dict[str, list[float]], columns: Floats) -> Floats:
    """Let every row fall to its leaf."""
    feature, left, right = (np.array(tree[name], dtype=int) for name in ("feature", "left", "right"))
    threshold, value = np.array(tree["threshold"]), np.array(tree["value"])
    node, rows = np.zeros(len(columns), dtype=int), np.arange(len(columns))
    while (inner := left[node] >= 0).any():
        below = columns[rows, feature[node]] <= threshold[node]
        node = np.where(inner, np.where(below, left[node], right[node]), node)
    return value[node]
