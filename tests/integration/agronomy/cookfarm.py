"""Soil moisture of the Cook Agronomy Farm beside the water balance, which knows no more than weather and crop."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from cropcredit.agronomy.evapotranspiration import reference_et
from cropcredit.agronomy.water_balance import SOILS, crop_coefficient, water_balance

LATITUDE = 46.78
DEPTHS, LAYER_M = 5, 0.3
"""Sensors at 0.3, 0.6 … 1.5 m; each stands for the 0.3 m around it."""
FEWEST_DAYS = 180
CROPS = {  # kc of FAO-56 table 12 and stages of table 11; usual days of sowing and harvest in the Palouse
    "WW": ((0.40, 1.15, 0.25), (160, 75, 75, 25), (-1, 10, 5), (0, 8, 5)),
    "SW": ((0.30, 1.15, 0.25), (20, 25, 60, 30), (0, 4, 25), (0, 8, 20)),
    "SB": ((0.30, 1.15, 0.25), (20, 25, 60, 30), (0, 4, 25), (0, 8, 20)),
    "SL": ((0.40, 1.10, 0.30), (20, 30, 60, 40), (0, 4, 25), (0, 8, 20)),  # lentils
}
FALLOW_KC = 0.3
YEARS = (2011, 2012)


def soil_water_correlations(folder: Path, *, months: range = range(1, 13)) -> dict[str, float]:
    """Correlate modelled and measured water of 1.5 m of soil, day by day, for each station with half a year of data."""
    readings = pd.read_csv(folder / "readings.csv.gz", parse_dates=["Date"])
    weather = pd.read_csv(folder / "weather.csv", parse_dates=["Date"])
    crops = station_crops(folder)
    stations = [name for name in sorted(readings.SOURCEID.unique()) if name in crops]
    modelled = storage(weather, [crops[name] for name in stations])
    layers = [
        readings.pivot_table(index="Date", columns="SOURCEID", values=f"Port{port}VW", dropna=False)
        .reindex(index=weather.Date, columns=stations)
        .to_numpy()
        for port in range(1, DEPTHS + 1)
    ]
    measured = 1000 * LAYER_M * np.sum(layers, axis=0)
    wanted = weather.Date.dt.month.isin(list(months)).to_numpy()
    found = {}
    for name, model, truth in zip(stations, modelled, measured.T, strict=True):
        seen = np.isfinite(truth) & wanted
        if seen.sum() >= FEWEST_DAYS * len(months) / 12:
            found[name] = float(np.corrcoef(model[seen], truth[seen])[0, 1])
    return found


def storage(weather: pd.DataFrame, crops: list[tuple[str, str]]) -> np.ndarray:
    """Model the water held in 1.5 m of silt loam, mm, shape (stations, days)."""
    first, days = weather.Date.iloc[0].date(), len(weather)
    t_min, t_max = (weather[name].to_numpy()[None] for name in ("MinT_wrcc", "MaxT_wrcc"))
    et0 = reference_et(t_min, t_max, np.array([LATITUDE]), weather.Date.dt.day_of_year.to_numpy())
    kc = np.stack([_kc(pair, first, days) for pair in crops])
    soil, many, depth = SOILS["silt loam"], np.ones(len(crops)), LAYER_M * DEPTHS
    balance = water_balance(
        np.tile(weather.Precip_wrcc.to_numpy(), (len(crops), 1)),
        kc * et0,
        np.full((len(crops), days), depth),
        soil=(soil.field_capacity * many, soil.wilting_point * many),
        depletion=0.55 * many,
    )
    return 1000 * soil.field_capacity * depth - balance.depletion_mm


def station_crops(folder: Path) -> dict[str, tuple[str, str]]:
    """Give the crops of both years at each station: those of the nearest 10 m cell that names one."""
    places = pd.read_csv(folder / "profiles.csv").groupby("SOURCEID")[["Easting", "Northing"]].first()
    cells = pd.read_csv(folder / "grids.csv").dropna(subset=["X2011", "X2012"])
    away = (cells.x.to_numpy()[:, None] - places.Easting.to_numpy()) ** 2
    nearest = (away + (cells.y.to_numpy()[:, None] - places.Northing.to_numpy()) ** 2).argmin(axis=0)
    return {
        str(name): (str(cells.X2011.iloc[cell]), str(cells.X2012.iloc[cell]))
        for name, cell in zip(places.index, nearest, strict=True)
    }


def _kc(crops: tuple[str, str], first: date, days: int) -> np.ndarray:
    out = np.full(days, FALLOW_KC)
    for year, crop in zip(YEARS, crops, strict=True):
        kc, stages, (back, *sown), (_, *reaped) = CROPS[crop]
        start, end = (date(year + back, *sown) - first).days, (date(year, *reaped) - first).days
        share = (np.arange(days) - start + 1) / (end - start + 1)
        out = np.where((share > 0) & (share <= 1), crop_coefficient(share, kc, stages), out)
    return out
