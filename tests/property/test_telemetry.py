"""Laws of ranges, acknowledgements and the decoder."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from cropcredit import wire
from cropcredit.errors import ContractError
from cropcredit.model import Clock, Reading, Rejection
from cropcredit.telemetry.ranges import between, contiguous, holds, merged
from cropcredit.telemetry.summary import rise
from cropcredit.units import Quantity
from cropcredit.wire.strict_json import parse
from tests.fakes import FakeReadings

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
QUANTITIES = {"soil.moisture": Quantity(name="soil.moisture", unit="%", low=0, high=100)}
SEQS = st.lists(st.integers(1, 40), max_size=40)
BATCHES = st.lists(st.lists(st.integers(1, 20), max_size=8), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def as_ranges(seqs: list[int]) -> list[tuple[int, int]]:
    return merged((seq, seq) for seq in seqs)


@given(SEQS)
def test_ranges_hold_exactly_what_went_in(seqs: list[int]):
    ranges = as_ranges(seqs)
    assert {n for first, last in ranges for n in range(first, last + 1)} == set(seqs)
    assert all(holds(ranges, seq) for seq in seqs)
    assert all(left[1] + 1 < right[0] for left, right in pairwise(ranges)), "ascending, not touching"


@given(SEQS, SEQS)
def test_the_order_of_arrival_does_not_matter(first: list[int], second: list[int]):
    assert merged([*as_ranges(first), *as_ranges(second)]) == as_ranges(second + first)


@given(SEQS)
def test_what_is_held_and_what_lies_between_make_the_whole(seqs: list[int]):
    ranges = as_ranges(seqs)
    open_ = between(ranges, start=1, end=40)
    assert merged([*ranges, *open_]) == [(1, 40)]
    assert not any(holds(ranges, n) for first, last in open_ for n in range(first, last + 1))


@given(SEQS)
def test_everything_up_to_the_mark_is_held_and_the_next_is_not(seqs: list[int]):
    ranges = as_ranges(seqs)
    mark = contiguous(ranges)
    assert all(holds(ranges, n) for n in range(1, mark + 1))
    assert not holds(ranges, mark + 1)


@given(BATCHES)
def test_an_ack_never_takes_back_what_it_said(batches: list[list[int]]):
    """Deliveries in any order, with repetitions: settled is exactly what was committed, and only grows."""
    store = FakeReadings()
    sent: set[int] = set()
    before: set[int] = set()
    for batch in batches:
        readings = [
            Reading(device_id="a", boot=1, seq=n, clock=Clock.NONE, up_ms=n, observed_at=None, measurements=())
            for n in batch
        ]
        store.add([(reading, b"") for reading in readings], (), received_at=NOON)
        sent |= set(batch)
        (ack,) = store.settled([("a", 1)])
        settled = set(range(1, ack.upto + 1)) | {n for first, last in ack.ranges for n in range(first, last + 1)}
        assert settled == sent
        assert settled >= before
        before = settled


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_counter_never_loses(before: float, after: float):
    assert rise(before, after) >= 0


@given(JSON)
def test_the_slow_reader_reads_what_json_writes(value):
    assert parse(json.dumps(value)) == value


@given(st.text(alphabet='{}[]":,0123456789.eE+-truefalsn \\u\n', max_size=40))
def test_the_slow_reader_agrees_with_the_standard_one(text: str):
    """Both take it, or both refuse it; repeated members and half surrogates are ours alone to refuse."""
    try:
        expected = json.loads(text, parse_constant=_not_json)
    except (ValueError, RecursionError):
        expected = _REFUSED
    try:
        found = parse(text)
    except ContractError as error:
        found = _REFUSED if "twice" not in error.detail and "surrogate" not in error.detail else expected
    assert found == expected


@settings(max_examples=300)
@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode) | JSON.map(lambda v: json.dumps(v).encode()))
def test_any_bytes_become_a_reading_or_a_rejection_with_a_reason(payload: bytes):
    outcome = wire.receive("a", "farm/v1/a/up", payload, keys={}, quantities=QUANTITIES, signed_only=False)
    assert isinstance(outcome, Reading) or (isinstance(outcome, Rejection) and outcome.reason and outcome.detail)


GOOD = (
    b'{"v":1,"boot":3,"seq":17,"ts":1767225600000,"clk":"ntp","up":86400000,'
    b'"m":[{"q":"soil.moisture","v":23.4,"c":"d30"}]}'
)


@settings(max_examples=500)
@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_damaged_message_is_decoded_as_it_stands_or_refused(damage: list[tuple[int, int]]):
    payload = bytearray(GOOD)
    for at, byte in damage:
        payload[at] = byte
    outcome = wire.receive("a", "farm/v1/a/up", bytes(payload), keys={}, quantities=QUANTITIES, signed_only=False)
    if isinstance(outcome, Reading):
        said = json.loads(bytes(payload))
        assert (outcome.boot, outcome.seq, outcome.up_ms) == (said["boot"], said["seq"], said["up"])
        assert [m.value for m in outcome.measurements] == [m["v"] for m in said["m"]]
    elif outcome.seq is not None:
        assert json.loads(bytes(payload))["seq"] == outcome.seq


_REFUSED = object()


def _not_json(word: str) -> None:
    raise ValueError(word)
