"""The learners behind the regional models, as estimators of scikit-learn; only training needs them."""

from __future__ import annotations

from functools import cache
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import ThreadpoolController

from cropcredit.agronomy import responses
from cropcredit.agronomy.features import GAMMA
from cropcredit.agronomy.mixed import MixedModel, fit_mixed
from cropcredit.agronomy.mixed_likelihood import Seasons
from cropcredit.agronomy.series import Floats


class ResidualRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn brings no types
    """Ridge on features of scaled, uncentred anomalies; the damped quadratic predicts 0 far from what it has seen.

    Parameters
    ----------
    features : {"quadratic", "peak", "integral"}
        See :func:`cropcredit.agronomy.responses.features`; the last two take an even number of columns.
    gamma : float
        Damping of the quadratic, per squared standard deviation of the anomalies: small is nearly a parabola.
    alpha : float
        Penalty, in units of one label: each label's pull is worth 1 / alpha.
    """

    def __init__(self, features: str = "quadratic", gamma: float = GAMMA, alpha: float = 1.0) -> None:
        self.features = features
        self.gamma = gamma
        self.alpha = alpha

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803 - scikit-learn's name
        """Learn residuals ``y``, t/ha, from anomalies ``X``."""
        seen, left = validate_data(self, X, y, y_numeric=True, dtype=np.float64)
        spread = seen.std(axis=0)
        self.scale_ = np.where(spread > 0, spread, 1.0)
        ridge = Ridge(alpha=self.alpha, fit_intercept=False, solver="cholesky")
        self.coef_ = ridge.fit(responses.features(self.features, seen / self.scale_, self.gamma), left).coef_
        return self

    def predict(self, X: ArrayLike) -> Floats:  # noqa: N803
        """Predict residuals, t/ha."""
        check_is_fitted(self)
        seen = validate_data(self, X, reset=False, dtype=np.float64)
        return np.asarray(responses.features(self.features, seen / self.scale_, self.gamma) @ self.coef_)


class MonotoneBoosting(RegressorMixin, BaseEstimator):  # type: ignore[misc] # as above
    """Gradient boosting of anomalies in which a greener season as a whole never means less, all parts being equal.

    Parameters
    ----------
    rounds : int
        Trees.
    rate : float
        Learning rate.
    leaves : int
        Leaves of a tree.
    """

    def __init__(self, rounds: int = 60, rate: float = 0.06, leaves: int = 6) -> None:
        self.rounds = rounds
        self.rate = rate
        self.leaves = leaves

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803
        """Learn residuals ``y``, t/ha, from anomalies ``X``."""
        seen, left = validate_data(self, X, y, y_numeric=True, dtype=np.float64)
        columns = responses.with_integral(seen)
        booster = HistGradientBoostingRegressor(
            max_iter=self.rounds,
            learning_rate=self.rate,
            max_leaf_nodes=self.leaves,
            l2_regularization=5.0,
            monotonic_cst=[0] * seen.shape[1] + [1],
            early_stopping=False,
        )
        with _threads().limit(limits=1):  # on some hundred rows several only wait for each other, and do it busily
            booster.fit(columns, left)
        self.base_ = float(booster._baseline_prediction.ravel()[0])  # noqa: SLF001 - it has no public form without pickle
        self.trees_ = tuple(_nodes(rounds[0].nodes) for rounds in booster._predictors)  # noqa: SLF001 - as above
        return self

    def predict(self, X: ArrayLike) -> Floats:  # noqa: N803
        """Predict residuals, t/ha."""
        check_is_fitted(self)
        seen = validate_data(self, X, reset=False, dtype=np.float64)
        return responses.TreeResponse(base=self.base_, trees=self.trees_).predict(seen)


class MixedRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc] # as above
    """The mixed model (:mod:`cropcredit.agronomy.mixed`) on a plain matrix.

    Columns of ``X``: region as a number, harvest year, then the season's anomalies, those of the region and as many of
    all regions, in standard deviations; ``y`` are yields, t/ha.
    """

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803
        """Learn yields, t/ha."""
        rows, t_ha = validate_data(self, X, y, y_numeric=True, dtype=np.float64)
        self.model_: MixedModel = fit_mixed(_seasons(rows), t_ha)
        return self

    def __sklearn_tags__(self) -> Tags:
        """Say that it is nothing for matrices whose first columns are no region and no year."""
        tags: Tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags

    def predict(self, X: ArrayLike) -> Floats:  # noqa: N803
        """Predict yields, t/ha."""
        check_is_fitted(self)
        return self.model_.predict(_seasons(validate_data(self, X, reset=False, dtype=np.float64)))


@cache
def _threads() -> ThreadpoolController:
    """Look for the libraries with threads once: it takes as long as a small fit."""
    return ThreadpoolController()


def _seasons(rows: Floats) -> Seasons:
    half = 2 + (rows.shape[1] - 2) // 2
    year = rows[:, 1].astype(int) if rows.shape[1] > 1 else np.zeros(len(rows), dtype=int)
    return Seasons(region=rows[:, 0].astype(str), year=year, own=rows[:, 2:half], common=rows[:, half : 2 * half - 2])


def _nodes(nodes: np.ndarray) -> dict[str, list[float]]:
    leaf = nodes["is_leaf"].astype(bool)
    return {
        "feature": nodes["feature_idx"].tolist(),
        "threshold": np.where(leaf, 0.0, nodes["num_threshold"]).tolist(),
        "left": np.where(leaf, -1, nodes["left"].astype(int)).tolist(),
        "right": np.where(leaf, -1, nodes["right"].astype(int)).tolist(),
        "value": nodes["value"].tolist(),
    }
