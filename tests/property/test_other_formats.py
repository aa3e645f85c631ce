"""Laws of the other formats: SenML resolves as RFC 8428, section 4.6; hostile bytes are refused and cost little."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cropcredit import wire
from cropcredit.adapters.catalogues import load_quantities
from cropcredit.errors import ContractError
from cropcredit.units import MEASURED_IN, convert
from cropcredit.wire.senml_pack import LABELS, load_cbor, load_json, resolve

QUANTITIES = load_quantities(Path(__file__).parents[2] / "data" / "catalogues" / "quantities.toml")
NOON = datetime(2026, 5, 1, 12, 0, 30, tzinfo=UTC)
CBOR = {label: number for number, label in LABELS.items()}

NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9:./_-]{0,12}", fullmatch=True)
NUMBERS: Any = st.one_of(st.integers(-(10**6), 10**6), st.floats(-1e6, 1e6))
TIMES = st.one_of(st.integers(-(10**5), 10**5), st.integers(2**28, 2**31))
OWN: dict[str, Any] = {"v": NUMBERS, "s": NUMBERS, "t": TIMES, "u": st.sampled_from(["Cel", "/"])}
BASE: dict[str, Any] = {"bn": NAMES, "bt": TIMES, "bu": st.just("K"), "bv": NUMBERS, "bs": NUMBERS}


@st.composite
def packs(draw):
    """Draw packs of up to six records in which every record has a name, a value or a sum, and base values anywhere."""
    records = []
    for number in range(draw(st.integers(1, 6))):
        record = {"n": draw(NAMES)} | draw(st.sampled_from([{"v": 1}, {"s": 2}, {"vb": True}, {"vs": "ä"}]))
        for label, values in OWN.items():
            if label in record or (label in "tu" and draw(st.booleans())):
                record[label] = draw(values)
        for label, values in BASE.items():
            if draw(st.booleans()) and draw(st.booleans()):
                record[label] = draw(values)
        if number == 0 and draw(st.booleans()):
            record["bver"] = 10
        records.append(record)
    return records


@settings(max_examples=60)
@given(packs(), st.integers(2**28, 2**31))
def test_resolved_records_resolve_to_themselves(pack, now):
    resolved = resolve(pack, now=now)
    for record in resolved:
        [again] = resolve(load_json(record.encoded()), now=0)
        if record.time >= 2**28:
            assert (again.name, again.unit, again.time, again.value, again.sum) == (
                record.name, record.unit, record.time, record.value, record.sum,
            )  # fmt: skip
            assert again.ago is None, "a resolved record has no relative time"


@settings(max_examples=60)
@given(packs(), st.integers(2**28, 2**31))
def test_base_values_apply_to_their_record_and_all_after_it(pack, now):
    for last in range(1, len(pack) + 1):
        base = {label: value for record in pack[:last] for label, value in record.items() if label.startswith("b")}
        alone = pack[last - 1] | base
        assert resolve([alone], now=now) == [resolve(pack[:last], now=now)[-1]]


@settings(max_examples=60)
@given(packs(), st.integers(2**28, 2**31))
def test_cbor_and_json_of_a_pack_say_the_same(pack, now):
    in_cbor = cbor2.dumps([{CBOR[label]: value for label, value in record.items()} for record in pack])
    in_json = json.dumps(pack).encode()
    assert resolve(load_cbor(in_cbor), now=now) == resolve(load_json(in_json), now=now)


MEASURED = st.lists(
    st.tuples(st.sampled_from(sorted(QUANTITIES)), st.from_regex(r"[a-z][0-9]{1,2}", fullmatch=True), st.floats(0, 1)),
    min_size=1, max_size=8, unique_by=lambda one: one[:2],
)  # fmt: skip


@given(MEASURED, st.integers(2**28, 2**31), st.integers(0, 8), st.randoms(use_true_random=False))
def test_however_measurements_are_packed_each_is_one_reading(measured, at, cut, random):
    """One pack, two packs that overlap, another order, the other form: the same readings under the same identities."""
    records = [{"n": f"mast:{q}/{c}", "u": _senml_unit(q), "v": _within(q, share), "t": at} for q, c, share in measured]
    whole = _readings(records)
    parts = _readings(records[: cut + 1]) | _readings(records[min(cut, len(records) - 1) :])
    shuffled = list(records)
    random.shuffle(shuffled)
    assert len(whole) == len(records)
    assert whole == parts == _readings(shuffled) == _readings(records, cbor=True)


@settings(max_examples=50)
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused_by_name(payload):
    for topic in (
        "farm/v1/mast-3/senml", "farm/v1/mast-3/senml-cbor", "v3/a@b/devices/probe-7/up",
        "application/1/device/70b3d57ed0001234/event/up",
    ):  # fmt: skip
        _read_or_refuse(topic, payload)


JSONS = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=6), inner, max_size=4)),
    max_leaves=12,
)


@settings(max_examples=60)
@pytest.mark.parametrize("folder", ["valid", "invalid"])
@given(JSONS, st.data())
def test_a_golden_message_with_any_member_exchanged_is_read_or_refused_by_name(folder, value, data):
    goldens = sorted((Path(__file__).parents[2] / "data" / "contracts" / "network-servers" / folder).glob("*.json"))
    case = json.loads(data.draw(st.sampled_from(goldens)).read_text(encoding="utf-8"))
    try:
        said = json.loads(case.get("bytes", "{}"))
    except (ValueError, RecursionError):
        return
    place = said
    while isinstance(place, dict | list) and place:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[key], dict | list) or data.draw(st.booleans()):
            place[key] = value
            break
        place = place[key]
    _read_or_refuse(case["topic"].replace("/join", "/up"), json.dumps(said).encode())


@given(st.floats(-1e6, 1e6), st.sampled_from(sorted(MEASURED_IN)), st.sampled_from(sorted(MEASURED_IN)))
def test_a_value_converted_there_and_back_is_the_same(value, unit, other):
    if MEASURED_IN[unit][0] == MEASURED_IN[other][0]:
        assert convert(convert(value, unit, other), other, unit) == pytest.approx(value, rel=1e-12, abs=1e-9)


def _senml_unit(quantity: str) -> str:
    return {"[pH]": "pH", "[ppm]": "ppm", "L": "l"}.get(QUANTITIES[quantity].unit, QUANTITIES[quantity].unit)


def _within(quantity: str, share: float) -> float:
    q = QUANTITIES[quantity]
    return q.low + share * (q.high - q.low)


def _readings(records, *, cbor: bool = False):
    if cbor:
        payload = cbor2.dumps([{CBOR[label]: value for label, value in record.items()} for record in records])
    else:
        payload = json.dumps(records).encode()
    read = wire.read_senml("mast-3", payload, cbor=cbor, decoder=None, quantities=QUANTITIES, received_at=NOON)
    return {(reading.boot, reading.seq): reading for reading, _ in read}


def _read_or_refuse(name: str, payload: bytes) -> None:
    topic = wire.parse_topic(name)
    try:
        if topic.kind.startswith("senml"):
            cbor = topic.kind == "senml-cbor"
            wire.read_senml("d", payload, cbor=cbor, decoder=None, quantities=QUANTITIES, received_at=NOON)
        else:
            wire.read_uplink(wire.open_uplink(topic, payload), decoder=None, model="", quantities=QUANTITIES)
    except ContractError:
        return
