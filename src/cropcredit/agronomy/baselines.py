"""Expectations that need nothing but past yields: the average and the trend of each region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cropcredit.agronomy.groups import rows_by
from cropcredit.agronomy.series import Floats

MIN_TREND_YEARS = 5
"""A line through fewer years is noise; the region's average is used."""
BASELINES = ("average", "trend")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """A straight line over years for each region; slope 0 is the average."""

    kind: str
    """One of :data:`BASELINES`."""
    lines: dict[str, tuple[float, float, float]]
    """Region -> (t/ha in its middle year, t/ha per year, middle year); ``""`` serves regions without labels."""

    def predict(self, region: NDArray[np.str_], year: NDArray[np.int_]) -> Floats:
        """Give the expected yield of region-years, t/ha, never negative."""
        line = np.array([self.lines.get(str(name), self.lines[""]) for name in region]).reshape(-1, 3)
        return np.asarray(np.maximum(line[:, 0] + line[:, 1] * (year - line[:, 2]), 0.0))

    def to_json(self) -> dict[str, Any]:
        """Give plain values."""
        return {"kind": self.kind, "lines": {region: list(line) for region, line in self.lines.items()}}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Expectation:
        """Read :meth:`to_json` back."""
        lines = {region: (float(a), float(b), float(c)) for region, (a, b, c) in data["lines"].items()}
        return cls(kind=data["kind"], lines=lines)


def fit_expectation(
    kind: str, region: NDArray[np.str_], year: NDArray[np.int_], t_ha: Floats, *, shrink: float = 0.0
) -> Expectation:
    """Fit the average or the trend of each region.

    Parameters
    ----------
    kind : {"average", "trend"}
    region, year, t_ha : ndarray, shape (labels,)
        Past yields, t/ha.
    shrink : float
        Labels' worth of the all-region mean mixed into each region's level: few labels lean on the others.
    """
    overall = float(t_ha.mean())
    lines = {"": (overall, 0.0, float(year.mean()))}
    for name, mine in rows_by(region):
        level = (float(t_ha[mine].sum()) + shrink * overall) / (len(mine) + shrink)
        middle = float(year[mine].mean())
        slope = _slope(year[mine], t_ha[mine]) if kind == "trend" else 0.0
        lines[name] = (level, slope, middle)
    return Expectation(kind=kind, lines=lines)


def region_sd(region: NDArray[np.str_], t_ha: Floats) -> float:
    """Spread of the level between regions, t/ha: what is not known of a region without labels."""
    return float(np.std([t_ha[mine].mean() for _, mine in rows_by(region)]))


def _slope(year: NDArray[np.int_], t_ha: Floats) -> float:
    if len(np.unique(year)) < MIN_TREND_YEARS:
        return 0.0
    centred = year - year.mean()
    return float((centred * (t_ha - t_ha.mean())).sum() / (centred**2).sum())
