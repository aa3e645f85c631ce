"""Devices, where they stand and what they read: consistent with the weather, the soil water and the harvest.

* soil probe       ``soil.moisture`` and ``soil.temperature`` on channel ``d20`` (the root zone of the field), % and °C
* weather station  ``air.temperature``, ``air.relativeHumidity``, ``weather.rain`` (a counter that only rises)
* grain store      ``store.weight``, ``store.grainMoisture``, ``store.grainTemperature`` (``p1`` to ``p3``): see stocks
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from cropcredit.demo import stocks
from cropcredit.demo.land import Plots
from cropcredit.demo.parameters import Region
from cropcredit.demo.season import Season
from cropcredit.demo.stocks import Columns, Stock
from cropcredit.demo.tables import Table
from cropcredit.demo.weather import Weather

Floats = NDArray[np.float64]
ZONE = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """One device and its place."""

    device_id: str
    kind: str
    """``soil``, ``weather`` or ``store``."""
    plot: int
    """Row of the plots at which it stands; for a store, the largest plot of its owner."""
    field_id: str = ""
    store_id: str = ""
    depth_cm: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One row of the readings file."""

    device_id: str
    observed_at: datetime
    quantity: str
    channel: str
    value: float


def place(region: Region, plots: Plots, owners: dict[str, str], applicants: set[str]) -> list[Station]:
    """Choose fields for probes and stations, and households for stores.

    Parameters
    ----------
    region : Region
        Parameters.
    plots : Plots
        The land.
    owners : dict of str to str
        Party id by field id: a household has one store at most.
    applicants : set of str
        Parties who ask for credit: the lender puts its soil probes where most is at stake.
    """
    dice, rows = region.dice("stations"), plots.registered
    grain = rows[~plots.cotton[rows]]
    probed = _most_at_stake(plots, rows, owners, applicants)[: region.sensors.soil_probes]
    watched = dice.choice(np.setdiff1d(rows, probed), size=region.sensors.weather_stations, replace=False)
    stations = [
        Station(device_id=f"soil-{i:03d}", kind="soil", plot=int(row), field_id=str(plots.field_id[row]), depth_cm=20.0)
        for i, row in enumerate(probed, 1)
    ]
    stations += [
        Station(device_id=f"wx-{i:03d}", kind="weather", plot=int(row), field_id=str(plots.field_id[row]))
        for i, row in enumerate(watched, 1)
    ]
    by_owner = {owners[str(plots.field_id[row])]: int(row) for row in grain}
    chosen = sorted(dice.choice(np.array(sorted(by_owner)), size=region.sensors.grain_stores, replace=False))
    stations += [
        Station(device_id=f"store-{i:03d}", kind="store", plot=by_owner[owner], store_id=f"s-{owner}")
        for i, owner in enumerate(map(str, chosen), 1)
    ]
    return stations


def read(
    region: Region, plots: Plots, season: Season, weather: Weather, stations: list[Station], filled: dict[str, Stock]
) -> Iterator[Value]:
    """Read all devices through the season, device by device in order of time.

    Parameters
    ----------
    region, plots, season, weather
        The world.
    stations : list of Station
        The devices.
    filled : dict of str to Stock
        The wheat in each store.
    """
    for station in stations:
        dice = region.dice(f"readings {station.device_id}")
        moments = list(_moments(region, dice))
        match station.kind:
            case "soil":
                columns = _soil(region, plots, season, weather, station, moments, dice)
            case "weather":
                columns = _weather(plots, weather, station, moments, dice)
            case _:
                inside = _air(weather, int(plots.township[station.plot]), moments, damping=0.08, lag_hours=9)
                columns = stocks.read(filled[station.store_id], moments, inside, dice)
        for i, moment in enumerate(moments):
            for (quantity, channel), values in columns.items():
                if not np.isnan(values[i]):
                    yield Value(
                        device_id=station.device_id,
                        observed_at=moment,
                        quantity=quantity,
                        channel=channel,
                        value=round(float(values[i]), 2),
                    )


def _most_at_stake(
    plots: Plots, rows: NDArray[np.int_], owners: dict[str, str], applicants: set[str]
) -> NDArray[np.int_]:
    """Give the largest field of each applicant, the largest holding first."""
    area, largest = dict.fromkeys(applicants, 0.0), dict[str, int]()
    for row in sorted(rows.tolist(), key=lambda row: plots.area_ha[row]):
        owner = owners[str(plots.field_id[row])]
        if owner in applicants:
            area[owner] += float(plots.area_ha[row])
            largest[owner] = row
    return np.array([largest[owner] for owner in sorted(largest, key=lambda owner: (-area[owner], owner))])


