"""Daily weather of stations and of the devices on a field, laid out on common days; what is unknown stays NaN."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cropcredit.agronomy.thermal import fill_gaps, growing_degree_days, with_normals
from cropcredit.model import Crop, WeatherSeries
from cropcredit.telemetry import Grade
from cropcredit.usecases.telemetry import SensorSeries, SensorSummary

Floats = NDArray[np.float64]

TRUSTED = (Grade.A, Grade.B)
"""Evidence grades of a device window whose readings are taken for the field's weather and soil."""
LATE_DAYS = 10
"""So many of the last days may be unpublished and expected as usual; more are a gap."""
QUANTITIES = ("t_min_c", "t_max_c", "rain_mm", "solar_mj_m2")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DailyWeather:
    """Weather by place and day; a place is a station, or a field with devices of its own."""

    first_on: np.datetime64
    names: tuple[str, ...]
    """Regions or stations, and after them the ids of fields with devices of their own."""
    t_min_c: Floats
    """Shape (places, days), like all others; short gaps are filled."""
    t_max_c: Floats
    rain_mm: Floats
    solar_mj_m2: Floats
    filled: NDArray[np.bool_]
    """Days whose temperature was interpolated."""
    by_device: NDArray[np.bool_]
    """Days whose temperature a device measured."""
    rain_by_device: NDArray[np.bool_]

    @property
    def days(self) -> int:
        """How many days are laid out."""
        return int(self.t_min_c.shape[1])

    def gdd(self, place: int, crop: Crop, length: int) -> Floats:
        """Growing degree days of a crop at a place, known and then expected, shape (length,); NaN: unknown.

        What is to come, and what is not published yet, is expected as this place's own years were.
        """
        assert crop.base_temp_c is not None
        assert crop.ceiling_temp_c is not None
        low, high = self.t_min_c[[place]], self.t_max_c[[place]]
        warm = growing_degree_days(low, high, crop.base_temp_c, crop.ceiling_temp_c)
        last = int(np.flatnonzero(np.isfinite(warm[0])).max(initial=-1))
        until = last if self.days - 1 - last <= LATE_DAYS else self.days - 1
        return np.asarray(with_normals(warm, self.first_on, until, length)[0])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DeviceDays:
    """What trusted devices at a field measured, by day."""

    temperature: dict[date, tuple[float, float]] = field(default_factory=dict)
    """Lowest and highest, °C."""
    rain_mm: dict[date, float] = field(default_factory=dict)
    moisture: dict[date, dict[float, float]] = field(default_factory=dict)
    """Volumetric moisture, m³/m³, by depth in cm."""
    refused: tuple[str, ...] = ()
    """Devices whose grade is below B."""


def lay_out(series: Iterable[WeatherSeries], until: date) -> DailyWeather:
    """Lay out stations until a day; of several sources of one region the one with the most days counts.

    Parameters
    ----------
    series : iterable of WeatherSeries
        As known at the instant; days after ``until`` are not looked at.
    """
    by_place: dict[str, dict[str, list[WeatherSeries]]] = defaultdict(lambda: defaultdict(list))
    for one in series:
        if one.first_on <= until:
            by_place[one.region][one.source].append(one)
    names = tuple(sorted(by_place))
    chosen = [max(sorted(by_place[name].items()), key=lambda item: _length(item[1], until))[1] for name in names]
    first = min((one.first_on for sources in chosen for one in sources), default=until)
    days = (until - first).days + 1
    grids = {name: np.full((len(names), days), np.nan) for name in QUANTITIES}
    for row, parts in enumerate(chosen):
        for part in sorted(parts, key=lambda one: one.known_at):
            _put(grids, row, (part.first_on - first).days, part)
    nothing = np.zeros((len(names), days), dtype=bool)
    laid = DailyWeather(
        first_on=np.datetime64(first, "D"),
        names=names,
        t_min_c=grids["t_min_c"],
        t_max_c=grids["t_max_c"],
        rain_mm=grids["rain_mm"],
        solar_mj_m2=grids["solar_mj_m2"],
        filled=nothing,
        by_device=nothing,
        rain_by_device=nothing,
    )
    return _without_gaps(laid)


