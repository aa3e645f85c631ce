"""What a planting will give: labels from the past, estimates with their quantiles, model cards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from cropcredit.errors import MalformedInput
from cropcredit.model.records import Record

PROBABILITIES = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95)
"""Levels of the quantiles that every yield estimate carries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class YieldLabel(Record):
    """A yield that happened: of a region (official statistics) or of a planting (crop cut, sales)."""

    KEYS: ClassVar[tuple[str, ...]] = ("crop", "region")

    crop: str
    harvest_year: int
    t_ha: float
    """At the crop's standard moisture."""
    region: str
    source: str
    planting_id: str = ""
    """Empty for a regional label."""
    area_ha: float | None = None
    """Harvested area, ha; None where not told."""
    production_t: float | None = None
    """Harvest of that area, t; None where not told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionSeries(Record):
    """The mean index of one crop in one region over one month; known when its last day was published."""

    KEYS: ClassVar[tuple[str, ...]] = ("crop", "region")

    crop: str
    region: str
    source: str
    days: tuple[date, ...]
    """Ascending, all in one month."""
    ndvi: tuple[float, ...]
    """Mean over the crop's land on those days, unitless."""
    index: str = "ndvi"
    """Which index it is, e.g. ``fapar``."""

    def __post_init__(self) -> None:
        Record.__post_init__(self)
        if len(self.days) != len(self.ndvi) or list(self.days) != sorted(set(self.days)):
            raise MalformedInput(f"index {self.id!r} needs one value for each of its days, ascending")


@dataclass(frozen=True, slots=True, kw_only=True)
class CropCalendar(Record):
    """Typical sowing and harvest of a crop in a region, days of the year (1-366)."""

    KEYS: ClassVar[tuple[str, ...]] = ("crop", "region")

    crop: str
    region: str
    """``*`` for regions without one of their own."""
    sowing_doy: int
    harvest_doy: int
    """Smaller than ``sowing_doy`` where the season crosses New Year."""
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class YieldEstimate(Record):
    """Yield of one planting as of an instant: quantiles, the baseline beside it, and how far to trust both."""

    KEYS: ClassVar[tuple[str, ...]] = ("planting_id",)

    planting_id: str
    as_of: datetime
    crop: str
    region: str
    season_id: str
    model_id: str
    """Content hash of the model artefact; ``official-yield`` for the cold start."""
    t_ha: tuple[float, ...]
    """Quantiles at :data:`PROBABILITIES`, t/ha, ascending."""
    shared_share: float
    """Share of the variance common to crop x region x season, [0, 1]; the rest is the field's own."""
    baseline: str
    """Name of the best baseline on held-out years."""
    baseline_t_ha: float
    skill: float | None
    """1 - RMSE/RMSE(baseline) on held-out years; None without local labels."""
    qa_flag: int
    """Clear observations by phase, as HR-VPP QFLAG: 10 all three phases, 9-7 two, 6-4 one, 0 none."""
    growth_percentile: float | None
    """Rank of the season's index integral among fields of the same crop and region, [0, 100]."""
    verification: str = "not_assessed"
    """``conform``, ``not_conform`` or ``not_assessed``: is the declared crop growing there?"""
    verification_confidence: float | None = None
    """Grade of the evidence against the declared crop, [0.7, 1]; None unless ``not_conform``."""
    planted_share: float | None = None
    """Share of the field seen planted with the declared crop, [0, 1]; None where not assessed."""
    reasons: tuple[str, ...] = ()
    """Machine codes with facts, most important first, e.g. ``cold_start``, ``model_no_skill``, ``mixed_pixel``."""
    inputs: tuple[str, ...] = ()
    """Hashes of the run manifest, the series and the labels it was computed from."""

    def __post_init__(self) -> None:
        Record.__post_init__(self)
        if len(self.t_ha) != len(PROBABILITIES) or any(b < a for a, b in zip(self.t_ha, self.t_ha[1:], strict=False)):
            raise MalformedInput(
                f"estimate {self.id!r} needs {len(PROBABILITIES)} ascending quantiles, got {self.t_ha}"
            )

    def quantile(self, probability: float) -> float:
        """Yield at one of :data:`PROBABILITIES`, t/ha."""
        return self.t_ha[PROBABILITIES.index(probability)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """A stored model was put into use for a crop."""

    crop: str
    model_id: str
    at: datetime | None
    """None where the store did not keep it yet."""
    by: str
    """Account of the person; empty where nobody was named."""
    reason: str
