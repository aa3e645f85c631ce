"""The 42 stations of the Cook Agronomy Farm as the evidence grade sees them: real soil, real sensors, real outages."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np

from cropcredit.telemetry import Around, Grid, Neighbour, PastDays, WeatherDays
from cropcredit.telemetry.tracks import DAY_S
from firmware_sim.site import Site
from tests.benchmarks.attack_worlds import NEIGHBOURS, Case, Series, tracks_of

KINDS = {"VW": ("soil.moisture", 100.0), "C": ("soil.temperature", 1.0), "EC": ("soil.ec", 1.0)}
DEPTHS_CM = (30, 60, 90, 120, 150)
TEXTURE = "silt loam"
"""Palouse, Thatuna, Naff and Latah silt loams (grids.csv, MUSYM)."""
DAYS, PAST = 30, 400
LEAST_DAYS = 20
"""Days of a window on which at least half of the channels were measured."""
FIRST = date(2011, 1, 2)


class CookFarm:
    """Two years of daily means, as windows of 30 days."""

    def __init__(self, folder: Path) -> None:
        self.table = _table(folder / "readings.csv.gz")
        self.names = sorted(self.table)
        self.days = next(iter(self.table["CAF003"].values())).shape[0]
        self.place = _places(folder / "profiles.csv")
        self.start_s = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC).timestamp()
        self.weather = _weather(folder / "weather.csv", self.start_s)

    def windows(self) -> Iterator[tuple[str, int]]:
        """Give (station, first day) of the windows in which a station was mostly heard."""
        for first in range(0, self.days - DAYS + 1, DAYS):
            for name in self.names:
                part = np.array([column[first : first + DAYS] for column in self.table[name].values()])
                if (np.isfinite(part).mean(axis=0) >= 0.5).sum() >= LEAST_DAYS:
                    yield name, first

    def can(self, mode: str, name: str, first: int) -> bool:
        """Say whether an attack can be put in here: where it begins, and what it draws on, was mostly measured."""
        near = self.nearest(name, first)
        drawn = [self._cut(name, first)]
        drawn += [self._cut(near[0], first) if near else {}] if mode.startswith("copied") else []
        drawn += [self._cut(name, first - 365) if first >= 365 else {}] if mode == "last_year" else []
        return all(part and _whole(part) for part in drawn)

    def site(self, name: str, first: int) -> Site:
        """Gather what an attack at this station starts from; its past is 365 days older, NaN where there is none."""
        near = self.nearest(name, first)
        return Site(
            times_ms=self._times_ms(first),
            series=_alive(self._cut(name, first)),
            neighbour=_alive(self._cut(near[0] if near else name, first)),
            history=_alive(self._cut(name, first - 365)) if first >= 365 else {},
        )

    def honest(self, name: str, first: int) -> Case:
        return self.case(name, first, self._cut(name, first))

    def changed(self, name: str, first: int, change: Callable[..., Series], *, seed: int) -> Case:
        changed = change(np.random.default_rng((seed, first)), self.site(name, first))
        return self.case(name, first, self._cut(name, first) | dict(changed))

    def case(self, name: str, first: int, series: Series) -> Case:
        grid = Grid(start_s=self.start_s + first * DAY_S, step_s=DAY_S, count=DAYS)
        neighbours = tuple(
            Neighbour(device_id=one, tracks=tracks_of(self._times_ms(first), self._cut(one, first), TEXTURE))
            for one in self.nearest(name, first)
        )
        around = Around(neighbours=neighbours, past=self._past(name, first), weather=self.weather)
        return Case(name=name, tracks=tracks_of(self._times_ms(first), series, TEXTURE), around=around, grid=grid)

    def nearest(self, name: str, first: int) -> list[str]:
        """Give the nearest stations that were heard in the window."""
        heard = [
            one
            for one in self.names
            if one != name
            and np.isfinite(self.table[one]["soil.temperature", "d30"][first : first + DAYS]).sum() >= LEAST_DAYS
        ]
        return sorted(heard, key=lambda one: float(np.hypot(*np.subtract(self.place[one], self.place[name]))))[
            :NEIGHBOURS
        ]

    def _times_ms(self, first: int) -> np.ndarray:
        return ((self.start_s + (first + np.arange(DAYS)) * DAY_S + DAY_S / 2) * 1000).astype(np.int64)

    def _cut(self, name: str, first: int) -> dict[tuple[str, str], np.ndarray]:
        return {key: column[first : first + DAYS] for key, column in self.table[name].items()}

    def _past(self, name: str, first: int) -> tuple[PastDays, ...]:
        begin = max(first - PAST, 0)
        if first - begin < DAYS:
            return ()
        return tuple(
            PastDays(
                quantity=quantity, channel=channel, start_s=self.start_s + begin * DAY_S,
                low=column[begin:first], mean=column[begin:first], high=column[begin:first],
            )
            for (quantity, channel), column in self.table[name].items()
        )  # fmt: skip


def _alive(series: Series) -> dict[tuple[str, str], np.ndarray]:
    """Keep the channels that were measured on the day on which an attack begins."""
    return {key: values for key, values in series.items() if np.isfinite(values[0])}


def _whole(series: Series) -> bool:
    """Say whether seven channels in ten were measured on the first day, and half of everything."""
    values = np.array(list(series.values()))
    return bool(np.isfinite(values[:, 0]).mean() > 0.7 and np.isfinite(values).mean() > 0.5)


def _table(file: Path) -> dict[str, dict[tuple[str, str], np.ndarray]]:
    with gzip.open(file, "rt", newline="") as lines:
        rows = list(csv.DictReader(lines))
    days = (max(date.fromisoformat(row["Date"]) for row in rows) - FIRST).days + 1
    columns = [
        (f"Port{port}{name}", (quantity, f"d{depth}"), scale)
        for port, depth in enumerate(DEPTHS_CM, start=1)
        for name, (quantity, scale) in KINDS.items()
    ]
    table: dict[str, dict[tuple[str, str], np.ndarray]] = {}
    for row in rows:
        mine = table.setdefault(row["SOURCEID"], {key: np.full(days, np.nan) for _, key, _ in columns})
        at = (date.fromisoformat(row["Date"]) - FIRST).days
        for column, key, scale in columns:
            if row[column]:
                mine[key][at] = float(row[column]) * scale
    return table


def _places(file: Path) -> dict[str, tuple[float, float]]:
    with file.open(newline="") as lines:
        return {row["SOURCEID"]: (float(row["Easting"]), float(row["Northing"])) for row in csv.DictReader(lines)}


def _weather(file: Path, start_s: float) -> WeatherDays:
    with file.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    days = (date.fromisoformat(rows[-1]["Date"]) - FIRST).days + 1
    rain, mean = np.full(days, np.nan), np.full(days, np.nan)
    for row in rows:
        at = (date.fromisoformat(row["Date"]) - FIRST).days
        rain[at], mean[at] = float(row["Precip_wrcc"]), (float(row["MaxT_wrcc"]) + float(row["MinT_wrcc"])) / 2
    return WeatherDays(start_s=start_s, rain_mm=rain, mean_c=mean)
