"""What is expected of a region's season, whoever says so: a model, a baseline or the official statistics."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionForecast:
    """Yield of one crop x region x season with the part of its error that all fields there share."""

    t_ha: float
    offsets: tuple[float, ...]
    """Quantiles of the shared error at :data:`cropcredit.model.PROBABILITIES`, t/ha, ascending."""
    sd_t_ha: float
    """Root mean square of the shared error, t/ha."""
    method: str
    """``model``, ``average``, ``trend`` or ``official``."""
    baseline: str
    baseline_t_ha: float
    skill: float | None
    """Of the model over the baseline on left-out years; None without a validation."""
    reasons: tuple[str, ...] = ()
    """Machine codes: why this method, and what makes it weaker than it could be."""
