"""The device side of telemetry v1 against the schemas and the golden messages."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from random import Random
from typing import Any

import jsonschema
import pytest

from firmware_sim.clock import DeviceClock
from firmware_sim.device import Device, Habits
from firmware_sim.identity import Identity
from firmware_sim.journal import Journal
from firmware_sim.message import WILL, Content, Key, number_text, read_ack, read_command, state_message, up_message

CONTRACT = Path(__file__).parents[2] / "data" / "contracts" / "telemetry-v1"


def _golden(pattern: str) -> list[Any]:
    files = sorted(CONTRACT.glob(pattern))
    assert files, f"no golden messages {pattern}"
    return [pytest.param(json.loads(file.read_text(encoding="utf-8")), id=file.stem) for file in files]


def _schema(level: str) -> jsonschema.Draft202012Validator:
    schema = json.loads((CONTRACT / f"{level}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


UP = _schema("up")


def _not_json(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _key(case: dict[str, Any]) -> Key | None:
    return Key(case["key"]["kid"], bytes.fromhex(case["key"]["secret"])) if "key" in case else None


@pytest.mark.parametrize("case", _golden("valid/*.json"))
def test_a_valid_message_satisfies_the_schema(case):
    UP.validate(json.loads(case["bytes"], parse_constant=_not_json))


@pytest.mark.parametrize("case", [case for case in _golden("valid/*.json") if case.values[0]["canonical"]])
def test_the_device_emits_the_golden_bytes(case):
    said, facts = case["expect"], json.loads(case["bytes"])
    content = Content(
        clk=said["clk"],
        ts=said.get("ts"),
        up=said["up"],
        values=tuple((m["q"], number_text(m["v"]), m["c"]) for m in said["m"]),
        bat=number_text(said["bat"]) if "bat" in said else "",
        sig=number_text(said["sig"]) if "sig" in said else "",
        open=said.get("open"),
    )
    payload = up_message(said["boot"], said["seq"], content.encode(), key=_key(case), dev=facts.get("dev", ""))
    assert payload.decode() == case["bytes"]


@pytest.mark.parametrize("case", _golden("invalid/*.json"))
def test_an_invalid_message_is_refused_by_the_schema_or_says_why_a_schema_cannot(case):
    payload = base64.b64decode(case["base64"]) if "base64" in case else case["bytes"].encode()
    if case["schema"] == "refuses":
        assert not UP.is_valid(json.loads(payload, parse_constant=_not_json))
    else:
        assert case["schema"].startswith("beyond: ")
        assert not _refused_by_schema(payload)


def _refused_by_schema(payload: bytes) -> bool:
    """Say whether a parser understands the bytes and the schema refuses them."""
    try:
        facts = json.loads(payload.decode("utf-8"), parse_constant=_not_json)
        json.dumps(facts, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        return False
    return not UP.is_valid(facts)


def test_every_reason_of_the_contract_that_a_message_alone_can_give_has_a_golden_message():
    given = {case.values[0]["reason"] for case in _golden("invalid/*.json")}
    needs_a_server = {"unknown", "revoked", "rate", "conflict"}
    table = (CONTRACT / "README.md").read_text(encoding="utf-8").partition("## 8. Refusals")[2].partition("## 9.")[0]
    listed = {line.split("`")[1] for line in table.splitlines() if line.startswith("| `")}
    assert given == listed - needs_a_server


@pytest.mark.parametrize("case", _golden("examples/*.json"))
def test_an_example_satisfies_its_schema(case):
    _schema(case["topic"].rpartition("/")[2]).validate(json.loads(case["bytes"], parse_constant=_not_json))


@pytest.mark.parametrize("case", _golden("examples/ack-*.json"))
def test_an_ack_leaves_the_device_exactly_what_is_not_settled(case):
    journal = Journal(":memory:")
    memory = journal.power_on(["sim-0001"])["sim-0001"]
    device = Device(Identity("sim-0001"), memory, journal, habits=Habits(), clock=DeviceClock(), rng=Random(0))
    for boot, seq in case["held"]:
        journal.append(memory.number, boot, seq, b"")
    device.settle(read_ack(case["bytes"].encode()))
    assert [[boot, seq] for boot, seq, _ in journal.after(memory.number, 0, 0, 100)] == case["left"]
    journal.close()


@pytest.mark.parametrize("case", _golden("examples/cmd*.json"))
def test_the_device_reads_a_command(case):
    facts, command = json.loads(case["bytes"]), read_command(case["bytes"].encode())
    assert (command.version, command.boot, command.interval) == (
        facts["version"], facts["boot"], facts.get("interval"),
    )  # fmt: skip


@pytest.mark.parametrize("name", ["state-birth", "state-unsigned"])
def test_the_device_emits_the_golden_state(name):
    case = json.loads((CONTRACT / "examples" / f"{name}.json").read_text(encoding="utf-8"))
    facts = json.loads(case["bytes"])
    written = state_message(
        boot=facts["boot"], up=facts["up"], low=facts["low"], following=facts["next"], firmware=facts["fw"],
        key=_key(case), interval=facts["interval"],
    )  # fmt: skip
    assert written.decode() == case["bytes"]


def test_the_last_will_is_the_golden_one():
    case = json.loads((CONTRACT / "examples" / "state-will.json").read_text(encoding="utf-8"))
    assert case["bytes"].encode() == WILL
