"""One device's window laid out beside everything it can be held against, and all questions asked of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from cropcredit.telemetry import agreement, copies, grain, neighbours, physics, siting
from cropcredit.telemetry.alike import median_of_rows
from cropcredit.telemetry.around import Around
from cropcredit.telemetry.days import aligned, low_mean_high, on_days
from cropcredit.telemetry.evidence import Check, Meaning
from cropcredit.telemetry.tracks import COURSE, DAY_S, Floats, Grid, Track, daily_means, daily_sums, laid, within_day

SAME_DEPTH = 0.25
"""Depths that differ by less than this share are compared."""
NOT_COPIED = ("weather.rain", "store.weight", "metering.water.total")
"""Their small movements come from tips, trucks and taps, which neighbours may share."""
FLOODED_BY_PLAN = ("soil.moisture", "soil.ec")
MOST_SHIFTS = 6
CAUSES = {"stuck", "jump", "not_buried", "above_porosity", "below_air_dry"}
"""What explains that a channel has no daily cycle, no memory, or a course of its own."""


class Laid:
    """A device's tracks and its surroundings on one grid."""

    def __init__(self, tracks: Sequence[Track], around: Around, grid: Grid) -> None:
        self.tracks, self.around, self.grid = list(tracks), around, grid
        self.values = [laid(track, grid) for track in tracks]
        self.days = [
            (daily_sums if track.cumulative else daily_means)(values, grid)
            for track, values in zip(tracks, self.values, strict=True)
        ]

    @cached_property
    def others(self) -> Floats:
        """Neighbours on the same grid and channels, shape (neighbours, channels, steps)."""
        shape = (len(self.around.neighbours), len(self.tracks), self.grid.count)
        found = np.full(shape, np.nan)
        for i, neighbour in enumerate(self.around.neighbours):
            for j, track in enumerate(self.tracks):
                same = alike_track(track, neighbour.tracks)
                if same is not None:
                    found[i, j] = laid(same, self.grid)
        return found

    def shifted(self, rows: Sequence[int]) -> tuple[Floats, float]:
        """Lay channels again with their times put back by 0, 1, 2 ... of the device's own steps within a grid step.

        Returns
        -------
        ndarray, shape (shifts, channels, steps)
        float
            Seconds between the shifts.
        """
        longest = max((self.tracks[i] for i in rows), key=lambda track: len(track.at_s))
        own = float(np.median(np.diff(longest.at_s))) if len(longest.at_s) > 1 else 0.0
        shifts = min(max(round(self.grid.step_s / own), 1), MOST_SHIFTS) if own > 0 and self.others.size else 1
        step = self.grid.step_s / shifts
        found = [[self.values[i] for i in rows]]
        found += [
            [laid(replace(self.tracks[i], at_s=self.tracks[i].at_s - n * step), self.grid) for i in rows]
            for n in range(1, shifts)
        ]
        return np.array(found), step

    def other_days(self, row: int) -> Floats:
        """Neighbours' days of one channel, shape (neighbours, days)."""
        by_day = daily_sums if self.tracks[row].cumulative else daily_means
        found = [by_day(values, self.grid) for values in self.others[:, row]]
        return np.vstack(found) if found else np.empty((0, self.grid.days))

    def find(self, quantity: str, channel: str | None = None) -> int | None:
        """Give the row of a quantity, on a channel if one is named."""
        rows = (i for i, t in enumerate(self.tracks) if t.quantity == quantity and channel in (None, t.channel))
        return next(rows, None)

    def beside(self, track: Track, quantity: str) -> Floats | None:
        """Give another quantity at the same channel, on the grid."""
        row = self.find(quantity, track.channel)
        return None if row is None else self.values[row]

    def swing(self, row: int) -> float | None:
        """Half of the usual daily range of a channel."""
        return _swing(self.values[row], self.grid)

    @cached_property
    def air_swing(self) -> float | None:
        """Half of the daily range of the air: the neighbours', else the device's own."""
        row = self.find("air.temperature")
        if row is None:
            return None
        theirs = [_swing(values, self.grid) for values in self.others[:, row]]
        known = [swing for swing in theirs if swing is not None]
        return float(np.median(known)) if known else self.swing(row)

    @cached_property
    def rain(self) -> agreement.Rain | None:
        """What others counted by day: neighbours' gauges, else the weather station."""
        row = self.find("weather.rain")
        if row is not None and np.isfinite(self.other_days(row)).any():
            days = self.other_days(row)
            gauges = int(np.isfinite(days).any(axis=1).sum())
            known = np.isfinite(days).sum(axis=0) >= (gauges + 1) // 2
            return agreement.Rain(mm=np.where(known, median_of_rows(days), np.nan), gauges=gauges, each=days)
        if self.around.weather is None:
            return None
        mm = on_days(self.around.weather.rain_mm, self.around.weather.start_s, self.grid)
        return agreement.Rain(mm=mm, gauges=0) if np.isfinite(mm).any() else None

    @cached_property
    def own_rain(self) -> agreement.Rain | None:
        """What the device itself counted, where nobody else did."""
        row = self.find("weather.rain")
        return self.rain or (None if row is None else agreement.Rain(mm=self.days[row], gauges=1))


