"""The standards' own examples and 41 live messages of a Dragino LSE01 (public data, not ours)."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cropcredit import wire
from cropcredit.adapters.catalogues import load_decoders, load_quantities
from cropcredit.errors import ContractError
from cropcredit.wire.senml_pack import load_cbor, load_json, resolve

pytestmark = pytest.mark.real_data
CATALOGUES = Path(__file__).parents[3] / "data" / "catalogues"
QUANTITIES = load_quantities(CATALOGUES / "quantities.toml")
DECODERS = load_decoders(CATALOGUES / "decoders.toml", QUANTITIES)


@pytest.fixture(scope="module")
def telemetry(real_data: Path) -> Path:
    return real_data / "telemetry"


def _live(telemetry):
    return json.loads((telemetry / "tts-lse01-live" / "lse01_tts_v3_uplinks.json").read_text(encoding="utf-8"))


def _read(message):
    topic = wire.parse_topic(f"v3/app@ttn/devices/{message['end_device_ids']['device_id']}/up")
    uplink = wire.open_uplink(topic, json.dumps(message).encode())
    return wire.read_uplink(uplink, decoder=DECODERS["dragino-lse01"], model="Dragino LSE01", quantities=QUANTITIES)


def test_every_live_message_says_what_its_raw_frame_says(telemetry):
    """Decoded text, half of it with units, against the frame itself: 0.01 %, 0.01 degrees, 1 uS/cm, 1 mV."""
    live = _live(telemetry)
    assert len(live) == 41
    for message in live:
        raw = base64.b64decode(message["uplink_message"]["frm_payload"])
        battery, _, water, temperature, conductivity = (int.from_bytes(raw[i : i + 2], "big") for i in range(0, 10, 2))
        reading = _read(message)
        assert {m.quantity: m.value for m in reading.measurements} == {
            "soil.moisture": water / 100,
            "soil.temperature": temperature / 100,
            "soil.ec": conductivity / 1000,
        }
        assert reading.battery_v == battery / 1000
        assert reading.observed_at is not None
        assert abs((reading.observed_at - datetime.fromisoformat(message["received_at"])).total_seconds()) < 1


def test_live_messages_count_their_frames_in_one_session(telemetry):
    readings = [_read(message) for message in _live(telemetry)]
    assert {(r.device_id, r.boot) for r in readings} == {("a8404194a1875ff3", 2**32 + 0x260BE6BF)}
    assert [r.seq for r in readings] == [1, 2, *range(87, 126)]
    assert all(r.signal_dbm is not None and -95 < r.signal_dbm < -40 for r in readings)


def test_the_things_stacks_own_example_is_opened(telemetry):
    text = (telemetry / "standards" / "tts" / "data_format_2.jsonc").read_text(encoding="utf-8")
    text = re.sub(r'(\})(\s*)("received_at")', r"\1,\2\3", text)  # the page lacks a comma there
    uplink = wire.open_uplink(wire.parse_topic("v3/app1/devices/dev1/up"), text.encode())
    assert (uplink.device_id, uplink.seq, uplink.boot) == ("0004a30b001c0530", 2, 2**32 + 0x00BCB929)
    assert uplink.observed_at == datetime(2020, 2, 12, 15, 15, 45, 787000, UTC)
    assert (dict(uplink.decoded), uplink.signal_dbm) == ({"temperature": 1.0, "luminosity": 0.64}, -35.0)


@pytest.mark.parametrize("number", [1, 3, 4, 5])
def test_the_things_stacks_other_messages_are_no_uplinks(telemetry, number):
    payload = (telemetry / "standards" / "tts" / f"data_format_{number}.jsonc").read_bytes()
    with pytest.raises(ContractError) as refused:
        wire.open_uplink(wire.parse_topic("v3/app1/devices/dev1/up"), payload)
    assert refused.value.reason == "schema"


def test_chirpstacks_own_example_is_opened(telemetry):
    payload = (telemetry / "standards" / "chirpstack" / "event_up_uplink_event.json").read_bytes()
    topic = wire.parse_topic("application/17c82e96-be03-4f38-aef3-f83d48582d97/device/0101010101010101/event/up")
    uplink = wire.open_uplink(topic, payload)
    assert (uplink.device_id, uplink.seq, uplink.boot) == ("0101010101010101", 1, 2**32 + 0x00189440)
    assert (uplink.signal_dbm, uplink.framed, dict(uplink.decoded)) == (-36.0, True, {})
    assert uplink.observed_at == datetime(2022, 7, 18, 9, 34, 15, 775023, UTC)


def test_events_of_chirpstack_3_are_named_as_such(telemetry):
    envelopes = json.loads((telemetry / "network-server-envelopes.json").read_text(encoding="utf-8"))
    assert len(envelopes) == 18
    topic = wire.parse_topic("application/123/device/0202020202020202/event/up")
    for one in envelopes:
        with pytest.raises(ContractError, match="ChirpStack v3"):
            wire.open_uplink(topic, json.dumps(one["envelope"]).encode())


def test_vendors_values_in_an_event_of_version_4_are_read_by_their_profiles(telemetry):
    """What the vendor's decoder gives for the frames of its test, and the two it refuses: water below zero."""
    envelopes = json.loads((telemetry / "network-server-envelopes.json").read_text(encoding="utf-8"))
    topic = wire.parse_topic("application/123/device/0202020202020202/event/up")
    found = {}
    for one in envelopes:
        decoder = DECODERS.get(wire.model_key(f"{one['vendor']} {one['model']}"))
        if decoder is None:
            continue
        values = one["expected"]["telemetry"][0]["values"]
        event = {"time": "2026-05-01T06:30:00Z", "deviceInfo": {"devEui": "0202020202020202"}, "devAddr": "00189440"}
        uplink = wire.open_uplink(topic, json.dumps({**event, "fCnt": 10, "object": values}).encode())
        reading = wire.read_uplink(uplink, decoder=decoder, model=decoder.model, quantities=QUANTITIES)
        found[one["model"]] = {m.quantity: m.value for m in reading.measurements}
    assert found["DL-TBRG"] == {"weather.rain": 1653.8000000000002}
    assert found["DL-TRS12"] == pytest.approx({"soil.moisture": 0.68869, "soil.temperature": 31.7, "soil.ec": 0.0})
    assert found["DL-ATM41"]["air.pressure"] == 959.6
    assert found["DL-ATM41"]["weather.solarRadiation"] == 10.0
    assert set(found) == {"DL-TBRG", "DL-TRS11", "DL-TRS12", "DL-ATM41"}


