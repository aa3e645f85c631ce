"""Made-up soil: water in three layers that answers to rain with lag and recession by texture, warmth, salt.

The water balance is a bucket per layer, hour by hour (FAO-56 chapter 8, with drainage above field capacity by a time
constant of the texture). Warmth goes down as a damped and late wave. Nothing here knows about sensors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from firmware_sim.weather import DAY_S, Floats, Sky, vapour_kpa

HOUR_S = 3600
SPIN_UP_DAYS = 60
"""Days of balance before the first reading, so that nobody sees how full the soil began."""
THICKNESS_MM = np.array([200.0, 250.0, 350.0])
DEPTHS = {"d10": 0.10, "d30": 0.30, "d60": 0.60}
"""Channels and their depth in metres; one in each layer."""
ROOTS = np.array([0.5, 0.33, 0.17])
DAILY_DEPTH_M = 0.12
"""Depth in which the daily wave falls to a third: sqrt(2 k / w) of 0.5 mm2/s (Campbell and Norman 1998, chapter 8)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Texture:
    """Water contents, volume %, and how fast water leaves.

    Saxton and Rawls (2006), Soil Sci. Soc. Am. J. 70, table 3: wilting point, field capacity, saturation.
    """

    wilting: float
    capacity: float
    saturation: float
    drains_h: float
    """Hours in which the water above field capacity falls to a third; from sand to clay half a day to four days."""


