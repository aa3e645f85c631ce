"""Does a declaration fit the season: by how many days its dates miss the months in which the crop is grown there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cropcredit.agronomy.features import SeasonCalendar
from cropcredit.agronomy.series import Bools, Floats
from cropcredit.model import GrowingSeason

LOCAL_SLACK_DAYS = 45
"""A local calendar gives one typical day; sowing and harvest of a region spread this far around it."""
_YEAR_DAYS = 365
_FIRST_DAY = np.array([1, 32, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335])
_LAST_DAY = np.array([31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365])


@dataclass(frozen=True, slots=True)
class SeasonWindow:
    """Days of the year between which a crop is sown and harvested; a window may cross New Year."""

    sowing: tuple[int, int]
    harvest: tuple[int, int]
    sure: bool = True
    """False where the calendar is not held against anybody."""

    @classmethod
    def of_season(cls, season: GrowingSeason) -> SeasonWindow:
        """Turn the months of a catalogue into days."""
        return cls(_days(season.sowing), _days(season.harvest), season.sure)

    @classmethod
    def of_calendar(cls, calendar: SeasonCalendar) -> SeasonWindow:
        """Give the typical days of a local calendar room on both sides."""
        return cls(_around(calendar.sowing_doy), _around(calendar.harvest_doy))


def calendar_gap(
    sowing_on: NDArray[np.datetime64],
    harvest_on: NDArray[np.datetime64],
    windows: Sequence[SeasonWindow],
    here: Bools | None = None,
) -> Floats:
    """Tell how many days the worse of the two dates misses the season that it misses least.

    Parameters
    ----------
    sowing_on, harvest_on : ndarray of datetime64[D], shape (plantings,)
        As declared.
    windows : sequence of SeasonWindow
        All seasons of the crop.
    here : ndarray of bool, shape (plantings, windows), optional
        Which of them there are at the place of each planting; default: all.

    Returns
    -------
    ndarray, shape (plantings,)
        Days; 0 within a season; NaN where no season is known there.

    Examples
    --------
    Maize of the plain is sown from April to July and harvested from August to October:

    >>> maize = SeasonWindow((91, 212), (213, 304))
    >>> sown, cut = np.array(["2025-06-15", "2025-10-10"], "M8[D]"), np.array(["2025-09-30", "2026-06-10"], "M8[D]")
    >>> calendar_gap(sown, cut, [maize])
    array([ 0., 71.])
    """
    if not windows:
        return np.full(len(sowing_on), np.nan)
    sown, cut = _day_of_year(sowing_on), _day_of_year(harvest_on)
    gaps = np.stack([np.maximum(_gap(sown, w.sowing), _gap(cut, w.harvest)) for w in windows], axis=1).astype(float)
    if here is not None:
        gaps = np.where(here, gaps, np.inf)
    least = gaps.min(axis=1)
    return np.where(np.isfinite(least), least, np.nan)


def _days(months: tuple[int, int]) -> tuple[int, int]:
    first, last = months
    return int(_FIRST_DAY[first - 1]), int(_LAST_DAY[last - 1])


def _around(day: int) -> tuple[int, int]:
    return (day - LOCAL_SLACK_DAYS - 1) % _YEAR_DAYS + 1, (day + LOCAL_SLACK_DAYS - 1) % _YEAR_DAYS + 1


def _gap(day: NDArray[np.int_], window: tuple[int, int]) -> NDArray[np.int_]:
    """Days from a window, the shorter way around the year."""
    first, last = window
    inside = (day - first) % _YEAR_DAYS <= (last - first) % _YEAR_DAYS
    return np.asarray(np.where(inside, 0, np.minimum((first - day) % _YEAR_DAYS, (day - last) % _YEAR_DAYS)))


def _day_of_year(days: NDArray[np.datetime64]) -> NDArray[np.int_]:
    first = days.astype("datetime64[Y]").astype("datetime64[D]")
    day: NDArray[np.int_] = (days.astype("datetime64[D]") - first).astype(np.int_) + 1
    return np.asarray(np.minimum(day, _YEAR_DAYS), dtype=np.int_)
