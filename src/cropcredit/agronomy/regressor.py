"""The ridge behind the residual model, as an estimator of scikit-learn; only training needs it."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import Ridge
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from cropcredit.agronomy.features import GAMMA, damped_quadratic
from cropcredit.agronomy.series import Floats


class ResidualRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn brings no types
    """Ridge on a damped quadratic of scaled, uncentred features; predicts 0 far from what it has seen.

    Parameters
    ----------
    gamma : float
        Damping, per squared standard deviation of the features: small is nearly a parabola.
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
        ridge = Ridge(alpha=self.alpha, fit_intercept=False, solver="cholesky")
        self.coef_ = ridge.fit(damped_quadratic(seen / self.scale_, self.gamma), left).coef_.T
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
        return np.asarray(damped_quadratic(seen / self.scale_, self.gamma) @ self.coef_)