def trusted_days(summary: SensorSummary) -> DeviceDays:
    """Take from a field's sensors what devices of grade B or better measured."""
    grades = {device.device_id: device.evidence.grade for device in summary.devices}
    good = [one for one in summary.series if grades[one.device_id] in TRUSTED]
    found = DeviceDays(refused=tuple(sorted(name for name, grade in grades.items() if grade not in TRUSTED)))
    for one in _longest(good, "air.temperature"):
        found.temperature.update({day.on: (day.low, day.high) for day in one.days})
    for one in _longest(good, "weather.rain"):
        found.rain_mm.update({day.on: day.rise or 0.0 for day in one.days})
    for one in good:
        if one.quantity.name == "soil.moisture" and one.soil_moisture_kind == "volumetric" and one.depth_cm is not None:
            for day in one.days:
                found.moisture.setdefault(day.on, {})[one.depth_cm] = day.mean / 100
    return found


def with_devices(weather: DailyWeather, fields: Sequence[tuple[str, int, DeviceDays]]) -> DailyWeather:
    """Add a row for each field with devices: they where they measured, its station elsewhere.

    Parameters
    ----------
    fields : sequence of tuple
        Field id, row of its station (-1: none), what its devices measured.

    Notes
    -----
    Rain is counted by a counter, so between a device's first and last day a day without readings has no rain of its
    own: what fell then stands on the next day read.
    """
    if not fields:
        return weather
    own = [_own(weather, place, devices) for _, place, devices in fields]
    many: dict[str, Any] = {n: np.vstack([getattr(weather, n), *(row[n] for row in own)]) for n in own[0]}
    return _without_gaps(replace(weather, names=(*weather.names, *(name for name, _, _ in fields)), **many))


def _own(weather: DailyWeather, place: int, devices: DeviceDays) -> dict[str, NDArray[Any]]:
    blank, no = np.full(weather.days, np.nan), np.zeros(weather.days, dtype=bool)
    row: dict[str, NDArray[Any]] = {
        name: blank.copy() if place < 0 else getattr(weather, name)[place].copy() for name in QUANTITIES
    }
    row |= {"filled": no.copy() if place < 0 else weather.filled[place].copy()}
    row |= {"by_device": no.copy(), "rain_by_device": no.copy()}
    for on, (low, high) in devices.temperature.items():
        if 0 <= (day := _offset(weather, on)) < weather.days:
            row["t_min_c"][day], row["t_max_c"][day] = low, high
            row["by_device"][day], row["filled"][day] = True, False
    rain = {day: mm for on, mm in devices.rain_mm.items() if 0 <= (day := _offset(weather, on)) < weather.days}
    if rain:
        between = slice(min(rain), max(rain) + 1)
        row["rain_mm"][between], row["rain_by_device"][between] = 0.0, True
        row["rain_mm"][list(rain)] = list(rain.values())
    return row


def _without_gaps(weather: DailyWeather) -> DailyWeather:
    """Fill short gaps of the temperatures; rain is never filled."""
    low, high = fill_gaps(weather.t_min_c), fill_gaps(weather.t_max_c)
    return replace(weather, t_min_c=low.values, t_max_c=high.values, filled=weather.filled | low.filled | high.filled)


def _put(grids: dict[str, Floats], row: int, at: int, part: WeatherSeries) -> None:
    days = max(min(len(part.rain_mm), grids["rain_mm"].shape[1] - at), 0)
    for name in QUANTITIES:
        values = getattr(part, name)
        if values:
            grids[name][row, at : at + days] = values[:days]


def _length(parts: Sequence[WeatherSeries], until: date) -> int:
    return sum(min(len(part.rain_mm), (until - part.first_on).days + 1) for part in parts)


def _longest(series: Sequence[SensorSeries], quantity: str) -> list[SensorSeries]:
    """Give the series of a quantity with the most days; of equals, the first device's."""
    mine = [one for one in series if one.quantity.name == quantity]
    return [max(mine, key=lambda one: len(one.days))] if mine else []


def _offset(weather: DailyWeather, on: date) -> int:
    return int((np.datetime64(on, "D") - weather.first_on).astype(int))
