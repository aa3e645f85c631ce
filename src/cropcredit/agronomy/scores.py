"""How good guesses of yields were: over all, per year, in space, in time, and as intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cropcredit.agronomy.groups import rows_by
from cropcredit.agronomy.series import Floats

ALPHA = 0.10
"""One minus the level of the interval that is scored."""
MIN_POINTS = 3
"""Fewer points have no correlation worth a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """How a method did on yields it had not seen."""

    nrmse: float
    """100 RMSE / mean yield, %."""
    mape: float
    """Mean absolute error over the yield, %; of yields above zero, NaN where there is none."""
    r2: float
    coverage: float
    """Share of yields inside the 90 % interval."""
    width_t_ha: float
    """Mean width of that interval, t/ha."""
    interval_score: float
    """Width plus 2 / 0.10 times what a yield lies outside, mean, t/ha (Gneiting & Raftery 2007, JASA 102:359)."""
    spatial_r: float | None
    """Correlation of the regions' means: does it know good land from bad? None where nothing varies."""
    temporal_r: float | None
    """Correlation over years within a region, mean of regions: does it know good years from bad?"""
    anomaly_r: float | None
    """Correlation of departures from each region's mean, all together."""

    def to_json(self) -> dict[str, float | None]:
        """Give plain values; None for what does not exist, e.g. R2 of yields that are all equal."""
        return {name: value if value is None or isfinite(value) else None for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Scores:
        """Read :meth:`to_json` back."""
        lacking = {name: float("nan") for name in ("mape", "r2") if data[name] is None}
        return cls(**{**data, **lacking})


@dataclass(frozen=True, slots=True, kw_only=True)
class YearScores:
    """The same for one year."""

    year: int
    labels: int
    nrmse: float
    mape: float
    r2: float
    coverage: float
    width_t_ha: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Guesses:
    """Yields beside what was guessed of them; every array of shape (rows,)."""

    region: NDArray[np.str_]
    year: NDArray[np.int_]
    t_ha: Floats
    predicted: Floats
    low: Floats
    high: Floats

    def scores(self) -> Scores:
        """Score all rows together."""
        error = self.predicted - self.t_ha
        inside = (self.t_ha >= self.low) & (self.t_ha <= self.high)
        outside = np.maximum(self.low - self.t_ha, 0) + np.maximum(self.t_ha - self.high, 0)
        width = self.high - self.low
        own, guessed = _departures(self.region, self.t_ha), _departures(self.region, self.predicted)
        return Scores(
            nrmse=100 * _rmse(error) / float(self.t_ha.mean()),
            mape=_mape(self.t_ha, error),
            r2=_r2(self.t_ha, error),
            coverage=float(inside.mean()),
            width_t_ha=float(width.mean()),
            interval_score=float(np.mean(width + 2 / ALPHA * outside)),
            spatial_r=_correlation(_means(self.region, self.t_ha), _means(self.region, self.predicted)),
            temporal_r=self._temporal(),
            anomaly_r=_correlation(own, guessed),
        )

    def per_year(self) -> list[YearScores]:
        """Score each year by itself; one in which nothing grew anywhere has no relative error, and is left out."""
        return [self._of(int(year)) for year in np.unique(self.year[self.t_ha > 0])]

    def medians(self) -> tuple[float, float, float]:
        """Median over years of nRMSE, MAPE (%) and R2: how CY-Bench reports."""
        years = self.per_year()
        return (
            float(np.median([one.nrmse for one in years])),
            float(np.median([one.mape for one in years])),
            float(np.median([one.r2 for one in years])),
        )

    def _of(self, year: int) -> YearScores:
        rows = self.year == year
        t_ha, error = self.t_ha[rows], (self.predicted - self.t_ha)[rows]
        return YearScores(
            year=year,
            labels=int(rows.sum()),
            nrmse=100 * _rmse(error) / float(t_ha.mean()),
            mape=_mape(t_ha, error),
            r2=_r2(t_ha, error),
            coverage=float(np.mean((t_ha >= self.low[rows]) & (t_ha <= self.high[rows]))),
            width_t_ha=float(np.mean(self.high[rows] - self.low[rows])),
        )

    def _temporal(self) -> float | None:
        found = [_correlation(self.t_ha[rows], self.predicted[rows]) for _, rows in rows_by(self.region)]
        known = [r for r in found if r is not None]
        return float(np.mean(known)) if known else None


def _rmse(error: Floats) -> float:
    return float(np.sqrt(np.mean(error**2)))


def _mape(t_ha: Floats, error: Floats) -> float:
    there = t_ha > 0
    return 100 * float(np.mean(np.abs(error[there]) / t_ha[there])) if there.any() else float("nan")


def _r2(t_ha: Floats, error: Floats) -> float:
    total = float(((t_ha - t_ha.mean()) ** 2).sum())
    return 1 - float((error**2).sum()) / total if total > 0 else float("nan")


def _means(group: NDArray[np.str_], values: Floats) -> Floats:
    _, place, counts = np.unique(group, return_inverse=True, return_counts=True)
    return np.asarray(np.bincount(place, values) / counts)


def _departures(group: NDArray[np.str_], values: Floats) -> Floats:
    _, place = np.unique(group, return_inverse=True)
    return values - _means(group, values)[place]


def _correlation(one: Floats, other: Floats) -> float | None:
    if len(one) < MIN_POINTS or np.ptp(one) == 0 or np.ptp(other) == 0:
        return None
    return float(np.corrcoef(one, other)[0, 1])
