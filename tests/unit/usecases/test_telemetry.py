"""What the officer sees of the sensors at a place."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from cropcredit.errors import MalformedInput
from cropcredit.model import UNCOUNTED, Clock, DeviceState, Measurement, Reading, Source
from cropcredit.telemetry import Grade
from cropcredit.units import Quantity
from cropcredit.usecases.device_tables import installation
from cropcredit.usecases.telemetry import FindGaps, SensorSummary, SummariseSensors
from tests.fakes import FakeFacts, FakeReadings

START = datetime(2026, 5, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MOISTURE = Quantity(name="soil.moisture", unit="%", low=0, high=100, zh="土壤水分", en="Soil moisture")
RAIN = Quantity(name="weather.rain", unit="mm", low=0, high=1e6, cumulative=True)


class FixedClock:
    def now(self) -> datetime:
        return START + 3 * DAY


class Farm:
    """Probe ``p`` at field ``f`` since the first of May, read every hour."""

    def __init__(self) -> None:
        self.store = FakeReadings()
        self.facts = FakeFacts(self.place("p", "f"))
        self.look = SummariseSensors(
            facts=self.facts,
            readings=self.store,
            clock=FixedClock(),
            quantities={q.name: q for q in (MOISTURE, RAIN)},
            zone="UTC",
        )

    @staticmethod
    def place(device: str, field: str, *, channel: str = "*", since: datetime = START, **more: Any):
        return installation(
            device_id=device,
            channel=channel,
            from_at=since,
            field_id=field,
            soil_moisture_kind="volumetric",
            known_at=START,
            **more,
        )

    def says(self, seq: int, *measured: Measurement, device: str = "p", late: timedelta = 0 * HOUR) -> None:
        at = START + seq * HOUR
        reading = Reading(
            device_id=device,
            boot=1,
            seq=seq,
            clock=Clock.NTP,
            up_ms=0,
            observed_at=at,
            measurements=measured,
            key_id="k1",
        )
        self.store.add([(reading, b"")], (), received_at=at + late)


def wet(value: float, channel: str = "d30") -> Measurement:
    return Measurement(quantity="soil.moisture", value=value, channel=channel)


def test_the_summary_says_what_was_measured_where_in_which_unit_and_how_far_to_trust_it():
    farm = Farm()
    for seq in range(1, 73):
        farm.says(seq, wet(20.0 + seq % 2))
    found: SensorSummary = farm.look(field_id="f", days=3)
    (series,) = found.series
    assert (series.quantity.unit, series.depth_cm, series.soil_moisture_kind) == ("%", 30.0, "volumetric")
    assert [(day.on, day.count, day.low, day.mean, day.high) for day in series.days[1:3]] == [
        (date(2026, 5, 2), 24, 20.0, 20.5, 21.0),
        (date(2026, 5, 3), 24, 20.0, 20.5, 21.0),
    ]
    assert (series.last_value, series.last_at) == (21.0, START + 71 * HOUR)
    (device,) = found.devices
    assert (device.evidence.grade, device.readings, device.missing) == (Grade.A, 71, 0)


def test_a_heartbeat_counts_as_a_reading_and_measures_nothing():
    farm = Farm()
    farm.says(1)
    found = farm.look(field_id="f", days=3)
    assert (found.series, found.devices[0].readings) == ((), 1)


def test_a_device_that_never_spoke_is_shown_all_the_same():
    (device,) = Farm().look(field_id="f").devices
    assert (device.device_id, device.evidence.grade, device.last_seen) == ("p", Grade.D, None)


def test_readings_reach_a_field_only_through_an_installation():
    farm = Farm()
    farm.facts.add(farm.place("p", "g", channel="d90", since=START + 2 * HOUR))
    for seq in (1, 2, 3):
        farm.says(seq, wet(10.0), wet(50.0, "d90"))
    assert [s.last_value for s in farm.look(field_id="g").series] == [50.0]
    assert farm.look(field_id="g").devices[0].readings == 2
    assert farm.look(field_id="nowhere").devices == ()


def test_what_arrived_later_does_not_count_at_an_earlier_instant():
    farm = Farm()
    farm.says(1, wet(10.0))
    farm.says(2, wet(99.0), late=30 * HOUR)
    early, late = (farm.look(field_id="f", as_of=START + n * HOUR) for n in (10, 40))
    assert ([s.last_value for s in early.series], [s.last_value for s in late.series]) == ([10.0], [99.0])


def test_a_hole_in_the_seqs_counts_as_missing():
    farm = Farm()
    for seq in [*range(1, 31), *range(41, 71)]:
        farm.says(seq, wet(20.0))
    (device,) = farm.look(field_id="f", days=3).devices
    assert device.missing == 10
    assert [reason.code for reason in device.evidence.reasons] == ["missing"]


def test_where_nothing_is_counted_nothing_is_missing():
    farm = Farm()
    for hour in range(20):
        reading = Reading(
            device_id="p", boot=UNCOUNTED, seq=hour * 10**12, clock=Clock.RTC, up_ms=0, observed_at=START + hour * HOUR,
            measurements=(wet(20.0 + hour),), source=Source.SENML,
        )  # fmt: skip
        farm.store.add([(reading, b"")], (), received_at=START + hour * HOUR)
    [device] = farm.look(field_id="f").devices
    assert (device.readings, device.missing) == (20, 0)


def test_silence_beyond_the_declared_interval_is_told_and_is_no_reason():
    farm = Farm()
    for seq in range(1, 20):
        farm.says(seq, wet(20.0 + seq))
    farm.store.save_states([DeviceState(device_id="p", online=False, received_at=START, interval_s=3600)])
    (device,) = farm.look(field_id="f", as_of=START + 24 * HOUR, days=1).devices
    assert device.silent_since == START + 19 * HOUR
    assert device.evidence.grade is Grade.A


def test_rain_is_summed_over_resets():
    farm = Farm()
    for seq, millimetres in enumerate((5.0, 7.0, 0.5, 1.5), 1):
        farm.says(seq, Measurement(quantity="weather.rain", value=millimetres))
    (series,) = farm.look(field_id="f").series
    assert (series.total_rise, series.resets) == (3.5, 1)


def test_a_place_is_one_field_or_one_store():
    with pytest.raises(MalformedInput, match="one field or one store"):
        Farm().look()


def test_gaps_are_handed_out():
    farm = Farm()
    farm.says(1, wet(1.0))
    farm.says(3, wet(1.0))
    assert [(gap.first, gap.last) for gap in FindGaps(readings=farm.store)()] == [(2, 2)]