def all_checks(tracks: Sequence[Track], around: Around, grid: Grid) -> list[Check]:
    """Ask everything of one device's window.

    Parameters
    ----------
    tracks : sequence of Track
        The device's own, of the window.
    around : Around
        What there is to compare with.
    grid : Grid
        Steps of the window.
    """
    if not tracks:
        return []
    view = Laid(tracks, around, grid)
    found = [*_device(view)]
    for row in range(len(tracks)):
        about = [*_physics(view, row), *_siting(view, row), *_agreement(view, row), *_grain(view, row)]
        found += _explained(about)
    return found


def _explained(checks: Sequence[Check]) -> list[Check]:
    """Leave a doubt about a channel open where a fault of the sensor or its place explains it: that one stands."""
    causes = {check.code for check in checks if check.reason} & CAUSES
    return [
        replace(check, suspicion=None, because="explained", facts=())
        if causes and check.reason is not None and check.reason.meaning is Meaning.DOUBT
        else check
        for check in checks
    ]


def alike_track(track: Track, others: Sequence[Track]) -> Track | None:
    """Give the track of the same quantity at the same depth; where no depth is known, of the same channel."""
    for other in others:
        if other.quantity != track.quantity:
            continue
        if track.depth_cm is None or other.depth_cm is None:
            if other.channel == track.channel:
                return other
        elif abs(other.depth_cm - track.depth_cm) <= max(3.0, SAME_DEPTH * track.depth_cm):
            return other
    return None


def _device(view: Laid) -> Iterator[Check]:
    rows = [i for i, track in enumerate(view.tracks) if track.quantity not in NOT_COPIED]
    others = copies.Others(
        ids=tuple(neighbour.device_id for neighbour in view.around.neighbours), values=view.others[:, rows]
    )
    if rows:
        shifted, shift_s = view.shifted(rows)
        yield copies.copied(shifted, others, view.grid, shift_s=shift_s)
        yield _replayed(view)
    yield from _soil_together(view)
    forks, crossed = view.around.forks, view.around.boots_crossed
    doubt = 1.0 if forks or crossed else 0.0
    yield Check(code="cloned", suspicion=doubt, facts=(("forks", float(forks)), ("crossed", float(crossed))))


def _soil_together(view: Laid) -> Iterator[Check]:
    rows = [i for i, track in enumerate(view.tracks) if track.quantity == "soil.moisture"]
    if not rows:
        return
    days, others = np.array([view.days[i] for i in rows]), np.array([view.other_days(i) for i in rows])
    depths_cm = [view.tracks[i].depth_cm or 0.0 for i in rows]
    yield neighbours.soil_drift(days, others)
    yield agreement.rises_dry(days, depths_cm, view.own_rain)


