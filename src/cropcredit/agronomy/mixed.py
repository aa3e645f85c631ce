"""A mixed model of regional yields: what a region usually gives, how that drifts, and what this season's index says.

yield(region, year) = level(region) + trend(region) x year + drift(region, year)
                    + trend x year + drift(year) + effect(year)
                    + index anomalies x (response shared by all regions + response of the common anomaly)
                    + mean anomaly x response(region) + error

Every term is a normal random effect. Their variances come from the training years alone, by maximum marginal
likelihood (Henderson 1975, Biometrics 31:423; Rasmussen & Williams 2006, ch. 5), so a term that the data do not
support gets a variance near nothing: irrigated maize keeps its trend and ignores the index, wheat in a wet country
falls back to the mean of its region. Drifts are Ornstein-Uhlenbeck: a good year lends something to its neighbours.

Effects of different regions are independent, so the covariance is block-diagonal but for the few shared columns; a fit
takes hundredths of a second (Woodbury's identity).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from cropcredit.agronomy.groups import rows_by
from cropcredit.agronomy.mixed_likelihood import DECADE, START, Blocks, Seasons, objective, solve
from cropcredit.agronomy.series import Floats

LIMITS = (-12.0, 5.0)
"""Of the logarithms of the variances."""
STEPS = 80
MOST_REGIONS = 200
"""Regions, evenly spread over their codes, that the variances are estimated from: twelve numbers need no more."""
CLOSE = 1e-6
"""Relative change of the likelihood at which the search ends; forecasts then change in the fourth digit."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MixedModel:
    """A fitted model; what it needs to predict is plain numbers."""

    variances: dict[str, float]
    """As :data:`START`."""
    mean: float
    """Of the training yields, t/ha."""
    spread: float
    """Their standard deviation, t/ha."""
    origin: float
    """Year from which trends count."""
    coef: Floats
    """Intercept, trend per decade, own anomalies, common anomalies."""
    seasons: Seasons
    """The training seasons."""
    weight: Floats
    """What each training yield lends to others: V^-1 (y - mean), shape (rows,)."""

    def predict(self, now: Seasons) -> Floats:
        """Yield of each season, t/ha, not negative; a region without labels gets what all regions share."""
        fixed = np.hstack([np.ones((len(now.year), 1)), self._decades(now)[:, None], now.own, now.common])
        lent = self._lent_by_years(now) + self._lent_by_regions(now)
        return np.asarray(np.maximum(self.mean + self.spread * (fixed @ self.coef + lent), 0.0))

    def _lent_by_years(self, now: Seasons) -> Floats:
        """Sum what the years of the training seasons lend to each season, whatever the region."""
        v = self.variances
        years, place = np.unique(self.seasons.year, return_inverse=True)
        apart = np.abs(now.year[:, None] - years)
        lent = v["common_drift"] * np.exp(-apart / v["common_drift_years"]) + v["year"] * (apart == 0)
        return np.asarray(lent @ np.bincount(place, self.weight, len(years)))

    def _lent_by_regions(self, now: Seasons) -> Floats:
        """Sum what a region's own training seasons lend to each of its seasons."""
        v, then = self.variances, self.seasons
        lent, known = np.zeros(len(now.year)), dict(rows_by(then.region))
        decades, past_decades = self._decades(now), self._decades(then)
        vigour, past_vigour = now.vigour, then.vigour
        for region, rows in rows_by(now.region):
            if region not in known:
                continue
            own = known[region]
            apart = np.abs(now.year[rows, None] - then.year[own])
            mine = v["level"] + v["trend"] * np.outer(decades[rows], past_decades[own])
            mine += v["drift"] * np.exp(-apart / v["drift_years"])
            mine += v["response"] * np.outer(vigour[rows], past_vigour[own])
            lent[rows] = mine @ self.weight[own]
        return lent

    def _decades(self, seasons: Seasons) -> Floats:
        return np.asarray((seasons.year - self.origin) / DECADE, dtype=float)

    def to_json(self) -> dict[str, Any]:
        """Give plain values."""
        return {
            "variances": self.variances,
            "mean": self.mean,
            "spread": self.spread,
            "origin": self.origin,
            "coef": self.coef.tolist(),
            "region": self.seasons.region.tolist(),
            "year": self.seasons.year.tolist(),
            "own": self.seasons.own.tolist(),
            "common": self.seasons.common.tolist(),
            "weight": self.weight.tolist(),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> MixedModel:
        """Read :meth:`to_json` back."""
        rows = len(data["year"])
        seasons = Seasons(
            region=np.array(data["region"], dtype=np.str_),
            year=np.array(data["year"], dtype=int),
            own=np.array(data["own"], dtype=float).reshape(rows, -1),
            common=np.array(data["common"], dtype=float).reshape(rows, -1),
        )
        return cls(
            variances=dict(data["variances"]),
            mean=data["mean"],
            spread=data["spread"],
            origin=data["origin"],
            coef=np.array(data["coef"], dtype=float),
            seasons=seasons,
            weight=np.array(data["weight"], dtype=float),
        )


def fit_mixed(seasons: Seasons, t_ha: Floats, *, start: dict[str, float] | None = None) -> MixedModel:
    """Estimate the variances and the effects.

    Parameters
    ----------
    seasons : Seasons
        Training seasons; every row has a yield.
    t_ha : ndarray, shape (rows,)
    start : dict, optional
        Variances to begin the search from, e.g. those of a like fit; they change the time, hardly the result.
    """
    mean, spread = float(t_ha.mean()), float(t_ha.std()) or 1.0
    origin = float(seasons.year.mean())
    y = (t_ha - mean) / spread
    some = _some_regions(seasons.region)
    sample = Blocks.of(seasons.take(some), y[some], origin)
    names = tuple(START)
    first = np.log([(start or START)[name] for name in names])
    limits = [LIMITS] * len(names)
    options = {"maxiter": STEPS, "ftol": CLOSE}
    found = minimize(objective, first, (sample, names), "L-BFGS-B", jac=True, bounds=limits, options=options)
    variances = {name: float(value) for name, value in zip(names, np.exp(found.x), strict=True)}
    data = Blocks.of(seasons, y, origin)
    solved = solve(data, variances)
    parts = 2 + 2 * seasons.own.shape[1]
    return MixedModel(
        variances=variances,
        mean=mean,
        spread=spread,
        origin=origin,
        coef=solved.effects[:parts],
        seasons=seasons,
        weight=solved.weight[data.place],
    )


def _some_regions(region: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Choose the rows that the variances are estimated from."""
    names = np.unique(region)
    few = min(len(names), MOST_REGIONS)
    return np.isin(region, names[np.linspace(0, len(names) - 1, few).astype(int)])
