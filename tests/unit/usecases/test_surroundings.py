"""Who stands near, what the device told before, the weather, the book: bounded, and as it was known then."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from cropcredit.model import (
    Clock,
    Field,
    GrainLot,
    GrainMovement,
    Measurement,
    Planting,
    Reading,
    StoreInspection,
    WeatherSeries,
)
from cropcredit.telemetry import Around, Grade
from cropcredit.units import Quantity
from cropcredit.usecases.device_tables import installation
from cropcredit.usecases.surroundings import MOST_NEIGHBOURS, GatherSurroundings
from cropcredit.usecases.telemetry import SummariseSensors
from tests.builders import square
from tests.courses import track_of
from tests.fakes import FakeFacts, FakeFields, FakeReadings, FakeRollups
from tests.unit.usecases.test_seen_water import Sky

START = datetime(2026, 5, 1, tzinfo=UTC)
LONG_AGO = START - timedelta(days=900)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
AIR = Quantity(name="air.temperature", unit="Cel", low=-60, high=70)
RAIN = Quantity(name="weather.rain", unit="mm", low=0, high=1e6, cumulative=True)
WEIGHT = Quantity(name="store.weight", unit="kg", low=-100, high=1e7)
HEARD = [track_of("air.temperature", "", []), track_of("weather.rain", "", [], cumulative=True)]
REALISTIC_DAYS = 8


def field(name: str, *, east_m: float, unit: str = "CN-37-01") -> Field:
    return replace(square(name, east_m=east_m), admin_unit=unit, known_at=LONG_AGO)


def place(device: str, field_id: str = "", *, since: datetime = LONG_AGO, **more: Any) -> Any:
    return installation(device_id=device, channel="*", from_at=since, field_id=field_id, known_at=LONG_AGO, **more)


class Land:
    """Device ``a`` on field ``f0``, others a kilometre apart each."""

    def __init__(self, others: int = 3, *, apart_m: float = 1000.0) -> None:
        names = ["a", *(f"n{i}" for i in range(1, others + 1))]
        self.store, self.sky = FakeReadings(), Sky()
        self.facts = FakeFacts(*(place(name, f"f{i}") for i, name in enumerate(names)))
        fields = FakeFields()
        fields.add([field(f"f{i}", east_m=i * apart_m) for i in range(len(names))])
        self.rollups = FakeRollups(self.store, zone="UTC")
        self.gather = GatherSurroundings(
            facts=self.facts,
            fields=fields,
            rollups=self.rollups,
            runs=self.sky.runs,
            observations=self.sky.observations,
            quantities={q.name: q for q in (AIR, RAIN, WEIGHT)},
            zone="UTC",
        )

    def says(self, device: str, seq: int, at: datetime, *, late: timedelta = timedelta(0), **values: float) -> None:
        measured = tuple(Measurement(quantity=name.replace("_", "."), value=v) for name, v in values.items())
        reading = Reading(
            device_id=device,
            boot=1,
            seq=seq,
            clock=Clock.NTP,
            up_ms=0,
            observed_at=at,
            measurements=measured,
            key_id="k",
        )
        self.store.add([(reading, b"")], (), received_at=at + late)

    def around(self, device: str = "a", at: datetime = START + 3 * DAY, **kept: Any) -> Around:
        asked = {"tracks": HEARD, "places": self.facts.find(type(place("a", "f0")), field_id="f0")} | kept
        return self.gather(device, asked["places"], asked["tracks"], window=(at - 3 * DAY, at), at=at)


def test_the_nearest_devices_that_spoke_are_its_neighbours_by_the_hour():
    land = Land(others=3)
    for seq in range(1, 5):
        land.says("n2", seq, START + seq * HOUR / 2, air_temperature=10.0 + seq, weather_rain=5.0 * seq)
    (near,) = land.around().neighbours
    air, rain = sorted(near.tracks, key=lambda one: one.quantity)
    assert near.device_id == "n2"
    assert (air.values.tolist(), rain.values.tolist(), rain.cumulative) == ([11.0, 12.5, 14.0], [5.0, 15.0, 20.0], True)
    assert (air.at_s - START.timestamp()).tolist() == [1800.0, 5400.0, 9000.0]


def test_neighbours_are_few_and_near():
    land = Land(others=MOST_NEIGHBOURS + 3)
    far = Land(others=2, apart_m=30_000.0)
    for one in (land, far):
        for i in range(1, MOST_NEIGHBOURS + 4):
            one.says(f"n{i}", 1, START + HOUR, air_temperature=10.0)
    assert [n.device_id for n in land.around().neighbours] == [f"n{i}" for i in range(1, MOST_NEIGHBOURS + 1)]
    assert far.around().neighbours == ()


def test_who_stood_there_before_or_measures_something_else_is_no_neighbour():
    land = Land(others=1)
    gone = place("gone", "f1", to_at=START)
    deaf = installation(device_id="deaf", channel="d10", from_at=LONG_AGO, field_id="f1", known_at=LONG_AGO)
    land.facts.add(gone, deaf)
    for name in ("gone", "deaf"):
        land.says(name, 1, START + HOUR, air_temperature=10.0)
    land.says("n1", 1, START + HOUR, store_weight=10.0)
    assert land.around().neighbours == ()
    assert land.around(tracks=[track_of("wind.speed", "", [])]).neighbours == ()


def test_what_arrived_later_is_not_known_at_an_earlier_instant():
    land = Land(others=1)
    land.says("n1", 1, START + HOUR, air_temperature=10.0)
    land.says("n1", 2, START + 2 * HOUR, late=5 * DAY, air_temperature=20.0)
    assert land.around(at=START + HOUR / 2).neighbours == ()
    ((then,),) = (n.tracks for n in land.around(at=START + 2 * DAY).neighbours)
    assert then.values.tolist() == [10.0]


def test_a_device_is_held_against_its_last_two_months_and_the_months_a_year_ago():
    land = Land()
    for seq, days_ago in enumerate((500, 366, 200, 30, 1), 1):
        land.says("a", seq, START - days_ago * DAY, air_temperature=float(days_ago), weather_rain=1.0)
    (past,) = land.around().past
    told = past.start_s + 86_400 * np.flatnonzero(np.isfinite(past.mean)) - START.timestamp()
    assert past.quantity == "air.temperature"
    assert (-told / 86_400).tolist() == [366.0, 30.0, 1.0]
    assert past.high[np.isfinite(past.high)].tolist() == [366.0, 30.0, 1.0]


def test_days_on_which_satellites_saw_water_on_the_field_are_told():
    land = Land()
    land.sky.run("NDWI", {1: (0.2, -0.5), 2: (-0.4, -0.5)}, fields=("f0", "f1"), by_day=3)
    assert land.around().water_seen_s == ((START + 1.5 * DAY).timestamp(),)


def test_the_weather_is_that_of_the_fields_region():
    land = Land()
    for region, warm in (("CN-37", 20.0), ("CN-13", 5.0)):
        land.facts.add(
            WeatherSeries(
                id=region, known_at=LONG_AGO, region=region, source="s", first_on=date(2026, 4, 30),
                rain_mm=(1.0, 2.0), t_min_c=(warm, warm), t_max_c=(warm + 10, warm + 10),
            )
        )  # fmt: skip
    weather = land.around().weather
    assert weather is not None
    assert (weather.start_s, weather.rain_mm[:2].tolist(), weather.mean_c[:2].tolist()) == (
        (START - DAY).timestamp(), [1.0, 2.0], [25.0, 25.0],
    )  # fmt: skip


def test_without_a_station_or_a_known_field_there_is_no_weather():
    land = Land()
    assert land.around().weather is None
    elsewhere = land.around(places=[place("a", "unknown")])
    assert (elsewhere.weather, elsewhere.neighbours) == (None, ())
    land.facts.add(
        WeatherSeries(
            id="x", known_at=LONG_AGO, region="KE", source="s", first_on=date(2026, 4, 30), rain_mm=(1.0,),
            t_min_c=(1.0,), t_max_c=(2.0,),
        )
    )  # fmt: skip
    land.gather.seen.clear()
    assert land.around().weather is None


def test_a_paddy_stands_under_water_by_intent():
    land = Land()
    rice = Planting(
        id="p", known_at=LONG_AGO, field_id="f0", season_id="2026-summer", crop="rice", declared_area_ha=1.0,
        sowing_on=date(2026, 4, 1), harvest_on=date(2026, 9, 1),
    )  # fmt: skip
    assert not land.around().flooded
    land.facts.add(rice)
    assert land.around().flooded
    assert not land.around(at=START + 300 * DAY).flooded


def test_a_store_is_held_against_the_book_of_its_lots():
    land = Land()
    here = [place("a", store_id="s")]
    assert land.around(places=here).moves is None
    lot = GrainLot(id="l", known_at=LONG_AGO, store_id="s", party_id="p", crop="maize", harvest_year=2025)
    moved = GrainMovement(id="m", known_at=START, lot_id="l", at=START, weight_kg=-500.0)
    seen = StoreInspection(
        id="i", known_at=START, lot_id="l", at=START + DAY, weight_kg=9000.0, moisture_pct=13.0, inspector="w"
    )
    land.facts.add(lot, moved)
    assert land.around(places=here).moves is None, "nobody has taken stock: no book was begun"
    land.facts.add(seen)
    around = land.around(places=here)
    assert around.moves == ((START.timestamp(), -500.0),)
    assert around.stock_taken_s == ((START + DAY).timestamp(),)


def test_the_village_is_looked_up_once_an_hour_as_of_the_full_hour():
    land = Land(others=0)
    assert land.around().neighbours == ()
    land.facts.add(place("new", "f0"))
    land.says("new", 1, START + HOUR, air_temperature=10.0)
    assert land.around(at=START + 3 * DAY + HOUR / 2).neighbours == ()
    assert [n.device_id for n in land.around(at=START + 3 * DAY + HOUR).neighbours] == ["new"]


class Fixed:
    def now(self) -> datetime:
        return START + REALISTIC_DAYS * DAY


@pytest.fixture
def look() -> tuple[Land, SummariseSensors]:
    land = Land(others=4)
    summarise = SummariseSensors(
        facts=land.facts, readings=land.store, clock=Fixed(), quantities=land.gather.quantities, zone="UTC",
        surroundings=land.gather,
    )  # fmt: skip
    return land, summarise


def course(seed: int) -> np.ndarray:
    """Give honest air by the hour; the days are shared, the noise is not."""
    hours = np.arange(24 * REALISTIC_DAYS)
    days = np.repeat(np.random.default_rng(1).normal(15, 4, REALISTIC_DAYS), 24)
    swing = 6 * np.cos(2 * np.pi * (hours - 15) / 24)
    return np.asarray(days + swing + np.random.default_rng(seed).normal(0, 0.3, len(hours)))


def test_a_copied_neighbour_is_found_through_the_whole_use_case(look):
    land, summarise = look
    courses = {"a": course(50), **{f"n{i}": course(i) for i in range(1, 5)}}
    for name, values in courses.items():
        for hour, value in enumerate(values):
            land.says(name, hour + 1, START + (hour + 0.5) * HOUR, air_temperature=float(value))
    (honest,) = summarise(field_id="f0", days=REALISTIC_DAYS).devices
    assert honest.evidence.grade is Grade.A
    assert any(check.code == "copied" and check.suspicion is not None for check in honest.evidence.checks)

    land.facts.add(place("thief", "f9"))
    thief = installation(device_id="thief", channel="*", from_at=LONG_AGO, field_id="f0", known_at=LONG_AGO)
    land.facts.add(thief)
    for hour, value in enumerate(courses["n2"]):
        land.says("thief", hour + 1, START + (hour + 0.5) * HOUR, air_temperature=float(value) * 1.05)
    land.gather.seen.clear()
    found = {device.device_id: device.evidence for device in summarise(field_id="f0", days=REALISTIC_DAYS).devices}
    assert "copied" in [reason.code for reason in found["thief"].reasons]
    assert "copied" not in [reason.code for reason in found["a"].reasons]


def test_two_messages_under_one_identity_make_a_d(look):
    land, summarise = look
    for hour, value in enumerate(course(50)):
        land.says("a", hour + 1, START + (hour + 0.5) * HOUR, air_temperature=float(value))
    land.says("a", 5, START + 4.5 * HOUR, air_temperature=40.0)
    (device,) = summarise(field_id="f0", days=REALISTIC_DAYS).devices
    assert (device.evidence.grade, device.evidence.reasons[0].code) == (Grade.D, "cloned")
