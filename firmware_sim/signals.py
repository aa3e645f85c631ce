"""What honest devices of one village measure, as arrays: for attacks, for faults, for whoever judges readings.

Pure and seeded: the same arguments give the same numbers. All devices of a village share one sky (:mod:`.weather`), so
rain reaches neighbours within minutes and in like amounts; each has its own soil (:mod:`.soil`) or store
(:mod:`.grain`) and its own sensors (:mod:`.stations`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from firmware_sim.errors import BadInput
from firmware_sim.site import Site
from firmware_sim.soil import SITES, TEXTURES
from firmware_sim.stations import KINDS, Series, Station, Stations, edges
from firmware_sim.weather import CLIMATES, Sky

SPREAD_M = 1500.0
"""Devices stand scattered about the village's middle: standard deviation east and north."""
SPRING_2026_MS = 1_777_593_600_000
"""2026-05-01 UTC."""
YEAR_MS = 365 * 86_400_000
Choice = str | Mapping[str, str]
"""One name for all devices, or a name for each."""


@dataclass(frozen=True, kw_only=True)
class Village:
    """Honest readings of some devices over one window; computed when asked for, and then kept."""

    seed: int
    climate: str
    times_ms: NDArray[np.int64]
    stations: tuple[Station, ...]

    @cached_property
    def sky(self) -> Sky:
        """The weather over it."""
        return Sky(self.seed, self.climate)

    @cached_property
    def devices(self) -> Mapping[str, Series]:
        """Readings by device."""
        return _Kept(self.measuring())

    @cached_property
    def history(self) -> Mapping[str, Series]:
        """Readings of the same devices 365 days earlier."""
        return _Kept(self.measuring(earlier_ms=YEAR_MS))

    def measuring(self, *, earlier_ms: int = 0) -> Stations:
        """Give the devices to measure one by one, keeping nothing: for more readings than fit into memory."""
        return Stations(self.seed, self.sky, (self.times_ms - earlier_ms) / 1000, self.stations)

    @property
    def place(self) -> dict[str, tuple[float, float]]:
        """Metres east and north of the village's middle, by device."""
        return {one.device_id: (one.east_m, one.north_m) for one in self.stations}

    def deliveries(self, device: str) -> list[tuple[int, float]]:
        """Give (row, kg) of what came into a grain store (above zero) and what was sold, as its owner declares it."""
        kept = self.devices
        assert isinstance(kept, _Kept)
        kept[device]
        return kept.measuring.moves.get(device, [])

    @property
    def weather(self) -> Series:
        """The truth at the village's middle; ``weather.rain`` is millimetres since the row before, not a counter."""
        times_s = self.times_ms / 1000
        air = self.sky.air_c(times_s)
        return {
            ("air.temperature", ""): air,
            ("air.relativeHumidity", ""): self.sky.humidity_pct(times_s, air),
            ("weather.rain", ""): self.sky.rain_mm(edges(times_s), np.zeros(1), np.zeros(1))[0],
            ("weather.solarRadiation", ""): self.sky.solar_w_m2(times_s),
        }

    def neighbour(self, device: str) -> str:
        """Name the nearest device of the same kind; the device itself where there is none."""
        mine = next(one for one in self.stations if one.device_id == device)
        others = [one for one in self.stations if one.kind == mine.kind and one.device_id != device]
        return min(others, key=lambda one: _distance_m(one, mine), default=mine).device_id

    def site(self, device: str, *, first_row: int = 0) -> Site:
        """Gather what an attack or a fault at this device starts from."""
        return Site(
            times_ms=self.times_ms, series=self.devices[device], neighbour=self.devices[self.neighbour(device)],
            history=self.history[device], first_row=first_row,
        )  # fmt: skip


def _distance_m(one: Station, other: Station) -> float:
    return math.hypot(one.east_m - other.east_m, one.north_m - other.north_m)


def village(
    seed: int,
    devices: Sequence[str],
    *,
    days: float = 30,
    step_s: float = 900,
    start_ms: int = SPRING_2026_MS,
    climate: str = "continental",
    texture: Choice = "loam",
    kind: Choice = "soil",
    site: Choice = "rainfed",
) -> Village:
    """Lay out a village.

    Parameters
    ----------
    seed : int
        Of all dice.
    devices : sequence of str
        Ids.
    days, step_s : float
        Length of the window, and seconds between readings.
    start_ms : int
        First reading, ms since 1970 UTC.
    climate : str
        A name of :data:`~firmware_sim.weather.CLIMATES`.
    texture, kind, site : str or mapping of device to str
        A name of :data:`~firmware_sim.soil.TEXTURES`, of :data:`~firmware_sim.stations.KINDS`, of
        :data:`~firmware_sim.soil.SITES`.

    Raises
    ------
    BadInput
        If a name is not known, or the window holds no reading.

    Examples
    --------
    >>> two = village(7, ["a", "b"], days=2)
    >>> two.devices["a"]["soil.moisture", "d30"].shape
    (192,)
    """
    rows = int(days * 86_400 / step_s)
    if rows < 1:
        raise BadInput(f"{days} days hold no reading every {step_s} s")
    _check("climate", {climate}, CLIMATES)
    stations = [_station(seed, device, kind=kind, texture=texture, site=site) for device in devices]
    _check("kind", {one.kind for one in stations}, KINDS)
    _check("texture", {one.texture for one in stations}, TEXTURES)
    _check("site", {one.site for one in stations}, SITES)
    times_ms = start_ms + np.round(np.arange(rows) * step_s * 1000).astype(np.int64)
    return Village(seed=seed, climate=climate, times_ms=times_ms, stations=tuple(stations))


def _check(what: str, named: set[str], known: Sequence[str] | Mapping[str, object]) -> None:
    for name in sorted(named):
        if name not in known:
            raise BadInput(f"{what} {name!r} is not known; known: {', '.join(known)}")


def _station(seed: int, device: str, *, kind: Choice, texture: Choice, site: Choice) -> Station:
    east_m, north_m = np.random.default_rng((seed, crc32(device.encode()), 1)).normal(0, SPREAD_M, 2)

    def chosen(choice: Choice) -> str:
        return choice if isinstance(choice, str) else choice[device]

    return Station(
        device_id=device, kind=chosen(kind), texture=chosen(texture), site=chosen(site),
        east_m=float(east_m), north_m=float(north_m),
    )  # fmt: skip


class _Kept(Mapping[str, Series]):
    """Series by device, each measured once."""

    def __init__(self, measuring: Stations) -> None:
        self.measuring = measuring
        self._series: dict[str, Series] = {}

    def __getitem__(self, device: str) -> Series:
        if device not in self._series:
            self._series[device] = self.measuring.measure(device)
        return self._series[device]

    def __iter__(self) -> Iterator[str]:
        return iter(self.measuring.stations)

    def __len__(self) -> int:
        return len(self.measuring.stations)
