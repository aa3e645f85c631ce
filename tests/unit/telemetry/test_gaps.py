"""What is missing, and whether it may still come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cropcredit.model import FIRST_SESSION, Boot, DeviceState
from cropcredit.telemetry import GapKind, find_gaps, silent_since

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def found(spans, boots=None, states=None) -> list[tuple[int, int, int, str]]:
    return [(gap.boot, gap.first, gap.last, gap.kind.value) for gap in find_gaps(spans, boots or {}, states or {})]


def says(boot: int, next_seq: int) -> dict[str, DeviceState]:
    return {"a": DeviceState(device_id="a", online=True, received_at=NOON, boot=boot, next_seq=next_seq)}


def test_nothing_is_missing_from_a_whole_boot():
    assert found({("a", 1): [(1, 9)]}) == []


def test_what_lies_between_may_still_come():
    assert found({("a", 1): [(2, 3), (7, 9)]}) == [(1, 1, 1, "open"), (1, 4, 6, "open")]


def test_what_the_device_no_longer_holds_is_lost():
    assert found({("a", 1): [(4, 5), (9, 9)]}, {("a", 1): Boot(low=7)}) == [
        (1, 1, 3, "lost"),
        (1, 6, 6, "lost"),
        (1, 7, 8, "open"),
    ]


def test_what_the_device_has_made_and_not_yet_sent_is_open():
    assert found({("a", 2): [(1, 3)]}, {("a", 2): Boot(low=4)}, says(2, 6)) == [(2, 4, 5, "open")]


def test_an_older_boot_is_not_closed_by_the_present_one():
    assert found({("a", 1): [(1, 3)], ("a", 2): [(1, 2)]}, states=says(2, 3)) == []


def test_a_boot_of_which_nothing_arrived_is_all_lost():
    assert found({}, {("a", 1): Boot(low=4)}) == [(1, 1, 3, "lost")]


def test_a_gap_knows_its_size():
    (gap,) = find_gaps({("a", 1): [(1, 1), (5, 5)]}, {}, {})
    assert (gap.size, gap.kind) == (3, GapKind.OPEN)


def test_silence_is_normal_for_three_intervals_and_never_shorter_than_two_heartbeats():
    assert silent_since(NOON, 60, NOON + timedelta(minutes=19)) is None
    assert silent_since(NOON, 60, NOON + timedelta(minutes=21)) == NOON
    assert silent_since(NOON, 86_400, NOON + 71 * HOUR) is None


def test_a_device_that_promised_nothing_is_not_called_silent():
    assert silent_since(NOON, None, NOON + 999 * HOUR) is None
    assert silent_since(None, 60, NOON) is None


def test_a_network_servers_session_begins_where_it_was_first_heard_and_resends_nothing():
    session = FIRST_SESSION + 0x260BE6BF
    assert found({("a", session): [(87, 90), (93, 93), (95, 99)]}) == [
        (session, 91, 92, "lost"),
        (session, 94, 94, "lost"),
    ]
    assert found({("a", session): [(87, 90)]}) == []
