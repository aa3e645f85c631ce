"""Without enough local years to learn from: the official regional yield, widened, and it says so."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import stdtrit

from cropcredit.agronomy.forecasts import RegionForecast
from cropcredit.errors import MissingEvidence
from cropcredit.model import PROBABILITIES, YieldLabel

MODEL_ID = "official-yield"
YEAR_CV = 0.20
"""Prior spread of a region's yield between years, share of its mean (CY-Bench averages err by 15-20 %)."""
PRIOR_YEARS = 3
"""Years that the prior spread is worth."""
ELSEWHERE = 1.5
"""Factor on the spread where only other regions' yields are known."""


def official_forecast(labels: Sequence[YieldLabel], crop: str, region: str) -> RegionForecast:
    """Expect what the region gave in the years that are known, with a spread that few years cannot hide.

    Parameters
    ----------
    labels : sequence of YieldLabel
        Regional labels of ``crop`` known at the as-of instant.

    Raises
    ------
    MissingEvidence
        If there is no label of the crop at all: no number is better than a made-up one.
    """
    if not labels:
        raise MissingEvidence(
            f"no yield of {crop!r} is known anywhere", cure="import official yields with `yield train --labels`"
        )
    local = np.array([label.t_ha for label in labels if label.region == region])
    yields = local if len(local) else np.array([label.t_ha for label in labels])
    years, mean = len(yields), float(yields.mean())
    squares = float(((yields - mean) ** 2).sum()) + PRIOR_YEARS * (YEAR_CV * mean) ** 2
    spread = float(np.sqrt(squares / (years - 1 + PRIOR_YEARS) * (1 + 1 / years)))
    spread *= 1.0 if len(local) else ELSEWHERE
    offsets = stdtrit(years - 1 + PRIOR_YEARS, PROBABILITIES) * spread
    return RegionForecast(
        t_ha=mean,
        offsets=tuple(float(offset) for offset in offsets),
        sd_t_ha=spread,
        method="official",
        baseline="official",
        baseline_t_ha=mean,
        skill=None,
        reasons=("cold_start",) if len(local) else ("cold_start", "region_without_labels"),
    )
