"""Measured values as arrays: one quantity on one channel over time, laid out on steps that devices can share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HOUR_S, DAY_S = 3600, 86_400
COURSE = 4
"""Steps a day that its course needs."""
WHOLE = 0.9
"""Share of a day that must be known for its mean."""
STEPS_S = (HOUR_S, 3 * HOUR_S, 6 * HOUR_S, DAY_S)
"""Steps of a grid: the shortest that the device fills."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Track:
    """One quantity on one channel, in the order of measurement."""

    quantity: str
    """Name in the catalogue; values are in its unit."""
    channel: str
    at_s: Floats
    """Shape (n,): seconds since 1970, ascending."""
    values: Floats
    """Shape (n,)."""
    depth_cm: float | None = None
    texture: str = ""
    """Texture class at the probe, as the installer named it."""
    kind: str = ""
    """Of soil moisture: ``volumetric``, ``saturation``, ``tension``; empty: nobody said."""
    cumulative: bool = False
    """A counter, that only rises and may start again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Equal steps of time; whole days of them."""

    start_s: float
    """A midnight of the place."""
    step_s: int
    count: int

    @property
    def per_day(self) -> int:
        """Steps per day."""
        return DAY_S // self.step_s

    @property
    def days(self) -> int:
        """Whole days."""
        return self.count // self.per_day


class Course(NamedTuple):
    """What one channel measured, in the order of measurement."""

    at_us: Ints
    """Shape (n,): microseconds since 1970, UTC, ascending."""
    values: Floats
    """Shape (n,)."""

    def where(self, wanted: NDArray[np.bool_]) -> Course:
        """Give some of the samples."""
        return Course(self.at_us[wanted], self.values[wanted])


class HourlyCourse(NamedTuple):
    """One channel of one device by the hour, as roll-ups hold it."""

    device_id: str
    quantity: str
    channel: str
    start_s: Floats
    """Shape (hours,): beginning of each hour that has a sample, seconds since 1970, ascending."""
    mean: Floats
    last: Floats
    """Where a counter stood at the end of the hour."""


def grid_for(tracks: Sequence[Track], since_s: float, until_s: float, *, offset_s: float = 0.0) -> Grid:
    """Choose the steps for a device's window.

    Parameters
    ----------
    tracks : sequence of Track
        The device's own.
    since_s, until_s : float
        Window, seconds since 1970.
    offset_s : float
        Local time minus UTC: days begin at the place's midnight.

    Examples
    --------
    >>> grid_for([], 1000.0, 200_000.0)
    Grid(start_s=0.0, step_s=3600, count=72)
    """
    start = np.floor((since_s + offset_s) / DAY_S) * DAY_S - offset_s
    longest = max((track for track in tracks), key=lambda track: len(track.at_s), default=None)
    usual = float(np.median(np.diff(longest.at_s))) if longest is not None and len(longest.at_s) > 1 else 0.0
    step = next((step for step in STEPS_S if usual <= step * 1.1), DAY_S)
    days = int(np.ceil(max(until_s - start, DAY_S) / DAY_S))
    return Grid(start_s=float(start), step_s=step, count=days * (DAY_S // step))


def laid(track: Track, grid: Grid) -> Floats:
    """Lay a track on a grid: mean per step, of a counter its rise per step; NaN: not measured.

    Examples
    --------
    >>> at_s, values = np.array([0.0, 1800, 3600]), np.array([1.0, 3, 5])
    >>> track = Track(quantity="soil.moisture", channel="", at_s=at_s, values=values)
    >>> laid(track, Grid(start_s=0, step_s=3600, count=24))[:3]
    array([ 2.,  5., nan])
    """
    if track.cumulative:
        return _risen(track, grid)
    rows = np.floor((track.at_s - grid.start_s) / grid.step_s).astype(np.int64)
    inside = (rows >= 0) & (rows < grid.count) & np.isfinite(track.values)
    held = np.bincount(rows[inside], minlength=grid.count)
    total = np.bincount(rows[inside], weights=track.values[inside], minlength=grid.count)
    return np.where(held > 0, total / np.maximum(held, 1), np.nan)


def daily_means(values: Floats, grid: Grid, *, least: float = 0.7) -> Floats:
    """Mean per day, shape (days,); NaN where less than ``least`` of the day was measured."""
    days = values[: grid.days * grid.per_day].reshape(grid.days, grid.per_day)
    known = np.isfinite(days)
    enough = known.sum(axis=1) >= max(1.0, least * grid.per_day)
    return np.where(enough, np.where(known, days, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1), np.nan)


def daily_sums(gained: Floats, grid: Grid) -> Floats:
    """Sum up what a counter gained per day, shape (days,); NaN where no reading stands behind it."""
    days = gained[: grid.days * grid.per_day].reshape(grid.days, grid.per_day)
    known = np.isfinite(days)
    return np.where(known.any(axis=1), np.where(known, days, 0.0).sum(axis=1), np.nan)


def within_day(values: Floats, grid: Grid) -> Floats:
    """Deviation of each step from the running mean of a day around it, shape (n,); NaN near gaps and ends."""
    width = grid.per_day
    if len(values) <= width:
        return np.full(len(values), np.nan)
    known = np.isfinite(values)
    kernel = np.ones(width + 1)
    kernel[[0, -1]] = 0.5  # a whole day, centred
    total = np.convolve(np.where(known, values, 0.0), kernel, "same")
    share = np.convolve(known.astype(float), kernel, "same") / width
    return np.where(known & (share > WHOLE), values - total / np.maximum(share * width, 1e-9), np.nan)


def rises(values: Floats) -> Floats:
    """Give what a counter gained from each look to the next, shape (n - 1,); one that fell started again at zero."""
    gained = np.diff(values)
    return np.where(gained >= 0, gained, values[1:])


def _risen(track: Track, grid: Grid) -> Floats:
    """Rise per step; a counter that fell started again at zero. A step without a reading is NaN."""
    gained = rises(track.values)
    rows = np.floor((track.at_s[1:] - grid.start_s) / grid.step_s).astype(np.int64)
    inside = (rows >= 0) & (rows < grid.count) & np.isfinite(gained)
    held = np.bincount(rows[inside], minlength=grid.count)
    return np.where(held > 0, np.bincount(rows[inside], weights=gained[inside], minlength=grid.count), np.nan)