@pytest.mark.parametrize("number", range(1, 13))
def test_the_examples_of_rfc_8428_resolve_as_it_says(telemetry, number):
    folder = telemetry / "standards" / "senml"
    expected = json.loads((folder / f"ex{number}.gen.resolved.json").read_bytes())
    numeric = [one for one in expected if "t" in one]
    now = 1.499109309e9 if number == 7 else 1.498780179e9  # when the examples were made
    for form in (f"ex{number}.json", f"ex{number}.gen.json"):
        found = resolve(load_json((folder / form).read_bytes()), now=now)
        said = [(r.name, r.unit, r.value) for r in found if not isinstance(r.value, bytes)]
        assert said == [(o["n"], o.get("u", ""), o.get("v", o.get("vs", o.get("vb")))) for o in numeric]
        times = [r.time for r in found if not isinstance(r.value, bytes)]
        assert times == pytest.approx([one["t"] for one in numeric], abs=1e-3)


def test_the_cbor_examples_of_rfc_8428_say_what_the_json_ones_say(telemetry):
    folder = telemetry / "standards" / "senml"
    for number in (3, 5):
        text = (folder / f"ex{number}.gen.cbor").read_bytes()
        assert resolve(load_cbor(text), now=0) == resolve(load_json((folder / f"ex{number}.json").read_bytes()), now=0)
    dump = (folder / "ex3.gen.cbor.hex").read_text().splitlines()
    payload = bytes.fromhex("".join(line.split("|")[0][5:] for line in dump if "|" in line))
    assert payload == (folder / "ex3.gen.cbor").read_bytes()
