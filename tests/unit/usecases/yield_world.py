"""A workspace of fakes: townships with past yields, fields in one of them, looks from space, one crop to lend on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import shapely

from cropcredit.model import (
    CropCalendar,
    Field,
    FieldObservations,
    Planting,
    Record,
    RegionSeries,
    YieldLabel,
)
from cropcredit.usecases.estimate_yield import EstimateYields
from tests.fakes import FakeCatalogues, FakeEstimates, FakeFacts, FakeFields, FakeModels, FakeObservations, FakeRuns

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
HARVEST = date(2025, 6, 10)
SOWING = date(2024, 10, 12)


class StillClock:
    """It is always the end of June 2025."""

    def now(self) -> datetime:
        return datetime(2025, 6, 30, tzinfo=UTC)


def end_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 23, tzinfo=UTC)


def label(region: str, year: int, t_ha: float, crop: str = "winter_wheat") -> YieldLabel:
    return YieldLabel(
        id=f"{crop}/{region}/{year}",
        known_at=end_of(date(year, 12, 31)),
        crop=crop,
        harvest_year=year,
        t_ha=t_ha,
        region=region,
        source="test",
    )


def curve(day: date, height: float) -> float:
    """NDVI of winter wheat: rises in March, falls in May."""
    through = (day - date(day.year, 4, 20)).days
    return 0.2 + float(height * np.exp(-((through / 40) ** 2)))


def past(regions: int = 4, years: range = range(2017, 2025), *, skill: bool = True) -> list[Record]:
    """Yields of 4 + 10 x anomaly and an index that shows the anomaly (or, without skill, another one)."""
    rng = np.random.default_rng(7)
    records: list[Record] = [
        CropCalendar(
            id="c", known_at=LONG_AGO, crop="winter_wheat", region="*", sowing_doy=286, harvest_doy=161, source="test"
        )
    ]
    for region in range(regions):
        for year in [*years, years[-1] + 1]:
            anomaly, shown = rng.normal(0, 0.08, 2).tolist()
            if year in years:
                records.append(label(f"T{region}", year, round(4 + region / 2 + 10 * anomaly, 3)))
            records += months(f"T{region}", year, 0.5 + (anomaly if skill else shown))
    return records


def months(region: str, year: int, height: float) -> list[RegionSeries]:
    days = [date(year - 1, 10, 10) + timedelta(10 * step) for step in range(28)]
    found = []
    for month in sorted({(day.year, day.month) for day in days}):
        own = [day for day in days if (day.year, day.month) == month]
        found.append(
            RegionSeries(
                id=f"winter_wheat/{region}/{month[0]}-{month[1]:02}",
                known_at=end_of(own[-1] + timedelta(3)),
                crop="winter_wheat",
                region=region,
                source="test",
                days=tuple(own),
                ndvi=tuple(curve(day, height) if day.month < 10 else 0.2 for day in own),
            )
        )
    return found


def farm(number: int, unit: str = "T1") -> Field:
    return Field(
        id=f"F{number}",
        collection="test",
        boundary=shapely.box(115 + number / 1000, 37, 115.001 + number / 1000, 37.001),
        area_ha=1.0,
        perimeter_m=400.0,
        boundary_version="0" * 16,
        known_at=LONG_AGO,
        admin_unit=unit,
    )


def planted(number: int, crop: str = "winter_wheat", **changes) -> Planting:
    details: dict[str, Any] = {
        "season_id": "2025-winter",
        "sowing_on": SOWING,
        "harvest_on": HARVEST,
        "declared_area_ha": 1.0,
    }
    return Planting(id=f"P{number}", known_at=end_of(SOWING), field_id=f"F{number}", crop=crop, **(details | changes))


@dataclass
class World:
    """Everything the use cases stand on."""

    facts: FakeFacts
    fields: FakeFields
    observations: FakeObservations = field(default_factory=FakeObservations)
    runs: FakeRuns = field(default_factory=FakeRuns)
    models: FakeModels = field(default_factory=FakeModels)
    estimates: FakeEstimates = field(default_factory=FakeEstimates)
    catalogues: FakeCatalogues = field(default_factory=FakeCatalogues)

    def estimate(self) -> EstimateYields:
        return EstimateYields(
            facts=self.facts,
            fields=self.fields,
            observations=self.observations,
            runs=self.runs,
            models=self.models,
            estimates=self.estimates,
            catalogues=self.catalogues,
            clock=StillClock(),
            zone="Asia/Shanghai",
        )

    def look(self, day: date, heights: list[float], *, mixed: int | None = None) -> None:
        """One clear scene over F0, F1 …, and an NDVI run whose as-of is that day."""
        n = len(heights)
        values, ones = np.array([curve(day, h) for h in heights]), np.ones(n)
        unit = f"tile/{day:%Y-%m}/{day}"
        seen = FieldObservations(
            scene_id=f"S{day}",
            tile="tile",
            acquired_at=end_of(day),
            index="NDVI",
            field_ids=np.array([f"F{i}" for i in range(n)]),
            mean=values,
            std=0 * ones,
            clear_fraction=ones,
            covered_pixels=100 * ones,
            core_mean=values,
            core_std=0 * ones,
            core_clear_fraction=ones,
            core_pixels=60 * ones,
            core_buffer_m=10 * ones,
            mixed_pixel=np.arange(n) == (-1 if mixed is None else mixed),
            flagged=np.zeros(n, dtype=bool),
            data_fraction=ones,
        )
        self.observations.write(unit, [seen])
        units = sorted(self.observations.units, key=lambda name: name.split("/")[2])
        manifest = {"kind": "ndvi", "run_id": f"R{day}", "as_of": end_of(day).isoformat(), "product": "s2-l2a"}
        rest = {"field_set": "fs", "units": units, "held_back": [], "events": [], "outcomes": {}, "indices": ["NDVI"]}
        self.runs.write(f"R{day}", manifest | rest, {"finished_at": end_of(day).isoformat()})


def world(*records: Record, farms: int = 6, unit: str = "T1") -> World:
    plantings = [planted(number) for number in range(farms)]
    return World(facts=FakeFacts(*plantings, *records), fields=FakeFields(*(farm(n, unit) for n in range(farms))))
