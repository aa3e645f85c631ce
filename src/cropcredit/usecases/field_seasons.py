"""Seasons of plantings on one grid of days: the index summed over them, beside earlier years of the same crop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from cropcredit.agronomy import DailyCurves, season_metrics, smooth
from cropcredit.agronomy.anomalies import OwnHistory, against_history, row_medians
from cropcredit.agronomy.event_signs import EMERGED
from cropcredit.agronomy.season_clock import SeasonClock, accumulated
from cropcredit.model import FieldSeries, Planting, Season

Floats = NDArray[np.float64]
Ints = NDArray[np.int_]

PHASES = 20
"""Moments of a season, from its start to harvest, at which it is held against earlier ones."""
HELD_DAYS = 30
"""The first look stands for so many days before it, and no more."""
PAST_SEASONS = 10
"""Earlier seasons that are looked at, the latest first."""
LATEST_START = 0.9
"""Share of the season after which a start of season is none."""
BLOCK = 2_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grid:
    """Daily curves of fields from the first day that any present planting needs."""

    origin: np.datetime64
    until: int
    """Last day that is known."""
    values: Floats
    """Shape (fields, days)."""
    observed: NDArray[np.bool_]

    def day(self, on: date) -> int:
        """Give the number of a day."""
        return int((np.datetime64(on) - self.origin).astype(int))

    def date(self, day: int) -> date:
        """Give the date of a day number."""
        return date.fromisoformat(str(self.origin + day))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Past:
    """Earlier seasons of the same crop on the same field; one entry per season."""

    plantings: tuple[Planting, ...]
    owner: Ints
    """Which present planting each belongs to, ascending."""

    @property
    def slot(self) -> Ints:
        """Number of each among those of its planting."""
        return np.asarray(np.arange(len(self.owner)) - np.searchsorted(self.owner, self.owner))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Histories:
    """Mean index from the start of season to each phase, now and in earlier years."""

    clock: SeasonClock
    """By warmth only where every season of the planting is."""
    shares: Floats
    """Shape (plantings, phases)."""
    now: Floats
    past: Floats
    """Shape (plantings, seasons, phases)."""

    @property
    def latest(self) -> Ints:
        """Last phase reached, shape (plantings,); -1: none."""
        return np.asarray(np.isfinite(self.now).sum(axis=1) - 1)

    def present(self) -> Floats:
        """Mean index from the start of season to the last phase reached; NaN: none was."""
        at = np.maximum(self.latest, 0)[:, None]
        return np.where(self.latest < 0, np.nan, np.take_along_axis(self.now, at, axis=1)[:, 0])

    def held(self) -> OwnHistory:
        """Hold the last phase reached against the field's own years."""
        at = np.maximum(self.latest, 0)[:, None, None]
        return against_history(self.present(), np.take_along_axis(self.past, at, axis=2)[:, :, 0])


def lay_grid(series: FieldSeries, units: Mapping[str, str], plantings: Sequence[Planting], until: date) -> Grid:
    """Smooth the series of all fields, cut at a day, on a grid that begins no later than the first sowing."""
    last = np.datetime64(until, "D")
    first_sown: np.datetime64 = np.datetime64(min((p.sowing_on for p in plantings), default=until), "D")
    if not len(series.acquired_at) or series.acquired_at[0] > last:
        origin = min(last, first_sown)
        days = int((last - origin).astype(int)) + 1
        blank = np.full((len(series.field_ids), days), np.nan)
        return Grid(origin=origin, until=days - 1, values=blank, observed=np.zeros(blank.shape, dtype=bool))
    _, neighbours = np.unique([units[name] for name in series.field_ids], return_inverse=True)
    curves = smooth(series.mean, series.clear_fraction, series.acquired_at, neighbours=neighbours, until=last)
    origin = min(curves.first_on, first_sown)
    lead = int((curves.first_on - origin).astype(int))
    values, observed = curves.values, curves.observed
    if lead:
        before = np.where(np.arange(lead) >= lead - HELD_DAYS, values[:, :1], np.nan)
        values = np.hstack([before, values])
        observed = np.hstack([np.zeros(before.shape, dtype=bool), observed])
    return Grid(origin=origin, until=int((last - origin).astype(int)), values=values, observed=observed)


def earlier_seasons(plantings: Sequence[Planting], known: Sequence[Planting]) -> Past:
    """Find, among all plantings known, earlier seasons of the same crop and local season on the same field."""
    by_field: dict[tuple[str, str, str], list[Planting]] = {}
    for one in known:
        by_field.setdefault(_kind(one), []).append(one)
    found, owner = [], []
    for row, planting in enumerate(plantings):
        before = [one for one in by_field.get(_kind(planting), ()) if one.harvest_on <= planting.sowing_on]
        for one in sorted(before, key=lambda p: (p.harvest_on, p.id), reverse=True)[:PAST_SEASONS]:
            found.append(one)
            owner.append(row)
    return Past(plantings=tuple(found), owner=np.array(owner, dtype=int))


def histories(grid: Grid, field: Ints, clock: SeasonClock, past: Past, past_clock: SeasonClock) -> Histories:
    """Lay this season and the earlier ones of each planting side by side, phase by phase.

    Parameters
    ----------
    field : ndarray of int, shape (plantings,)
        Row of the grid of each present planting.
    """
    owner, count = past.owner, len(field)
    thermal = clock.thermal.copy()
    np.logical_and.at(thermal, owner, past_clock.thermal)
    now_clock = replace(clock, row=np.where(thermal, clock.row, -1))
    old_clock = replace(past_clock, row=np.where(thermal[owner], past_clock.row, -1))
    origin = _start_of_season(grid, field[owner], old_clock, past, count)
    shares = origin[:, None] + (1 - origin)[:, None] * np.arange(1, PHASES + 1) / PHASES
    slot = past.slot
    old = np.full((count, int(slot.max(initial=-1)) + 1, PHASES), np.nan)
    old[owner, slot] = _means(grid, field[owner], old_clock, origin[owner], shares[owner])
    return Histories(clock=now_clock, shares=shares, now=_means(grid, field, now_clock, origin, shares), past=old)


def _means(grid: Grid, field: Ints, clock: SeasonClock, origin: Floats, shares: Floats) -> Floats:
    """Mean index per tick from the start of season to each phase."""
    sums = accumulated(grid.values, clock, np.hstack([origin[:, None], shares]), until=grid.until, rows=field)
    return np.asarray((sums[:, 1:] - sums[:, :1]) / ((shares - origin[:, None]) * clock.total[:, None]))


def _start_of_season(grid: Grid, field: Ints, clock: SeasonClock, past: Past, count: int) -> Floats:
    """Share of the season at which it usually starts: the median of the earlier years', else emergence."""
    share = np.full(len(field), np.nan)
    for at in range(0, len(field), BLOCK):
        block = slice(at, at + BLOCK)
        rows, part = field[block], clock.take(block)
        curves = DailyCurves(first_on=grid.origin, values=grid.values[rows], observed=grid.observed[rows])
        sos = season_metrics(curves, part.start, part.end).sos
        known = np.isfinite(sos)
        share[block] = np.where(known, part.share(np.where(known, sos, 0).astype(int) - 1), np.nan)
    by_planting = np.full((count, int(past.slot.max(initial=-1)) + 1), np.nan)
    by_planting[past.owner, past.slot] = share
    usual = row_medians(by_planting)
    return np.where(np.isfinite(usual), np.clip(usual, 0.0, LATEST_START), EMERGED)


def _kind(planting: Planting) -> tuple[str, str, str]:
    return planting.field_id, planting.crop, Season.parse(planting.season_id).local
