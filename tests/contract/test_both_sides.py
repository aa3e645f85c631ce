"""What any device says, sound or broken, the server understands as it was meant."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cropcredit import wire
from cropcredit.adapters.catalogues import load_quantities
from cropcredit.errors import ContractError
from cropcredit.model import Reading, Rejection
from firmware_sim import faults
from firmware_sim.malformed import BROKEN, POISON, USUAL_BROKEN
from firmware_sim.message import Content, Key, number_text, up_message

QUANTITIES = load_quantities(Path(__file__).parents[2] / "data" / "catalogues" / "quantities.toml")
KEY = Key("k1", bytes(range(32)))
CHANNELS = st.from_regex(r"[A-Za-z0-9._-]{0,16}", fullmatch=True)
SEEDS = st.integers(0, 2**32)
FEW = settings(max_examples=15)
"""There are many kinds, and the bytes of each hardly differ."""


@st.composite
def measurements(draw):
    """Draw up to eight values in the catalogue's ranges, no (quantity, channel) twice."""
    names = draw(st.lists(st.tuples(st.sampled_from(sorted(QUANTITIES)), CHANNELS), max_size=8, unique=True))
    ranges = [QUANTITIES[name] for name, _ in names]
    return [(name, draw(st.floats(r.low, r.high)), channel) for (name, channel), r in zip(names, ranges, strict=True)]


COUNTERS = st.integers(1, 4294967295)
CLOCKS = st.one_of(
    st.tuples(st.just("none"), st.none()),
    st.tuples(st.sampled_from(["ntp", "rtc"]), st.integers(0, 253402300799999)),
)


def _content(clock, up, values):
    return Content(
        clk=clock[0], ts=clock[1], up=up, values=tuple((q, number_text(v), c) for q, v, c in values)
    ).encode()


def _received(payload: bytes) -> Reading | Rejection:
    return wire.receive(
        "sim-0001", "farm/v1/sim-0001/up", payload, keys={"k1": KEY.secret}, quantities=QUANTITIES, signed_only=True
    )


@given(COUNTERS, COUNTERS, CLOCKS, st.integers(0, 2**53 - 1), measurements(), st.booleans())
def test_the_server_reads_exactly_what_the_device_measured(boot, seq, clock, up, values, names_itself):
    payload = up_message(boot, seq, _content(clock, up, values), key=KEY, dev="sim-0001" if names_itself else "")
    reading = _received(payload)
    assert isinstance(reading, Reading)
    assert (reading.boot, reading.seq, reading.up_ms, reading.key_id) == (boot, seq, up, "k1")
    assert [(m.quantity, m.value, m.channel) for m in reading.measurements] == values
    assert (reading.observed_at is None) == (clock[0] == "none")


@pytest.mark.parametrize("kind", sorted(POISON))
@FEW
@given(seed=SEEDS, values=measurements())
def test_poison_is_refused_for_its_reason_and_settled(kind, seed, values):
    content = POISON[kind].make(_content(("ntp", 1), 5, values), random.Random(seed))
    refused = _received(up_message(3, 17, content, key=KEY))
    assert isinstance(refused, Rejection)
    assert (refused.reason, refused.boot, refused.seq) == (POISON[kind].reason, 3, 17)


@pytest.mark.parametrize("kind", sorted(kind for kind, one in BROKEN.items() if one.reason and one.level == "up"))
@FEW
@given(seed=SEEDS, values=measurements(), names_itself=st.booleans())
def test_a_broken_message_is_refused_for_its_reason_and_settles_nothing(kind, seed, values, names_itself):
    sound = up_message(3, 17, _content(("ntp", 1), 5, values), key=KEY, dev="sim-0001" if names_itself else "")
    refused = _received(BROKEN[kind].make(sound, random.Random(seed)))
    assert isinstance(refused, Rejection)
    assert (refused.reason, refused.boot, refused.seq) == (BROKEN[kind].reason, None, None)


@pytest.mark.parametrize("kind", sorted(kind for kind, one in BROKEN.items() if one.level != "up"))
def test_a_broken_pack_is_refused_for_its_reason(kind):
    for seed in range(20):
        with pytest.raises(ContractError) as refused:
            wire.read_senml(
                "sim-0001", BROKEN[kind].make(b"", random.Random(seed)), cbor=BROKEN[kind].level == "senml-cbor",
                decoder=None, quantities=QUANTITIES, received_at=datetime(2026, 5, 1, tzinfo=UTC),
            )  # fmt: skip
        assert refused.value.reason == BROKEN[kind].reason


def test_the_dice_draw_every_usual_kind_and_no_other():
    sound = up_message(3, 17, _content(("ntp", 1), 5, []), key=KEY)
    drawn = {faults.malformed(sound, random.Random(seed))[0] for seed in range(1000)}
    assert drawn == set(USUAL_BROKEN)
    assert {faults.poison(_content(("ntp", 1), 5, []), random.Random(seed))[0] for seed in range(500)} == set(POISON)


@given(measurements(), st.booleans())
def test_a_message_in_another_name_is_refused_and_settles_nothing(values, names_itself):
    sound = up_message(3, 17, _content(("ntp", 1), 5, values), key=KEY, dev="sim-0001" if names_itself else "")
    refused = _received(faults.wrong_name(sound, key=KEY))
    assert isinstance(refused, Rejection)
    assert (refused.reason, refused.boot, refused.seq) == ("spoof", None, None)
