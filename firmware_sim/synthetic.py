"""Readings made up on the spot: a soil and weather station at each device, plausible and reproducible."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Sequence

from firmware_sim.device import Reading
from firmware_sim.message import number_text

DAY_MS = 86_400_000
SHOWER_ODDS = 0.01


class Synthetic:
    """Stations that measure every ``interval_s`` from now on, each at its own moment.

    Parameters
    ----------
    device_ids : sequence of str
        Stations.
    interval_s : float
        Seconds between readings of one station; the first comes within a second.
    start_ms, seconds : int, float
        Readings are made from ``start_ms`` (ms since 1970) for ``seconds``.
    each : int
        Most readings per station; 0 means as many as fit.
    """

    digest = ""
    live = True

    def __init__(
        self,
        device_ids: Sequence[str],
        *,
        interval_s: float,
        start_ms: int,
        seconds: float,
        each: int = 0,
        seed: int = 0,
    ) -> None:
        self._interval_ms, self._end_ms, self._each = round(interval_s * 1000), start_ms + seconds * 1000, each
        self._stations = {name: Station(name, seed=seed) for name in device_ids}
        self._due = [(start_ms + round(self._stations[name].phase * 1000), 0, name) for name in device_ids]
        heapq.heapify(self._due)

    def take(self, limit: int, *, now_ms: int) -> list[Reading]:
        """Give the readings due by ``now_ms``."""
        made: list[Reading] = []
        while self._due and self._due[0][0] <= now_ms and len(made) < limit:
            at_ms, count, name = heapq.heappop(self._due)
            if at_ms >= self._end_ms:
                continue
            made.append(self._stations[name].reading(at_ms))
            if not self._each or count + 1 < self._each:
                heapq.heappush(self._due, (at_ms + self._interval_ms, count + 1, name))
        return made

    @property
    def exhausted(self) -> bool:
        """Say whether no station has another reading to make."""
        return not self._due or self._due[0][0] >= self._end_ms


class Station:
    """One station: daily temperature wave, drying soil, showers into a counting gauge."""

    def __init__(self, name: str, *, seed: int) -> None:
        self.name, self._rng = name, random.Random(f"{seed}/{name}/station")
        self.phase = self._rng.random()
        self._mean_c, self._swing_c = self._rng.uniform(12, 26), self._rng.uniform(4, 9)
        self._moisture, self._rain_mm, self._battery_v = self._rng.uniform(18, 34), 0.0, self._rng.uniform(3.5, 4.1)

    def reading(self, at_ms: int) -> Reading:
        """Measure at ``at_ms`` (ms since 1970, UTC)."""
        wave = math.sin(2 * math.pi * ((at_ms % DAY_MS) / DAY_MS - 0.375))
        air_c = self._mean_c + self._swing_c * wave + self._rng.gauss(0, 0.3)
        shower_mm = self._rng.expovariate(1 / 3) if self._rng.random() < SHOWER_ODDS else 0.0
        self._rain_mm += shower_mm
        self._moisture = min(45.0, max(8.0, self._moisture + shower_mm * 0.8 - 0.01 * max(0.0, air_c) / 20))
        measured = (
            ("air.temperature", round(air_c, 2), ""),
            ("air.relativeHumidity", round(min(100.0, max(15.0, 65 - 20 * wave + self._rng.gauss(0, 2))), 1), ""),
            ("soil.temperature", round(self._mean_c + 0.3 * self._swing_c * wave, 2), "d10"),
            ("soil.moisture", round(self._moisture + self._rng.gauss(0, 0.1), 2), "d10"),
            ("soil.moisture", round(0.8 * self._moisture + 5, 2), "d30"),
            ("weather.rain", round(self._rain_mm, 1), ""),
        )
        values = tuple((q, number_text(v), c) for q, v, c in measured)
        signal = number_text(round(self._rng.gauss(-85, 6)))
        return Reading(self.name, at_ms, values, bat=number_text(round(self._battery_v, 2)), sig=signal, open=False)
