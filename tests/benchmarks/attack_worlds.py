"""Villages of simulated devices and the stations of a real farm, as the evidence grade sees them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cropcredit.telemetry import Around, Check, Grid, Neighbour, PastDays, Track, grade_values
from cropcredit.telemetry.days import low_mean_high
from cropcredit.telemetry.tracks import DAY_S
from firmware_sim import signals

Series = Mapping[tuple[str, str], np.ndarray]
COUNTERS = ("weather.rain", "metering.water.total")
NEIGHBOURS = 5


@dataclass(frozen=True, kw_only=True)
class Case:
    """One device's window, and what it is held against."""

    name: str
    tracks: tuple[Track, ...]
    around: Around
    grid: Grid

    def checks(self) -> list[Check]:
        return grade_values(self.tracks, self.around, self.grid)


def tracks_of(times_ms: np.ndarray, series: Series, texture: str = "") -> tuple[Track, ...]:
    """Make tracks of columns; NaN is what was never sent."""
    made = []
    for (quantity, channel), values in sorted(series.items()):
        known = np.isfinite(values)
        soil = quantity.startswith("soil.")
        made.append(
            Track(
                quantity=quantity,
                channel=channel,
                at_s=times_ms[known] / 1000,
                values=values[known],
                depth_cm=float(channel[1:]) if soil else None,
                texture=texture if soil else "",
                kind="volumetric" if quantity == "soil.moisture" else "",
                cumulative=quantity in COUNTERS,
            )
        )
    return tuple(made)


def hourly(track: Track) -> Track:
    """Thin a track as a roll-up does: the mean of each hour, of a counter its last value."""
    if not len(track.at_s):
        return track
    hours = np.floor(track.at_s / 3600)
    starts = np.flatnonzero(np.r_[True, np.diff(hours) > 0])
    ends = np.r_[starts[1:], len(hours)]
    values = track.values[ends - 1] if track.cumulative else np.add.reduceat(track.values, starts) / (ends - starts)
    return Track(
        quantity=track.quantity, channel=track.channel, at_s=hours[starts] * 3600 + 1800, values=values,
        depth_cm=track.depth_cm, texture=track.texture, kind=track.kind, cumulative=track.cumulative,
    )  # fmt: skip


def past_of(tracks: Sequence[Track], grid: Grid) -> tuple[PastDays, ...]:
    """Sum up a history by day."""
    found = []
    for track in tracks:
        if not track.cumulative:
            low, mean, high = low_mean_high(track, grid)
            found.append(
                PastDays(
                    quantity=track.quantity, channel=track.channel, start_s=grid.start_s, low=low, mean=mean, high=high
                )
            )
    return tuple(found)


