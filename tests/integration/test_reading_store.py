"""One exam for every reading store: the fake, SQLite and PostgreSQL."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from cropcredit.adapters.database.lease import lease
from cropcredit.adapters.database.readings import DatabaseReadings
from cropcredit.errors import StateConflict, StoreUnavailable
from cropcredit.model import PASSED, Added, Boot, Clock, DeviceState, Measurement, Reading, Refusals, Rejection
from cropcredit.ports import ReadingStore
from tests.fakes import FakeReadings

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(params=["fake", "sqlite", "postgresql"])
def store(request, make_url, opened) -> ReadingStore:
    return FakeReadings() if request.param == "fake" else DatabaseReadings(opened(make_url(request.param)))


def said(seq: int, *, device: str = "a", boot: int = 1, value: float = 21.5, **more: Any) -> Reading:
    warm = Measurement(quantity="soil.temperature", value=value, channel="d30")
    told: dict[str, Any] = {
        "clock": Clock.NTP,
        "up_ms": 60_000 * seq,
        "observed_at": NOON + min(seq, 10_000) * HOUR,
        "measurements": (warm,),
    }
    return Reading(device_id=device, boot=boot, seq=seq, **(told | more))


def refused(seq: int | None, reason: str = "range", *, payload: bytes = b"{}", device: str = "a") -> Rejection:
    boot = None if seq is None else 1
    return Rejection(
        topic=f"farm/v1/{device}/up", payload=payload, reason=reason, detail="x", device_id=device, boot=boot, seq=seq
    )


def keep(store: ReadingStore, *readings: Reading, at: datetime = NOON, rejections: tuple[Rejection, ...] = ()) -> None:
    store.add([(reading, f"{reading.seq}".encode()) for reading in readings], rejections, received_at=at)


def stored(store: ReadingStore, *devices: str, **window) -> list[Reading]:
    return [reading for reading, _ in store.readings(devices or ("a",), **window)]


def test_a_stored_reading_comes_back_as_it_was(store):
    full = said(1, battery_v=3.6, signal_dbm=-71.0, case_open=False, key_id="k1")
    bare = said(2, clock=Clock.NONE, observed_at=None)
    keep(store, full, bare)
    assert list(store.readings(["a"])) == [(full, NOON), (bare, NOON)]


def test_a_heartbeat_without_measurements_is_a_reading(store):
    beat = Reading(device_id="a", boot=1, seq=1, clock=Clock.NONE, up_ms=0, observed_at=None, measurements=())
    keep(store, beat)
    assert stored(store) == [beat]
    assert (store.counts()["readings"], store.counts()["measurements"]) == (1, 0)


def test_a_redelivered_message_is_kept_once(store):
    keep(store, said(1))
    keep(store, said(1), said(2), said(2), at=NOON + HOUR)
    assert [reading.seq for reading in stored(store)] == [1, 2]
    assert store.counts() == {"readings": 2, "measurements": 2, "conflicts": 0, "quarantined": 0}


def test_the_same_content_under_another_key_is_no_conflict(store):
    keep(store, said(1, key_id="k1"))
    keep(store, said(1, key_id="k2"))
    assert store.counts()["conflicts"] == 0


def test_the_same_identity_with_other_content_never_overwrites(store):
    keep(store, said(1, value=20.0))
    keep(store, said(1, value=99.0))
    keep(store, said(1, value=99.0))
    assert [reading.measurements[0].value for reading in stored(store)] == [20.0]
    assert store.counts()["conflicts"] == 1
    (ack,) = store.settled([("a", 1)])
    assert (ack.upto, ack.rejected) == (1, ((1, "conflict"),))


def test_a_conflict_inside_one_batch_is_found_too(store):
    keep(store, said(1, value=20.0), said(1, value=99.0))
    assert [reading.measurements[0].value for reading in stored(store)] == [20.0]
    assert store.counts()["conflicts"] == 1


def test_the_ack_names_the_mark_the_ranges_beyond_and_the_refused(store):
    keep(store, *map(said, (1, 2, 5, 6, 9)), rejections=(refused(3),))
    (ack,) = store.settled([("a", 1)])
    assert (ack.upto, ack.ranges, ack.rejected) == (3, ((5, 6), (9, 9)), ((3, "range"),))


def test_a_late_reading_closes_the_hole(store):
    keep(store, *map(said, (1, 3, 4)))
    keep(store, said(2), at=NOON + HOUR)
    assert store.spans() == {("a", 1): [(1, 4)]}
    assert store.settled([("a", 1)])[0].upto == 4


def test_a_device_that_goes_on_closes_no_hole_it_left_between_two_batches(store):
    for seqs in ((1, 2), (3,), (5,), (6, 8)):
        keep(store, *map(said, seqs))
    assert store.spans() == {("a", 1): [(1, 3), (5, 6), (8, 8)]}
    keep(store, said(4))
    assert store.spans() == {("a", 1): [(1, 6), (8, 8)]}


def test_each_boot_has_its_own_account(store):
    keep(store, said(1, boot=1), said(1, boot=2), said(2, boot=2))
    assert [(ack.boot, ack.upto) for ack in store.settled([("a", 2), ("a", 1)])] == [(2, 2), (1, 1)]


def test_an_unheard_device_has_nothing_settled(store):
    (ack,) = store.settled([("nobody", 7)])
    assert (ack.device_id, ack.boot, ack.upto, ack.ranges, ack.rejected) == ("nobody", 7, 0, (), ())


def test_what_the_device_no_longer_holds_is_waited_for_by_nobody(store):
    keep(store, *map(said, (5, 6, 8)))
    store.save_states([DeviceState(device_id="a", online=True, received_at=NOON, boot=1, low=5)])
    (ack,) = store.settled([("a", 1)])
    assert (ack.upto, ack.ranges) == (6, ((8, 8),))
    store.save_states([DeviceState(device_id="a", online=True, received_at=NOON, boot=1, low=2)])
    assert store.settled([("a", 1)])[0].upto == 6, "the mark never falls"
    assert store.spans() == {("a", 1): [(5, 6), (8, 8)]}, "lost on the device is not stored"
    assert store.boots() == {("a", 1): Boot(low=5)}


def test_an_ack_names_at_most_64_ranges_and_the_64_latest_refusals(store):
    keep(store, *[said(seq) for seq in range(2, 302, 2)])
    rejections = [refused(seq, payload=str(seq).encode()) for seq in range(1001, 1101)]
    store.add([], rejections, received_at=NOON)
    store.add([], [rejections[0]], received_at=NOON + HOUR)
    (ack,) = store.settled([("a", 1)])
    assert ack.ranges == tuple((seq, seq) for seq in range(2, 130, 2))
    assert [seq for seq, _ in ack.rejected] == [1001, *range(1038, 1101)]


def test_a_refusal_that_settles_nothing_leaves_the_seq_open(store):
    keep(store, rejections=(refused(None, "mac"),))
    assert store.settled([("a", 1)])[0].upto == 0
    assert store.counts()["quarantined"] == 1


def test_quarantine_keeps_the_bytes_and_the_latest_first(store):
    keep(store, rejections=(refused(None, "json", payload=b"\xff\x00{"),))
    keep(store, rejections=(refused(2, "range", payload=b"{2}"),), at=NOON + HOUR)
    assert [(q.last_at, q.rejection.payload, q.rejection.reason) for q in store.quarantine()] == [
        (NOON + HOUR, b"{2}", "range"),
        (NOON, b"\xff\x00{", "json"),
    ]
    assert len(store.quarantine(limit=1)) == 1


def test_the_same_refused_message_again_is_one_entry(store):
    for hour in range(3):
        keep(store, rejections=(refused(None, "unknown"),), at=NOON + hour * HOUR)
    (entry,) = store.quarantine()
    assert (entry.first_at, entry.last_at, entry.times) == (NOON, NOON + 2 * HOUR, 3)


def test_quarantine_is_searched_by_device_reason_and_time(store):
    keep(store, rejections=(refused(1, "range"), refused(1, "range", device="b"), refused(None, "json")))
    keep(store, rejections=(refused(9, "range"),), at=NOON + HOUR)
    keep(store, rejections=(refused(9, "quantity"),), at=NOON + 2 * HOUR)
    numbers = [entry.number for entry in store.quarantine(after=0)]
    assert numbers == sorted(numbers)
    assert [e.rejection.reason for e in store.quarantine(device_id="a", after=0)] == ["range", "json", "quantity"]
    assert [e.last_at for e in store.quarantine(reason="range")] == [NOON + HOUR, NOON]
    assert [e.rejection.reason for e in store.quarantine(since=NOON + 2 * HOUR)] == ["quantity"]
    assert len(store.quarantine(after=numbers[1], limit=1)) == 1
    assert store.quarantined_by_reason() == {"json": 1, "quantity": 1, "range": 2}
    assert store.quarantined_by_reason(device_id="b") == {"range": 1}
    two_hours = Refusals(count=2, last_at=NOON + 2 * HOUR)
    assert store.refusals(since=NOON + HOUR) == {"a": two_hours}
    passed = next(entry.number for entry in store.quarantine(device_id="b"))
    store.replayed({passed: PASSED}, at=NOON + 3 * HOUR)
    assert store.refusals(since=NOON) == {"a": dataclasses.replace(two_hours, count=3)}, "what passed is none"
    keep(store, rejections=(refused(None, "topic", device=""),), at=NOON)
    assert list(store.refusals(since=NOON)) == ["a"], "what names no device is nobody's"


def test_what_passed_when_it_was_tried_again_is_no_longer_open_and_the_rest_has_its_new_reason(store):
    keep(store, rejections=(refused(1, "quantity"), refused(2, "quantity", payload=b"{2}")))
    first, second = store.quarantine(after=0)
    store.replayed({first.number: PASSED, second.number: "range"}, at=NOON + HOUR)
    first, second = store.quarantine(after=0)
    assert (first.replayed_at, first.outcome, second.outcome) == (NOON + HOUR, "passed", "range")
    assert [entry.number for entry in store.quarantine(open_only=True)] == [second.number]
    assert store.quarantined_by_reason() == {"range": 1}
    assert store.quarantine(reason="quantity") == []


def test_a_refused_message_keeps_whether_it_was_certain_who_sent_it(store):
    store.add([], [refused(1)], received_at=NOON, tied=True)
    store.add([], [refused(None, "json")], received_at=NOON)
    assert [entry.tied for entry in store.quarantine(after=0)] == [True, False]


def test_a_replayed_reading_is_dated_by_its_arrival_and_known_from_its_replay(store):
    bare = said(1, clock=Clock.NONE, observed_at=None)
    store.add([(bare, b"")], [], received_at=NOON, known_at=NOON + 9 * HOUR)
    assert list(store.readings(["a"], until=NOON + HOUR)) == [(bare, NOON)]
    assert stored(store, known_by=NOON + 8 * HOUR) == []
    assert stored(store, known_by=NOON + 9 * HOUR) == [bare]
    store.add([(said(2), b"")], [], received_at=NOON + HOUR)
    store.add([(said(2), b"")], [], received_at=NOON + HOUR, known_at=NOON + 9 * HOUR)
    assert stored(store, known_by=NOON + HOUR) == [said(2)], "what was known stays known"


def test_conflicts_say_what_was_said_against_what_stands(store):
    keep(store, said(1, value=20.0), said(1, device="b"))
    keep(store, said(1, value=99.0), at=NOON + HOUR)
    keep(store, said(1, device="b", value=1.0), at=NOON + 2 * HOUR)
    (conflict,) = store.conflicts(["a"])
    assert (conflict.said.measurements[0].value, conflict.received_at) == (99.0, NOON + HOUR)
    assert conflict.stands == said(1, value=20.0)
    assert [c.said.device_id for c in store.conflicts()] == ["a", "b"]
    assert [c.said.device_id for c in store.conflicts(since=NOON + 2 * HOUR)] == ["b"]
    assert [c.said.device_id for c in store.conflicts(known_by=NOON + HOUR)] == ["a"]


def test_text_that_no_database_likes_goes_to_quarantine_all_the_same(store):
    odd = Rejection(topic="farm\0x", payload=b"", reason="topic", detail="\0 \ud800", device_id="")
    keep(store, rejections=(odd,))
    assert store.counts()["quarantined"] == 1


def test_a_window_takes_the_readings_measured_in_it(store):
    keep(store, *map(said, (1, 2, 3)), at=NOON + 30 * HOUR)
    assert [r.seq for r in stored(store, since=NOON + 2 * HOUR, until=NOON + 3 * HOUR)] == [2]
    assert [r.seq for r in stored(store, since=NOON + 2 * HOUR)] == [2, 3]
    assert [r.seq for r in stored(store, until=NOON + 2 * HOUR)] == [1]


def test_what_has_no_clock_is_measured_when_its_boot_says_so_and_else_when_it_arrives(store):
    keep(store, said(4, clock=Clock.NONE, observed_at=None, up_ms=2 * 3_600_000), at=NOON + 30 * HOUR)
    assert [r.seq for r in stored(store, since=NOON + 30 * HOUR)] == [4]
    assert stored(store, since=NOON + 2 * HOUR, until=NOON + 3 * HOUR) == []
    store.save_states(
        [DeviceState(device_id="a", online=True, received_at=NOON + 31 * HOUR, boot=1, up_ms=31 * 3_600_000)]
    )
    assert [r.seq for r in stored(store, since=NOON + 2 * HOUR, until=NOON + 3 * HOUR)] == [4]
    assert stored(store, since=NOON + 30 * HOUR) == []


@pytest.mark.parametrize("claim", [datetime(1970, 1, 1, tzinfo=UTC), NOON + 400 * 24 * HOUR], ids=["reset", "ahead"])
def test_a_clock_that_cannot_be_right_does_not_hide_a_reading(store, claim):
    keep(store, said(1, clock=Clock.RTC, observed_at=claim))
    assert [r.seq for r in stored(store, since=NOON - HOUR, until=NOON + HOUR)] == [1]


def test_what_arrived_later_was_not_known_then(store):
    keep(store, said(1), at=NOON)
    keep(store, said(2), at=NOON + HOUR)
    assert [r.seq for r in stored(store, known_by=NOON)] == [1]


def test_readings_come_in_order_of_device_boot_and_seq(store):
    keep(store, said(2, device="b"), said(2), said(1, boot=2), said(1), said(1, device="b"))
    names = [(r.device_id, r.boot, r.seq) for r in stored(store, "b", "a")]
    assert names == [("a", 1, 1), ("a", 1, 2), ("a", 2, 1), ("b", 1, 1), ("b", 1, 2)]


def test_the_latest_state_of_each_device_counts(store):
    birth = DeviceState(
        device_id="a", online=True, received_at=NOON, boot=3, up_ms=5, low=1, next_seq=2, firmware="f", interval_s=60
    )
    gone = DeviceState(device_id="a", online=False, received_at=NOON + HOUR)
    other = DeviceState(device_id="b", online=True, received_at=NOON)
    store.save_states([birth, other])
    store.save_states([gone])
    assert store.states() == {"a": gone, "b": other}
    assert store.states(["b", "nobody"]) == {"b": other}


def test_the_highest_boot_is_remembered_from_readings_and_states(store):
    keep(store, said(1, boot=3), said(1, device="b", boot=9))
    store.save_states([DeviceState(device_id="a", online=True, received_at=NOON, boot=7, low=1)])
    store.save_states([DeviceState(device_id="a", online=True, received_at=NOON, boot=1, low=1)])
    assert store.highest_boots(["a", "b", "c"]) == {"a": 7, "b": 9}


def test_the_start_of_a_boot_is_dated_by_the_state_with_the_least_delay(store):
    for delay_s in (9, 2, 5):
        received_at = NOON + HOUR + timedelta(seconds=delay_s)
        store.save_states(
            [DeviceState(device_id="a", online=True, received_at=received_at, boot=1, low=1, up_ms=3_600_000)]
        )
    store.save_states([DeviceState(device_id="a", online=True, received_at=NOON, boot=1, low=1)])
    assert store.boots(["a"]) == {("a", 1): Boot(low=1, started_at=NOON + timedelta(seconds=2))}


def test_it_says_what_a_batch_brought(store):
    batch = [(said(1), b"1"), (said(2), b"2"), (said(2), b"2"), (said(1, device="b"), b"1")]
    first = store.add(batch, [], received_at=NOON)
    assert first == Added(stored={"a": 2, "b": 1}, repeated=1)
    second = store.add([(said(2), b"2"), (said(1, value=9.0), b"9"), (said(3), b"3")], [], received_at=NOON)
    assert second == Added(stored={"a": 1}, repeated=1, conflicts={"a": 1})
    assert store.add([], [refused(9)], received_at=NOON) == store.add([], [], received_at=NOON) == Added(stored={})


def test_the_last_reading_of_each_device_tells_when_it_was_heard(store):
    keep(store, said(1, boot=2), said(9, boot=1), at=NOON)
    keep(store, said(3, boot=1), at=NOON + HOUR)
    assert store.latest(["a", "nobody"]) == {"a": (said(1, boot=2), NOON)}


def test_the_last_reading_is_the_one_measured_last_whatever_number_its_boot_has(store):
    keep(store, said(1, boot=900), said(2, boot=30, observed_at=NOON + 5 * HOUR), at=NOON + 6 * HOUR)
    assert store.latest(["a"]) == {"a": (said(2, boot=30, observed_at=NOON + 5 * HOUR), NOON + 6 * HOUR)}


def test_counters_up_to_their_largest_value_are_kept(store):
    largest = 2**32 - 1
    keep(store, said(largest, boot=largest, observed_at=NOON, up_ms=2**53 - 1))
    assert store.spans() == {("a", largest): [(largest, largest)]}


def test_a_store_that_cannot_commit_says_so_and_keeps_nothing(engine: Engine):
    store = DatabaseReadings(engine)
    keep(store, said(1))
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE settled RENAME TO elsewhere"))
    with pytest.raises(StoreUnavailable):
        keep(store, said(2))
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO settled"))
    assert [reading.seq for reading in stored(store)] == [1]
    keep(store, said(2))
    assert store.spans() == {("a", 1): [(1, 2)]}


def test_a_second_ingest_of_the_same_name_is_refused(database_url: str, opened: Callable[[str], Engine]):
    first, second = opened(database_url), opened(database_url)
    with lease(first, "ingest"):
        with pytest.raises(StateConflict, match="already at work"), lease(second, "ingest"):
            pass
        with lease(second, "another"):
            pass
    with lease(second, "ingest"):
        pass
