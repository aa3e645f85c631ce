"""The formats of network servers and SenML against their golden messages (data/contracts/network-servers)."""

from __future__ import annotations

import json
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cropcredit import wire
from cropcredit.adapters.catalogues import load_decoders, load_quantities
from cropcredit.errors import ContractError
from cropcredit.model import Reading, Source

DATA = Path(__file__).parents[2] / "data"
CONTRACT = DATA / "contracts" / "network-servers"
QUANTITIES = load_quantities(DATA / "catalogues" / "quantities.toml")
DECODERS = load_decoders(DATA / "catalogues" / "decoders.toml", QUANTITIES)
SOURCES = {"things_stack": Source.THINGS_STACK, "chirpstack": Source.CHIRPSTACK}


def _golden(folder: str) -> list[Any]:
    files = sorted((CONTRACT / folder).glob("*.json"))
    assert files, f"no golden messages in {folder}"
    return [pytest.param(json.loads(file.read_text(encoding="utf-8")), id=file.stem) for file in files]


def _payload(case: dict[str, Any]) -> bytes:
    return bytes.fromhex(case["hex"]) if "hex" in case else case["bytes"].encode()


def _read(case: dict[str, Any]) -> list[tuple[Reading, bytes]]:
    topic, payload = wire.parse_topic(case["topic"]), _payload(case)
    decoder = DECODERS.get(wire.model_key(case["model"]))
    if topic.kind in SOURCES:
        uplink = wire.open_uplink(topic, payload)
        return [(wire.read_uplink(uplink, decoder=decoder, model=case["model"], quantities=QUANTITIES), payload)]
    received_at = datetime.fromisoformat(case.get("received_at", "2026-05-01T06:30:44Z"))
    return wire.read_senml(
        topic.device_id, payload, cbor=topic.kind == "senml-cbor", decoder=decoder, quantities=QUANTITIES,
        received_at=received_at,
    )  # fmt: skip


def _said(reading: Reading) -> dict[str, Any]:
    at = reading.observed_at
    return {
        "device": reading.device_id,
        "boot": reading.boot,
        "seq": reading.seq,
        "clk": reading.clock.value,
        "at": None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "bat": reading.battery_v,
        "sig": reading.signal_dbm,
        "m": [{"q": m.quantity, "v": m.value, "c": m.channel} for m in reading.measurements],
    }


@pytest.mark.parametrize("case", _golden("valid"))
def test_a_valid_message_gives_the_values_it_carries(case):
    readings = [reading for reading, _ in _read(case)]
    assert [_said(reading) for reading in readings] == case["expect"]
    assert {r.source for r in readings} == {SOURCES.get(wire.parse_topic(case["topic"]).kind, Source.SENML)}
    assert {reading.key_id for reading in readings} == {""}, "nobody signed it"


@pytest.mark.parametrize("case", _golden("valid"))
def test_a_message_that_comes_again_is_the_same_reading(case):
    assert _read(case) == _read(case)


@pytest.mark.parametrize("case", _golden("invalid"))
def test_an_invalid_message_is_refused_for_its_reason(case):
    with pytest.raises(ContractError) as refused:
        _read(case)
    assert refused.value.reason == case["reason"], refused.value.detail
    assert refused.value.detail


def test_a_long_pack_keeps_each_record_in_its_resolved_form():
    case = json.loads((CONTRACT / "valid" / "senml-pack.json").read_text(encoding="utf-8"))
    for reading, kept in _read(case):
        again = _read({**case, "bytes": kept.decode()})
        assert again == [(reading, kept)], "what is kept of a record says the same as the record in its pack"


def test_a_message_that_is_too_long_is_not_read():
    for topic in ("farm/v1/mast-3/senml", "farm/v1/mast-3/senml-cbor", "v3/a@b/devices/probe-7/up"):
        with pytest.raises(ContractError, match="at most 65536 are allowed"):
            _read({"topic": topic, "model": "", "bytes": " " * 65537})


LONGEST = 65536
BOMBS = {
    "nested": b"\x81" * LONGEST,
    "nested tags": b"\xc4" * LONGEST,
    "an array that promises 2^63": b"\x9b\x7f" + b"\xff" * 7,
    "text that promises 2^63": b"\x7b\x7f" + b"\xff" * 7,
    "a map that promises 2^63": b"\xbb\x7f" + b"\xff" * 7,
    "nothing but empty maps": b"\x9f" + b"\xa0" * (LONGEST - 2) + b"\xff",
    "nothing but numbers": b"\x9f" + b"\x00" * (LONGEST - 2) + b"\xff",
    "text in empty pieces": b"\x7f" + b"\x60" * (LONGEST - 2) + b"\xff",
    "a big number": b"\x81\xa1\x02\xc2\x59\xff\xf0" + b"\xff" * 0xFFF0,
    "2 to the power of 10^9": bytes.fromhex("81a102c5821a3b9aca0001"),
    "10 to the power of 10^9": bytes.fromhex("81a3006161016343656c02c4821a3b9aca0001"),
    "a pattern": b"\xd8\x23\x79\xff\x00" + b"(a+)+" * 13056,
    "references that double": b"\x9f" + b"\xd8\x1c\x82\xd8\x1d\x00\xd8\x1d\x00" * 6000 + b"\xff",
    "an unknown tag": b"\xdb" + b"\xff" * 8 + b"\x00",
    "too many records": b"\x99\x40\x00" + b"\xa1\x02\x01" * 0x4000,
}


@pytest.mark.parametrize("payload", [pytest.param(payload, id=name) for name, payload in BOMBS.items()])
def test_a_small_message_never_unfolds_into_much(payload):
    tracemalloc.start()
    with pytest.raises(ContractError) as refused:
        _read({"topic": "farm/v1/mast-3/senml-cbor", "model": "", "hex": payload.hex()})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refused.value.reason in {"cbor", "schema", "size"}
    assert peak < 8e6, f"{peak / 1e6:.1f} MB"