def window_grid(times_ms: np.ndarray, step_s: int) -> Grid:
    start = np.floor(times_ms[0] / 1000 / DAY_S) * DAY_S
    days = int(np.ceil((times_ms[-1] / 1000 - start + 1) / DAY_S))
    return Grid(start_s=float(start), step_s=step_s, count=days * DAY_S // step_s)


# --- simulated villages ----------------------------------------------------------------------------------------------

KINDS = {"soil": 8, "weather": 4, "grain": 4}
TEXTURE_NAMES = ("sandy_loam", "loam", "silt_loam", "clay_loam", "sand", "clay")
SITE_ODDS = {"rainfed": 0.55, "irrigated": 0.2, "film": 0.1, "greenhouse": 0.08, "paddy": 0.07}
CLIMATE_NAMES = ("continental", "monsoon", "highland", "dry")
STEP_S, DAYS, PAST_DAYS = 900, 30, 35
YEAR_2026_MS = 1_767_225_600_000


class VillageWorld:
    """Sixteen devices of one simulated village in one month, honest until told otherwise."""

    def __init__(self, seed: int) -> None:
        dice = np.random.default_rng((seed, 77))
        names = [f"{kind}-{i}" for kind, count in KINDS.items() for i in range(count)]
        self.kind = {name: name.split("-")[0] for name in names}
        self.texture = {name: str(dice.choice(TEXTURE_NAMES)) for name in names}
        sites = dice.choice(list(SITE_ODDS), p=list(SITE_ODDS.values()), size=len(names))
        self.site = dict(zip(names, map(str, sites), strict=True))
        self.climate = str(CLIMATE_NAMES[seed % len(CLIMATE_NAMES)])
        start_ms = YEAR_2026_MS + int(dice.integers(0, 330)) * DAY_S * 1000
        self.village = signals.village(
            seed, names, days=DAYS, step_s=STEP_S, start_ms=start_ms, climate=self.climate, texture=self.texture,
            kind=self.kind, site=self.site,
        )  # fmt: skip
        self.grid = window_grid(self.village.times_ms, 3600)
        self.names = names
        self._hourly: dict[str, tuple[Track, ...]] = {}
        self._past: dict[str, tuple[PastDays, ...]] = {}
        self._longer: signals.Village | None = None

    def honest(self, name: str) -> Case:
        return self.case(name, self.village.devices[name])

    def changed(self, name: str, change: Callable[..., Series], seed: int, *, first_row: int = 0) -> Case:
        """Let somebody, or wear, change the readings of one device."""
        dice = np.random.default_rng((seed, len(name)))
        return self.case(name, change(dice, self.village.site(name, first_row=first_row)))

    def victim(self, name: str, change: Callable[..., Series], seed: int) -> Case:
        """Leave a device as it is, and let its nearest neighbour copy it."""
        thief, dice = self.village.neighbour(name), np.random.default_rng((seed, len(name)))
        site = replace(self.village.site(thief), neighbour=self.village.devices[name])
        copy = tracks_of(self.village.times_ms, change(dice, site), self.texture[thief])
        case = self.honest(name)
        others = tuple(
            Neighbour(device_id=thief, tracks=tuple(hourly(t) for t in copy)) if one.device_id == thief else one
            for one in case.around.neighbours
        )
        return replace(case, around=replace(case.around, neighbours=others))

    def case(self, name: str, series: Series, *, alone: bool = False) -> Case:
        texture = self.texture[name] if self.kind[name] == "soil" else ""
        around = Around() if alone else self.around(name)
        return Case(name=name, tracks=tracks_of(self.village.times_ms, series, texture), around=around, grid=self.grid)

    def around(self, name: str) -> Around:
        place = self.village.place
        others = sorted(
            (one for one in self.names if one != name),
            key=lambda one: (self.kind[one] != self.kind[name], np.hypot(*np.subtract(place[one], place[name]))),
        )
        neighbours = tuple(Neighbour(device_id=one, tracks=self.hourly(one)) for one in others[:NEIGHBOURS])
        moves = None
        if self.kind[name] == "grain":
            moves = tuple((self.village.times_ms[row] / 1000, kg) for row, kg in self.village.deliveries(name))
        flooded = self.site[name] == "paddy"
        return Around(neighbours=neighbours, past=self.past(name), moves=moves, flooded=flooded)

    def hourly(self, name: str) -> tuple[Track, ...]:
        if name not in self._hourly:
            tracks = tracks_of(self.village.times_ms, self.village.devices[name], self.texture[name])
            self._hourly[name] = tuple(hourly(track) for track in tracks)
        return self._hourly[name]

    def past(self, name: str) -> tuple[PastDays, ...]:
        """Give the hundred days around the same month of the year before, as a device's daily roll-ups hold them.

        The month itself is what the device read then, to the last digit: that is what somebody would send again.
        """
        if name not in self._past:
            times_ms = self.village.times_ms - 365 * DAY_S * 1000
            month = past_of(
                tracks_of(times_ms, self.village.history[name], self.texture[name]), window_grid(times_ms, 3600)
            )
            self._past[name] = tuple(
                _within(around, part) for around, part in zip(self._around_month(name), month, strict=True)
            )
        return self._past[name]

    def _around_month(self, name: str) -> tuple[PastDays, ...]:
        """Give a hundred days of the same device, read by the hour."""
        if self._longer is None:
            start_ms = int(self.village.times_ms[0]) - (365 + PAST_DAYS) * DAY_S * 1000
            self._longer = signals.village(
                self.village.seed, self.names, days=DAYS + 2 * PAST_DAYS, step_s=3600, start_ms=start_ms,
                climate=self.climate, texture=self.texture, kind=self.kind, site=self.site,
            )  # fmt: skip
        times_ms = self._longer.times_ms
        return past_of(tracks_of(times_ms, self._longer.devices[name], self.texture[name]), window_grid(times_ms, 3600))


def _within(longer: PastDays, month: PastDays) -> PastDays:
    """Put a month into a longer past of the same channel."""
    first = round((month.start_s - longer.start_s) / DAY_S)
    parts = {}
    for part in ("low", "mean", "high"):
        values = getattr(longer, part).copy()
        values[first : first + len(month.mean)] = getattr(month, part)
        parts[part] = values
    return PastDays(quantity=longer.quantity, channel=longer.channel, start_s=longer.start_s, **parts)
