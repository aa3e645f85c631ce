"""What is known about years past: official yields and the mean index per township, from the same growth model.

Each year a fresh sample of fields per township grows under that year's weather. Its mean yield, with a small error of
counting, is the official statistic; its mean NDVI on a regular grid of days, as cropland of a township looks from
above, is the past index. The index carries the mixing with tracks and ridges that every small field shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from cropcredit.demo.growth import Growth, grow, reflectance
from cropcredit.demo.land import Plots, agronomy
from cropcredit.demo.parameters import CropModel, Region
from cropcredit.demo.season import FALLOW_LAI, stands_of
from cropcredit.demo.weather import Weather

Floats = NDArray[np.float64]
TRACK_SHARE = 0.06
"""Share of tracks and ridges in a pixel of cropland."""
TRACK_REFLECTANCE = (0.17, 0.25)


@dataclass(frozen=True, slots=True, kw_only=True)
class PastYield:
    """Official yield of a township in one year."""

    region: str
    crop: str
    harvest_year: int
    t_ha: float
    published_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class PastIndex:
    """Mean NDVI of a crop in a township on one day."""

    region: str
    crop: str
    on: date
    ndvi: float


def look_back(region: Region, weather: Weather) -> tuple[list[PastYield], list[PastIndex]]:
    """Grow every crop of every past year, and this year's index up to the story's present."""
    yields: list[PastYield] = []
    index: list[PastIndex] = []
    for year in range(region.history.first_harvest_year, region.harvest_year + 1):
        for code, model in region.crop.items():
            dice = region.dice(f"history {code} {year}")
            plots, growth = _past(region, weather, model, year, dice)
            if model.harvested_on(year) + timedelta(region.history.published_after_days) < region.today.date():
                yields += _statistics(region, code, year, plots, growth, dice)
            index += _look(region, code, year, plots, growth, dice)
    published = region.today.date() - timedelta(region.history.index_lag_days + 1)
    return yields, [look for look in index if look.on <= published]


def _past(
    region: Region, weather: Weather, model: CropModel, year: int, dice: np.random.Generator
) -> tuple[Plots, Growth]:
    """Grow a sample of fields of all townships in one year."""
    township = np.repeat(np.arange(len(region.township)), region.history.fields_per_township)
    n, spread = len(township), region.spread
    plots = Plots(
        boundary=np.empty(0, dtype=object),
        village=np.empty(0, dtype=int),
        field_id=np.full(n, ""),
        **agronomy(region, township, dice),
    )
    days = np.clip(dice.normal(0, model.sown_spread_days, n), -9, 9).round().astype(int)
    husbandry, unseen = (dice.lognormal(-(s**2) / 2, s, n) for s in (spread.season, spread.unseen))
    sown = weather.day(model.sown_on(year)) + days
    stands = stands_of(plots, np.arange(n), model, year, sown, husbandry, unseen, dice.uniform(0.2, 0.5, n))
    return plots, grow(model, stands, weather)


def _statistics(
    region: Region, code: str, year: int, plots: Plots, growth: Growth, dice: np.random.Generator
) -> list[PastYield]:
    published = region.crop[code].harvested_on(year) + timedelta(region.history.published_after_days)
    error = dice.lognormal(0, region.history.label_noise, len(region.township))
    return [
        PastYield(
            region=unit.code,
            crop=code,
            harvest_year=year,
            t_ha=round(float(growth.yield_t_ha[plots.township == t].mean() * error[t]), 3),
            published_on=published,
        )
        for t, unit in enumerate(region.township)
    ]


def _look(
    region: Region, code: str, year: int, plots: Plots, growth: Growth, dice: np.random.Generator
) -> list[PastIndex]:
    model, step = region.crop[code], region.history.index_every_days
    first, found = model.sown_on(year), []
    for t, unit in enumerate(region.township):
        curve = mixed_ndvi(np.maximum(growth.lai[:, plots.township == t], FALLOW_LAI)).mean(axis=1)
        for day in range(0, len(curve), step):
            value = float(curve[day] + dice.normal(0, region.history.index_noise))
            found.append(PastIndex(region=unit.code, crop=code, on=first + timedelta(day), ndvi=round(value, 4)))
    return found


def mixed_ndvi(lai: Floats) -> Floats:
    """NDVI of cropland with its tracks, from the leaf area of the crop.

    Examples
    --------
    A closed canopy looks a little poorer with its tracks than without (0.87):

    >>> mixed_ndvi(np.array([6.0])).round(2)
    array([0.84])
    """
    red, nir = (
        (1 - TRACK_SHARE) * crop + TRACK_SHARE * track
        for crop, track in zip(reflectance(lai), TRACK_REFLECTANCE, strict=True)
    )
    return np.asarray((nir - red) / (nir + red))
