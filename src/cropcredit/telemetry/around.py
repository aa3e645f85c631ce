"""What a device's window can be held against: neighbours, its own past, the weather, the book of a store."""

from __future__ import annotations

from dataclasses import dataclass

from cropcredit.telemetry.grain import Move
from cropcredit.telemetry.tracks import Floats, Track


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Neighbour:
    """Another device near by, over the same window."""

    device_id: str
    tracks: tuple[Track, ...]
    """Only what the graded device measures too; hourly means do."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PastDays:
    """What the device itself told earlier on one channel, by local day."""

    quantity: str
    channel: str
    start_s: float
    """Midnight of the first day, seconds since 1970."""
    low: Floats
    """Shape (days,); NaN: not measured."""
    mean: Floats
    high: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WeatherDays:
    """The weather station or grid cell that stands for the place, by local day."""

    start_s: float
    """Midnight of the first day, seconds since 1970."""
    rain_mm: Floats
    """Shape (days,); NaN: unknown."""
    mean_c: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Around:
    """Everything there is to compare with; what is not there is not assessed."""

    neighbours: tuple[Neighbour, ...] = ()
    """Nearest first."""
    past: tuple[PastDays, ...] = ()
    weather: WeatherDays | None = None
    moves: tuple[Move, ...] | None = None
    """Book of the store: deliveries and sales; None: there is none."""
    stock_taken_s: tuple[float, ...] = ()
    """Instants at which somebody weighed what lies there: the book begins anew."""
    water_seen_s: tuple[float, ...] = ()
    """Instants at which satellites saw open water on the field."""
    flooded: bool = False
    """The field stands under water by intent: paddy."""
    forks: int = 0
    """Messages of the device whose identity came twice with different content."""
    boots_crossed: int = 0
    """Restarts whose messages lie between those of another one in time."""


NOTHING = Around()
