"""Daily weather of one place, a month or less at a time: known when its last day is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar

from cropcredit.errors import MalformedInput
from cropcredit.model.records import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class WeatherSeries(Record):
    """Consecutive days of weather at a station or over a region."""

    KEYS: ClassVar[tuple[str, ...]] = ("region",)

    region: str
    """Administrative unit or station the days stand for."""
    source: str
    first_on: date
    rain_mm: tuple[float, ...]
    """Per day, mm; NaN where missing is not allowed: leave the series shorter or split it."""
    t_min_c: tuple[float, ...]
    t_max_c: tuple[float, ...]
    solar_mj_m2: tuple[float, ...] = ()
    """Per day, MJ/m²; empty when not measured."""
    synthetic: bool = False

    def __post_init__(self) -> None:
        Record.__post_init__(self)
        lengths = {len(self.rain_mm), len(self.t_min_c), len(self.t_max_c), len(self.solar_mj_m2) or len(self.rain_mm)}
        if len(lengths) != 1:
            raise MalformedInput(f"weather series {self.id!r} has columns of different lengths {sorted(lengths)}")
        for after, (low, high) in enumerate(zip(self.t_min_c, self.t_max_c, strict=True)):
            if low > high:
                on = self.first_on + timedelta(after)
                raise MalformedInput(
                    f"lowest temperature {low:g} °C exceeds the highest {high:g} °C on {on}",
                    where=f"weather of {self.region}",
                    cure="exchange the columns t_min_c and t_max_c, or correct the day",
                )
