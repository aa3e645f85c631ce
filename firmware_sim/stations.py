"""Honest devices: what their sensors make of the village's weather, soil and grain.

Sensor errors are those of data sheets of the cheap and common: capacitance soil probe (1.5 % between probes, 0.15 %
noise, 0.1 % step), digital thermometer (0.2 °C, 0.1 °C step), humidity chip (2 %, 0.5 % step), tipping bucket of
0.2 mm (4 %), platform scale on load cells (0.02 % of the load, 1 kg step), grain probe (0.1 %, 0.1 % step).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from firmware_sim.grain import heap
from firmware_sim.soil import (
    DEPTHS,
    SITES,
    Plots,
    conductivity_ds_m,
    moisture_pct,
    seen_by_probe_pct,
    temperature_c,
)  # fmt: skip
from firmware_sim.weather import Floats, Sky

Series = dict[tuple[str, str], Floats]
"""(quantity, channel) -> values in the catalogue's unit, shape (n,); NaN is not measured."""
KINDS = ("soil", "weather", "grain")
TIP_MM = 0.2
GROUP = 500
"""Fields whose water is balanced together."""
LONG_S = 2 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """One device and where it stands."""

    device_id: str
    kind: str
    texture: str
    site: str
    east_m: float
    north_m: float


class Stations:
    """Devices of one village over one window.

    Parameters
    ----------
    seed : int
        Of the dice; a device's calibration depends on seed and id, not on the window.
    sky : Sky
        The village's weather.
    times_s : ndarray, shape (n,)
        When they measure, s since 1970, rising.
    stations : sequence of Station
        The devices.
    """

    def __init__(self, seed: int, sky: Sky, times_s: Floats, stations: Sequence[Station]) -> None:
        self.seed, self.sky, self.times_s = seed, sky, times_s
        self.stations: Mapping[str, Station] = {one.device_id: one for one in stations}
        self.moves: dict[str, list[tuple[int, float]]] = {}
        """Of each store measured so far: (row, kg) of what came and went."""
        fields = [one for one in stations if one.kind == "soil"]
        self._groups = [fields[i : i + GROUP] for i in range(0, len(fields), GROUP)]
        self._row_of = {one.device_id: row for group in self._groups for row, one in enumerate(group)}
        self._group_of = {one.device_id: i for i, group in enumerate(self._groups) for one in group}
        self._water: dict[int, tuple[Floats, Floats]] = {}
        self._shared: dict[object, Floats] = {}

    def measure(self, device_id: str) -> Series:
        """Give all readings of one device."""
        station = self.stations[device_id]
        noise = self._dice(station, 3, round(float(self.times_s[0])))
        measure = {"soil": self._soil, "weather": self._weather, "grain": self._grain}[station.kind]
        return measure(station, self._dice(station, 2), noise)

    def _dice(self, station: Station, *purpose: int) -> np.random.Generator:
        return np.random.default_rng((self.seed, crc32(station.device_id.encode()), *purpose))

    def _alike(self, what: object, truth: Callable[[], Floats]) -> Floats:
        """Ask the sky once for what all devices feel alike."""
        if what not in self._shared:
            self._shared[what] = truth()
        return self._shared[what]

    def _sun_w_m2(self) -> Floats:
        return self._alike("sun", lambda: self.sky.solar_w_m2(self.times_s))

    def _ground_c(self, depth_m: float, warmer_c: float) -> Floats:
        return self._alike(
            ("ground", depth_m, warmer_c),
            lambda: temperature_c(self.sky, self.times_s, depth_m, warmer_c=warmer_c),
        )

    # --- by kind ---------------------------------------------------------------------------------------------------

    def _soil(self, station: Station, bias: np.random.Generator, noise: np.random.Generator) -> Series:
        layers = self._moisture(station)
        out = self._air(station, bias, noise) | self._rain(station, bias)
        for layer, (channel, depth_m) in enumerate(DEPTHS.items()):
            warm = self._ground_c(depth_m, SITES[station.site].warmer_c)
            warm = warm + bias.normal(0, 0.5)  # shade, colour and slope of the spot
            water = seen_by_probe_pct(layers[:, layer], warm) + 0.02 * (warm - 20)
            water = water * (1 + bias.normal(0, 0.03)) + bias.normal(0, 1.0) + noise.normal(0, 0.15, len(warm))
            out["soil.moisture", channel] = stepped(np.clip(water, 0, 100), 0.1)
            out["soil.temperature", channel] = stepped(warm + noise.normal(0, 0.06, len(warm)), 0.1)
        salt = conductivity_ds_m(layers[:, 1], out["soil.temperature", "d30"], bias.uniform(1.5, 4.0))
        out["soil.ec", "d30"] = stepped(np.clip(salt + noise.normal(0, 0.005, len(salt)), 0, None), 0.01)
        return out

    def _weather(self, station: Station, bias: np.random.Generator, noise: np.random.Generator) -> Series:
        sun = self._sun_w_m2() * bias.normal(1, 0.02)
        sun = np.clip(sun * noise.normal(1, 0.05, len(sun)) + noise.normal(0, 1, len(sun)), -5, 1500)
        wind = 1.2 + 0.003 * self._sun_w_m2()
        return (
            self._air(station, bias, noise)
            | self._rain(station, bias)
            | {
                ("weather.solarRadiation", ""): stepped(sun, 1),
                ("wind.speed", ""): stepped(wind * noise.gamma(4, 0.25, len(wind)), 0.1),
            }
        )

    def _grain(self, station: Station, bias: np.random.Generator, noise: np.random.Generator) -> Series:
        stored = heap(self.sky, self.times_s, self._dice(station, 4))
        self.moves[station.device_id] = stored.moves
        out = self._air(station, bias, noise)
        weight, air_c = stored.weight_kg, out["air.temperature", ""]
        load = weight * (1 + 2e-5 * (air_c - 20)) + noise.normal(0, 2e-4, len(weight)) * weight
        out["store.weight", ""] = stepped(load + noise.normal(0, 1.5, len(weight)), 1)
        for probe, moisture in stored.moisture_pct.items():
            out["store.grainMoisture", probe] = stepped(moisture + noise.normal(0, 0.08, len(moisture)), 0.1)
            warm = stored.temperature_c[probe] + noise.normal(0, 0.05, len(moisture))
            out["store.grainTemperature", probe] = stepped(warm, 0.1)
        return out

    # --- sensors that several kinds have ---------------------------------------------------------------------------

    def _air(self, station: Station, bias: np.random.Generator, noise: np.random.Generator) -> Series:
        """Measure the air: gusts and passing clouds make it restless, over minutes and for everybody alike."""
        warmer = SITES[station.site].warmer_c if station.site == "greenhouse" else 0.0
        damping = 0.55 if station.kind == "grain" else 1.0 + warmer / 10
        air = self._alike(("air", damping), lambda: self.sky.air_c(self.times_s, damping=damping)) + warmer
        moist = self._alike(("moist", damping), lambda: self.sky.humidity_pct(self.times_s, air)) + 4 * warmer
        restless = self._alike("restless", lambda: self.sky.restless(self.times_s))
        air = air + 0.35 * damping * restless + bias.normal(0, 0.3) + noise.normal(0, 0.12, len(air))
        moist = moist - 1.2 * restless + bias.normal(0, 2) + noise.normal(0, 0.6, len(air))
        return {
            ("air.temperature", ""): stepped(air, 0.1),
            ("air.relativeHumidity", ""): stepped(np.clip(moist, 5, 100), 0.5),
        }

    def _rain(self, station: Station, bias: np.random.Generator) -> Series:
        """Count rain in tips of a bucket, from wherever the counter stood; in a greenhouse none falls."""
        at = (np.array([station.east_m]), np.array([station.north_m]))
        fallen = self.sky.rain_mm(edges(self.times_s), *at)[0]
        caught = np.cumsum(fallen) * bias.normal(0.97, 0.04) * (station.site != "greenhouse")
        tips = np.floor(caught / TIP_MM + bias.uniform(0, 1)) + float(bias.integers(0, 4000))
        return {("weather.rain", ""): stepped(tips * TIP_MM, TIP_MM)}

    def _moisture(self, station: Station) -> Floats:
        """Give the water at the device's layers, volume %, shape (n, 3)."""
        group = self._group_of[station.device_id]
        if group not in self._water:
            if self.times_s[-1] - self.times_s[0] > LONG_S:
                self._water.clear()  # long windows are measured device by device: one group at a time is enough
            members = self._groups[group]
            plots = Plots(
                east_m=np.array([one.east_m for one in members]), north_m=np.array([one.north_m for one in members]),
                textures=[one.texture for one in members], sites=[one.site for one in members],
                dice=[self._dice(one, 5) for one in members],
            )  # fmt: skip
            self._water[group] = moisture_pct(self.sky, plots, float(self.times_s[0]), float(self.times_s[-1]))
        hours_s, water = self._water[group]
        mine = water[:, self._row_of[station.device_id]]
        return np.column_stack([np.interp(self.times_s, hours_s, layer) for layer in mine.T])


def stepped(values: Floats, step: float) -> Floats:
    """Round to a sensor's step.

    Examples
    --------
    >>> stepped(np.array([0.26, 12.34]), 0.1)
    array([ 0.3, 12.3])
    """
    return np.round(np.round(values / step) * step, 3)


def edges(times_s: Floats) -> Floats:
    """Give the instants between which a reading counts rain: from the reading before, up to its own."""
    step = times_s[1] - times_s[0] if len(times_s) > 1 else 900.0
    return np.concatenate(([times_s[0] - step], times_s))
