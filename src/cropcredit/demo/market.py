"""What crops sell for and cost to grow: farm-gate prices, a world-like monthly series, cost sheets. All made."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import numpy as np

from cropcredit.demo.parameters import Region
from cropcredit.model import CostItem, CostSheet, FarmGatePrice, Money, PriceSeries
from cropcredit.model.records import end_of_day

WORLD_USD_T = {"winter_wheat": 255.0, "maize": 195.0, "cotton": 780.0}
"""Long-run levels of the made series (chosen; seed cotton, not lint)."""
FIRST_MONTH = date(1990, 1, 1)
MEMORY, MONTHLY_SIGMA, SEASONAL = 0.97, 0.05, 0.03
"""Of the logarithm: pull to the long-run level, monthly shock, amplitude of the harvest-time dip (chosen)."""

COSTS_CNY_HA: dict[str, tuple[tuple[str, int, int, bool], ...]] = {
    "winter_wheat": (
        ("seed", 1_250, 0, False),
        ("fertiliser", 2_700, 0, False),
        ("water", 900, 5, False),
        ("pesticide", 450, 6, False),
        ("machinery", 1_350, 0, False),
        ("harvest", 900, 8, True),
    ),
    "maize": (
        ("seed", 900, 0, False),
        ("fertiliser", 2_600, 1, False),
        ("water", 500, 1, False),
        ("pesticide", 550, 1, False),
        ("machinery", 1_150, 0, False),
        ("harvest", 1_200, 3, True),
    ),
    "cotton": (
        ("seed", 900, 0, False),
        ("film", 600, 0, False),
        ("fertiliser", 3_000, 1, False),
        ("pesticide", 1_500, 3, False),
        ("water", 600, 2, False),
        ("machinery", 1_400, 0, False),
        ("picking", 4_500, 5, True),
    ),
}
"""Item, yuan per hectare, months after sowing, paid from the harvest (chosen; banks quote 500 yuan per mu)."""


def farm_gate(region: Region) -> list[FarmGatePrice]:
    """Give what buyers paid two weeks ago, per crop and township."""
    dice, day = region.dice("farm gate"), region.today.date() - timedelta(14)
    return [
        FarmGatePrice(
            id=f"fg-{code}-{unit.code}",
            known_at=end_of_day(day + timedelta(1), "Asia/Shanghai"),
            crop=code,
            region=unit.code,
            per_kg=Decimal(str(round(float(model.price_cny_kg) * float(dice.normal(1, 0.012)), 3))),
            currency="CNY",
            dated_on=day,
            source=f"{region.label} survey of buyers",
        )
        for code, model in region.crop.items()
        for unit in region.township
    ]


def world(region: Region) -> list[PriceSeries]:
    """Make monthly series that move like world prices: mean-reverting in logarithm, a dip at harvest."""
    dice, today = region.dice("world prices"), region.today.date()
    months = (today.year - FIRST_MONTH.year) * 12 + today.month - 2
    found = []
    for code, level in WORLD_USD_T.items():
        shocks = dice.normal(0, MONTHLY_SIGMA, months)
        log = np.zeros(months)
        for m in range(1, months):
            log[m] = MEMORY * log[m - 1] + shocks[m]
        season = SEASONAL * np.cos(2 * np.pi * (np.arange(months) - 2) / 12)
        found.append(
            PriceSeries(
                id=f"world-{code}-{region.label}",
                known_at=region.today,
                crop=code,
                source=f"{region.label}: world-like, made by the demo generator",
                unit="USD/t",
                first_month=FIRST_MONTH,
                values=tuple(np.round(level * np.exp(log + season), 2).tolist()),
                publication_lag_days=3,
            )
        )
    return found


def cost_sheets(region: Region) -> list[CostSheet]:
    """Give what growing each crop costs, per township."""
    return [
        CostSheet(
            id=f"cost-{code}-{unit.code}",
            known_at=end_of_day(date(region.harvest_year, 1, 31), "Asia/Shanghai"),
            crop=code,
            region=unit.code,
            currency="CNY",
            items=tuple(
                CostItem(name=name, per_ha=Money.of(yuan, "CNY"), months_after_sowing=month, at_harvest=late)
                for name, yuan, month, late in items
            ),
            source=f"{region.label} cost survey",
        )
        for code, items in COSTS_CNY_HA.items()
        for unit in region.township
    ]
