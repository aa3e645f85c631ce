"""The demo region knows what grows: no honest planting is doubted, and wrong declarations are found.

The looks are drawn from the region's own growth, every five days, 45 % of them hidden and 3 % under a cloud that nobody
noticed; the scenes themselves are not painted.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest
import shapely

from cropcredit.adapters.catalogues import TomlCatalogues
from cropcredit.config import data_dir
from cropcredit.demo.generate import imagine
from cropcredit.demo.growth import ndvi
from cropcredit.demo.parameters import load_region
from cropcredit.model import Field, FieldSeries, Planting
from cropcredit.usecases.growth import Growth, measure_growth
from cropcredit.usecases.verify_crops import read_claims

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
TODAY, AFTER = date(2026, 8, 25), date(2026, 11, 5)
PLACE = shapely.box(116.60, 37.40, 116.601, 37.401)
WHEAT = {
    "crop": "winter_wheat",
    "season_id": "2026-winter",
    "sowing_on": date(2025, 10, 11),
    "harvest_on": date(2026, 6, 11),
}
MAIZE = {"crop": "maize", "season_id": "2026-summer", "sowing_on": date(2026, 6, 16), "harvest_on": date(2026, 9, 30)}
COTTON = {
    "crop": "cotton",
    "season_id": "2026-summer",
    "sowing_on": date(2026, 4, 26),
    "harvest_on": date(2026, 10, 20),
}


class Plain:
    """The region as it is seen."""

    def __init__(self) -> None:
        world = imagine(load_region())
        row = {str(name): number for number, name in enumerate(world.plots.field_id)}
        self.plantings = [p for p in world.people.plantings if p.field_id in row]
        self.ids = sorted({p.field_id for p in self.plantings})
        unit = {i: world.region.township[world.plots.township[row[i]]].code for i in self.ids}
        self.fields = {i: farm(i, unit[i]) for i in self.ids}
        looks = np.arange(0, len(world.season.lai), 5)
        dice = np.random.default_rng(4)
        seen = ndvi(world.season.lai[looks][:, [row[i] for i in self.ids]]).T
        seen += dice.normal(0, 0.015, seen.shape)
        seen = np.where(dice.random(seen.shape) < 0.03, 0.1, seen)
        clear = np.where(dice.random(seen.shape) < 0.45, 0.0, 1.0)
        self.series = FieldSeries(
            index="NDVI",
            field_ids=tuple(self.ids),
            acquired_at=np.datetime64(world.season.first_on, "D") + looks,
            mean=np.where(clear > 0, seen, np.nan),
            clear_fraction=clear,
            mixed_pixel=np.zeros(len(self.ids), dtype=bool),
        )

    def outcomes(self, plantings: list[Planting], until: date) -> list[Growth]:
        claims = read_claims(plantings, self.fields, TomlCatalogues(data_dir() / "catalogues"))
        units = {name: field.admin_unit for name, field in self.fields.items()}
        return measure_growth(self.series, plantings, units, until, claims)


def farm(name: str, unit: str) -> Field:
    return Field(
        id=name,
        collection="demo",
        boundary=PLACE,
        area_ha=0.4,
        perimeter_m=300.0,
        boundary_version="0" * 16,
        known_at=LONG_AGO,
        admin_unit=unit,
    )


@pytest.fixture(scope="module")
def plain() -> Plain:
    return Plain()


@pytest.mark.parametrize("until", [TODAY, AFTER])
def test_no_honest_planting_is_doubted(plain, until):
    found = Counter(
        (p.crop, g.verdict.found.outcome)
        for p, g in zip(plain.plantings, plain.outcomes(plain.plantings, until), strict=True)
    )
    assert sum(count for (_, outcome), count in found.items() if outcome == "not_conform") == 0
    assert found["winter_wheat", "conform"] > 0.97 * sum(n for (crop, _), n in found.items() if crop == "winter_wheat")


@pytest.mark.parametrize(
    ("crop", "claim", "until", "least"),
    [
        pytest.param("maize", MAIZE | {"crop": "winter_wheat"}, AFTER, 1.0, id="wheat with the dates of maize"),
        pytest.param("winter_wheat", WHEAT | {"crop": "maize"}, AFTER, 1.0, id="maize with the dates of wheat"),
        pytest.param("cotton", WHEAT, AFTER, 0.95, id="wheat, but cotton stands there"),
        pytest.param("cotton", MAIZE, AFTER, 0.6, id="maize, but cotton stands there"),
        pytest.param("maize", COTTON, AFTER, 0.6, id="cotton, but wheat and maize stand there"),
        pytest.param("cotton", WHEAT, TODAY, 0.95, id="wheat instead of cotton, in August"),
    ],
)
def test_wrong_declarations_are_found(plain, crop, claim, until, least):
    """One in twelve plantings of a crop is declared as something else; the others are honest."""
    wrong = [i for i, p in enumerate(plain.plantings) if p.crop == crop][::12]
    told = [replace(p, **claim) if i in set(wrong) else p for i, p in enumerate(plain.plantings)]
    if crop == "maize":  # the wheat before it is not told either: cotton grows alone
        fields = {plain.plantings[i].field_id for i in wrong}
        kept = [i for i, p in enumerate(told) if i in set(wrong) or p.field_id not in fields]
        told, wrong = [told[i] for i in kept], [kept.index(i) for i in wrong]
    found = plain.outcomes(told, until)
    outcomes = Counter((found[i].verdict.found.outcome, found[i].verdict.found.reason) for i in wrong)
    honest = Counter(g.verdict.found.outcome for i, g in enumerate(found) if i not in set(wrong))
    assert honest["not_conform"] == 0
    assert sum(n for (outcome, _), n in outcomes.items() if outcome == "not_conform") >= least * len(wrong), outcomes
