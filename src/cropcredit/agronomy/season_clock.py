"""How far a season has come, by warmth or by calendar, and the index summed over it.

Development follows warmth more closely than the calendar, so seasons of different years are laid side by side by the
share of their growing degree days, as far as the temperatures are known; everything is vectorised over plantings.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cropcredit.agronomy.series import Bools, Floats
from cropcredit.agronomy.thermal import Ints

PARTS = 6
"""Equal parts of a season over which the index is summed."""
BLOCK = 2_000
"""Plantings summed at once: small enough for the cache."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SeasonClock:
    """How far each planting's season has come: by growing degree days where all are known, else by days."""

    start: Ints
    """Shape (plantings,): day of sowing, counted from the first day of the grid; may lie outside it."""
    end: Ints
    """Day of harvest, at least ``start``."""
    row: Ints
    """Row of ``ticks`` by which a planting goes; -1: by calendar."""
    ticks: Floats
    """Shape (clocks, days + 1): growing degree days from the first day of the grid to the beginning of each day."""

    @property
    def thermal(self) -> Bools:
        """Which plantings go by warmth."""
        return np.asarray(self.row >= 0)

    def take(self, rows: Ints | slice) -> SeasonClock:
        """Give the clock of some of the plantings."""
        return SeasonClock(start=self.start[rows], end=self.end[rows], row=self.row[rows], ticks=self.ticks)

    @property
    def total(self) -> Floats:
        """Length of the season: °C day, or days."""
        return self.at(self.end + 1) - self.at(self.start)

    def at(self, day: Ints) -> Floats:
        """Ticks from the first day of the grid to the beginning of a day, shape of ``day``."""
        if not len(self.ticks):
            return day.astype(float)
        held = np.clip(day, 0, self.ticks.shape[1] - 1)
        return np.where(self.thermal, self.ticks[np.maximum(self.row, 0), held], day)

    def share(self, day: Ints) -> Floats:
        """Share of the season passed at the end of a day; below 0 before sowing (by calendar), above 1 after harvest.

        Parameters
        ----------
        day : ndarray of int, shape (plantings,)
            Counted from the first day of the grid.
        """
        return np.asarray((self.at(day + 1) - self.at(self.start)) / np.maximum(self.total, 1e-9))

    def reached(self, share: Floats) -> Floats:
        """Give the moment at which a share of the season has passed, in days from the beginning of the grid.

        Parameters
        ----------
        share : ndarray, shape (shares,) or (plantings, shares)

        Returns
        -------
        ndarray, shape (plantings, shares)
            Fractional: 1.5 is noon of the second day.
        """
        share = np.broadcast_to(share, (len(self.start), np.shape(share)[-1]))
        moment = self.start[:, None] + share * (self.end - self.start + 1)[:, None]
        target = self.at(self.start)[:, None] + share * self.total[:, None]
        for row in np.unique(self.row[self.thermal]):
            mine = self.row == row
            moment[mine] = np.interp(target[mine], self.ticks[row], np.arange(self.ticks.shape[1]))
        return np.asarray(moment)


def season_clock(start: Ints, end: Ints, *, gdd: Floats | None = None, row: Ints | None = None) -> SeasonClock:
    """Set up the clock of each planting's season.

    Parameters
    ----------
    start, end : ndarray of int, shape (plantings,)
        Sowing and harvest, days from the first day of the grid.
    gdd : ndarray, shape (clocks, days), optional
        Growing degree days, known or expected (:func:`cropcredit.agronomy.thermal.with_normals`), one row per station
        and crop; NaN: unknown.
    row : ndarray of int, shape (plantings,), optional
        Row of ``gdd`` that holds for a planting; -1: none.

    Returns
    -------
    SeasonClock
        By calendar wherever a day between sowing and harvest is unknown.
    """
    if gdd is None or row is None or not gdd.size:
        return SeasonClock(start=start, end=end, row=np.full(len(start), -1), ticks=np.empty((0, 1)))
    ticks = _running(np.where(np.isfinite(gdd), gdd, 0.0))
    unknown = _running(np.isnan(gdd).astype(float))
    inside = (row >= 0) & (start >= 0) & (end < gdd.shape[1])
    first, last = np.clip(start, 0, gdd.shape[1]), np.clip(end + 1, 0, gdd.shape[1])
    held = np.maximum(row, 0)
    complete = inside & (unknown[held, last] == unknown[held, first]) & (ticks[held, last] > ticks[held, first])
    return SeasonClock(start=start, end=end, row=np.where(complete, row, -1), ticks=ticks)


