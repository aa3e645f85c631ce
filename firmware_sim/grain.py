"""Made-up grain stores: deliveries and sales, water that the grain gives to the air, warmth that comes late."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from firmware_sim.weather import DAY_S, Floats, Sky

PROBES = ("p1", "p2", "p3")
"""From the top of the heap to its core."""
RESPIRATION_PER_DAY = 4e-6
"""Share of dry matter lost per day; sound wheat at 12-14 % loses about 0.1 % in nine months."""
LOWEST_PART = 0.12
"""No store is sold out to the last bag."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heap:
    """What lies in a store; arrays of shape (n,)."""

    weight_kg: Floats
    moisture_pct: dict[str, Floats]
    """Wet basis, by probe."""
    temperature_c: dict[str, Floats]
    moves: list[tuple[int, float]]
    """(row, kg): what was delivered (above zero) or sold, as the store's owner declares it."""


def heap(sky: Sky, times_s: Floats, rng: np.random.Generator) -> Heap:
    """Make one store's season.

    Parameters
    ----------
    sky : Sky
        Weather around it.
    times_s : ndarray, shape (n,)
        Seconds since 1970.
    rng : numpy Generator
        Dice of this store.
    """
    moisture, offsets = _moisture(sky, times_s, rng), rng.normal(0, 0.25, len(PROBES))
    dry_kg, moves = _dry_matter(times_s, moisture, rng)
    inside = {
        probe: _temperature(sky, times_s, damping, memory, rng)
        for probe, damping, memory in zip(PROBES, (0.06, 0.015, 0.0), (8.0, 25.0, 45.0), strict=True)
    }
    return Heap(
        weight_kg=dry_kg / (1 - moisture / 100),
        moisture_pct={p: np.clip(moisture + o, 6, 30) for p, o in zip(PROBES, offsets, strict=True)},
        temperature_c=inside,
        moves=moves,
    )


def _moisture(sky: Sky, times_s: Floats, rng: np.random.Generator) -> Floats:
    """Let the grain dry towards balance with the air over two months: 12 % at 60 % humidity, 1 % per 8 % more."""
    days = np.arange(times_s[0] - 90 * DAY_S, times_s[-1] + DAY_S, DAY_S / 4)
    humidity = sky.humidity_pct(days, sky.air_c(days))
    balance = 12.0 + (humidity - 60) / 8
    share, value = 1 - np.exp(-0.25 / 60), 12.6 + rng.normal(0, 0.5)
    path = []
    for target in balance:
        value += share * (target - value)
        path.append(value)
    return np.asarray(np.interp(times_s, days, np.array(path)))


def _dry_matter(times_s: Floats, moisture: Floats, rng: np.random.Generator) -> tuple[Floats, list[tuple[int, float]]]:
    """Let deliveries and sales happen by day; the sums are those of a smallholder, 2 to 30 t."""
    stock = float(rng.lognormal(np.log(9000), 0.6))
    dry = np.full(len(times_s), stock * (1 - moisture[0] / 100))
    moves = []
    span_days = (times_s[-1] - times_s[0]) / DAY_S
    at_day = times_s[0] / DAY_S + rng.exponential(6)
    held = dry[0]
    while at_day < times_s[0] / DAY_S + span_days:
        row = int(np.searchsorted(times_s, (np.floor(at_day) + rng.uniform(0.0, 0.35)) * DAY_S))
        factor = rng.uniform(0.05, 0.3) if rng.random() < 0.3 else -rng.uniform(0.03, 0.2)  # noqa: PLR2004
        part = factor * stock * (1 - moisture[0] / 100)
        if 0 < row < len(times_s) and held + part > LOWEST_PART * dry[0]:
            dry[row:] += part
            held += part
            moves.append((row, float(part / (1 - moisture[row] / 100))))
        at_day += 1 + rng.exponential(7)
    lost = np.exp(-RESPIRATION_PER_DAY * (times_s - times_s[0]) / DAY_S)
    return dry * lost, moves


def _temperature(sky: Sky, times_s: Floats, damping: float, memory_days: float, rng: np.random.Generator) -> Floats:
    return sky.air_c(times_s, damping=damping, lag_s=6 * 3600, memory_days=memory_days) + 1.0 + rng.normal(0, 0.4)
