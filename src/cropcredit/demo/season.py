"""The story's season on every plot: which crop stands when, its leaf area and water, and what it yields."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from cropcredit.demo.growth import Growth, Stands, grow, ndvi
from cropcredit.demo.land import Plots
from cropcredit.demo.parameters import CropModel, Region
from cropcredit.demo.weather import Weather

Floats = NDArray[np.float64]
FALLOW_LAI = 0.06
"""Weeds and volunteers between crops."""
TURNAROUND_DAYS = 2
"""At least, between the wheat harvest and sowing maize into its straw."""
BEFORE_DAYS, AFTER_DAYS = 15, 45
"""How far a season's days reach beyond its crops."""
STRAW = 1.25
"""Chopped straw brightens the ground after the wheat harvest."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Crop:
    """One crop of the season on the plots that carry it."""

    code: str
    model: CropModel
    plots: NDArray[np.int_]
    """Rows of :class:`~cropcredit.demo.land.Plots`."""
    sown: NDArray[np.int_]
    """Row of the weather."""
    growth: Growth


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Season:
    """The season day by day; daily arrays have shape (days, plots)."""

    first_on: date
    lai: Floats
    brightness: Floats
    """Of the ground, 1 for bare soil."""
    water: Floats
    """Volumetric water of the root zone; field capacity before the first and after the last crop."""
    crops: tuple[Crop, ...]

    def day(self, when: date) -> int:
        """Give the row of a day."""
        return (when - self.first_on).days


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What really happened to one planting; the line never reads it."""

    plot: int
    crop: str
    sown_on: date
    harvest_on: date
    yield_t_ha: float
    start_on: date
    """Start of season: NDVI leaves its minimum by a quarter of the rise to the peak."""
    peak_on: date
    peak_ndvi: float
    stress: float


def run_season(region: Region, plots: Plots, weather: Weather, *, year: int, dice: np.random.Generator) -> Season:
    """Grow one harvest year on all plots: wheat and then maize, or cotton."""
    n = len(plots.cotton)
    husbandry = dice.lognormal(-(region.spread.season**2) / 2, region.spread.season, n)
    unseen = dice.lognormal(-(region.spread.unseen**2) / 2, region.spread.unseen, (3, n))
    dry, free = dice.uniform(0.2, 0.5, n), np.zeros(n, dtype=int)
    grains, cotton = np.flatnonzero(~plots.cotton), np.flatnonzero(plots.cotton)
    crops: list[Crop] = []
    for luck, (code, rows) in zip(
        unseen, (("winter_wheat", grains), ("maize", grains), ("cotton", cotton)), strict=True
    ):
        model = region.crop[code]
        spread = np.clip(dice.normal(0, model.sown_spread_days, len(rows)), -9, 9).round().astype(int)
        sown = np.maximum(weather.day(model.sown_on(year)) + spread, free[rows])
        stands = _stands(plots, rows, model, year, sown, husbandry[rows], luck[rows], dry[rows])
        growth = grow(model, stands, weather)
        dry[rows], free[rows] = growth.depletion, sown + stands.days + TURNAROUND_DAYS
        crops.append(Crop(code=code, model=model, plots=rows, sown=sown, growth=growth))
    return _timeline(plots, weather, tuple(crops))


def truths(season: Season, weather: Weather) -> list[Truth]:
    """Read the truth of every planting off the season."""
    found: list[Truth] = []
    for crop in season.crops:
        curves = ndvi(crop.growth.lai)
        peaks = curves.argmax(axis=0)
        for i, plot in enumerate(crop.plots):
            curve, peak, sown = curves[:, i], int(peaks[i]), weather.first_on + timedelta(int(crop.sown[i]))
            found.append(
                Truth(
                    plot=int(plot),
                    crop=crop.code,
                    sown_on=sown,
                    harvest_on=sown + timedelta(len(curve)),
                    yield_t_ha=float(crop.growth.yield_t_ha[i]),
                    start_on=sown + timedelta(start_of_season(curve)),
                    peak_on=sown + timedelta(peak),
                    peak_ndvi=float(curve[peak]),
                    stress=float(crop.growth.stress[i]),
                )
            )
    return found


def start_of_season(curve: Floats, share: float = 0.25) -> int:
    """Day on which a curve has made ``share`` of its rise from the lowest point before its peak.

    Examples
    --------
    >>> start_of_season(np.array([0.5, 0.2, 0.3, 0.6, 1.0, 0.4]))
    3
    """
    peak = int(curve.argmax())
    low = int(curve[: peak + 1].argmin())
    threshold = curve[low] + share * (curve[peak] - curve[low])
    return low + int(np.argmax(curve[low : peak + 1] >= threshold))


def _stands(
    plots: Plots,
    rows: NDArray[np.int_],
    model: CropModel,
    year: int,
    sown: NDArray[np.int_],
    husbandry: Floats,
    unseen: Floats,
    depletion: Floats,
) -> Stands:
    """Describe plantings of one crop on some plots to the growth model."""
    usual = (model.harvested_on(year) - model.sown_on(year)).days
    return Stands(
        township=plots.township[rows],
        sown=sown,
        days=usual,
        fc=plots.fc[rows],
        wp=plots.wp[rows],
        vigour=plots.vigour[rows] * husbandry,
        unseen=unseen,
        irrigations=plots.irrigations[rows],
        trend=np.full(len(rows), (1 + model.trend) ** (year - 2020)),
        depletion=depletion,
    )


def _timeline(plots: Plots, weather: Weather, crops: tuple[Crop, ...]) -> Season:
    """Lay the crops of each plot one after the other on common days, from before the first to after the last."""
    n, last = len(plots.cotton), max(int(crop.sown.max()) + len(crop.growth.lai) for crop in crops)
    begin = min(int(crop.sown.min()) for crop in crops) - BEFORE_DAYS
    first, days = weather.first_on + timedelta(begin), min(last + AFTER_DAYS, len(weather.rain_mm)) - begin
    lai, brightness = np.full((days, n), FALLOW_LAI), np.ones((days, n))
    water = np.tile(0.75 * plots.fc + 0.25 * plots.wp, (days, 1))
    for crop in crops:
        start = crop.sown - weather.day(first)
        at = start[None, :] + np.arange(len(crop.growth.lai))[:, None]
        where = (at, np.broadcast_to(crop.plots, at.shape))
        lai[where] = np.maximum(crop.growth.lai, FALLOW_LAI * np.exp(-crop.growth.lai))
        water[where] = crop.growth.water
        if crop.code == "winter_wheat":
            after = np.arange(days)[:, None] >= (start + len(crop.growth.lai))[None, :]
            brightness[:, crop.plots] = np.where(after, STRAW, 1.0)
    return Season(first_on=first, lai=lai, brightness=brightness, water=water, crops=crops)
