"""Which model to use: decided by years that none of them had seen.

Every method guesses every training year without it. The best one is taken, or a weighted mean of several (a stack)
where that errs clearly less when even the choice and the weights are made without the year that is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from cropcredit.agronomy.models import Candidate
from cropcredit.agronomy.series import Floats

Method = str | Candidate
"""The name of a baseline, or a candidate."""
SMALLEST = 0.02
"""Weights below this are left out of a stack."""
CLEARLY = 0.98
"""A stack must err less than this share of the best single method: weights from few years are worth little."""
SUM_WEIGHS = 1e3
"""How strictly the weights of a stack add up to one, in root mean squares of the yields."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Methods and their weights, which add up to one."""

    weights: tuple[tuple[Method, float], ...]

    def of(self, guesses: Mapping[Method, Floats]) -> Floats:
        """Combine the guesses of all methods."""
        return np.asarray(sum(weight * guesses[method] for method, weight in self.weights))

    def __str__(self) -> str:
        """Name it, e.g. ``mixed model`` or ``0.70 mixed model + 0.30 average``."""
        if len(self.weights) == 1:
            return str(self.weights[0][0])
        return " + ".join(f"{weight:.2f} {method}" for method, weight in self.weights)


def choose(t_ha: Floats, year: NDArray[np.int_], guesses: Mapping[Method, Floats]) -> tuple[Choice, Floats] | None:
    """Choose among the candidates, or stack them and the baselines.

    Parameters
    ----------
    t_ha, year : ndarray, shape (rows,)
    guesses : mapping of method to ndarray, shape (rows,)
        Each made without the row's own year.

    Returns
    -------
    tuple of (Choice, ndarray of shape (rows,)), or None where there is no candidate
        The second are guesses for which method or weights, too, were chosen without the row's year (only whether to
        stack at all was decided over all years): what to calibrate with.
    """
    methods = list(guesses)
    models = [method for method in methods if isinstance(method, Candidate)]
    if not models:
        return None
    rules = (_single, _stack)
    honest = [np.empty_like(t_ha) for _ in rules]
    for left_out in np.unique(year):
        out = year == left_out
        others = {method: guess[~out] for method, guess in guesses.items()}
        for rule, guess in zip(rules, honest, strict=True):
            guess[out] = rule(t_ha[~out], others, models, methods).of({m: g[out] for m, g in guesses.items()})
    alone, together = (_rmse(guess - t_ha) for guess in honest)
    chosen = int(together < CLEARLY * alone)
    return rules[chosen](t_ha, guesses, models, methods), honest[chosen]


def _single(
    t_ha: Floats, guesses: Mapping[Method, Floats], models: Sequence[Method], _methods: Sequence[Method]
) -> Choice:
    return Choice(((min(models, key=lambda method: _rmse(guesses[method] - t_ha)), 1.0),))


def _stack(
    t_ha: Floats, guesses: Mapping[Method, Floats], _models: Sequence[Method], methods: Sequence[Method]
) -> Choice:
    """Least squares with weights that are not negative and add up to one."""
    if not len(t_ha):
        return Choice(((methods[0], 1.0),))
    strict = SUM_WEIGHS * float(np.sqrt(np.mean(t_ha**2)))
    columns = np.vstack([np.column_stack([guesses[method] for method in methods]), np.full(len(methods), strict)])
    weights = nnls(columns, np.append(t_ha, strict))[0]
    weights = np.where(weights < SMALLEST * weights.sum(), 0.0, weights)
    weights = weights / weights.sum()
    return Choice(tuple((method, float(w)) for method, w in zip(methods, weights, strict=True) if w > 0))


def _rmse(error: Floats) -> float:
    return float(np.sqrt(np.mean(error**2)))
