"""The server side of telemetry v1 against the golden messages."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from cropcredit import wire
from cropcredit.adapters.catalogues import load_quantities
from cropcredit.errors import ContractError
from cropcredit.model import Ack, Reading, Rejection

CONTRACT = Path(__file__).parents[2] / "data" / "contracts" / "telemetry-v1"
QUANTITIES = load_quantities(CONTRACT.parents[1] / "catalogues" / "quantities.toml")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def _golden(folder: str) -> list[Any]:
    files = sorted((CONTRACT / folder).glob("*.json"))
    assert files, f"no golden messages in {folder}"
    return [pytest.param(json.loads(file.read_text(encoding="utf-8")), id=file.stem) for file in files]


def _payload(case: dict[str, Any]) -> bytes:
    return base64.b64decode(case["base64"]) if "base64" in case else case["bytes"].encode()


def _keys(case: dict[str, Any]) -> dict[str, bytes]:
    return {case["key"]["kid"]: bytes.fromhex(case["key"]["secret"])} if "key" in case else {}


def _received(case: dict[str, Any], *, signed_only: bool) -> Reading | Rejection:
    topic = case["topic"]
    try:
        device_id = wire.parse_topic(topic).device_id
    except ContractError as error:
        return wire.refuse("", topic, _payload(case), error, keys={}, signed_only=signed_only)
    return wire.receive(
        device_id, topic, _payload(case), keys=_keys(case), quantities=QUANTITIES, signed_only=signed_only
    )


@pytest.mark.parametrize("case", _golden("valid"))
def test_a_valid_message_gives_the_values_it_carries(case):
    reading = _received(case, signed_only=False)
    assert isinstance(reading, Reading)
    expect = case["expect"]
    assert (reading.device_id, reading.boot, reading.seq) == (expect["device"], expect["boot"], expect["seq"])
    assert (reading.clock.value, reading.up_ms) == (expect["clk"], expect["up"])
    milliseconds = None if reading.observed_at is None else _milliseconds(reading.observed_at)
    assert milliseconds == expect.get("ts")
    assert [{"q": m.quantity, "v": m.value, "c": m.channel} for m in reading.measurements] == expect["m"]
    said = (reading.battery_v, reading.signal_dbm, reading.case_open, reading.key_id)
    assert said == (expect.get("bat"), expect.get("sig"), expect.get("open"), expect.get("kid", ""))


@pytest.mark.parametrize("case", _golden("invalid"))
def test_an_invalid_message_is_refused_for_its_reason(case):
    rejection = _received(case, signed_only=case["reason"] == "unsigned")
    assert isinstance(rejection, Rejection)
    assert rejection.reason == case["reason"], rejection.detail
    assert rejection.detail
    assert rejection.payload == _payload(case)
    settles = (case["boot"], case["seq"]) if case["settles"] else (None, None)
    assert (rejection.boot, rejection.seq) == settles


@pytest.mark.parametrize("case", _golden("invalid"))
def test_a_forger_cannot_make_a_device_forget_a_reading(case):
    """Where the broker does not tell who speaks, an unsigned refusal settles nothing."""
    rejection = _received({**case, "key": {"kid": "none", "secret": "00"}}, signed_only=True)
    assert isinstance(rejection, Rejection)
    assert (rejection.boot, rejection.seq) == (None, None)


@pytest.mark.parametrize("case", [c for c in _golden("examples") if c.values[0]["topic"].endswith("/state")])
def test_the_states_of_the_contract_are_understood(case):
    said = json.loads(case["bytes"])
    state = wire.decode_state(
        "sim-0001", case["bytes"].encode(), keys=_keys(case), received_at=NOON, retained=False, signed_only=False
    )
    assert (state.online, state.boot, state.up_ms) == (said["online"], said.get("boot"), said.get("up"))
    assert (state.low, state.next_seq, state.interval_s) == (said.get("low"), said.get("next"), said.get("interval"))


@pytest.mark.parametrize("case", [c for c in _golden("examples") if c.values[0]["topic"].endswith("/ack")])
def test_our_acks_are_the_bytes_of_the_contract(case):
    said = json.loads(case["bytes"])
    ack = Ack(
        device_id="sim-0001",
        boot=said["boot"],
        upto=said["upto"],
        ranges=tuple(map(tuple, said["ranges"])),
        rejected=tuple(map(tuple, said["rej"])),
    )
    assert wire.encode_ack(ack) == case["bytes"].encode()
    jsonschema.validate(json.loads(wire.encode_ack(ack)), json.loads((CONTRACT / "ack.schema.json").read_text()))


@pytest.mark.parametrize("case", [c for c in _golden("examples") if c.values[0]["topic"].endswith("/cmd")])
def test_our_cmds_are_the_bytes_of_the_contract(case):
    said = json.loads(case["bytes"])
    encoded = wire.encode_cmd(boot=said["boot"], version=said["version"], interval_s=said.get("interval"))
    assert encoded == case["bytes"].encode()


def _milliseconds(at: datetime) -> int:
    return round((at - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)
