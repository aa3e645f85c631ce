"""What the golden messages of SenML do not say: names of profiles with parts of their own, and identities."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cropcredit.adapters.catalogues import load_quantities
from cropcredit.errors import ContractError
from cropcredit.wire.decoders import DecodedField, Decoder
from cropcredit.wire.senml import read_senml

QUANTITIES = load_quantities(Path(__file__).parents[3] / "data" / "catalogues" / "quantities.toml")
NOON = datetime(2026, 5, 1, 12, 0, 10, tzinfo=UTC)
IPSO = Decoder(
    model="ipso",
    fields=(
        DecodedField(name="3303/0/5700", quantity="air.temperature", unit="Cel"),
        DecodedField(name="3303/1/5700", quantity="soil.temperature", unit="Cel", channel="d30"),
    ),
)


def read(*records: dict[str, Any], decoder: Decoder | None = None, at: datetime = NOON):
    payload = json.dumps(records).encode()
    read = read_senml("mast-3", payload, cbor=False, decoder=decoder, quantities=QUANTITIES, received_at=at)
    return [reading for reading, _ in read]


def test_names_of_a_profile_may_have_parts():
    """LwM2M names its resources object/instance/resource."""
    air, soil = read(
        {"bn": "urn:dev:imei:350077/", "bt": 1777617000, "n": "3303/0/5700", "v": 18.5},
        {"n": "3303/1/5700", "u": "K", "v": 283.15},
        decoder=IPSO,
    )
    assert [(m.quantity, m.value, m.channel) for r in (air, soil) for m in r.measurements] == [
        ("air.temperature", 18.5, ""),
        ("soil.temperature", 10.0, "d30"),
    ]


def test_a_name_that_only_ends_like_one_of_the_profile_is_another():
    with pytest.raises(ContractError, match="ends in no quantity"):
        read({"n": "13303/0/5700", "t": 1777617000, "v": 18.5}, decoder=IPSO)


def test_without_a_clock_the_same_value_is_one_reading_within_its_minute_and_another_after_it():
    [first] = read({"n": "a/air.temperature", "u": "Cel", "v": 18.5})
    [again] = read({"n": "a/air.temperature", "u": "Cel", "v": 18.5}, at=NOON + timedelta(seconds=40))
    [other] = read({"n": "a/air.temperature", "u": "Cel", "v": 18.6}, at=NOON + timedelta(seconds=40))
    [later] = read({"n": "a/air.temperature", "u": "Cel", "v": 18.5}, at=NOON + timedelta(seconds=60))
    assert first == again
    assert len({first.seq, other.seq, later.seq}) == 3


def test_a_clock_makes_equal_values_of_one_minute_two_readings():
    pair = read(*({"n": "a/air.temperature", "u": "Cel", "t": 1777617000 + s, "v": 18.5} for s in (0, 1)))
    assert len({reading.seq for reading in pair}) == 2


def test_the_channels_of_one_instant_are_readings_of_their_own():
    depths = [{"n": f"a/soil.moisture/d{cm}", "u": "%", "t": 1777617000, "v": 20} for cm in range(5, 205, 5)]
    assert len({reading.seq for reading in read(*depths)}) == len(depths)
