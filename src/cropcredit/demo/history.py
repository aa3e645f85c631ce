"""What is known about years past: official yields and the mean index per township, from the same growth model.

Each year a fresh sample of fields per township grows under that year's weather. Its mean yield, with a small error of
counting, is the official statistic; the mean NDVI of the land that carried the crop, as it looks from above on a
regular grid of days until some weeks after the harvest, is the past index. It carries the mixing with tracks and
ridges that every small field shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from cropcredit.demo.growth import reflectance
from cropcredit.demo.land import Plots, agronomy
from cropcredit.demo.parameters import Region
from cropcredit.demo.season import AFTER_DAYS, Crop, Season, run_season
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
    """Mean NDVI of a crop's land in a township on one day."""

    region: str
    crop: str
    on: date
    ndvi: float


def look_back(region: Region, weather: Weather) -> tuple[list[PastYield], list[PastIndex]]:
    """Grow every past year, and this year's index; what was not published before the story's present is left out."""
    today = region.today.date()
    yields: list[PastYield] = []
    index: list[PastIndex] = []
    for year in range(region.history.first_harvest_year, region.harvest_year + 1):
        dice = region.dice(f"history {year}")
        plots = _sample(region, dice)
        season = run_season(region, plots, weather, year=year, dice=dice)
        for crop in season.crops:
            yields += _statistics(region, year, plots, crop, dice)
            index += _look(region, year, plots, season, crop, dice)
    lag = timedelta(region.history.index_lag_days + 1)
    return [y for y in yields if y.published_on < today], [look for look in index if look.on + lag <= today]


def _sample(region: Region, dice: np.random.Generator) -> Plots:
    """Draw fields of all townships that somebody walked to count and to look at."""
    township = np.repeat(np.arange(len(region.township)), region.history.fields_per_township)
    drawn = agronomy(region, township, dice)
    drawn["cotton"] = np.arange(len(township)) % 3 == 0  # enough of each crop in each township
    nowhere = np.empty(0, dtype=object)
    return Plots(boundary=nowhere, village=np.empty(0, dtype=int), field_id=np.full(len(township), ""), **drawn)


def _statistics(region: Region, year: int, plots: Plots, crop: Crop, dice: np.random.Generator) -> list[PastYield]:
    published = crop.model.harvested_on(year) + timedelta(region.history.published_after_days)
    error = dice.lognormal(0, region.history.label_noise, len(region.township))
    return [
        PastYield(
            region=unit.code,
            crop=crop.code,
            harvest_year=year,
            t_ha=round(float(crop.growth.yield_t_ha[plots.township[crop.plots] == t].mean() * error[t]), 3),
            published_on=published,
        )
        for t, unit in enumerate(region.township)
    ]


def _look(
    region: Region, year: int, plots: Plots, season: Season, crop: Crop, dice: np.random.Generator
) -> list[PastIndex]:
    first = season.day(crop.model.sown_on(year)) - AFTER_DAYS // 3
    last = min(season.day(crop.model.harvested_on(year)) + AFTER_DAYS, len(season.lai))
    found: list[PastIndex] = []
    for t, unit in enumerate(region.township):
        here = crop.plots[plots.township[crop.plots] == t]
        for day in range(max(first, 0), last, region.history.index_every_days):
            seen = mixed_ndvi(season.lai[day, here], season.brightness[day, here]).mean()
            value = round(float(seen + dice.normal(0, region.history.index_noise)), 4)
            found.append(PastIndex(region=unit.code, crop=crop.code, on=season.first_on + timedelta(day), ndvi=value))
    return found


def mixed_ndvi(lai: Floats, brightness: Floats | float = 1.0) -> Floats:
    """NDVI of cropland with its tracks, from the leaf area of the crop and the brightness of its ground.

    Examples
    --------
    A closed canopy looks a little poorer with its tracks than without (0.87):

    >>> mixed_ndvi(np.array([6.0])).round(2)
    array([0.84])
    """
    red, nir = (
        (1 - TRACK_SHARE) * crop + TRACK_SHARE * track
        for crop, track in zip(reflectance(lai, brightness=brightness), TRACK_REFLECTANCE, strict=True)
    )
    return np.asarray((nir - red) / (nir + red))
