"""Growth of every planting, day by day: the known truth of the demo region.

With thermal time ``tt`` (degree days above ``tb``, capped at ``tc``) since sowing, and S the water stress of late:

* leaf area      LAI = [A·σ((tt-a₁)/a₂)·cold + (L-A)·σ((tt-r₁)/r₂)] · (1-σ((tt+450·(1-S)-f₁)/f₂))
                       · vigour · (0.3 + 0.7·S)
* light          fPAR = 1 - exp(-0.55·LAI)                                   (Monsi & Saeki 1953)
* biomass        dB = RUE · 0.48·Rs · fPAR · f(T) · Ks                       (Monteith 1977)
* water          Ks = (TAW-D)/((1-p)·TAW), p = 0.5; D grows by ET, shrinks by rain and irrigation  (FAO-56 eq. 84, 85)
* yield          Y = HI · B · (1 - 0.45·(1-S_flower)) · heat · unseen · trend / (1 - moisture)
* reflectance    ρ = ρ∞ + (ρ_soil - ρ∞)·exp(-k·LAI), per band                (form of Baret & Guyot 1991)

σ is the logistic function, A and L the autumn and the greatest leaf area, S an exponential mean of Ks over about 20
days. ``vigour`` (field, husbandry) is seen from above through LAI; ``unseen`` (pests, lodging, harvest losses) is in
the yield alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cropcredit.demo.parameters import CropModel
from cropcredit.demo.weather import Weather

Floats = NDArray[np.float64]
EXTINCTION, PAR_SHARE, DEPLETION_SHARE = 0.55, 0.48, 0.5
MEMORY_DAYS = 20
IRRIGATION_MM, IRRIGATE_AT, IRRIGATION_GAP_DAYS = 60.0, 0.6, 15
CAPILLARY_MM = 0.8
"""Daily rise from shallow groundwater into a dry root zone, at most (chosen; the plain's water table is near)."""
RAIN_RUNOFF_MM = 60.0
"""Of a day's rain beyond this, half runs off."""
EARLY_RIPENING = 450.0
"""Degree days by which total stress brings ripening forward."""
FLOWER_WINDOW = 180.0
"""Degree days around flowering in which water stress costs grains."""
FILLING = 450.0
"""Degree days after flowering in which heat costs grain weight."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stands:
    """Plantings of one crop, by column; every array has one entry per planting."""

    township: NDArray[np.int_]
    sown: NDArray[np.int_]
    """Row of the weather on which it was sown."""
    days: int
    """Days from sowing to harvest, the same for all (harvest is a date, not a stage)."""
    fc: Floats
    wp: Floats
    vigour: Floats
    unseen: Floats
    irrigations: NDArray[np.int_]
    """How many times the field can be watered in the season; 0: rain only."""
    trend: Floats
    """Factor of the year's varieties and husbandry on yield."""
    depletion: Floats
    """Share of available water missing at sowing, [0, 1]."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Growth:
    """What grew; daily arrays have shape (days, plantings)."""

    lai: Floats
    water: Floats
    """Volumetric water of the root zone, share of volume."""
    yield_t_ha: Floats
    """At the crop's standard moisture."""
    depletion: Floats
    """Share of available water missing at harvest."""
    stress: Floats
    """Mean water stress around flowering: 1 none, 0 total."""


@dataclass(slots=True, eq=False)
class _State:
    tt: Floats
    depletion_mm: Floats
    stress: Floats
    warmth: Floats
    since_rain: Floats
    since_irrigation: Floats
    irrigated: NDArray[np.int_]
    biomass: Floats
    flower: Floats
    flower_days: Floats
    hot_days: Floats


def grow(crop: CropModel, stands: Stands, weather: Weather) -> Growth:
    """Let plantings of one crop grow from sowing to harvest.

    Parameters
    ----------
    crop : CropModel
        Parameters of the crop.
    stands : Stands
        The plantings.
    weather : Weather
        Must cover every day from each sowing to its harvest.
    """
    capacity_mm = (stands.fc - stands.wp) * 1000 * crop.root_m
    now = _start(stands, capacity_mm)
    lai, water = np.empty((stands.days, len(stands.sown))), np.empty((stands.days, len(stands.sown)))
    for day in range(stands.days):
        row, town = stands.sown + day, stands.township
        t_mean, t_max = weather.t_mean_c[row, town], weather.t_max_c[row, town]
        now.tt += np.clip(t_mean, crop.tb, crop.tc) - crop.tb
        now.warmth += (t_mean - now.warmth) / MEMORY_DAYS
        lai[day] = leaf_area(crop, now.tt, now.warmth, stands.vigour, now.stress)
        light = 1 - np.exp(-EXTINCTION * lai[day])
        supply = _water(now, stands, capacity_mm, weather.rain_mm[row, town], weather.et0_mm[row, town], light)
        water[day] = stands.fc - now.depletion_mm / (1000 * crop.root_m)
        now.stress += (supply - now.stress) / MEMORY_DAYS
        now.biomass += crop.rue * PAR_SHARE * weather.solar_mj_m2[row, town] * light * _warm(crop, t_mean) * supply
        flowering = np.abs(now.tt - crop.tt_flower) < FLOWER_WINDOW
        now.flower += np.where(flowering, supply, 0.0)
        now.flower_days += flowering
        now.hot_days += (t_max > crop.heat_c) & (now.tt > crop.tt_flower) & (now.tt < crop.tt_flower + FILLING)
    stress = np.where(now.flower_days > 0, now.flower / np.maximum(now.flower_days, 1), 1.0)
    heat = 1 - np.minimum(0.015 * now.hot_days, 0.18)
    kept = (1 - 0.45 * (1 - stress)) * heat * stands.unseen * stands.trend
    yield_t_ha = crop.hi * now.biomass / 100 * kept / (1 - crop.moisture)
    return Growth(lai=lai, water=water, yield_t_ha=yield_t_ha, depletion=now.depletion_mm / capacity_mm, stress=stress)


def leaf_area(crop: CropModel, tt: Floats, warmth_c: Floats, vigour: Floats, stress: Floats) -> Floats:
    """Leaf area index from thermal time, the warmth of the last weeks (frost browns wheat), vigour and stress."""
    cold = np.clip(0.6 + warmth_c / 12, 0.35, 1.0)
    autumn = crop.lai_autumn * _rise(tt, *crop.tt_autumn) * cold
    main = (crop.lai_max - crop.lai_autumn) * _rise(tt, *crop.tt_rise)
    ripening = _rise(tt + EARLY_RIPENING * (1 - stress), *crop.tt_fall)
    return np.asarray((autumn + main) * (1 - ripening) * vigour * (0.3 + 0.7 * stress))


def reflectance(lai: Floats, *, brightness: Floats | float = 1.0) -> tuple[Floats, Floats]:
    """Red and near-infrared reflectance of a stand with that leaf area over soil of that brightness.

    Examples
    --------
    Bare soil and a closed canopy, as NDVI:

    >>> red, nir = reflectance(np.array([0.0, 6.0]))
    >>> ((nir - red) / (nir + red)).round(2)
    array([0.18, 0.87])
    """
    soil_red, soil_nir = 0.16 * np.asarray(brightness), 0.23 * np.asarray(brightness)
    red = 0.028 + (soil_red - 0.028) * np.exp(-0.70 * lai)
    nir = 0.480 + (soil_nir - 0.480) * np.exp(-0.35 * lai)
    return np.asarray(red), np.asarray(nir)


def ndvi(lai: Floats) -> Floats:
    """NDVI of a pure stand with that leaf area."""
    red, nir = reflectance(lai)
    return np.asarray((nir - red) / (nir + red))


def _start(stands: Stands, capacity_mm: Floats) -> _State:
    n = len(stands.sown)
    zero = {name: np.zeros(n) for name in ("tt", "biomass", "flower", "flower_days", "hot_days")}
    return _State(
        depletion_mm=stands.depletion * capacity_mm,
        stress=np.ones(n),
        warmth=np.full(n, 10.0),
        since_rain=np.full(n, 3.0),
        since_irrigation=np.full(n, float(IRRIGATION_GAP_DAYS)),
        irrigated=np.zeros(n, dtype=int),
        **zero,
    )


def _water(now: _State, stands: Stands, capacity_mm: Floats, rain: Floats, et0: Floats, light: Floats) -> Floats:
    """Move the water of one day; returns the stress factor Ks, 1 none to 0 total."""
    thirsty = (now.depletion_mm > IRRIGATE_AT * capacity_mm) & (now.irrigated < stands.irrigations)
    watering = thirsty & (now.since_irrigation >= IRRIGATION_GAP_DAYS) & (light > 0.2)  # noqa: PLR2004 - a crop stands
    now.irrigated += watering
    now.since_irrigation = np.where(watering, 0.0, now.since_irrigation + 1)
    now.since_rain = np.where((rain > 2) | watering, 0.0, now.since_rain + 1)  # noqa: PLR2004 - mm that wet the soil
    supply = np.clip((capacity_mm - now.depletion_mm) / ((1 - DEPLETION_SHARE) * capacity_mm), 0.0, 1.0)
    rising = CAPILLARY_MM * now.depletion_mm / capacity_mm
    soaking = rising + rain - np.maximum(rain - RAIN_RUNOFF_MM, 0.0) / 2 + IRRIGATION_MM * watering
    lost = et0 * (1.1 * light * supply + 0.9 * (1 - light) * np.exp(-now.since_rain / 4))
    now.depletion_mm = np.clip(now.depletion_mm - soaking + lost, 0.0, capacity_mm)
    return np.asarray(supply)


def _warm(crop: CropModel, t_mean: Floats) -> Floats:
    """Photosynthesis against temperature: a trapezoid from the limits to the optimum."""
    knots = (crop.t_limits[0], *crop.t_optimum, crop.t_limits[1])
    return np.asarray(np.interp(t_mean, knots, (0.0, 1.0, 1.0, 0.0)))


def _rise(tt: Floats, middle: float, width: float) -> Floats:
    return np.asarray(1 / (1 + np.exp(-(tt - middle) / width)))
