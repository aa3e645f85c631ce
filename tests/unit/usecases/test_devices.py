"""Devices are registered, placed and revoked; what cannot be is refused by name."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
import shapely

from cropcredit.adapters.tables import CsvTables
from cropcredit.errors import MalformedInput, StateConflict, UnknownRecord
from cropcredit.model import Clock, Device, DeviceState, Field, Installation, Reading, Refusals, Rejection
from cropcredit.usecases.device_tables import ReadDeviceTables, installation
from cropcredit.usecases.devices import AddDevices, ListDevices, PlaceDevices, RevokeDevice, RotateKeys
from cropcredit.wire import login_password
from tests.fakes import FakeBroker, FakeCertificates, FakeCredentials, FakeFacts, FakeFields, FakeReadings

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


class FixedClock:
    def now(self) -> datetime:
        return NOON


FIELD = Field(
    id="f1",
    collection="c",
    boundary=shapely.box(116, 36, 116.001, 36.001),
    area_ha=1.0,
    perimeter_m=400.0,
    boundary_version="v",
    known_at=NOON,
)


class Farm:
    def __init__(self) -> None:
        self.facts, self.credentials, self.broker = FakeFacts(), FakeCredentials(now=FixedClock().now), FakeBroker()
        self.readings, self.certificates = FakeReadings(), FakeCertificates()
        self.add = AddDevices(
            facts=self.facts,
            credentials=self.credentials,
            access=self.broker,
            certificates=self.certificates,
            clock=FixedClock(),
            reserved={"ingest", "gateway"},
        )
        self.rotate = RotateKeys(facts=self.facts, add=self.add)
        self.place = PlaceDevices(facts=self.facts, fields=FakeFields(FIELD))
        self.revoke = RevokeDevice(
            facts=self.facts,
            credentials=self.credentials,
            access=self.broker,
            certificates=self.certificates,
            clock=FixedClock(),
        )
        self.list = ListDevices(
            facts=self.facts, credentials=self.credentials, readings=self.readings, clock=FixedClock()
        )


def device(name: str) -> Device:
    return Device(id=name, known_at=NOON)


def at(
    name: str, *, field: str = "f1", store: str = "", since: datetime = NOON, channel: str = "*", **more
) -> Installation:
    return installation(
        device_id=name, channel=channel, from_at=since, field_id=field, store_id=store, known_at=NOON, **more
    )


def test_a_registered_device_can_log_in_with_the_password_that_follows_from_its_key():
    farm = Farm()
    (key,) = farm.add([device("a")])
    assert farm.broker.logins == {"a": key.password} == {"a": login_password(bytes.fromhex(key.secret))}
    assert key.secret not in repr(key)


def test_a_device_is_registered_once_unless_its_key_is_to_be_changed():
    farm = Farm()
    farm.add([device("a")])
    with pytest.raises(StateConflict, match="'a' is registered already"):
        farm.add([device("b"), device("a")])
    assert farm.credentials.keys("b") == {}, "all or none"
    assert [device.id for device in farm.facts.find(Device)] == ["a"], "all or none"


def test_while_a_device_changes_over_both_keys_count_and_the_broker_takes_the_old_password():
    farm = Farm()
    (old,) = farm.add([device("a")], certified=True)
    (new,) = farm.rotate(["a"], grace=7 * DAY, certified=True)
    assert list(farm.credentials.keys("a")) == ["k1", "k2"]
    assert (farm.broker.logins, farm.broker.waiting) == ({"a": old.password}, {"a": new.password})
    assert farm.certificates.issued == [("a", 7 * DAY), ("a", None)]
    assert farm.list()[0].ending == {"k1": NOON + 7 * DAY}
    farm.rotate.finish(["a"])
    assert list(farm.credentials.keys("a")) == ["k2"]
    assert (farm.broker.logins, farm.broker.waiting) == ({"a": new.password}, {})
    assert farm.certificates.issued == [("a", timedelta(0)), ("a", None)]


def test_without_grace_the_new_key_and_password_count_at_once_and_alone():
    farm = Farm()
    farm.add([device("a")])
    (new,) = farm.add([device("a")], rotate=True)
    assert list(farm.credentials.keys("a")) == [new.key_id] == ["k2"]
    assert (farm.broker.logins, farm.broker.waiting) == ({"a": new.password}, {})


def test_the_login_of_a_network_server_cannot_be_taken_by_a_device():
    farm = Farm()
    farm.broker.allow_bridge("chirp")
    with pytest.raises(MalformedInput, match="chirp: is the login of a service"):
        farm.add([device("chirp")])


def test_only_a_device_that_stands_is_given_another_key():
    farm = Farm()
    farm.add([device("a"), device("b")])
    farm.revoke("b")
    with pytest.raises(StateConflict, match="'b' is revoked: register it anew"):
        farm.rotate(["a", "b"], grace=DAY)
    with pytest.raises(UnknownRecord, match="'stranger'"):
        farm.rotate(["a", "stranger"], grace=DAY)
    with pytest.raises(StateConflict, match="'b' is revoked"):
        farm.rotate.finish(["b"])
    assert list(farm.credentials.keys("a")) == ["k1"], "all or none"
    farm.add([device("b")])
    assert list(farm.credentials.keys("b")) == ["k2"], "who registers it anew means it"


def test_no_secret_shows_when_a_key_is_printed():
    farm = Farm()
    (key,) = farm.add([device("a")], certified=True)
    assert key.certificate is not None
    for secret in (key.secret, key.password, key.certificate.key):
        assert secret not in repr(key)


@pytest.mark.parametrize("name", ["", "a/b", "a b", "+", "ingest", "gateway", "é", "x" * 65])
def test_what_cannot_be_a_topic_level_cannot_be_a_device(name: str):
    with pytest.raises(MalformedInput, match=r"cannot be a device id|needs an id|is the login of a service"):
        Farm().add([device(name)])


@pytest.mark.parametrize("written", ["A8404194A1875FF3", "a8-40-41-94-a1-87-5f-f3"])
def test_a_deveui_is_registered_as_messages_name_it(written: str):
    with pytest.raises(MalformedInput, match=f"{written}: looks like a DevEUI.*; register a8404194a1875ff3"):
        Farm().add([device(written)])
    assert len(Farm().add([device("a8404194a1875ff3"), device("A8404194")])) == 2, "no DevEUI may be in capitals"
    farm = Farm()
    farm.credentials.issue([written], at=NOON)
    assert farm.add([device(written)], rotate=True)[0].key_id == "k2", "one that is registered keeps its name"


def test_a_place_ends_where_the_next_one_begins():
    farm = Farm()
    farm.add([device("a")])
    farm.place([at("a", since=NOON - 9 * DAY)])
    farm.place([at("a", field="", store="s1", since=NOON - DAY)])
    first, second = sorted(farm.facts.find(Installation), key=lambda place: place.from_at)
    assert (first.field_id, first.to_at, second.store_id, second.to_at) == ("f1", NOON - DAY, "s1", None)


def test_the_same_row_again_is_a_correction():
    farm = Farm()
    farm.add([device("a")])
    farm.place([at("a", depth_cm=20.0)])
    farm.place([at("a", depth_cm=30.0)])
    (place,) = farm.facts.find(Installation)
    assert place.depth_cm == 30.0


@pytest.mark.parametrize(
    ("place", "error", "said"),
    [
        pytest.param(at("stranger"), UnknownRecord, "no device with id 'stranger'", id="an unknown device"),
        pytest.param(at("a", field="f9"), UnknownRecord, "no field with id 'f9'", id="an unknown field"),
        pytest.param(at("a", field=""), MalformedInput, "one field or one store", id="nowhere"),
        pytest.param(at("a", store="s1"), MalformedInput, "one field or one store", id="in two places"),
        pytest.param(at("a", depth_cm=-5.0), MalformedInput, "a: depth -5 cm is none", id="in the air"),
        pytest.param(at("a", channel="d 20!"), MalformedInput, "a: 'd 20!' cannot be the channel", id="no channel"),
        pytest.param(at("a", depth_cm=math.nan), MalformedInput, "a: depth nan cm is none", id="at no number"),
    ],
)
def test_a_place_that_cannot_be_is_refused_by_name(place: Installation, error: type[Exception], said: str):
    farm = Farm()
    farm.add([device("a")])
    with pytest.raises(error, match=said):
        farm.place([at("a"), place])
    assert farm.facts.find(Installation) == []


def test_a_revoked_device_has_neither_key_nor_login():
    farm = Farm()
    farm.add([device("a"), device("b")], certified=True)
    assert farm.revoke("a").revoked_at == NOON
    assert farm.certificates.issued == [("a", timedelta(0)), ("b", None)]
    assert (farm.credentials.known(["a"]), list(farm.broker.logins)) == ({"a": {}}, ["b"])
    with pytest.raises(UnknownRecord, match="no Device with id 'stranger'"):
        farm.revoke("stranger")


def test_the_list_says_where_a_device_stands_and_when_it_was_heard():
    farm = Farm()
    farm.add([device("a"), device("b")])
    farm.place([at("a", since=NOON - DAY)])
    farm.readings.save_states([DeviceState(device_id="a", online=True, received_at=NOON)])
    first, second = farm.list()
    assert (first.device.id, first.placed[0].field_id, first.last_seen, first.keys) == ("a", "f1", NOON, ("k1",))
    assert (second.placed, second.last_seen) == ((), None)


def test_a_device_that_contradicts_itself_is_doubted_in_the_list_for_a_month():
    farm = Farm()
    farm.add([device("a"), device("b")])

    def said(up_ms: int) -> Reading:
        return Reading(device_id="a", boot=1, seq=1, clock=Clock.NONE, up_ms=up_ms, observed_at=None, measurements=())

    farm.readings.add([(said(1), b"1"), (said(2), b"2")], [], received_at=NOON - DAY)
    first, second = farm.list()
    assert first.fork is not None
    assert (first.fork.count, first.fork.boots, second.fork) == (1, (1,), None)
    farm.readings.contradictions = dict.fromkeys(farm.readings.contradictions, NOON - 31 * DAY)
    assert farm.list()[0].fork is None


def test_a_device_of_which_something_was_refused_is_listed_with_it_for_a_month():
    farm = Farm()
    farm.add([device("a"), device("b")])
    for day, payload in ((40, b"["), (2, b"{"), (1, b"{{")):
        refused = Rejection(topic="t", payload=payload, reason="json", detail="", device_id="a")
        farm.readings.add([], [refused], received_at=NOON - day * DAY)
    first, second = farm.list()
    assert (first.refused, first.last_seen, second.refused) == (Refusals(count=2, last_at=NOON - DAY), None, None)


def read(tmp_path, text: str) -> ReadDeviceTables:
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    return ReadDeviceTables(
        tables=CsvTables(),
        catalogues=None,  # type: ignore[arg-type] # a device names no crop
        clock=FixedClock(),
        zone="Asia/Shanghai",
    )


def test_a_table_of_devices_is_read(tmp_path):
    tables = read(tmp_path, "device_id,model,synthetic\na,probe,yes\nb,,\n")
    assert tables.devices(tmp_path / "t.csv") == [
        Device(id="a", model="probe", synthetic=True, known_at=NOON),
        Device(id="b", known_at=NOON),
    ]


def test_a_device_that_was_placed_on_a_day_stands_there_since_it_began(tmp_path):
    tables = read(tmp_path, "device_id,field_id,from_at,depth_cm,soil_moisture_kind\na,f1,2026-04-01,20,volumetric\n")
    (place,) = tables.places(tmp_path / "t.csv")
    assert place.from_at.astimezone(UTC) == datetime(2026, 3, 31, 16, tzinfo=UTC)
    assert (place.channel, place.depth_cm, place.soil_moisture_kind) == ("*", 20.0, "volumetric")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("device_id,field_id\na,f1\n", "lacks column 'from_at'", id="a column missing"),
        pytest.param("device_id,from_at,deptth\na,2026-04-01,1\n", "unknown column 'deptth'", id="a slip of the pen"),
        pytest.param("device_id,from_at\na,yesterday\n", "row 2", id="no instant"),
        pytest.param("device_id,from_at,soil_moisture_kind\na,2026-04-01,wet\n", "'wet' is unknown", id="no kind"),
    ],
)
def test_a_table_of_places_that_cannot_be_read_is_refused_by_row_and_column(tmp_path, text: str, said: str):
    with pytest.raises(MalformedInput, match=said):
        read(tmp_path, text).places(tmp_path / "t.csv")
