"""The first-reading wizard: device, place and units, each told apart from the others."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
import shapely

from cropcredit.cli.device_check import UNITS, WORDS, worded
from cropcredit.model import Clock, Device, Field, Measurement, Reading, Rejection
from cropcredit.telemetry.commissioning import SLIPS, USUAL, fits, unit_slip
from cropcredit.usecases.device_tables import installation
from cropcredit.usecases.first_reading import CheckInstallation, Finding, Verdict
from tests.fakes import FakeFacts, FakeReadings

NOW = datetime(2026, 5, 1, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class FixedClock:
    def now(self) -> datetime:
        return NOW


class LaterClock:
    def now(self) -> datetime:
        return NOW + timedelta(days=1, minutes=1)


class Keys:
    """Every device but ``stranger`` has a key; ``lost`` has none left."""

    def known(self, device_ids):
        return {name: {} if name == "lost" else {"k1": b"x"} for name in device_ids if name != "stranger"}


class Fields:
    """Fields along the equator, 0.1 degrees (11 km) apart, by number."""

    def read(self, *, as_of=None, ids=None):
        del as_of
        return [
            Field(
                id=name,
                collection="c",
                boundary=shapely.box(int(name) / 10, 0, int(name) / 10 + 0.001, 0.001),
                area_ha=1,
                perimeter_m=400,
                boundary_version="v",
                known_at=NOW,
            )
            for name in ids or ()
        ]


class Site:
    """Probe ``p`` at field 0, depth 30 cm, since yesterday."""

    def __init__(self) -> None:
        self.facts, self.readings = FakeFacts(Device(id="p", known_at=NOW, model="LSE01")), FakeReadings()
        self.place("p", "0", depth_cm=30.0, soil_moisture_kind="volumetric")
        self.check = CheckInstallation(
            facts=self.facts,
            fields=Fields(),  # type: ignore[arg-type] # only what the wizard asks
            credentials=Keys(),  # type: ignore[arg-type]
            readings=self.readings,
            clock=FixedClock(),
        )

    def place(self, device: str, field: str, *, channel: str = "*", **more) -> None:
        since = NOW - timedelta(days=1)
        self.facts.add(
            installation(device_id=device, channel=channel, from_at=since, field_id=field, known_at=since, **more)
        )

    def says(self, *measured: Measurement, device: str = "p", at: datetime = NOW, **more) -> None:
        reading = Reading(
            device_id=device,
            boot=1,
            seq=1,
            clock=Clock.NTP,
            up_ms=1,
            observed_at=at,
            measurements=measured,
            key_id="k1",
        )
        self.readings.add([(msgspec.structs.replace(reading, **more), b"")], [], received_at=NOW - MINUTE)

    def codes(self, device: str = "p") -> list[str]:
        return [finding.code for finding in self.check(device).findings]


@pytest.fixture
def site() -> Site:
    return Site()


def moisture(value: float, channel: str = "d30") -> Measurement:
    return Measurement(quantity="soil.moisture", value=value, channel=channel)


def test_a_right_device_at_a_right_place_in_right_units_is_all_well(site: Site):
    site.says(moisture(23.0))
    found = site.check("p")
    assert found.verdict is Verdict.OK
    assert [f.code for f in found.findings] == ["registered", "placed", "heard", "clock", "value"]


def test_before_the_first_reading_the_installer_waits(site: Site):
    assert site.check("p").verdict is Verdict.WAIT
    site.says(moisture(23.0))
    assert site.check("p", since=NOW).verdict is Verdict.WAIT  # heard before he came


def test_a_device_that_is_refused_is_told_why(site: Site):
    refused = Rejection(topic="t", payload=b"{", reason="mac", detail="does not match key 'k1'", device_id="p")
    site.readings.add([], [refused], received_at=NOW)
    found = site.check("p")
    assert found.verdict is Verdict.WRONG
    facts = dict(found.findings[-1].facts)
    assert (facts["reason"], facts["count"], facts["last"]) == ("mac", 1, NOW.isoformat())
    assert "refused: 1 message, last 20" in worded("p", found.findings[-1])


def test_a_device_of_which_some_is_refused_is_worth_a_look(site: Site):
    site.says(moisture(23.0))
    refused = Rejection(topic="t", payload=b"{", reason="json", detail="cut", device_id="p")
    site.readings.add([], [refused], received_at=NOW - timedelta(days=2))
    assert site.check("p").verdict is Verdict.OK, "long ago"
    site.readings.add([], [refused], received_at=NOW)
    assert "also_refused" in site.codes()
    assert site.check("p").verdict is Verdict.LOOK


def test_a_live_device_in_a_made_season_is_told_from_one_with_a_wrong_clock(site: Site):
    season = dataclasses.replace(site.check, shift=timedelta(days=-95))
    site.says(moisture(23.0), observed_at=NOW + timedelta(days=95, minutes=-1))
    (clock,) = [f for f in season("p").findings if f.code.startswith("clock")]
    assert (clock.code, dict(clock.facts)["days"]) == ("clock_of_season", 95)
    assert "clock_wrong" in site.codes(), "in a workspace of the present it is wrong"
    site.says(moisture(23.0), at=NOW, seq=2, observed_at=NOW + timedelta(days=400))
    assert "clock_wrong" in {f.code for f in season("p").findings}, "neither of the season nor of today"


@pytest.mark.parametrize(("device", "code"), [("stranger", "unknown"), ("lost", "revoked")])
def test_a_device_without_a_key_is_named_before_anything_else(site: Site, device, code):
    assert site.codes(device) == [code]


def test_a_device_nobody_placed_is_wrong(site: Site):
    site.says(moisture(23.0), device="q")
    assert "not_placed" in site.codes("q")


@pytest.mark.parametrize(
    ("span", "placed"),
    [
        pytest.param({"from_at": NOW}, True, id="from now on"),
        pytest.param({"from_at": NOW + MINUTE}, False, id="from later on"),
        pytest.param({"to_at": NOW}, False, id="until now"),
        pytest.param({"to_at": NOW + MINUTE}, True, id="until later"),
    ],
)
def test_only_where_it_stands_now_is_its_place(site: Site, span, placed):
    told = {"device_id": "q", "channel": "*", "from_at": NOW - MINUTE, "field_id": "0", "known_at": NOW} | span
    site.facts.add(installation(**told))
    site.says(moisture(23.0), device="q")
    assert ("placed" in site.codes("q"), "not_placed" in site.codes("q")) == (placed, not placed)


def test_a_device_is_called_by_its_own_model(site: Site):
    site.facts.add(Device(id="a", known_at=NOW, model="another"))
    site.says(moisture(23.0))
    assert dict(site.check("p").findings[0].facts)["model"] == "LSE01"


def test_what_was_heard_the_day_before_yesterday_is_not_heard_now(site: Site):
    site.says(moisture(23.0))
    late = dataclasses.replace(site.check, clock=LaterClock())
    assert late("p").verdict is Verdict.WAIT


def test_a_depth_that_fits_and_a_quantity_that_needs_no_kind_are_well(site: Site):
    site.place("q", "1", depth_cm=30.0)
    site.says(Measurement(quantity="soil.temperature", value=12.0, channel="d30"), device="q")
    assert {"depth_differs", "moisture_kind"} & set(site.codes("q")) == set()
    site.says(moisture(23.0), device="q", seq=2)
    assert "moisture_kind" in site.codes("q")


def test_what_contradicts_the_place_is_named(site: Site):
    site.says(moisture(23.0, "d20"), Measurement(quantity="store.weight", value=10, channel="d20"))
    told = {f.code: dict(f.facts) for f in site.check("p").findings}
    assert (told["depth_differs"]["cm"], told["wrong_kind_of_place"]["quantity"]) == (30.0, "store.weight")


def test_a_channel_that_nobody_placed_is_named(site: Site):
    site.place("q", "1", channel="d60", depth_cm=60.0)
    site.says(moisture(23.0, "d90"), device="q")
    assert "channel_unplaced" in site.codes("q")


def test_a_fraction_is_told_from_a_percentage(site: Site):
    site.says(moisture(0.23))
    (slip,) = [f for f in site.check("p").findings if f.code == "unit"]
    assert dict(slip.facts)["slip"] == "fraction"
    assert "multiply by 100" in worded("p", slip)
    assert "0.23 % looks like" in worded("p", slip, {"soil.moisture": "%"})


def test_warm_degrees_are_told_from_fahrenheit_by_the_neighbours(site: Site):
    site.says(Measurement(quantity="air.temperature", value=41.0))
    assert "value" in site.codes()
    for n, other in enumerate(("a", "b", "c"), 1):
        site.place(other, str(n))
        site.says(Measurement(quantity="air.temperature", value=5.0 + n / 10), device=other)
    assert "unit" in site.codes()


def test_a_neighbour_that_has_left_or_was_heard_long_ago_says_nothing(site: Site):
    site.says(Measurement(quantity="air.temperature", value=41.0))
    for n, other in enumerate(("a", "b", "c"), 1):
        site.place(other, str(n), to_at=NOW if other == "a" else None)
        site.says(Measurement(quantity="air.temperature", value=5.0), device=other)
    assert "value" in site.codes(), "two neighbours are too few"
    site.place("d", "4")
    site.says(Measurement(quantity="air.temperature", value=5.0), device="d")
    assert "unit" in site.codes()
    late = dataclasses.replace(site.check, clock=LaterClock())
    site.says(Measurement(quantity="air.temperature", value=41.0), seq=2)
    assert "unit" not in [f.code for f in late("p", since=NOW - timedelta(days=9)).findings]


def test_neighbours_beyond_fifty_kilometres_say_nothing(site: Site):
    site.says(Measurement(quantity="air.temperature", value=41.0))
    for n, other in enumerate(("a", "b", "c"), 5):
        site.place(other, str(n))
        site.says(Measurement(quantity="air.temperature", value=5.0), device=other)
    assert "value" in site.codes()


def test_a_clock_far_ahead_and_a_weak_signal_are_worth_a_look(site: Site):
    site.says(moisture(23.0), at=NOW + timedelta(days=400), signal_dbm=-118.0)
    found = site.check("p")
    assert found.verdict is Verdict.LOOK
    told = {f.code: dict(f.facts) for f in found.findings}
    assert (told["clock_wrong"]["hours"], told["weak_signal"]["dbm"]) == (9600.0, -118.0)


def test_a_device_without_a_clock_is_well(site: Site):
    site.says(moisture(23.0), clock=Clock.NONE, observed_at=None)
    assert site.check("p").verdict is Verdict.OK


@pytest.mark.parametrize("quantity", sorted(SLIPS))
def test_no_usual_value_is_taken_for_a_slip_and_every_slip_has_words(quantity):
    usual = USUAL[quantity]
    for share in (0.0, 0.3, 0.7, 1.0):
        value = usual.low + share * (usual.high - usual.low)
        assert fits(quantity, value, [])
        assert unit_slip(quantity, value, []) == ""
    assert {name for name, _ in SLIPS[quantity]} <= UNITS.keys()


def test_every_finding_has_words():
    for code in WORDS:
        facts = (
            ("model", "m"), ("place", "f"), ("channel", ""), ("arrived", "9"), ("reason", "r"), ("detail", "d"),
            ("hours", 3.0), ("dbm", -120.0), ("quantity", "soil.moisture"), ("cm", 30.0), ("value", 1.0),
            ("slip", "fraction"), ("count", 1.0), ("last", "9"), ("days", 95.0),
        )  # fmt: skip
        assert worded("p", Finding(code=code, verdict=Verdict.OK, facts=facts))
