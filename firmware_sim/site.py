"""A device with its surroundings, and the moves that attacks and faults are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_sim.stations import Series, stepped
from firmware_sim.weather import DAY_S, Floats

STEPS = {
    "soil.moisture": 0.1, "soil.temperature": 0.1, "soil.ec": 0.01, "air.temperature": 0.1,
    "air.relativeHumidity": 0.5, "weather.rain": 0.2, "weather.solarRadiation": 1.0, "wind.speed": 0.1,
    "store.weight": 1.0, "store.grainMoisture": 0.1, "store.grainTemperature": 0.1,
}  # fmt: skip
"""Resolution of each sensor."""
NOISE = {
    "soil.moisture": 0.15, "soil.temperature": 0.06, "soil.ec": 0.005, "air.temperature": 0.12,
    "air.relativeHumidity": 0.6, "weather.rain": 0.0, "weather.solarRadiation": 4.0, "wind.speed": 0.5,
    "store.weight": 3.0, "store.grainMoisture": 0.08, "store.grainTemperature": 0.05,
}  # fmt: skip
"""Standard deviation of each sensor's noise, which an attacker can read off its past."""
COUNTERS = ("weather.rain",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What somebody at a device can draw on: its own readings, a neighbour's, last year's."""

    times_ms: NDArray[np.int64]
    series: Series
    neighbour: Series
    """The nearest device of the same kind; the device's own readings where it is alone."""
    history: Series
    """The same device 365 days earlier, row by row."""
    first_row: int = 0
    """Where the change begins."""


Change = Callable[[np.random.Generator, Site], Series]
"""An attack or a fault: from dice and site to the readings that the device then shows."""


def copy_of(site: Site) -> Series:
    return {key: values.copy() for key, values in site.series.items()}


def ramp(site: Site) -> Floats:
    """Rise from 0 at the first row to 1 at the end."""
    rows = len(site.times_ms)
    return np.clip((np.arange(rows) - site.first_row) / max(1, rows - 1 - site.first_row), 0, 1)


def night_row(rng: np.random.Generator, site: Site) -> int:
    """Choose a row behind the first, at night if there is one (18 to 22 h UTC where it is 1 to 5 h in China)."""
    rows = np.arange(site.first_row + 1, len(site.times_ms))
    hours = site.times_ms[rows] / 1000 % DAY_S / 3600
    dark = rows[(hours >= 18) & (hours < 22)]  # noqa: PLR2004 - as above
    return int(rng.choice(dark if len(dark) else rows))


def followed(values: Floats, site: Site, *, hours: float) -> Floats:
    """Let a body of some heat capacity follow: an exponential mean over ``hours``."""
    step_h = float(np.diff(site.times_ms[:2])[0]) / 3.6e6 if len(values) > 1 else 1.0
    share, now = 1 - float(np.exp(-step_h / hours)), float(values[0])
    out = np.empty(len(values))
    for row, value in enumerate(values):
        now += share * (value - now)
        out[row] = now
    return out


def seen(quantity: str, values: Floats) -> Floats:
    """Show values as the sensor would: within its range, in its steps."""
    low = -60.0 if quantity.endswith("emperature") else 0.0
    high = 100.0 if quantity in ("soil.moisture", "air.relativeHumidity") else np.inf
    return stepped(np.clip(values, low, high), STEPS[quantity])
