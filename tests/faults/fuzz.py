"""Broken and odd messages without end: the contracts' golden messages with bytes changed, and made-up structures."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cbor2
from hypothesis import strategies as st

CONTRACTS = Path(__file__).parents[2] / "data" / "contracts"
NUMBERS = (
    b"0", b"-0", b"1", b"-1", b"1.0", b"1e0", b"1e400", b"-1e400", b"1e-400", b"9" * 400, b"4294967296", b"NaN",
    b"Infinity", b"9007199254740993", b"18446744073709551616", b"null", b"true", b'""', b"[]", b"{}", b"01",
)  # fmt: skip
PIECES = (
    b"\x00", b"\xff", b"\xc3\x28", b"\xed\xa0\x80", b"\xef\xbb\xbf", b'"', b"\\", b"\\u0000", b"\\ud800", b",", b":",
    b"{", b"}", b"[" * 200, b"]", b" " * 9000, b"\xbf", b"\x9f" * 300, b"\xdb" + b"\xff" * 8, b"\n",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """A message on its way to ingest."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Corpus:
    """The golden messages of every format, and what ingest must know to take the valid ones."""

    messages: tuple[Said, ...]
    keys: Mapping[str, bytes]
    """Secrets by key id; every device of the corpus holds them all."""
    models: Mapping[str, str]
    """Of the devices that need one, by id."""

    @property
    def topics(self) -> tuple[str, ...]:
        return tuple(sorted({said.topic for said in self.messages}))


def corpus() -> Corpus:
    """Read the golden messages of all contracts, valid and invalid."""
    cases = [json.loads(file.read_text("utf-8")) for file in sorted(CONTRACTS.glob("*/*valid/*.json"))]
    cases += [json.loads(file.read_text("utf-8")) for file in sorted(CONTRACTS.glob("*/examples/state*.json"))]
    keys = {case["key"]["kid"]: bytes.fromhex(case["key"]["secret"]) for case in cases if "key" in case}
    models = {_device(case): case["model"] for case in reversed(cases) if case.get("model")}
    return Corpus(tuple(Said(case["topic"], _bytes(case)) for case in cases), keys, models)


def _device(case: Mapping[str, Any]) -> str:
    """Name the device that a golden message is about, where it is in one of the other formats."""
    levels = str(case["topic"]).split("/")
    return levels[2] if levels[0] == "farm" else "70b3d57ed0001234"


def _bytes(case: Mapping[str, Any]) -> bytes:
    if "hex" in case:
        return bytes.fromhex(case["hex"])
    return base64.b64decode(case["base64"]) if "base64" in case else str(case["bytes"]).encode()


def mutations(corpus: Corpus, rng: random.Random) -> Iterator[Said]:
    """Give golden messages with one to four changes of their bytes, now and then on another topic."""
    while True:
        said = rng.choice(corpus.messages)
        payload = said.payload
        for _ in range(rng.randint(1, 4)):
            payload = _changed(payload, rng, corpus)
        topic = said.topic if rng.random() < 0.95 else rng.choice(corpus.topics)
        yield Said(_changed_topic(topic, rng) if rng.random() < 0.02 else topic, payload)


def _changed(payload: bytes, rng: random.Random, corpus: Corpus) -> bytes:
    at = rng.randint(0, len(payload))
    to = min(len(payload), at + int(rng.expovariate(1 / 8)) + 1)
    other = rng.choice(corpus.messages).payload
    changes = (
        payload[:at] + bytes((rng.randrange(256),)) + payload[at + 1 :],
        payload[:at] + bytes((payload[at] ^ 1 << rng.randrange(8),)) + payload[at + 1 :] if at < len(payload) else b"",
        payload[:at] + payload[to:],
        payload[:to] + payload[at:],
        payload[:at],
        payload[:at] + rng.choice(PIECES) + payload[at:],
        payload[:at] + other[rng.randint(0, len(other)) :],
        _renumbered(payload, rng),
        _renumbered(payload, rng),
    )
    return rng.choice(changes)


def _renumbered(payload: bytes, rng: random.Random) -> bytes:
    """Put another value behind one of the message's colons."""
    colons = [at for at, byte in enumerate(payload) if byte == ord(":")]
    if not colons:
        return payload + rng.choice(NUMBERS)
    start = rng.choice(colons) + 1
    end = start
    while end < len(payload) and payload[end] not in b",}]":
        end += 1
    value = rng.choice(NUMBERS) if rng.random() < 0.5 else b"%d" % rng.randint(1, 10**6)
    return payload[:start] + value + payload[end:]


def _changed_topic(topic: str, rng: random.Random) -> str:
    at = rng.randint(0, len(topic))
    return topic[:at] + rng.choice(("", "/", "x", "\u0000", "é", " ", "+")) + topic[at + 1 :]


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
_QUANTITIES = st.sampled_from(("soil.moisture", "air.temperature", "weather.rain", "store.weight", "soil.wetness"))
_MEASURED = st.fixed_dictionaries(
    {"q": _QUANTITIES | st.text(max_size=8), "v": st.floats(-50, 2000) | _ANY, "c": st.sampled_from(("", "d30")) | _ANY}
)
_UP = st.fixed_dictionaries(
    {
        "v": st.just(1) | _ANY,
        "boot": st.integers(1, 3) | _ANY,
        "seq": st.integers(1, 200) | _ANY,
        "clk": st.sampled_from(("ntp", "rtc", "none")) | _ANY,
        "up": st.integers(0, 2**40) | _ANY,
        "m": st.lists(_MEASURED, max_size=3) | _ANY,
    },
    optional={"ts": st.integers(0, 2**44) | _ANY, "bat": st.floats(0, 5) | _ANY, "x": _ANY, "dev": st.text(max_size=9)},
)
_RECORD = st.fixed_dictionaries(
    {"n": st.sampled_from(("soil.moisture", "soil.moisture/d30", "battery")) | st.text(max_size=9)},
    optional={
        "bn": st.just("urn:dev:mac:0024befffe804ff1/") | _ANY,
        "bt": st.floats(0, 2e9) | _ANY,
        "t": st.floats(-1e4, 2e9) | _ANY,
        "u": st.sampled_from(("%", "Cel", "V", "/")) | _ANY,
        "v": st.floats(-50, 200) | _ANY,
        "bver": st.sampled_from((5, 10)) | _ANY,
        "s": _ANY,
        "x_": _ANY,
    },
)
_UPLINK = st.fixed_dictionaries(
    {
        "end_device_ids": st.fixed_dictionaries({"dev_eui": st.just("70B3D57ED0001234") | _ANY}) | _ANY,
        "uplink_message": st.fixed_dictionaries(
            {}, optional={"f_cnt": st.integers(0, 9) | _ANY, "decoded_payload": _ANY, "normalized_payload": _ANY}
        ),
        "deviceInfo": st.fixed_dictionaries({"devEui": st.just("70b3d57ed0001234") | _ANY}) | _ANY,
        "time": st.just("2026-05-01T06:30:02Z") | _ANY,
        "fCnt": st.integers(0, 9) | _ANY,
        "object": _ANY,
    }
)


def structures(topics: tuple[str, ...]) -> st.SearchStrategy[Said]:
    """Make up messages: right members with odd values, on the topics given, as JSON or CBOR."""
    bodies = _UP | st.lists(_RECORD, max_size=4) | _UPLINK | _ANY
    return st.builds(Said, st.sampled_from(topics), st.builds(_written, bodies, st.booleans()))


def _written(body: object, as_cbor: bool) -> bytes:
    return cbor2.dumps(body) if as_cbor else json.dumps(body).encode("utf-8", "surrogatepass")
