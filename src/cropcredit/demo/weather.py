"""Daily weather of many years for the townships: a Richardson-type generator, seeded.

Rain occurs as a first-order Markov chain and falls in gamma amounts; temperature is a seasonal normal plus an
autoregressive anomaly, warmer and wider in range on dry days; radiation follows from the daily range (Hargreaves,
FAO-56 eq. 50) and reference evapotranspiration from temperature (Hargreaves & Samani 1985, FAO-56 eq. 52). Seasons
differ by a factor on rain that all townships share, as droughts do.

References
----------
Richardson, C. W. (1981). Stochastic simulation of daily precipitation, temperature, and solar radiation. Water Resour.
Res. 17.
Allen, R. G. et al. (1998). Crop evapotranspiration. FAO Irrigation and Drainage Paper 56, equations 21-25, 50, 52.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from cropcredit.demo.parameters import Climate, Region

DAYS_OF_MONTH = np.array([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Weather:
    """Daily weather; arrays have shape (days, townships)."""

    first_on: date
    rain_mm: NDArray[np.float64]
    t_min_c: NDArray[np.float64]
    t_max_c: NDArray[np.float64]
    solar_mj_m2: NDArray[np.float64]
    et0_mm: NDArray[np.float64]
    """Reference evapotranspiration, mm per day."""

    @property
    def t_mean_c(self) -> NDArray[np.float64]:
        """Mean of the day's extremes, °C."""
        return (self.t_min_c + self.t_max_c) / 2

    def day(self, when: date) -> int:
        """Give the row of a day."""
        return (when - self.first_on).days


def simulate(region: Region) -> Weather:
    """Make the weather of all years of the region."""
    climate, dice = region.weather, region.dice("weather")
    n_days = (climate.last_on - climate.first_on).days + 1
    days = [climate.first_on + timedelta(d) for d in range(n_days)]
    of_year = np.array([day.timetuple().tm_yday for day in days], dtype=float)
    month = np.array([day.month - 1 for day in days])
    factors = np.array([township.rain_factor for township in region.township])
    rain = _rain(climate, days, month, factors, dice)
    t_mean, t_range = _temperature(climate, of_year, rain > 0, dice)
    sky = extraterrestrial_mj_m2(climate.latitude_deg, of_year)[:, None]
    return Weather(
        first_on=climate.first_on,
        rain_mm=rain.round(1),
        t_min_c=(t_mean - t_range / 2).round(1),
        t_max_c=(t_mean + t_range / 2).round(1),
        solar_mj_m2=(climate.krs * np.sqrt(t_range) * sky).round(2),
        et0_mm=np.clip(0.0023 * 0.408 * sky * (t_mean + 17.8) * np.sqrt(t_range), 0.0, None),
    )


def seasonal(normals: tuple[float, ...], of_year: NDArray[np.float64]) -> NDArray[np.float64]:
    """Run a smooth yearly curve through monthly normals: linear between mid-months, round the year.

    Examples
    --------
    >>> seasonal((0.0,) * 6 + (12.0,) * 6, np.array([15.5, 197.5]))
    array([ 0., 12.])
    """
    middle = np.array([15.5, 45.0, 74.5, 105.0, 135.5, 166.0, 196.5, 227.5, 258.0, 288.5, 319.0, 349.5])
    return np.interp(of_year, middle, normals, period=365.25)


def extraterrestrial_mj_m2(latitude_deg: float, of_year: NDArray[np.float64]) -> NDArray[np.float64]:
    """Radiation on top of the atmosphere, MJ/m² per day (FAO-56 eq. 21-25).

    Examples
    --------
    FAO-56 example 8: 20°S on 3 September gives 32.2.

    >>> extraterrestrial_mj_m2(-20.0, np.array([246.0])).round(1)
    array([32.2])
    """
    phi, angle = np.radians(latitude_deg), 2 * np.pi * of_year / 365
    distance = 1 + 0.033 * np.cos(angle)
    declination = 0.409 * np.sin(angle - 1.39)
    sunset = np.arccos(-np.tan(phi) * np.tan(declination))
    high = sunset * np.sin(phi) * np.sin(declination) + np.cos(phi) * np.cos(declination) * np.sin(sunset)
    return np.asarray(24 * 60 / np.pi * 0.0820 * distance * high)


def _rain(
    climate: Climate, days: list[date], month: NDArray[np.int_], factors: NDArray[np.float64], dice: np.random.Generator
) -> NDArray[np.float64]:
    """Rain per day and township, mm: common weather systems, local amounts."""
    wet_share = np.array(climate.wet_days) / DAYS_OF_MONTH
    per_wet_day = np.array(climate.rain_mm) / np.array(climate.wet_days)
    wet = np.zeros(len(days), dtype=bool)
    chance, before = dice.random(len(days)), False
    for d, m in enumerate(month):
        # p(wet|dry) and p(wet|wet) that keep the month's share of wet days and differ by the persistence
        before = bool(chance[d] < wet_share[m] * (1 - climate.persistence) + climate.persistence * before)
        wet[d] = before
    amount = dice.gamma(climate.rain_shape, 1 / climate.rain_shape, len(days)) * per_wet_day[month]
    season = np.array([day.year + (day.month > 9) for day in days])  # noqa: PLR2004 - the season turns in October
    sigma = climate.year_rain_sigma
    common = np.exp(dice.normal(-(sigma**2) / 2, sigma, int(season.max() - season.min()) + 1))
    local = dice.lognormal(-0.06, 0.35, (len(days), len(factors)))
    return np.asarray((wet * amount * common[season - season.min()])[:, None] * local * factors)


def _temperature(
    climate: Climate, of_year: NDArray[np.float64], wet: NDArray[np.bool_], dice: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Daily mean and range per township, °C."""
    shock = dice.normal(0, climate.t_sigma_c * np.sqrt(1 - climate.t_memory**2), len(of_year))
    anomaly = np.zeros(len(of_year))
    for d in range(1, len(of_year)):
        anomaly[d] = climate.t_memory * anomaly[d - 1] + shock[d]
    local = dice.normal(0, 0.3, wet.shape)
    t_mean = (seasonal(climate.t_mean_c, of_year) + anomaly)[:, None] + local + np.where(wet, -1.0, 0.3)
    t_range = seasonal(climate.t_range_c, of_year)[:, None] * np.where(wet, 0.72, 1.08)
    return t_mean, np.clip(t_range + dice.normal(0, 1.2, wet.shape), 2.5, None)
