from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cropcredit.errors import MalformedInput, StateConflict, UnknownRecord
from cropcredit.model import Device
from cropcredit.usecases.bridges import LetBridgeIn
from cropcredit.usecases.devices import AddDevices
from tests.fakes import FakeBroker, FakeCertificates, FakeCredentials, FakeFacts

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


class Noon:
    def now(self) -> datetime:
        return NOON


@pytest.fixture
def door() -> LetBridgeIn:
    return LetBridgeIn(access=FakeBroker(), credentials=FakeCredentials(a={"k1": bytes(32)}))


def test_a_network_server_gets_a_login_that_is_told_once(door):
    login = door("chirpstack")
    assert (login.name, door.access.bridges()) == ("chirpstack", ["chirpstack"])
    assert login.password not in repr(login)


def test_its_login_is_taken_away_by_name(door):
    door("chirpstack")
    door.end("chirpstack")
    assert door.access.bridges() == []
    with pytest.raises(UnknownRecord, match="no network server with id 'chirpstack'"):
        door.end("chirpstack")


@pytest.mark.parametrize("name", ["ingest", "a/b", "", "+", "x" * 65])
def test_a_name_that_cannot_be_a_user_is_refused(door, name):
    with pytest.raises(MalformedInput):
        door(name)


def test_a_network_server_and_a_device_cannot_share_a_name(door):
    with pytest.raises(StateConflict, match="'a' is a device"):
        door("a")
    door("chirpstack")
    add = AddDevices(
        facts=FakeFacts(),
        credentials=door.credentials,
        access=door.access,
        certificates=FakeCertificates(),
        clock=Noon(),
    )
    with pytest.raises(MalformedInput, match="login of a service"):
        add([Device(id="chirpstack", known_at=NOON)])