def _replayed(view: Laid) -> Check:
    past = {(one.quantity, one.channel): one for one in view.around.past}
    timed = FLOODED_BY_PLAN if view.around.flooded else ()  # floods repeat themselves from year to year
    unlike = (*NOT_COPIED, *timed)
    rows = [i for i, t in enumerate(view.tracks) if (t.quantity, t.channel) in past and t.quantity not in unlike]
    if not rows:
        return copies.replayed(np.empty((0, 0)), None)
    held = [past[view.tracks[i].quantity, view.tracks[i].channel] for i in rows]
    start = min(one.start_s for one in held)
    days_ago = copies.days_in(view.grid, start)
    told = copies.rows_of([aligned(one, start, days_ago) for one in held])
    now = copies.rows_of([low_mean_high(view.tracks[i], view.grid) for i in rows])
    return copies.replayed(now, copies.Past(days_ago=days_ago, values=told))


def _physics(view: Laid, row: int) -> Iterator[Check]:
    track, values, grid = view.tracks[row], view.values[row], view.grid
    yield physics.stuck(track)
    yield physics.jump(track)
    yield physics.no_daily_cycle(track, values, grid)
    yield physics.no_memory(track, values, grid)
    yield physics.too_smooth(track)
    if track.quantity == "air.relativeHumidity":
        yield physics.damp_when_warm(track, values, view.beside(track, "air.temperature"), grid)


def _siting(view: Laid, row: int) -> Iterator[Check]:
    track = view.tracks[row]
    if track.quantity == "soil.moisture":
        warmth = view.beside(track, "soil.temperature")
        yield from siting.soil_water(track, view.values[row], warmth, flooded=view.around.flooded)
    if track.quantity == "soil.temperature":
        yield siting.not_buried(track, view.swing(row), view.air_swing, view.grid)


def _agreement(view: Laid, row: int) -> Iterator[Check]:
    track, days, weather = view.tracks[row], view.days[row], view.around.weather
    yield from neighbours.against_neighbours(track, days, view.other_days(row))
    if track.quantity == "soil.moisture":
        warmth = view.beside(track, "soil.temperature")
        by_day = None if warmth is None else daily_means(warmth, view.grid)
        yield agreement.no_rain_answer(track, days, by_day, view.own_rain)
        yield agreement.dry_under_water(track, days, _seen_days(view))
    if track.quantity == "weather.rain":
        yield from agreement.gauge(track, days, view.rain)
    if track.quantity == "air.temperature" or (track.quantity == "soil.temperature" and (track.depth_cm or 99) <= 15):  # noqa: PLR2004 - deeper soil is days late
        station = None if weather is None else on_days(weather.mean_c, weather.start_s, view.grid)
        yield agreement.weather_apart(track, days, station)


def _grain(view: Laid, row: int) -> Iterator[Check]:
    track = view.tracks[row]
    if track.quantity != "store.weight":
        return
    wet = [view.values[i] for i, t in enumerate(view.tracks) if t.quantity == "store.grainMoisture"]
    air = view.find("air.temperature")
    yield from grain.weight(
        track,
        view.values[row],
        view.grid,
        moisture=median_of_rows(np.vstack(wet)) if wet else None,
        warmth=None if air is None else view.values[air],
        moves=view.around.moves,
        stock_taken_s=view.around.stock_taken_s,
    )


def _seen_days(view: Laid) -> Floats | None:
    if not view.around.water_seen_s:
        return None
    rows = np.floor((np.array(view.around.water_seen_s) - view.grid.start_s) / DAY_S).astype(np.int64)
    seen = np.zeros(view.grid.days)
    seen[rows[(rows >= 0) & (rows < view.grid.days)]] = 1.0
    return seen


def _swing(values: Floats, grid: Grid) -> float | None:
    if grid.per_day < COURSE:
        return None
    moves = within_day(values, grid)
    return (
        physics.daily_swing(moves, grid)
        if np.isfinite(moves).sum() >= physics.CYCLE_DAYS * grid.per_day * 0.7
        else None
    )
