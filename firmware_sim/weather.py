"""Made-up weather of a village: a pure function of seed, place and time, so that any window of it can be made again.

Every day draws from dice of its own (seed and day), and what lasts longer than a day is a weighted sum over past days'
dice. So last year, the backlog and the live part of a run come from one sky, whichever of them is asked for first.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
DAY_S = 86_400
YEAR_S = 365.2425 * DAY_S
MEMORY_DAYS = 24
"""How far back a day's weather remembers."""
STORM_SPEED_M_S = 9.0
NORMAL = NormalDist()


@dataclass(frozen=True, slots=True, kw_only=True)
class Climate:
    """Normals of a place; round figures of the stations named in :data:`CLIMATES`."""

    latitude_deg: float
    longitude_deg: float
    mean_c: float
    """Yearly mean of the air temperature."""
    swing_c: float
    """Half the range between the warmest and the coldest month."""
    daily_c: float
    """Half the range of a clear day."""
    wet_share: tuple[float, float]
    """Share of rainy days in the driest and in the wettest season."""
    wettest_day: int
    """Day of the year at the height of the rains."""
    rain_mm: float
    """Mean rain of a rainy day."""
    dew_gap_c: float
    """How far the dew point lies below the mean temperature of a dry day."""


CLIMATES = {
    # monthly normals 1991-2020 as published by the weather services, rounded: Zhengzhou, Hyderabad, Nairobi, Hotan
    "continental": Climate(
        latitude_deg=34.7, longitude_deg=113.7, mean_c=15.5, swing_c=13.0, daily_c=5.5, wet_share=(0.08, 0.38),
        wettest_day=205, rain_mm=9.0, dew_gap_c=6.0,
    ),
    "monsoon": Climate(
        latitude_deg=17.4, longitude_deg=78.5, mean_c=26.5, swing_c=5.0, daily_c=5.5, wet_share=(0.02, 0.55),
        wettest_day=220, rain_mm=12.0, dew_gap_c=7.0,
    ),
    "highland": Climate(
        latitude_deg=-1.3, longitude_deg=36.8, mean_c=19.0, swing_c=1.8, daily_c=6.0, wet_share=(0.10, 0.50),
        wettest_day=110, rain_mm=10.0, dew_gap_c=6.0,
    ),
    "dry": Climate(
        latitude_deg=37.1, longitude_deg=79.9, mean_c=13.5, swing_c=15.0, daily_c=7.5, wet_share=(0.0, 0.04),
        wettest_day=180, rain_mm=3.0, dew_gap_c=14.0,
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Burst:
    """Rain without a pause: it arrives from one side and falls in cells of some kilometres."""

    start_s: float
    lasts_s: float
    total_mm: float
    from_deg: float
    waves: Floats
    """Random waves of the rain field, shape (4, 3): wave numbers east and north, 1/m, and phase."""


class Sky:
    """The weather over one village.

    Parameters
    ----------
    seed : int
        Of the dice.
    climate : str
        A name of :data:`CLIMATES`.
    """

    def __init__(self, seed: int, climate: str) -> None:
        self.seed, self.climate = seed, CLIMATES[climate]
        self._dice: dict[int, Floats] = {}
        self._bursts: tuple[tuple[float, float], list[Burst]] = ((0.0, 0.0), [])

    # --- one day ---------------------------------------------------------------------------------------------------

    def _day(self, day: int) -> Floats:
        if day not in self._dice:
            self._dice[day] = np.random.default_rng((self.seed, 1, day)).normal(size=4)
        return self._dice[day]

    def _lasting(self, first: int, last: int, column: int, decay: float = 0.7) -> Floats:
        """Give a standard normal that lasts some days, for days ``first`` to ``last``."""
        weights = decay ** np.arange(MEMORY_DAYS)
        weights /= np.sqrt((weights**2).sum())
        dice = np.array([self._day(day)[column] for day in range(first - MEMORY_DAYS + 1, last + 1)])
        return np.asarray(np.convolve(dice, weights, mode="valid"))

    def season(self, days: Floats) -> Floats:
        """Give the share of rainy days at days since 1970."""
        low, high = self.climate.wet_share
        phase = 2 * np.pi * (days - self.climate.wettest_day) / 365.2425
        return low + (high - low) * (0.5 + 0.5 * np.cos(phase)) ** 2

    def _wetness(self, first: int, last: int) -> Floats:
        """Give a uniform number per day; the day is rainy when it lies below the season's share."""
        return np.array([NORMAL.cdf(float(x)) for x in self._lasting(first, last, 1, decay=0.45)])

    # --- air -------------------------------------------------------------------------------------------------------

    def _solar_hour(self, times_s: Floats) -> Floats:
        return (times_s / 3600 + self.climate.longitude_deg / 15) % 24

    def air_c(self, times_s: Floats, *, damping: float = 1.0, lag_s: float = 0.0, memory_days: float = 0.0) -> Floats:
        """Give the air temperature, or what is left of it under ground, °C.

        Parameters
        ----------
        times_s : ndarray, shape (n,)
            Seconds since 1970, UTC.
        damping, lag_s : float
            What is left of the daily wave, and how late it comes.
        memory_days : float
            How many days the slow part is smeared over; it comes as late as that.
        """
        days = (times_s - lag_s) / DAY_S
        first, last = int(np.floor(days.min())) - 2, int(np.ceil(days.max())) + 2
        decay = 0.7 if memory_days <= 0 else max(0.7, 1 - 1 / memory_days)
        weaker = 1.0 if memory_days <= 0 else 1 / np.sqrt(1 + memory_days)
        slow = np.interp(days, np.arange(first, last + 1) + 0.5, 3.2 * weaker * self._lasting(first, last, 0, decay))
        clear = self._clearness(times_s - lag_s)
        hour = self._solar_hour(times_s - lag_s)
        wave = np.cos(2 * np.pi * (hour - 14.5) / 24) + 0.18 * np.cos(4 * np.pi * (hour - 13.5) / 24)
        return self.yearly_c(times_s - memory_days * DAY_S) + slow + damping * self.climate.daily_c * clear * wave

    def yearly_c(self, times_s: Floats) -> Floats:
        """Give the normal of the season, °C; warmest in late July, south of the equator in January."""
        warmest = 205 if self.climate.latitude_deg >= 0 else 22
        return self.climate.mean_c + self.climate.swing_c * np.cos(2 * np.pi * (times_s / YEAR_S - warmest / 365.2425))

    def _clearness(self, times_s: Floats) -> Floats:
        """Give how clear the sky is, 0.3 (rain) to 1.1, changing from noon to noon."""
        days = times_s / DAY_S + self.climate.longitude_deg / 360
        first, last = int(np.floor(days.min())) - 2, int(np.ceil(days.max())) + 2
        wet = self._wetness(first, last) < self.season(np.arange(first, last + 1.0))
        dice = np.array([self._day(day)[2] for day in range(first, last + 1)])
        clear = np.where(wet, 0.45, 0.95) + 0.1 * np.clip(dice, -1.5, 1.5)
        return np.asarray(np.interp(days, np.arange(first, last + 1) + 0.5, clear))

    def restless(self, times_s: Floats) -> Floats:
        """Give what gusts and passing clouds do within minutes, a standard normal alike for the whole village."""
        tens = np.arange(times_s[0] // 600 - 4, times_s[-1] // 600 + 6)
        dice = _hashed(tens, self.seed)
        smooth = np.convolve(dice, (0.35, 0.55, 0.6, 0.45), mode="same")
        return np.asarray(np.interp(times_s, tens * 600.0, smooth))

    def humidity_pct(self, times_s: Floats, air_c: Floats) -> Floats:
        """Give the relative humidity from a dew point that changes over days (Magnus formula, FAO-56 eq. 11)."""
        clear = self._clearness(times_s)
        dew = self.air_c(times_s, damping=0.12) - self.climate.dew_gap_c * (2.2 * clear - 0.9).clip(0.1)
        return np.clip(100 * vapour_kpa(dew) / vapour_kpa(air_c), 8, 100)

    def solar_w_m2(self, times_s: Floats) -> Floats:
        """Give the global radiation: the sun's height (Spencer's declination, first term) times the sky's clearness."""
        declination = np.radians(-23.44) * np.cos(2 * np.pi * (times_s / YEAR_S + 10 / 365.2425))
        angle = np.pi * (self._solar_hour(times_s) - 12) / 12
        latitude = np.radians(self.climate.latitude_deg)
        height = np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(declination) * np.cos(angle)
        return np.asarray(np.clip(height, 0, None) * 1010 * np.clip(self._clearness(times_s), 0.2, 1.0))

    # --- rain ------------------------------------------------------------------------------------------------------

    def bursts(self, from_s: float, until_s: float) -> list[Burst]:
        """Give every burst of rain that begins between two instants (s since 1970), in order; the last are kept."""
        if self._bursts[0] != (from_s, until_s):
            self._bursts = (from_s, until_s), self._find_bursts(from_s, until_s)
        return self._bursts[1]

    def _find_bursts(self, from_s: float, until_s: float) -> list[Burst]:
        first, last = int(from_s // DAY_S) - 1, int(until_s // DAY_S) + 1
        chances = self.season(np.arange(first, last + 1.0))
        wet = np.flatnonzero(self._wetness(first, last) < chances)
        found = [burst for day in wet + first for burst in self._bursts_of(int(day))]
        return sorted((b for b in found if from_s <= b.start_s <= until_s), key=lambda b: b.start_s)

    def _bursts_of(self, day: int) -> list[Burst]:
        rng = np.random.default_rng((self.seed, 2, day))
        total, parts = rng.gamma(0.75, self.climate.rain_mm / 0.75), int(rng.integers(1, 5))
        shares, cell_m = rng.dirichlet(np.ones(parts)), rng.uniform(6000, 25000)
        bursts, side = [], rng.uniform(0, 360)
        for share in shares:
            waves = np.column_stack((rng.normal(0, 1 / cell_m, (4, 2)), rng.uniform(0, 2 * np.pi, 4)))
            start = (day - self.climate.longitude_deg / 360 + rng.beta(4, 2.5)) * DAY_S
            lasts = 60 * np.clip(rng.lognormal(3.9, 0.8), 10, 480)
            bursts.append(Burst(start, float(lasts), float(total * share), side + rng.normal(0, 10), waves))
        return [burst for burst in bursts if burst.total_mm >= 0.1]  # noqa: PLR2004 - less does not wet a gauge

    def rain_mm(self, edges_s: Floats, east_m: Floats, north_m: Floats) -> Floats:
        """Give the rain between consecutive instants at some places.

        Parameters
        ----------
        edges_s : ndarray, shape (n + 1,)
            Seconds since 1970, rising.
        east_m, north_m : ndarray, shape (places,)
            Metres from the middle of the village.

        Returns
        -------
        ndarray, shape (places, n)
            Millimetres.
        """
        fallen = np.zeros((len(east_m), len(edges_s) - 1), dtype=np.float32)
        for burst in self.bursts(edges_s[0] - 10 * 3600, edges_s[-1] + 3600):
            towards = np.radians(burst.from_deg)
            late_s = (east_m * np.sin(towards) + north_m * np.cos(towards)) / STORM_SPEED_M_S
            begins = burst.start_s + late_s
            low = np.searchsorted(edges_s, begins.min(), side="right") - 1
            high = np.searchsorted(edges_s, begins.max() + burst.lasts_s) + 1
            part = edges_s[max(low, 0) : high + 1]
            passed = np.clip((part[None, :] - begins[:, None]) / burst.lasts_s, 0, 1)
            cumulative = burst.total_mm * _cell(burst, east_m, north_m)[:, None] * (1 - (1 - passed) ** 2)
            fallen[:, max(low, 0) : max(low, 0) + max(len(part) - 1, 0)] += np.diff(cumulative, axis=1)
        return fallen.astype(np.float64)


def _cell(burst: Burst, east_m: Floats, north_m: Floats) -> Floats:
    """Give how much of a burst each place gets: log-normal, a third of spread, alike within a cell."""
    east, north, phase = burst.waves.T
    waves = np.cos(2 * np.pi * (np.outer(east_m, east) + np.outer(north_m, north)) + phase)
    return np.asarray(np.exp(0.35 * waves.sum(axis=1) / np.sqrt(2) - 0.06))


def vapour_kpa(temperature_c: Floats) -> Floats:
    """Give the saturation vapour pressure (FAO-56 eq. 11)."""
    return np.asarray(0.6108 * np.exp(17.27 * temperature_c / (temperature_c + 237.3)))


def _hashed(numbers: Floats, seed: int) -> Floats:
    """Give a standard normal for each integer, the same whenever it is asked for (splitmix64, Box and Muller)."""
    with np.errstate(over="ignore"):
        mixed = numbers.astype(np.uint64) + np.uint64(seed % 2**32) * np.uint64(0x9E3779B97F4A7C15)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
        mixed ^= mixed >> np.uint64(31)
    radius = np.sqrt(-2 * np.log(((mixed >> np.uint64(32)) + np.uint64(1)) / 2**32))
    return np.asarray(radius * np.cos(2 * np.pi * (mixed & np.uint64(0xFFFFFFFF)) / 2**32))