def accumulated(
    values: Floats, clock: SeasonClock, shares: Floats, *, until: int | None = None, rows: Ints | None = None
) -> Floats:
    """Sum an index from sowing until given shares of the season have passed.

    Parameters
    ----------
    values : ndarray, shape (fields, days)
        Daily curves on the grid of ``clock``.
    shares : ndarray, shape (shares,) or (plantings, shares)
        Of the season, ascending.
    until : int, optional
        Last day that is looked at. Default: the last day of the grid.
    rows : ndarray of int, shape (plantings,), optional
        Row of ``values`` of each planting. Default: one planting per field, in order.

    Returns
    -------
    ndarray, shape (plantings, shares)
        Index times °C day, or times day for plantings that go by calendar. NaN where the moment lies after ``until``,
        where the season began before the grid, or where there is no curve.
    """
    last = values.shape[1] - 1 if until is None else min(until, values.shape[1] - 1)
    of_field = np.arange(len(values)) if rows is None else rows
    wanted = np.broadcast_to(shares, (len(of_field), np.shape(shares)[-1]))
    out = np.full(wanted.shape, np.nan)
    for at in range(0, len(of_field), BLOCK):
        block = slice(at, at + BLOCK)
        out[block] = _accumulated(values[of_field[block], : last + 1], clock.take(block), wanted[block])
    return out


def season_integrals(
    values: Floats, clock: SeasonClock, *, until: int | None = None, parts: int = PARTS, rows: Ints | None = None
) -> Floats:
    """Sum an index over equal parts of each season, by thermal time or by calendar.

    Parameters
    ----------
    values, until, rows
        As in :func:`accumulated`.

    Returns
    -------
    ndarray, shape (plantings, parts)
        Index times °C day (or day); NaN from the first part that is not over.
    """
    return np.diff(accumulated(values, clock, np.linspace(0, 1, parts + 1), until=until, rows=rows), axis=1)


def _accumulated(values: Floats, clock: SeasonClock, shares: Floats) -> Floats:
    days = values.shape[1]
    first = int(np.clip(clock.start.min(), 0, days))  # of these seasons; what lies around them is not summed
    last = int(np.clip(clock.end.max() + 1, first, days))
    sown = np.arange(first, last) >= clock.start[:, None]
    sums = _running(np.where(sown, values[:, first:last] * _steps(clock, first, last), 0.0))
    moment = clock.reached(np.concatenate([np.zeros((len(shares), 1)), shares], axis=1))
    seen = (moment >= 0) & (moment <= days)
    within = np.clip(moment - first, 0, last - first)
    whole = np.minimum(within.astype(int), max(last - first - 1, 0))
    low, high = (np.take_along_axis(sums, np.minimum(at, last - first), axis=1) for at in (whole, whole + 1))
    total = np.where(seen, low + (within - whole) * (high - low), np.nan)
    return np.asarray(total[:, 1:] - total[:, :1])


def _steps(clock: SeasonClock, first: int, last: int) -> Floats:
    """Ticks of each day, shape (plantings, days) or (1, days); where the ticks end nothing is asked of them."""
    if not clock.thermal.any():
        return np.ones((1, last - first))
    steps = np.zeros((len(clock.ticks) + 1, last - first))
    steps[-1] = 1.0
    known = np.diff(clock.ticks, axis=1)[:, first:last]
    steps[:-1, : known.shape[1]] = known
    return steps[clock.row]


def _running(values: Floats) -> Floats:
    return np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)
