"""Made-up regions whose truth is known: yields that follow the index, or do not."""

from __future__ import annotations

import numpy as np

from cropcredit.agronomy.features import PARTS, RegionTable


def regions(
    *, years: int = 12, count: int = 8, signal: float = 6.0, common: float = 0.3, own: float = 0.15, seed: int = 0
) -> RegionTable:
    """Yield = level of the region + signal x index anomaly + a shock of the year + a shock of its own, t/ha."""
    rng = np.random.default_rng(seed)
    region, year = (part.ravel() for part in np.meshgrid(np.arange(count), np.arange(years), indexing="ij"))
    usual = rng.uniform(0.3, 0.5, (count, PARTS))
    season = rng.normal(0, 0.04, (years, 1)) + rng.normal(0, 0.03, (count, years, 1))
    parts = usual[region] + season[region, year] + rng.normal(0, 0.005, (len(region), PARTS))
    level = np.linspace(2.5, 5.5, count)
    shock = rng.normal(0, common, years)[year] + rng.normal(0, own, len(region))
    t_ha = level[region] + signal * season[region, year, 0] + shock
    return RegionTable(
        region=np.array([f"r{r}" for r in region]), year=2000 + year, t_ha=np.maximum(t_ha, 0.1), parts=parts
    )