def device_tables(region: Region, plots: Plots, stations: list[Station]) -> list[Table]:
    """Give the devices and where they stand, as the tables that ``devices add`` and ``devices place`` read."""
    placed = datetime.combine(region.sensors.from_on, time(0), ZONE) - timedelta(days=3)
    rows = [
        (
            station.device_id,
            "*",
            station.field_id,
            station.store_id,
            station.depth_cm,
            placed,
            str(plots.soil[station.plot]) if station.kind == "soil" else "",
            "volumetric" if station.kind == "soil" else "",
            f"{region.label} installer",
        )
        for station in stations
    ]
    columns = (
        "device_id", "channel", "field_id", "store_id", "depth_cm", "from_at", "soil_texture", "soil_moisture_kind",
        "installer",
    )  # fmt: skip
    devices = [(station.device_id, f"{region.label} {station.kind}", True) for station in stations]
    return [
        Table(name="devices", columns=("device_id", "model", "synthetic"), rows=devices),
        Table(name="installations", columns=columns, rows=rows),
    ]


def _moments(region: Region, dice: np.random.Generator) -> Iterator[datetime]:
    """Every device reads at its own minute."""
    start = datetime.combine(region.sensors.from_on, time(0, int(dice.integers(0, 60))), ZONE)
    step = timedelta(hours=region.sensors.every_hours)
    while start < region.today - timedelta(hours=1):
        yield start.astimezone(UTC)
        start += step


def _air(
    weather: Weather, township: int, moments: list[datetime], damping: float = 1.0, lag_hours: float = 0
) -> Floats:
    """Temperature through the day, °C: a sine between the extremes, warmest at three; damped and late below ground."""
    values = []
    for moment in moments:
        local = moment.astimezone(ZONE) - timedelta(hours=lag_hours)
        row = weather.day(local.date())
        mean = weather.t_mean_c[row, township]
        swing = (weather.t_max_c[row, township] - weather.t_min_c[row, township]) / 2
        values.append(mean + damping * swing * np.cos(2 * np.pi * (local.hour + local.minute / 60 - 15) / 24))
    return np.array(values)


def _soil(
    region: Region,
    plots: Plots,
    season: Season,
    weather: Weather,
    station: Station,
    moments: list[datetime],
    dice: np.random.Generator,
) -> Columns:
    rows = [season.day(moment.astimezone(ZONE).date()) for moment in moments]
    water = 100 * season.water[rows, station.plot] + dice.normal(0, region.sensors.soil_noise_pct, len(rows))
    week = np.array([season.lai[max(row - 6, 0) : row + 1, station.plot].mean() for row in rows])
    air = _air(weather, int(plots.township[station.plot]), moments, damping=0.3, lag_hours=5)
    return {
        ("soil.moisture", "d20"): np.clip(water, 1, 60),
        ("soil.temperature", "d20"): air - 0.4 * np.minimum(week, 3) + dice.normal(0, 0.15, len(rows)),
    }


def _weather(
    plots: Plots, weather: Weather, station: Station, moments: list[datetime], dice: np.random.Generator
) -> Columns:
    township = int(plots.township[station.plot])
    air = _air(weather, township, moments)
    days = np.array([weather.day(moment.astimezone(ZONE).date()) for moment in moments])
    share = np.array([(m.astimezone(ZONE).hour + m.astimezone(ZONE).minute / 60) / 24 for m in moments])
    rain = weather.rain_mm[:, township]
    fallen = np.array([rain[days[0] : day].sum() + part * rain[day] for day, part in zip(days, share, strict=True)])
    wet = np.where(rain[days] > 0, 14.0, 0.0)
    humidity = 78 - 1.9 * (air - weather.t_mean_c[days, township]) + wet + dice.normal(0, 3, len(days))
    return {
        ("air.temperature", ""): air + dice.normal(0, 0.2, len(days)),
        ("air.relativeHumidity", ""): np.clip(humidity, 12, 100),
        ("weather.rain", ""): np.floor(fallen / 0.2) * 0.2 + 120.0,  # a tipping bucket of 0.2 mm that stood at 120
    }
