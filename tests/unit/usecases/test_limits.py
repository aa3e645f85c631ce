"""A sender that sends too much, as ingest sees it: the others never notice, and the disk hardly."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from cropcredit.errors import StoreUnavailable
from cropcredit.telemetry.rate import Allowance, RateLimiter
from cropcredit.usecases import limits
from cropcredit.usecases.decoding import Message
from cropcredit.usecases.limits import Shares
from tests.unit.usecases.test_ingest import Desk, acks, signed, state, up

SMALL = Allowance(window=4, backlog=6, volume=1000, per_s=1.0)


class Guarded(Desk):
    """A desk that keeps everybody to a small share."""

    def __init__(self, *, signed_only: bool = False, allowance: Allowance = SMALL) -> None:
        super().__init__(signed_only=signed_only)
        shares = Shares(RateLimiter(allowance), spans=self.store.spans)
        self.ingest = type(self.ingest)(
            store=self.store,
            credentials=self.ingest.credentials,
            clock=self.clock,
            quantities=self.ingest.quantities,
            signed_only=signed_only,
            shares=shares,
        )

    def stored(self) -> Counter[str]:
        return Counter(device for device, _, _ in self.store.rows)

    def refused(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for one in self.store.quarantine():
            found[one.rejection.reason] += one.times
        return found


def test_a_flood_gets_its_share_and_the_others_theirs():
    desk = Guarded()
    done = desk(*(up(seq) for seq in range(1, 31)), *(up(seq, device="b") for seq in range(1, 5)))
    assert desk.stored() == {"a": 10, "b": 4}
    assert dict(done.refused) == {"rate": 20} == dict(desk.refused())
    assert [said["upto"] for _, said in acks(done)] == [10, 4], "what is too much is not settled"
    desk(*(up(seq) for seq in range(11, 31)))
    assert desk.stored()["a"] == 14, "and from then on a window a batch"


def test_what_was_too_much_is_stored_when_it_comes_again_in_its_turn():
    desk = Guarded()
    desk(*(up(seq) for seq in range(1, 31)))
    for first in range(11, 31, 4):
        desk(*(up(seq) for seq in range(first, min(first + 4, 31))))
    assert desk.stored() == {"a": 30}


def test_repetitions_of_what_is_stored_are_answered_however_many_they_are():
    desk = Guarded()
    for first in range(1, 31, 4):
        desk(*(up(seq) for seq in range(first, min(first + 4, 31))))
    done = desk(*(up(seq) for _ in range(3) for seq in range(1, 31)))
    assert (desk.refused().total(), acks(done)[0][1]["upto"]) == (0, 30)


def test_a_batch_that_is_tried_again_fares_the_same():
    desk = Guarded()
    desk.store.failing = 3
    batch = [up(seq) for seq in range(1, 31)]
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            desk(*batch)
    desk(*batch)
    assert desk.stored() == {"a": 10}


def test_the_disk_keeps_the_first_of_an_hour_and_counts_the_others(monkeypatch):
    monkeypatch.setattr(limits, "KEPT_AN_HOUR", 5)
    desk = Guarded()
    desk(*(up(seq) for seq in range(1, 21)))
    desk(*(up(seq) for seq in range(21, 41)))
    kept = [one for one in desk.store.quarantine() if one.rejection.payload.startswith(b"{")]
    (counted,) = [one for one in desk.store.quarantine() if not one.rejection.payload.startswith(b"{")]
    assert (len(kept), counted.times) == (5, 40 - 10 - 4 - 5)
    assert counted.rejection.payload == b"not kept: messages of the hour 2026-05-01T12Z"
    assert "not kept: all but the first 5 of an hour" in counted.rejection.detail
    assert kept[0].rejection.topic == "farm/v1/a/up"
    assert "boot 1 seq" in kept[0].rejection.detail
    desk.clock.at += timedelta(hours=1)
    desk(*(up(seq) for seq in range(41, 61)))
    kept = [one for one in desk.store.quarantine() if one.rejection.payload.startswith(b"{")]
    assert len(kept) == 10, "another hour"


def test_nonsense_counts_like_anything_else_and_keeps_its_first_reason_in_words():
    desk = Guarded()
    done = desk(*(Message("farm/v1/a/up", b"{%d" % n) for n in range(30)))
    assert dict(done.refused) == {"json": 10, "rate": 20}
    assert any("json" in one.rejection.detail for one in desk.store.quarantine() if one.rejection.reason == "rate")


def test_states_count_too():
    desk = Guarded()
    done = desk(*(state(next=n) for n in range(1, 31)))
    assert (done.states, dict(done.refused)) == (10, {"rate": 20})


def test_contradictions_without_end_do_not_pass_for_repetitions(monkeypatch):
    monkeypatch.setattr(limits, "CONTRADICTIONS", 10)
    desk = Guarded()
    desk(up(1))
    for flood in range(5):
        desk(*(up(1, value=0.001 * (100 * flood + n)) for n in range(1, 21)))
    assert len(desk.store.contradictions) <= 20 + 10 + 4 * 4
    assert desk.refused()["rate"] > 0


def test_strangers_share_one_account_and_their_reason_stands(monkeypatch):
    monkeypatch.setattr(limits, "KEPT_AN_HOUR", 5)
    desk = Guarded()
    done = desk(*(up(1, device=f"stranger-{n}") for n in range(30)), up(1))
    assert dict(done.refused) == {"unknown": 30}
    with_bytes = [one for one in desk.store.quarantine() if one.rejection.payload.startswith(b"{")]
    assert len(with_bytes) == 10 + 5
    (counted,) = [one for one in desk.store.quarantine() if one.rejection.topic == limits.MANY]
    assert counted.times == 15
    assert desk.stored() == {"a": 1}


def test_where_the_broker_does_not_tell_who_speaks_a_forger_uses_up_nobodys_share():
    desk = Guarded(signed_only=True)
    forged = [signed(up(seq), secret=bytes(32)) for seq in range(1, 31)]
    said = [state(next=n) for n in range(1, 31)]
    done = desk(*forged, *said, *(signed(up(seq)) for seq in range(1, 11)))
    assert desk.stored() == {"a": 10}
    assert done.refused["rate"] > 0


def test_there_too_the_bytes_of_the_first_are_kept(monkeypatch):
    monkeypatch.setattr(limits, "KEPT_AN_HOUR", 5)
    desk = Guarded(signed_only=True)
    for _ in range(3):
        desk(*(signed(up(seq)) for seq in range(1, 41)))
    kept = [one for one in desk.store.quarantine() if one.rejection.payload.startswith(b"{")]
    assert len(kept) == 5
