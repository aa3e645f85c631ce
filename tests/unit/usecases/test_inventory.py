"""Taking stock: what people said, lowered by what their sensors saw, as known at an instant."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from cropcredit.errors import UnknownRecord
from cropcredit.model import Clock, GrainLot, GrainMovement, Measurement, Reading, StoreInspection
from cropcredit.units import Quantity
from cropcredit.usecases.device_tables import installation
from cropcredit.usecases.inventory import TakeStock
from cropcredit.usecases.telemetry import SummariseSensors
from tests.fakes import FakeCatalogues, FakeFacts, FakeReadings

START = datetime(2026, 7, 1, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
QUANTITIES = {
    name: Quantity(name=name, unit=unit, low=-100, high=1e7)
    for name, unit in (("store.weight", "kg"), ("store.grainMoisture", "%"), ("store.grainTemperature", "Cel"))
}


class FixedClock:
    def now(self) -> datetime:
        return START + 10 * DAY


class Barn:
    """Store ``s`` with one scale and two lots of two owners: 6 t and 4 t."""

    def __init__(self) -> None:
        self.readings, self.seq = FakeReadings(), 0
        self.facts = FakeFacts(
            installation(device_id="d", channel="*", from_at=START, store_id="s", known_at=START),
            self.lot("a", "wang"),
            self.lot("b", "li"),
            self.inspection("a", 6_000),
            self.inspection("b", 4_000),
        )
        summarise = SummariseSensors(
            facts=self.facts, readings=self.readings, clock=FixedClock(), quantities=QUANTITIES, zone="UTC"
        )
        self.take_stock = TakeStock(
            facts=self.facts, summarise=summarise, catalogues=FakeCatalogues(), clock=FixedClock(), zone="UTC"
        )

    @staticmethod
    def lot(name: str, owner: str) -> GrainLot:
        return GrainLot(id=name, known_at=START, store_id="s", party_id=owner, crop="winter_wheat", harvest_year=2026)

    @staticmethod
    def inspection(lot: str, kg: float, *, at: datetime = START + 12 * HOUR) -> StoreInspection:
        return StoreInspection(
            id=f"{lot}/{at}", known_at=at, lot_id=lot, at=at, weight_kg=kg, moisture_pct=14.0, inspector="zhao"
        )

    def weighs(self, kg: float, *, day: int) -> None:
        for hour in range(0, 24, 4):
            self.seq += 1
            at = START + day * DAY + hour * HOUR
            values = (("store.weight", kg + hour), ("store.grainTemperature", 18 + hour / 8))
            reading = Reading(
                device_id="d",
                boot=1,
                seq=self.seq,
                clock=Clock.NTP,
                up_ms=self.seq,
                observed_at=at,
                measurements=tuple(Measurement(quantity=name, value=value) for name, value in values),
                key_id="k1",
            )
            self.readings.add([(reading, b"")], [], received_at=at)

    def kilograms(self, *, as_of: datetime | None = None) -> dict[str, float]:
        return {one.lot.id: round(one.quantity.standard_kg) for one in self.take_stock(as_of=as_of)}

    def alarms(self) -> set[str]:
        return {alarm.code for one in self.take_stock() for alarm in one.alarms}


@pytest.fixture
def barn() -> Barn:
    return Barn()


def test_without_sensors_the_inspection_stands_and_the_store_counts_as_not_watched(barn: Barn):
    assert barn.kilograms() == {"a": 6_000, "b": 4_000}
    assert barn.alarms() == {"not_watched"}


def test_what_the_scale_misses_is_missing_from_every_lot_in_its_share(barn: Barn):
    for day in range(1, 10):
        barn.weighs(10_000 if day < 7 else 7_500, day=day)
    assert barn.kilograms() == pytest.approx({"a": 4_500, "b": 3_000}, rel=0.01)
    assert barn.alarms() == {"sudden_loss", "shortfall"}


def test_what_its_owner_carried_out_is_taken_from_that_lot_and_missing_from_none(barn: Barn):
    at = START + 7 * DAY
    barn.facts.add(GrainMovement(id="m", known_at=at, lot_id="b", at=at, weight_kg=-2_500))
    for day in range(1, 10):
        barn.weighs(10_000 if day < 7 else 7_500, day=day)
    assert barn.kilograms() == {"a": 6_000, "b": 1_500}
    assert barn.alarms() == set()


def test_more_carried_out_than_was_there_is_said_at_its_lot(barn: Barn):
    at = START + 7 * DAY
    barn.facts.add(GrainMovement(id="m", known_at=at, lot_id="b", at=at, weight_kg=-4_000))
    barn.weighs(10_000, day=9)
    assert "overdrawn" not in barn.alarms(), "the whole lot may leave"
    barn.facts.add(GrainMovement(id="n", known_at=at, lot_id="b", at=at, weight_kg=-99_000))
    said = {one.lot.id: [dict(a.facts) for a in one.alarms if a.code == "overdrawn"] for one in barn.take_stock()}
    assert said == {"a": [], "b": [{"kg": 99_000}]}
    assert barn.kilograms()["b"] == 0


def test_a_lot_that_lay_on_the_scale_before_it_was_inspected_is_no_loss(barn: Barn):
    barn.facts.add(barn.lot("c", "sun"), barn.inspection("c", 2_000, at=START + 5 * DAY))
    for day in range(1, 10):
        barn.weighs(12_000, day=day)
    assert "sudden_loss" not in barn.alarms()


def test_as_of_an_earlier_day_the_loss_is_not_known(barn: Barn):
    for day in range(1, 10):
        barn.weighs(10_000 if day < 7 else 7_500, day=day)
    assert barn.kilograms(as_of=START + 5 * DAY) == {"a": 6_000, "b": 4_000}
    assert barn.kilograms(as_of=START - HOUR) == {}


def test_a_scale_of_grade_d_is_not_believed(barn: Barn):
    barn.weighs(10_000, day=1)
    barn.weighs(100, day=9)
    for one in barn.take_stock():
        assert one.devices[0].evidence.grade.value == "D"
    assert barn.kilograms() == {"a": 6_000, "b": 4_000}


def test_one_owner_sees_his_lot_only_and_an_unknown_store_is_refused(barn: Barn):
    assert [one.lot.id for one in barn.take_stock(party_id="li")] == ["b"]
    assert barn.take_stock(party_id="nobody") == []
    with pytest.raises(UnknownRecord, match="import lots"):
        barn.take_stock(store_id="nowhere")


def test_what_the_book_says_of_later_today_is_said_to_wait(barn: Barn):
    evening, now = START + 10 * DAY + 20 * HOUR, START + 10 * DAY
    barn.facts.add(dataclasses.replace(barn.inspection("a", 5_000, at=evening), known_at=now))
    assert barn.kilograms()["a"] == 6_000
    said = {one.lot.id: [dict(a.facts) for a in one.alarms if a.code == "lies_ahead"] for one in barn.take_stock()}
    assert said == {"a": [{"since": "2026-07-11 20:00"}], "b": []}
    assert "lies_ahead" not in {alarm.code for one in barn.take_stock(as_of=evening) for alarm in one.alarms}


def test_a_movement_of_a_lot_that_nobody_brought_in_is_named(barn: Barn):
    assert barn.take_stock.strays() == []
    at = START + DAY
    barn.facts.add(GrainMovement(id="typo", known_at=at, lot_id="aa", at=at, weight_kg=-900))
    assert barn.take_stock.strays() == ["aa"]
    assert barn.take_stock.strays(as_of=START) == []
