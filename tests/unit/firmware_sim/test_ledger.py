"""The ledger: every message ever recorded, under its final number, and what became of it."""

from __future__ import annotations

import hashlib
import io

import pytest

from firmware_sim import ledger
from firmware_sim.errors import BadInput
from firmware_sim.identity import Identity
from firmware_sim.journal import Journal
from firmware_sim.message import Ack, Key, up_message

KEY = Key("k1", bytes(32))
DEVICES = {"a": Identity("a", KEY)}


def lines(path):
    return list(ledger.read(path, DEVICES))


def test_it_tells_the_state_of_each_message_and_the_hash_of_its_bytes(tmp_path):
    journal = Journal(tmp_path / "j", space=4, ledger=True)
    number = journal.power_on(["a"])["a"].number
    for seq in range(1, 6):
        journal.append(number, 1, seq, b',"m":[%d]' % seq, poison="range" if seq == 3 else "")
    journal.settle(number, Ack(1, 2, rejected=((3, "range"),)))
    journal.inject(number, "nan", "json", b"broken")
    journal.close()
    told = lines(tmp_path / "j")
    assert [(one.seq, one.kind, one.state, one.reason) for one in told] == [
        (1, "reading", "lost", ""),
        (2, "reading", "acked", ""),
        (3, "range", "rejected", "range"),
        (4, "reading", "held", ""),
        (5, "reading", "held", ""),
        (None, "nan", "sent", "json"),
    ]
    assert told[1].sha256 == hashlib.sha256(up_message(1, 2, b',"m":[2]', key=KEY)).hexdigest()
    assert told[5].sha256 == hashlib.sha256(b"broken").hexdigest()


def test_it_follows_a_device_that_is_renumbered_and_leaves_what_it_had_sent_before(tmp_path):
    journal = Journal(tmp_path / "j", ledger=True)
    number = journal.power_on(["a"])["a"].number
    journal.append(number, 1, 1, b',"m":[1]')
    journal.prove(number, shift=4)
    journal.settle(number, Ack(5, 1))
    journal.wipe(number)
    journal.append(number, 6, 1, b',"m":[2]')
    journal.prove(number, shift=2)
    journal.close()
    assert [(one.boot, one.seq, one.state) for one in lines(tmp_path / "j")] == [(5, 1, "acked"), (8, 1, "held")]


def test_without_being_asked_for_nothing_is_kept(tmp_path):
    journal = Journal(tmp_path / "j")
    journal.append(journal.power_on(["a"])["a"].number, 1, 1, b"")
    journal.close()
    assert lines(tmp_path / "j") == []


def test_a_file_that_is_no_journal_or_is_held_is_refused(tmp_path):
    with pytest.raises(BadInput, match="no ledger can be read"):
        lines(tmp_path / "absent")
    journal = Journal(tmp_path / "j", ledger=True)
    with pytest.raises(BadInput, match="no ledger can be read"):
        lines(tmp_path / "j")
    journal.close()


def test_a_device_without_a_key_is_named(tmp_path):
    journal = Journal(tmp_path / "j", ledger=True)
    journal.append(journal.power_on(["stranger"])["stranger"].number, 1, 1, b"")
    journal.close()
    with pytest.raises(BadInput, match="device stranger is not in the devices file"):
        lines(tmp_path / "j")


def test_it_is_written_as_a_table():
    out = io.StringIO()
    ledger.write(iter([ledger.Line("a", 1, 2, "reading", "acked", "", "ff")]), out)
    assert out.getvalue() == "device,boot,seq,kind,state,reason,sha256\na,1,2,reading,acked,,ff\n"
