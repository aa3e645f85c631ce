"""Months of messages as columns say what each message says alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cropcredit.model import Boot, Clock, Measurement, Reading, Source, instant, microseconds
from cropcredit.telemetry import Heard, date_reading, heard
from cropcredit.telemetry.heard import DATINGS
from tests.fakes import columns_of

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
INSTALLED = NOON - timedelta(hours=5)
MINUTES = st.integers(-60, 60).map(lambda tens: NOON + tens * timedelta(minutes=10))
VALUES = st.lists(
    st.builds(
        Measurement,
        st.sampled_from(["air.temperature", "soil.moisture"]),
        st.floats(0, 90),
        st.sampled_from(["", "d30"]),
    ),
    max_size=4,
    unique_by=lambda one: (one.quantity, one.channel),
)
READINGS = st.builds(
    Reading,
    device_id=st.just("a"),
    boot=st.integers(0, 3),
    seq=st.integers(1, 10**6),
    clock=st.sampled_from(Clock),
    up_ms=st.integers(0, 10**7),
    observed_at=st.none() | st.just(INSTALLED) | MINUTES,
    measurements=VALUES.map(tuple),
    case_open=st.sampled_from([None, True, False]),
    key_id=st.sampled_from(["", "k1"]),
    source=st.sampled_from(Source),
)
ARRIVED = st.lists(st.tuples(READINGS, MINUTES), max_size=20)
BOOTS = st.dictionaries(st.integers(0, 3), st.builds(Boot, started_at=st.none() | MINUTES))


def rows_of(said: Heard) -> list[tuple[int, bool, bool, bool, datetime, str]]:
    messages = said.messages
    columns = (messages.seq, messages.signed, messages.contract, messages.case_open)
    return [
        (*row, instant(at), DATINGS[dating].value)
        for *row, at, dating in zip(*(c.tolist() for c in (*columns, said.at_us, said.dating)), strict=True)
    ]


def one_by_one(arrived: Sequence[tuple[Reading, datetime]], boots: dict[int, Boot]):
    named = {("a", boot): told for boot, told in boots.items()}
    dated = [date_reading(reading, at, named, not_before=INSTALLED) for reading, at in arrived]
    return sorted(dated, key=lambda one: one.at)


@settings(derandomize=True, max_examples=300)
@given(ARRIVED, BOOTS)
def test_columns_are_dated_as_each_reading_is(arrived, boots):
    said = heard(columns_of(arrived), boots, not_before=INSTALLED)
    assert rows_of(said) == [
        (r.seq, bool(r.key_id), r.source is Source.CONTRACT, r.case_open is True, one.at, one.dating.value)
        for one in one_by_one(arrived, boots)
        for r in [one.reading]
    ]


@settings(derandomize=True, max_examples=300)
@given(ARRIVED, BOOTS, MINUTES)
def test_courses_hold_what_was_measured_in_the_order_of_measurement(arrived, boots, since):
    said = heard(columns_of(arrived), boots, not_before=INSTALLED)
    told: dict[tuple[str, str], list[tuple[datetime, float]]] = {}
    for one in one_by_one(arrived, boots):
        for measured in one.reading.measurements if one.at >= since else ():
            told.setdefault((measured.quantity, measured.channel), []).append((one.at, measured.value))
    found = said.where(said.at_us >= microseconds(since)).courses()
    assert {
        name: [(instant(at), value) for at, value in zip(course.at_us.tolist(), course.values.tolist(), strict=True)]
        for name, course in found.items()
    } == told


def test_a_window_without_messages_has_no_course():
    said = heard(columns_of([]), {}, not_before=INSTALLED)
    assert (len(said), said.courses(), said.where(np.zeros(0, bool)).courses()) == (0, {}, {})
