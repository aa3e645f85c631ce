"""Wheat in the households' own stores: what went in, what is sold each week, what the book says and the sensors read.

Two owners give the lender something to find: one sells without telling, in the heap of another a nest heats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from cropcredit.demo.parameters import Region
from cropcredit.demo.tables import Table

Floats = NDArray[np.float64]
Columns = dict[tuple[str, str], Floats]
ZONE = ZoneInfo("Asia/Shanghai")
LOADED_DAYS = 9
"""Days from the harvest until the wheat is dry and in the store."""
MOST_SOLD = 0.85
WET_PCT, DRY_PCT, DRYING_PER_DAY = 13.2, 11.6, 0.995
PROBES = ("p1", "p2", "p3")
NEST, NEST_AFTER_DAYS, NEST_PER_DAY = "p2", 20, 0.35
"""Where and how fast one heap heats, °C a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """The wheat of one household in its store."""

    store_id: str
    loaded_on: date
    kg: float
    weekly_share: float
    """Share of it that is sold each week."""
    told: bool = True
    """False: its sales stand in no book."""
    nest: bool = False
    """True: it heats."""

    @property
    def owner(self) -> str:
        return self.store_id.removeprefix("s-")

    def sold(self, age_days: Floats) -> Floats:
        """Give the share sold by so many days after loading; sales are made once a week."""
        return np.minimum(np.floor(np.maximum(age_days, 0) / 7) * self.weekly_share, MOST_SOLD)

    def moisture_pct(self, age_days: Floats) -> Floats:
        """Let it dry slowly, wet basis."""
        return DRY_PCT + (WET_PCT - DRY_PCT) * DRYING_PER_DAY ** np.maximum(age_days, 0)


def fill(region: Region, loaded: Mapping[str, tuple[date, float]]) -> dict[str, Stock]:
    """Give the stocks by store id.

    Parameters
    ----------
    region : Region
        For the dice.
    loaded : mapping
        (day of loading, kg) by store id.
    """
    found = {}
    for n, (store, (on, kg)) in enumerate(sorted(loaded.items())):
        share = float(region.dice(f"sales {store}").uniform(0.01, 0.05))
        found[store] = Stock(store_id=store, loaded_on=on, kg=kg, weekly_share=share, told=n != 0, nest=n == 1)
    return found


def read(stock: Stock, moments: Sequence[datetime], inside_c: Floats, dice: np.random.Generator) -> Columns:
    """Read a store: scale, moisture probe and three temperature probes; nothing but the empty scale before loading.

    Parameters
    ----------
    stock : Stock
        What lies there.
    moments : sequence of datetime
        When.
    inside_c : array of shape (moments,)
        Temperature in the store, °C.
    dice : Generator
        For the noise of the sensors.
    """
    age = np.array([(moment.astimezone(ZONE).date() - stock.loaded_on).days for moment in moments], dtype=float)
    full = np.where(age >= 0, 1.0, np.nan)
    moisture = stock.moisture_pct(age)
    weight = np.where(age >= 0, stock.kg * (1 - stock.sold(age)) * (100 - WET_PCT) / (100 - moisture), 0.0)
    nest = np.maximum(age - NEST_AFTER_DAYS, 0) * NEST_PER_DAY if stock.nest else np.zeros(len(age))
    return {
        ("store.weight", ""): np.maximum(weight + dice.normal(0, 2.0, len(age)), 0.0),
        ("store.grainMoisture", ""): (moisture + dice.normal(0, 0.08, len(age))) * full,
        **{
            ("store.grainTemperature", probe): (
                inside_c + 1.0 + (nest if probe == NEST else 0.0) + dice.normal(0, 0.1, len(age))
            )
            * full
            for probe in PROBES
        },
    }


def tables(region: Region, stocks: Mapping[str, Stock]) -> list[Table]:
    """Give lots, inspections two days after loading, and the sales that were told, as the lender's books hold them."""
    today, held = region.today.date(), [stock for stock in stocks.values() if stock.loaded_on < region.today.date()]
    lots = [(_lot(s), s.store_id, s.owner, "winter_wheat", region.harvest_year, True, _noon(s.loaded_on)) for s in held]
    inspections = [
        (_lot(s), _noon(on), round(s.kg, 1), "kg", round(WET_PCT, 1), f"{region.label} inspector", 0.8, _noon(on))
        for s in held
        if (on := s.loaded_on + timedelta(days=2)) < today
    ]
    movements = [
        (f"{_lot(s)}-{on:%m%d}", _lot(s), _dawn(on), -round(s.kg * s.weekly_share, 1), "kg", "sale", _dawn(on))
        for s in held
        if s.told
        for week in range(1, (today - s.loaded_on).days // 7 + 1)
        if week * s.weekly_share <= MOST_SOLD
        for on in [s.loaded_on + timedelta(days=7 * week)]
    ]
    return [
        Table(
            name="lots",
            columns=("id", "store_id", "party_id", "crop", "harvest_year", "synthetic", "known_at"),
            rows=lots,
        ),
        Table(
            name="inspections",
            columns=(
                "lot_id", "at", "weight", "weight_unit", "moisture_pct", "inspector", "impurity_pct", "known_at",
            ),
            rows=inspections,
        ),
        Table(
            name="movements",
            columns=("id", "lot_id", "at", "weight", "weight_unit", "document", "known_at"),
            rows=movements,
        ),
    ]  # fmt: skip


def _lot(stock: Stock) -> str:
    return f"lot-{stock.owner}"


def _noon(on: date) -> datetime:
    return datetime.combine(on, time(12), ZONE)


def _dawn(on: date) -> datetime:
    return datetime.combine(on, time(0), ZONE)
