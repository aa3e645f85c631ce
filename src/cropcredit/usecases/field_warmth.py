"""How warm it was where plantings grow, and why some seasons go by the calendar instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cropcredit.agronomy.season_clock import SeasonClock, season_clock
from cropcredit.model import Crop, Planting
from cropcredit.usecases.daily_weather import DailyWeather
from cropcredit.usecases.field_seasons import Grid

Floats = NDArray[np.float64]
Ints = NDArray[np.int_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Warmth:
    """Growing degree days of places and crops on the days of a grid, known and expected."""

    gdd: Floats
    """Shape (pairs, days); NaN: unknown."""
    row: dict[tuple[int, str], int]
    """(place, crop) -> row."""

    def rows(self, place: Ints, plantings: Sequence[Planting]) -> Ints:
        """Give the row of each planting; -1: its place or its crop's temperatures are unknown."""
        return np.array(
            [self.row.get((int(at), p.crop), -1) for at, p in zip(place, plantings, strict=True)], dtype=int
        )


def lay_warmth(
    grid: Grid, weather: DailyWeather, crops: Mapping[str, Crop], pairs: set[tuple[int, str]], length: int
) -> Warmth:
    """Sum up warmth for each place and crop that a planting asks for, on ``length`` days of the grid."""
    wanted = sorted((at, crop) for at, crop in pairs if at >= 0 and crops[crop].base_temp_c is not None)
    shift = int((grid.origin - weather.first_on).astype(int))
    gdd = np.full((len(wanted), length), np.nan)
    for row, (at, crop) in enumerate(wanted):
        known = weather.gdd(at, crops[crop], max(length + shift, 0))
        gdd[row, max(-shift, 0) :] = known[max(shift, 0) :]
    return Warmth(gdd=gdd, row={pair: row for row, pair in enumerate(wanted)})


def clock_of(plantings: Sequence[Planting], grid: Grid, warmth: Warmth, rows: Ints) -> SeasonClock:
    """Set up the clock of plantings on a grid."""
    start = np.array([grid.day(p.sowing_on) for p in plantings], dtype=int)
    end = np.array([grid.day(p.harvest_on) for p in plantings], dtype=int)
    return season_clock(start, end, gdd=warmth.gdd, row=rows)


def _so_far(clock: SeasonClock, until: int) -> tuple[Ints, Ints]:
    """First and last day of each season so far; the last lies before the first where nothing was sown."""
    return clock.start, np.minimum(clock.end, until)


def warmth_so_far(clock: SeasonClock, warmth: Warmth, rows: Ints, until: int) -> Floats:
    """Growing degree days from sowing to now or harvest; NaN where a day of them is unknown."""
    out = np.full(len(rows), np.nan)
    for row, (start, last) in enumerate(zip(*_so_far(clock, until), strict=True)):
        if rows[row] >= 0 and 0 <= start <= last:
            out[row] = warmth.gdd[rows[row], start : last + 1].sum()
    return out


def missing_days(weather: DailyWeather, place: Ints, clock: SeasonClock, grid: Grid) -> Ints:
    """Count the days of each season so far on which no temperature was measured."""
    unmeasured = weather.filled | np.isnan(weather.t_min_c + weather.t_max_c)
    shift = int((grid.origin - weather.first_on).astype(int))
    out = np.zeros(len(place), dtype=int)
    for row, (start, last) in enumerate(zip(*_so_far(clock, grid.until), strict=True)):
        if place[row] >= 0 and last >= start:
            out[row] = unmeasured[place[row], max(start + shift, 0) : max(last + shift + 1, 0)].sum()
    return out


def why_calendar(
    clock: SeasonClock,
    place: Ints,
    rows: Ints,
    warmth: Warmth,
    crops: Mapping[str, Crop],
    plantings: Sequence[Planting],
    grid: Grid,
) -> list[str]:
    """Say of each planting why it goes by the calendar."""
    so_far = warmth_so_far(clock, warmth, rows, grid.until)
    found = []
    for row, planting in enumerate(plantings):
        reasons = {
            "": clock.thermal[row],
            "no_base_temperature": crops[planting.crop].base_temp_c is None,
            "no_weather": place[row] < 0,
            "weather_gap": np.isnan(so_far[row]) and planting.sowing_on <= grid.date(grid.until),
            "no_normal_weather": True,
        }
        found.append(next(reason for reason, holds in reasons.items() if holds))
    return found
