"""The journal: what is committed survives, what is acknowledged goes, and the counts always add up."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.errors import BadInput
from firmware_sim.journal import Journal
from firmware_sim.message import Ack


def test_only_what_was_committed_survives(tmp_path):
    first = Journal(tmp_path / "j")
    number = first.power_on(["a"])["a"].number
    first.append(number, 1, 1, b"kept")
    first.commit()
    first.append(number, 1, 2, b"lost with the power")
    first._db.close()
    second = Journal(tmp_path / "j")
    assert second.after(number, 0, 0, 10) == [(1, 1, b"kept")]
    assert second.totals().recorded == 1
    second.close()


def test_a_second_simulator_cannot_take_the_same_journal(tmp_path):
    journal = Journal(tmp_path / "j")
    with pytest.raises(BadInput, match="another simulator holds it"):
        Journal(tmp_path / "j")
    journal.close()


def test_a_folder_that_is_not_there_is_refused_by_name(tmp_path):
    with pytest.raises(BadInput, match="no journal can be kept there"):
        Journal(tmp_path / "absent" / "j")


def test_the_device_knows_after_power_on_whether_it_ever_sent(tmp_path):
    journal = Journal(tmp_path / "j")
    memory = journal.power_on(["a"])["a"]
    assert (memory.boot, memory.proven) == (1, False)
    journal.prove(memory.number, shift=4)
    assert journal.urgent, "no message may leave before this is on the disk"
    memory = journal.power_on(["a"])["a"]
    assert (memory.boot, memory.proven) == (6, True)
    journal.close()


def test_a_source_goes_on_where_it_stopped(tmp_path):
    journal = Journal(tmp_path / "j")
    assert journal.taken("digest") == 0
    journal.take("digest", 17)
    journal.close()
    journal = Journal(tmp_path / "j")
    assert journal.taken("digest") == 17
    journal.close()


def test_refusals_are_counted_by_reason_and_by_whether_they_were_meant():
    journal = Journal(":memory:")
    number = journal.power_on(["a"])["a"].number
    for seq in (1, 2, 3):
        journal.append(number, 1, seq, b"", poison="range" if seq == 3 else "")
    journal.settle(number, Ack(1, 3, rejected=((1, "range"), (3, "clock"), (9, "schema"))))
    assert journal.refusals() == {("range", False): 1, ("clock", True): 1}
    assert journal.totals().acked == 1
    journal.close()


SEQ = st.integers(1, 30)
ACKS = st.builds(
    Ack,
    boot=st.integers(1, 2),
    upto=st.integers(0, 30),
    ranges=st.lists(st.tuples(SEQ, SEQ).map(lambda pair: (min(pair), max(pair))), max_size=3).map(tuple),
    rejected=st.lists(st.tuples(SEQ, st.just("range")), max_size=3).map(tuple),
)


@given(st.sets(st.tuples(st.integers(1, 2), SEQ)), st.lists(ACKS, max_size=4))
def test_recorded_is_acknowledged_plus_rejected_plus_outstanding_whatever_acks_say(held, acks):
    journal = Journal(":memory:")
    number = journal.power_on(["a"])["a"].number
    for boot, seq in held:
        journal.append(number, boot, seq, b"")
    for ack in acks:
        journal.settle(number, ack)
    left = {(boot, seq) for boot, seq, _ in journal.after(number, 0, 0, 100)}
    assert left == {key for key in held if not any(ack.settles(*key) for ack in acks)}
    totals = journal.totals()
    assert totals.recorded == totals.acked + totals.rejected + totals.outstanding == len(held)
    assert totals.outstanding == len(left)
    journal.close()


def test_the_ring_is_each_devices_own():
    journal = Journal(":memory:", space=2)
    a, b = (journal.power_on([name])[name].number for name in "ab")
    for seq in (1, 2, 3):
        gone = journal.append(a, 1, seq, b"")
    journal.append(b, 1, 1, b"")
    assert gone == (1, 1)
    assert journal.after(a, 0, 0, 9) == [(1, 2, b""), (1, 3, b"")]
    assert journal.after(b, 0, 0, 9) == [(1, 1, b"")]
    assert journal.lost == 1
    journal.close()


def test_a_ring_that_was_emptied_has_room_again():
    journal = Journal(":memory:", space=2)
    number = journal.power_on(["a"])["a"].number
    for seq in (1, 2):
        journal.append(number, 1, seq, b"")
    journal.settle(number, Ack(1, 2))
    assert [journal.append(number, 1, seq, b"") for seq in (3, 4)] == [None, None]
    journal.close()


def test_a_journal_of_an_earlier_version_is_taken_over_with_all_it_holds(tmp_path):
    old = sqlite3.connect(tmp_path / "j")
    old.executescript(
        "CREATE TABLE device (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, boot INTEGER NOT NULL DEFAULT 0,"
        " proven INTEGER NOT NULL DEFAULT 0, recorded INTEGER NOT NULL DEFAULT 0, acked INTEGER NOT NULL DEFAULT 0,"
        " rejected INTEGER NOT NULL DEFAULT 0);"
        "CREATE TABLE message (device INTEGER NOT NULL, boot INTEGER NOT NULL, seq INTEGER NOT NULL,"
        " content BLOB NOT NULL, poison INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (device, boot, seq)) WITHOUT ROWID;"
        "INSERT INTO device VALUES (1, 'a', 4, 1, 9, 8, 0); INSERT INTO message VALUES (1, 4, 7, x'61', 0);"
    )
    old.close()
    journal = Journal(tmp_path / "j")
    memory = journal.power_on(["a"])["a"]
    assert (memory.boot, memory.proven) == (5, True)
    assert journal.after(memory.number, 0, 0, 9) == [(4, 7, b"a")]
    totals = journal.totals()
    assert (totals.recorded, totals.acked, totals.lost, totals.outstanding) == (9, 8, 0, 1)
    journal.close()


def test_a_message_is_sound_when_it_was_measured_and_is_still_held():
    journal = Journal(":memory:")
    number = journal.power_on(["a"])["a"].number
    journal.append(number, 1, 1, b"")
    journal.append(number, 1, 2, b"", poison="range")
    assert [journal.is_sound(number, 1, seq) for seq in (1, 2, 3)] == [True, False, False]
    journal.close()
