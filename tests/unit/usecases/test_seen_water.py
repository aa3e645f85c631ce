"""Open water that satellites saw on fields, and what it says of a probe that stays dry."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from cropcredit.model import FieldObservations
from cropcredit.usecases.seen_water import water_seen
from tests.fakes import FakeObservations, FakeRuns

START = datetime(2026, 5, 1, tzinfo=UTC)
DAY = timedelta(days=1)
FIELDS = ("dry", "paddy")


class Sky:
    """Runs of one index each, over two fields."""

    def __init__(self) -> None:
        self.observations, self.runs = FakeObservations(), FakeRuns()

    def run(
        self,
        index: str,
        looks: dict[int, tuple[float, float]],
        *,
        fields: tuple[str, str] = FIELDS,
        clear: float = 1.0,
        by_day: int = 30,
    ) -> Sky:
        units = []
        for day, values in looks.items():
            units.append(f"{index}/{day}")
            self.observations.write(units[-1], [look(index, START + day * DAY, values, fields, clear)])
        told = {"as_of": (START + by_day * DAY).isoformat(), "indices": [index], "units": units}
        rest = {"product": "p", "field_set": "f", "held_back": [], "events": [], "outcomes": {}}
        self.runs.write(index, {"kind": "ndvi", "run_id": index, **told, **rest}, {"finished_at": told["as_of"]})
        return self

    def days(self, *, as_of: datetime = START + 40 * DAY) -> dict[str, list[float]]:
        seen = water_seen(self.runs, self.observations, FIELDS, as_of=as_of)
        return {name: [(at - START.timestamp()) / 86_400 for at in noons] for name, noons in seen.items()}


def look(
    index: str, at: datetime, values: tuple[float, float], fields: tuple[str, str], clear: float
) -> FieldObservations:
    mean, ones = np.array(values), np.ones(2)
    return FieldObservations(
        scene_id=f"{index}-{at:%d}",
        tile="50SMJ",
        acquired_at=at,
        index=index,
        field_ids=np.array(fields),
        mean=mean,
        std=ones,
        clear_fraction=clear * ones,
        covered_pixels=60 * ones,
        core_mean=mean,
        core_std=ones,
        core_clear_fraction=clear * ones,
        core_pixels=40 * ones,
        core_buffer_m=10 * ones,
        mixed_pixel=np.zeros(2, dtype=bool),
        flagged=np.zeros(2, dtype=bool),
        data_fraction=ones,
    )


def test_water_is_brighter_in_green_than_in_near_infrared():
    assert Sky().run("NDWI", {3: (-0.5, 0.2), 8: (-0.4, -0.1), 13: (np.nan, 0.3)}).days() == {"paddy": [3.5, 13.5]}


def test_half_a_look_through_clouds_says_nothing():
    assert Sky().run("NDWI", {3: (0.2, 0.2)}, clear=0.5).days() == {}


def test_radar_sees_water_where_backscatter_falls_to_that_of_a_mirror():
    land, water, smooth = 0.1, 0.02, 0.025  # -10, -17 and -16 dB
    passes = {day: (smooth, water if day == 12 else land) for day in range(0, 36, 6)}
    assert Sky().run("VV", passes).days() == {"paddy": [12.5]}, "a field that is always dark is no water"


def test_both_witnesses_count_and_a_field_that_none_saw_is_absent():
    sky = Sky().run("NDWI", {3: (-0.5, 0.2)}).run("VV", {day: (np.nan, 0.1 if day else 0.01) for day in range(5)})
    assert sky.days() == {"paddy": [0.5, 3.5]}


def test_a_run_for_a_later_instant_does_not_count():
    sky = Sky().run("NDWI", {3: (-0.5, 0.2)}, by_day=30)
    assert sky.days(as_of=START + 29 * DAY) == {}
    assert sky.days(as_of=START + 30 * DAY) == {"paddy": [3.5]}
