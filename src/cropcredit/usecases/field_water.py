"""The water balance of plantings: from the devices of a field where they can be trusted, else from its station."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from cropcredit.agronomy.evapotranspiration import reference_et
from cropcredit.agronomy.event_signs import EMERGED
from cropcredit.agronomy.season_clock import SeasonClock
from cropcredit.agronomy.water_balance import (
    SOILS,
    USUAL_SOIL,
    WaterBalance,
    crop_coefficient,
    root_depth,
    soil_of,
    water_balance,
)
from cropcredit.model import CropWater, Planting
from cropcredit.usecases.daily_weather import DailyWeather, DeviceDays

Floats = NDArray[np.float64]

STALE_DAYS = 10
"""Weather that ends longer than this before the as-of day says nothing about the present."""
ROOTS_SEEN = 0.5
"""Share of the depth of roots that the deepest sensor must reach for its moisture to stand for theirs."""
STRESSED = 0.99
"""Stress coefficient below which a day counts as a day of stress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantingWater:
    """How the water of a planting's soil stands, and where that is known from."""

    until: date
    """Last day with weather: the balance ends here."""
    rain_from: str
    """``device``, ``weather`` or ``device+weather``."""
    temperature_from: str
    moisture_from: str
    """``device``, or empty where no moisture was measured."""
    texture: str
    texture_assumed: bool
    """Nobody named the soil: that of a loam was taken."""
    rain_mm: float
    et_mm: float
    percolation_mm: float
    adjustment_mm: float
    """Water that measured moisture shows beyond rain and use: irrigation, or a soil that differs."""
    available_mm: float
    """Water that the roots could hold at field capacity, above wilting."""
    depletion_mm: float
    """How much of it is missing."""
    stress: float
    """Mean stress coefficient Ks since emergence, [0, 1]: 1 is none."""
    stress_days: int


def planting_water(
    plantings: Sequence[Planting],
    clock: SeasonClock,
    weather: DailyWeather,
    place: NDArray[np.int_],
    *,
    needs: Mapping[str, CropWater | None],
    latitude: Floats,
    devices: Mapping[str, DeviceDays],
    textures: Mapping[str, str],
    origin: np.datetime64,
) -> list[PlantingWater | None]:
    """Keep the balance of every planting from sowing to the last day with weather.

    Parameters
    ----------
    clock : SeasonClock
        Of the plantings, on the grid that begins at ``origin``.
    place : ndarray of int, shape (plantings,)
        Row of ``weather``; -1: none.
    needs, devices, textures : mapping
        By crop; by field id; by field id.
    latitude : ndarray, shape (plantings,)

    Returns
    -------
    list
        None where rain or temperature is unknown, out of date, or the crop's needs are.
    """
    found: list[PlantingWater | None] = [None] * len(plantings)
    shift = int((origin - weather.first_on).astype(int))
    spans: dict[tuple[int, int, str], list[int]] = {}
    for row, planting in enumerate(plantings):
        last = _last_day(weather, int(place[row]), int(clock.start[row]) + shift, int(clock.end[row]) + shift)
        if needs.get(planting.crop) is not None and last is not None:
            spans.setdefault((int(clock.start[row]), last - shift, planting.crop), []).append(row)
    for (start, last, crop), rows in spans.items():
        need, at = needs[crop], np.array(rows)
        assert need is not None
        days = np.arange(start, last + 1)
        share = np.stack([clock.take(at).share(np.full(len(at), day)) for day in days], axis=1)
        inputs = _Inputs.of(weather, place[at], days + shift, latitude[at])
        root = np.maximum.accumulate(root_depth(share, need.root_m, need.stages), axis=1)
        soils = [soil_of(textures.get(plantings[row].field_id, "")) for row in rows]
        known = [soil or SOILS[USUAL_SOIL] for soil in soils]
        measured = np.stack(
            [_moisture(devices.get(plantings[r].field_id), origin, days, root[i]) for i, r in enumerate(rows)]
        )
        balance = water_balance(
            inputs.rain_mm,
            crop_coefficient(share, need.kc, need.stages) * inputs.et0_mm,
            root,
            soil=(np.array([s.field_capacity for s in known]), np.array([s.wilting_point for s in known])),
            depletion=np.full(len(rows), need.depletion),
            measured=measured,
        )
        for i, row in enumerate(rows):
            told = _told(balance, inputs, i, share[i], (origin + last).astype(date), np.isfinite(measured[i]).any())
            named = textures.get(plantings[row].field_id, "")
            found[row] = told if soils[i] is None else replace(told, texture=named, texture_assumed=False)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Inputs:
    rain_mm: Floats
    et0_mm: Floats
    rain_by_device: NDArray[np.bool_]
    warmth_by_device: NDArray[np.bool_]

    @classmethod
    def of(cls, weather: DailyWeather, place: NDArray[np.int_], days: NDArray[np.int_], latitude: Floats) -> _Inputs:
        here = np.ix_(place, days)
        dates = weather.first_on + days
        doy = (dates - dates.astype("datetime64[Y]").astype("datetime64[D]")).astype(int) + 1
        et0 = reference_et(
            weather.t_min_c[here], weather.t_max_c[here], latitude, doy, solar_mj_m2=weather.solar_mj_m2[here]
        )
        return cls(weather.rain_mm[here], et0, weather.rain_by_device[here], weather.by_device[here])