TEXTURES = {
    "sand": Texture(wilting=5, capacity=10, saturation=46, drains_h=9),
    "loamy_sand": Texture(wilting=5, capacity=12, saturation=46, drains_h=12),
    "sandy_loam": Texture(wilting=8, capacity=18, saturation=45, drains_h=20),
    "loam": Texture(wilting=14, capacity=28, saturation=46, drains_h=36),
    "silt_loam": Texture(wilting=11, capacity=31, saturation=48, drains_h=40),
    "clay_loam": Texture(wilting=22, capacity=36, saturation=48, drains_h=64),
    "clay": Texture(wilting=30, capacity=42, saturation=50, drains_h=90),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """How a field is kept."""

    what: str
    """In words."""
    rain: float = 1.0
    """Share of the rain that reaches the soil."""
    evaporation: float = 1.0
    warmer_c: float = 0.0
    """Of the uppermost layer."""
    water_mm: float = 0.0
    every_days: float = 0.0
    """Irrigation: amount and mean pause; 0 is none."""
    flooded_days: float = 0.0
    """Paddy: days under water of each cycle of ``every_days``."""


SITES = {
    "rainfed": Site(what="rain alone"),
    "irrigated": Site(what="45 mm of water every nine days or so, rain or not", water_mm=45, every_days=9),
    "paddy": Site(what="rice: flooded nine days of twelve", every_days=12, flooded_days=9),
    "greenhouse": Site(
        what="no rain, a little water every day, warm and moist air",
        rain=0.0,
        evaporation=0.7,
        warmer_c=4,
        water_mm=5,
        every_days=1.0,
    ),
    "film": Site(
        what="plastic film: less rain gets in, less water out, a warm topsoil", rain=0.3, evaporation=0.45, warmer_c=2.5
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plots:
    """Several fields at once; arrays of shape (plots,)."""

    east_m: Floats
    north_m: Floats
    textures: list[str]
    sites: list[str]
    dice: list[np.random.Generator]

    def of_texture(self, name: str) -> Floats:
        """Give one property of each plot's texture, shape (plots, 1)."""
        return np.array([[float(getattr(TEXTURES[texture], name))] for texture in self.textures])

    def of_site(self, name: str) -> Floats:
        """Give one property of how each plot is kept, shape (plots,)."""
        return np.array([float(getattr(SITES[site], name)) for site in self.sites])


def reference_evaporation_mm(sky: Sky, hours_s: Floats) -> Floats:
    """Give the reference evapotranspiration of each hour from radiation and warmth, mm.

    Priestley and Taylor's form with net radiation as 0.6 of the global one: 1.26 s / (s + g) Rn / 2.45 MJ/kg.
    """
    air_c = sky.air_c(hours_s)
    slope = 4098 * vapour_kpa(air_c) / (air_c + 237.3) ** 2
    net_mj = 0.6 * sky.solar_w_m2(hours_s) * HOUR_S / 1e6
    return np.where(air_c > 0, 1.26 * slope / (slope + 0.066) * net_mj / 2.45, 0.0)


def moisture_pct(sky: Sky, plots: Plots, first_s: float, last_s: float) -> tuple[Floats, Floats]:
    """Run the water balance of some plots.

    Returns
    -------
    hours_s : ndarray, shape (hours,)
        Seconds since 1970, full hours that cover ``first_s`` to ``last_s``.
    moisture : ndarray, shape (hours, plots, 3)
        Volume %, in layers from the top.
    """
    begin = int(first_s // HOUR_S) - SPIN_UP_DAYS * 24
    edges = np.arange(begin, int(last_s // HOUR_S) + 3, dtype=np.float64) * HOUR_S
    hours = edges[1:]
    water = sky.rain_mm(edges, plots.east_m, plots.north_m)
    water = _thawed(water, sky.air_c(hours)) * plots.of_site("rain")[:, None] + _irrigation(plots, hours)
    drawn = reference_evaporation_mm(sky, hours)[None, :] * plots.of_site("evaporation")[:, None]
    flooded = _flooded(plots, hours)
    kept_from = int(first_s // HOUR_S) - begin - 1
    return hours[kept_from:], _balance(plots, water, drawn, flooded, kept_from)


def _balance(plots: Plots, water: Floats, drawn: Floats, flooded: Floats, kept_from: int) -> Floats:
    wilting, capacity, full = (plots.of_texture(name) for name in ("wilting", "capacity", "saturation"))
    leaves = 1 - np.exp(-1 / plots.of_texture("drains_h"))
    now = np.repeat(0.5 * (wilting + capacity), len(THICKNESS_MM), axis=1)
    kept = np.empty((water.shape[1] - kept_from, *now.shape))
    for hour in range(water.shape[1]):
        surplus = np.clip(now - capacity, 0, None) * leaves * THICKNESS_MM / 100
        take = ROOTS * drawn[:, hour, None] * np.clip((now - wilting) / (0.6 * (capacity - wilting)), 0, 1)
        gain = np.column_stack((water[:, hour], surplus[:, :-1]))
        now = np.minimum(now + 100 * (gain - surplus - take) / THICKNESS_MM, full)
        now = np.where(flooded[:, hour, None], np.maximum(now, full * np.array([1, 0.98, 0.95])), now)
        if hour >= kept_from:
            kept[hour - kept_from] = now
    return kept


def _thawed(water: Floats, air_c: Floats) -> Floats:
    """Keep as snow what falls below half a degree, and let 0.15 mm an hour and degree of it melt."""
    if air_c.min() > 0.5:  # noqa: PLR2004 - as above
        return water
    out, snow = water.copy(), np.zeros(len(water))
    for hour in range(water.shape[1]):
        if air_c[hour] < 0.5:  # noqa: PLR2004
            snow += water[:, hour]
            out[:, hour] = 0
        else:
            melted = np.minimum(snow, 0.15 * air_c[hour])
            snow -= melted
            out[:, hour] += melted
    return out


def _irrigation(plots: Plots, hours_s: Floats) -> Floats:
    water, pause, amount = (
        np.zeros((len(plots.sites), len(hours_s))),
        plots.of_site("every_days"),
        plots.of_site("water_mm"),
    )
    for row in np.flatnonzero((amount > 0) & (pause > 0)):
        day = np.floor(hours_s / DAY_S)
        begins = int(day[0]) + plots.dice[row].uniform(0, pause[row])
        while begins < day[-1]:
            at = (hours_s >= begins // 1 * DAY_S - 2 * HOUR_S) & (hours_s < begins // 1 * DAY_S + HOUR_S)
            water[row, at] += amount[row] / 3  # three hours at dawn
            begins += pause[row] * plots.dice[row].uniform(0.7, 1.3) if pause[row] > 1 else 1
    return water


def _flooded(plots: Plots, hours_s: Floats) -> Floats:
    cycle, days = plots.of_site("every_days"), plots.of_site("flooded_days")
    phase = np.array([dice.uniform(0, 12) for dice in plots.dice])
    with np.errstate(divide="ignore", invalid="ignore"):
        place = (hours_s[None, :] / DAY_S + phase[:, None]) % cycle[:, None]
    return np.where(days[:, None] > 0, place < days[:, None], False)


def temperature_c(sky: Sky, times_s: Floats, depth_m: float, *, warmer_c: float = 0.0) -> Floats:
    """Give the soil temperature: the air's slow part, and its daily wave damped and late with depth.

    Around freezing the soil stays at zero for long (latent heat), so what lies below is pressed together.
    """
    phase = depth_m / DAILY_DEPTH_M
    late_s = phase * DAY_S / (2 * np.pi)
    deep = sky.air_c(times_s, damping=0.75 * float(np.exp(-phase)), lag_s=late_s, memory_days=0.5 + 25 * depth_m**1.5)
    deep = deep + 0.5 + warmer_c * float(np.exp(-2 * depth_m))
    return np.where(deep < 0, np.clip(deep + 1.0, None, 0) * 0.6, deep)


def seen_by_probe_pct(moisture: Floats, soil_c: Floats) -> Floats:
    """Give what a dielectric probe sees of it: ice is nearly invisible, so frozen soil reads dry."""
    liquid = np.clip(1 + soil_c / 2.0, 0.25, 1.0)
    return np.where(soil_c < 0, moisture * liquid, moisture)


def conductivity_ds_m(moisture: Floats, soil_c: Floats, pore_ds_m: float) -> Floats:
    """Give the bulk conductivity from water and warmth: pore water's, times wetness to 1.5, 2 % per degree."""
    return pore_ds_m * (moisture / 100) ** 1.5 * (1 + 0.02 * (soil_c - 25))
