"""How far the line's estimates were from the truth that the generator knows: the one reader of the truth file."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cropcredit.model import YieldEstimate


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthCheck:
    """One crop: estimates against the known truth."""

    crop: str
    plantings: int
    true_mean_t_ha: float
    estimated_mean_t_ha: float
    """Mean of the medians."""
    rmse_t_ha: float
    baseline_rmse_t_ha: float
    """Of the best baseline from years past, on the same plantings."""
    covered_90: float
    """Share of plantings whose truth lies between P05 and P95."""
    correlation: float
    """Between estimate and truth over the fields; NaN where all estimates are equal."""


def read_truth(file: Path) -> dict[str, float]:
    """Read the true yield of each planting, t/ha."""
    with file.open(encoding="utf-8", newline="") as rows:
        return {row["planting_id"]: float(row["yield_t_ha"]) for row in csv.DictReader(rows)}


def against_truth(estimates: Iterable[YieldEstimate], truth: dict[str, float]) -> list[TruthCheck]:
    """Compare estimates with the truth, crop by crop."""
    by_crop: dict[str, list[YieldEstimate]] = {}
    for estimate in estimates:
        if estimate.planting_id in truth:
            by_crop.setdefault(estimate.crop, []).append(estimate)
    return [_check(crop, of_crop, truth) for crop, of_crop in sorted(by_crop.items())]


def _check(crop: str, estimates: list[YieldEstimate], truth: dict[str, float]) -> TruthCheck:
    true = np.array([truth[estimate.planting_id] for estimate in estimates])
    middle = np.array([estimate.quantile(0.50) for estimate in estimates])
    low, high = (np.array([estimate.quantile(p) for estimate in estimates]) for p in (0.05, 0.95))
    baseline = np.array([estimate.baseline_t_ha for estimate in estimates])
    varied = len(true) > 1 and np.ptp(middle) > 0 and np.ptp(true) > 0
    return TruthCheck(
        crop=crop,
        plantings=len(true),
        true_mean_t_ha=float(true.mean()),
        estimated_mean_t_ha=float(middle.mean()),
        rmse_t_ha=_rmse(middle, true),
        baseline_rmse_t_ha=_rmse(baseline, true),
        covered_90=float(((low <= true) & (true <= high)).mean()),
        correlation=float(np.corrcoef(middle, true)[0, 1]) if varied else float("nan"),
    )


def _rmse(estimate: np.ndarray, true: np.ndarray) -> float:
    return float(np.sqrt(np.mean((estimate - true) ** 2)))
