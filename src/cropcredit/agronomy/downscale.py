"""From the region's yield to one field's: its own growth among its neighbours, and what nobody can see from above.

field yield = region yield x (1 + cv x r x z) +- region yield x cv x sqrt(1 - r^2), where z is the field's growth as a
normal score among fields of its crop and region, cv the spread of yields between fields and r how far growth seen from
above tells good fields from bad. With less evidence r shrinks to 0: the estimate goes back to the region's and widens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri

from cropcredit.agronomy.forecasts import RegionForecast
from cropcredit.model import PROBABILITIES

FULL_EVIDENCE_DATES = 10
"""Clear dates in the season so far that make a curve fully trusted."""
FEW_DATES = 4
"""Fewer clear dates than this are said so."""
MIXED_TRUST = 0.6
"""Trust in a field whose pixels are shared with its neighbours (index bias of 0.03 to 0.11 for 0.05-0.2 ha)."""
EARLY, LATE = 0.3, 0.8
"""Share of the season before which growth says nothing of yield, and from which it says all it can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSpread:
    """How fields of one region and season differ; a prior until harvests of fields are known.

    Within-region yields of smallholders differ by a quarter; Sentinel-2 indices explain 0.3 to 0.6 of it (Burke
    & Lobell 2017; Hunt et al. 2019; Mondschein et al. 2024), one index alone about 0.25 (Radocaj 2025): taken here.
    """

    cv: float = 0.25
    correlation: float = 0.5
    source: str = "prior"

    def to_json(self) -> dict[str, Any]:
        """Give plain values."""
        return {"cv": self.cv, "correlation": self.correlation, "source": self.source}


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldYield:
    """Quantiles of one field's yield and how its variance divides."""

    t_ha: tuple[float, ...]
    """At :data:`cropcredit.model.PROBABILITIES`, t/ha, ascending, not negative."""
    shared_share: float
    """Share of the variance that all fields of crop x region x season have in common, [0, 1]."""


def trust(seen_share: float, clear_dates: int, *, mixed_pixel: bool) -> float:
    """Say how much a field's curve may move its estimate, [0, 1].

    Parameters
    ----------
    seen_share : float
        Share of the season, from sowing to harvest, up to its last clear look.
    clear_dates : int
        Used observations in it.
    mixed_pixel : bool
        No pixel lies wholly inside the field.
    """
    season = min(max((seen_share - EARLY) / (LATE - EARLY), 0.0), 1.0)
    seen = min(clear_dates / FULL_EVIDENCE_DATES, 1.0)
    return season * seen * (MIXED_TRUST if mixed_pixel else 1.0)


def field_yield(region: RegionForecast, spread: FieldSpread, rank: float, weight: float) -> FieldYield:
    """Estimate one field: the region's forecast moved by its growth, the two spreads added as independent.

    Parameters
    ----------
    rank : float
        From :func:`cropcredit.agronomy.anomalies.ranks` of the growth so far; NaN: not seen.
    weight : float
        From :func:`trust`.

    Notes
    -----
    Deviations of shared and own part combine per level as sqrt(d^2 + o^2): exact for normal parts, always ascending.
    """
    r = 0.0 if np.isnan(rank) else spread.correlation * weight
    score = 0.0 if np.isnan(rank) else float(ndtri(rank))
    own_sd = region.t_ha * spread.cv * float(np.sqrt(1 - r**2))
    centre = region.offsets[PROBABILITIES.index(0.50)]
    shared = np.array(region.offsets) - centre
    own = ndtri(PROBABILITIES) * own_sd
    middle = region.t_ha * (1 + spread.cv * r * score) + centre
    levels = middle + np.sign(own) * np.sqrt(shared**2 + own**2)
    variance = region.sd_t_ha**2 + own_sd**2
    return FieldYield(
        t_ha=tuple(float(level) for level in np.maximum(levels, 0.0)),
        shared_share=region.sd_t_ha**2 / variance if variance > 0 else 0.0,
    )