def _last_day(weather: DailyWeather, place: int, start: int, end: int) -> int | None:
    """Give the last day until which rain and temperature are known without a break since sowing."""
    if place < 0 or start < 0 or start >= weather.days:
        return None
    span = slice(start, min(end + 1, weather.days))
    known = np.isfinite(weather.rain_mm[place, span] + weather.t_min_c[place, span] + weather.t_max_c[place, span])
    length = int(known.cumprod().sum())
    fresh = len(known) - length <= STALE_DAYS
    return start + length - 1 if length and fresh else None


def _moisture(devices: DeviceDays | None, origin: np.datetime64, days: NDArray[np.int_], root_m: Floats) -> Floats:
    """Moisture of the root zone, m³/m³: the mean of the sensors among the roots, where they reach deep enough."""
    out = np.full(len(days), np.nan)
    if devices is None:
        return out
    for on, by_depth in devices.moisture.items():
        at = int((np.datetime64(on, "D") - origin).astype(int)) - int(days[0])
        if 0 <= at < len(days):
            among = {depth: value for depth, value in by_depth.items() if depth <= 100 * root_m[at]}
            if among and max(among) >= 100 * ROOTS_SEEN * root_m[at]:
                out[at] = float(np.mean(list(among.values())))
    return out


def _told(
    balance: WaterBalance, inputs: _Inputs, row: int, share: Floats, until: date, measured: np.bool_
) -> PlantingWater:
    emerged = share >= EMERGED
    stress = balance.stress[row][emerged]
    return PlantingWater(
        until=until,
        rain_from=_source(inputs.rain_by_device[row]),
        temperature_from=_source(inputs.warmth_by_device[row]),
        moisture_from="device" if measured else "",
        texture=USUAL_SOIL,
        texture_assumed=True,
        rain_mm=float(inputs.rain_mm[row].sum()),
        et_mm=float(balance.et_mm[row].sum()),
        percolation_mm=float(balance.percolation_mm[row].sum()),
        adjustment_mm=float(balance.adjustment_mm[row].sum()),
        available_mm=float(balance.available_mm[row, -1]),
        depletion_mm=float(balance.depletion_mm[row, -1]),
        stress=float(stress.mean()) if len(stress) else 1.0,
        stress_days=int((stress < STRESSED).sum()),
    )


def _source(by_device: NDArray[np.bool_]) -> str:
    if by_device.all():
        return "device"
    return "device+weather" if by_device.any() else "weather"
