"""What becomes of a batch, with the store in memory."""

from __future__ import annotations

import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cropcredit.errors import StoreUnavailable
from cropcredit.units import Quantity
from cropcredit.usecases.decoding import Message
from cropcredit.usecases.ingest import Ingested, IngestMessages
from tests.fakes import FakeCredentials, FakeReadings

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
SECRET = bytes(range(32))
MOISTURE = Quantity(name="soil.moisture", unit="%", low=0, high=100)


class FixedClock:
    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at


class Desk:
    """An ingest with one known device, ``a``, and one revoked, ``gone``."""

    def __init__(self, *, signed_only: bool = False) -> None:
        self.store, self.clock = FakeReadings(), FixedClock()
        credentials = FakeCredentials(a={"k1": SECRET}, b={"k1": SECRET}, gone={"k1": SECRET})
        credentials.revoke("gone", at=NOON)
        self.ingest = IngestMessages(
            store=self.store,
            credentials=credentials,
            clock=self.clock,
            quantities={MOISTURE.name: MOISTURE},
            signed_only=signed_only,
        )

    def __call__(self, *messages: Message) -> Ingested:
        return self.ingest(messages)

    def reasons(self) -> list[str]:
        return sorted(refused.rejection.reason for refused in self.store.quarantine())


def up(seq: int, *, device: str = "a", boot: int = 1, value: Any = 23.4, **more: Any) -> Message:
    said = {"v": 1, "boot": boot, "seq": seq, "clk": "none", "up": 1000 * seq} | more
    said["m"] = [{"q": "soil.moisture", "v": value, "c": "d30"}]
    return Message(f"farm/v1/{device}/up", json.dumps(said, separators=(",", ":")).encode())


def signed(message: Message, *, secret: bytes = SECRET) -> Message:
    head = message.payload[:-1] + b',"kid":"k1"'
    return Message(message.topic, head + b',"mac":"' + hmac.digest(secret, head, "sha256").hex().encode() + b'"}')


def state(*, device: str = "a", retained: bool = False, **more: Any) -> Message:
    said = {"v": 1, "online": True, "boot": 1, "up": 60_000, "low": 1, "next": 9, "fw": "f", "key": "", "interval": 900}
    return Message(f"farm/v1/{device}/state", json.dumps(said | more).encode(), retained)


def acks(done: Ingested) -> list[tuple[str, Any]]:
    return [(r.topic.split("/")[2], json.loads(r.payload)) for r in done.replies if r.topic.endswith("/ack")]


def test_each_boot_in_the_batch_is_acknowledged_once():
    desk = Desk()
    done = desk(up(1), up(2), up(1, boot=2), up(1, device="b"), up(2))
    assert done.readings == 5
    assert [(device, said["boot"], said["upto"]) for device, said in acks(done)] == [
        ("a", 1, 2),
        ("a", 2, 1),
        ("b", 1, 1),
    ]


def test_a_batch_says_what_was_new_and_how_far_the_clocks_are_off(caplog):
    desk = Desk()
    noon_ms = int(NOON.timestamp() * 1000)
    ahead, behind = up(2, clk="rtc", ts=noon_ms + 5000), up(1, clk="rtc", ts=noon_ms - 60_000)
    done = desk(up(1, device="b"), up(1, device="b"), up(1, device="b", value=9.0), ahead, behind)
    assert (done.stored, done.repeated, done.conflicts) == (3, 1, 1)
    assert "b contradicts what it said before (messages: 1)" in caplog.text
    assert done.skews_s == (5.0,), "of the newest reading, and of none where a device has no clock"


def test_a_redelivered_message_is_acknowledged_again():
    desk = Desk()
    first, again = desk(up(1)), desk(up(1))
    assert acks(first) == acks(again)
    assert desk.store.counts()["readings"] == 1


def test_nothing_is_answered_when_the_store_cannot_commit():
    desk = Desk()
    desk.store.failing = 1
    with pytest.raises(StoreUnavailable):
        desk(up(1))
    assert acks(desk(up(1)))[0][1]["upto"] == 1


def test_a_poison_reading_is_settled_and_named():
    desk = Desk()
    done = desk(up(1), up(2, value=900.0), up(3))
    assert acks(done) == [("a", {"v": 1, "boot": 1, "upto": 3, "ranges": [], "rej": [[2, "range"]]})]
    assert dict(done.refused) == {"range": 1}


def test_what_nobody_can_attribute_is_kept_and_answered_to_nobody():
    desk = Desk()
    done = desk(
        Message("farm/v1/a/up", b"{"), Message("farm/v1/a/down", b""), up(1, device="stranger"), up(1, device="gone")
    )
    assert done.replies == ()
    assert desk.reasons() == ["json", "revoked", "topic", "unknown"]


def test_one_bad_message_does_not_stop_the_others():
    desk = Desk()
    done = desk(up(1), Message("farm/v1/a/up", b"\xff\xfe"), up(2))
    assert (done.readings, desk.reasons()) == (2, ["utf8"])


def test_a_defect_of_ours_quarantines_the_message_and_goes_on(monkeypatch, caplog):
    desk = Desk()
    monkeypatch.setattr("cropcredit.wire.receive", lambda *_args, **_more: 1 / 0)
    done = desk(up(1))
    assert (done.readings, desk.reasons(), done.replies) == (0, ["internal"], ())
    assert "defect" in caplog.text


def test_in_another_devices_name_nothing_is_stored():
    desk = Desk()
    desk(up(1, dev="b"))
    assert desk.reasons() == ["spoof"]


def test_where_the_broker_does_not_tell_who_speaks_only_signed_messages_count():
    desk = Desk(signed_only=True)
    done = desk(up(1), signed(up(2)), signed(up(3), secret=bytes(32)), up(4, value=900.0), signed(up(5, value=900.0)))
    assert (done.readings, desk.reasons()) == (1, ["mac", "range", "unsigned", "unsigned"])
    ((_, said),) = acks(done)
    assert (said["ranges"], said["rej"]) == ([[2, 2], [5, 5]], [[5, "range"]])


def test_a_forged_state_cannot_make_a_device_forget():
    desk = Desk(signed_only=True)
    desk(state(low=100, next=100), signed(up(3)))
    ((_, said),) = acks(desk(signed(up(3))))
    assert said["upto"] == 0
    assert desk.store.states()["a"].interval_s == 900


def test_a_birth_is_answered_with_the_highest_boot_seen():
    desk = Desk()
    desk(up(1, boot=7))
    done = desk(state(boot=2))
    ((topic, said, retained),) = [(r.topic, json.loads(r.payload), r.retained) for r in done.replies]
    assert (topic, said, retained) == ("farm/v1/a/cmd", {"v": 1, "version": 0, "boot": 7}, True)


def test_a_last_will_keeps_what_the_device_said_of_itself():
    desk = Desk()
    desk(state())
    desk.clock.at += timedelta(hours=1)
    desk(Message("farm/v1/a/state", b'{"online":false}'))
    kept = desk.store.states()["a"]
    assert (kept.online, kept.interval_s, kept.received_at, kept.up_ms) == (False, 900, NOON + timedelta(hours=1), None)


def test_a_copy_that_the_broker_had_kept_is_no_sign_of_life():
    desk = Desk()
    desk(state())
    desk.clock.at += timedelta(hours=1)
    desk(state(retained=True))
    assert desk.store.states()["a"].received_at == NOON
    desk(state(retained=True, next=12))
    assert (desk.store.states()["a"].next_seq, desk.store.states()["a"].up_ms) == (12, None)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        pytest.param(b"{", "json", id="not json"),
        pytest.param(b"\xff", "utf8", id="not text"),
        pytest.param(b"[]", "schema", id="no object"),
        pytest.param(b'{"online":true}', "schema", id="too little"),
        pytest.param(b'{"online":false,"boot":null}', "schema", id="a null"),
        pytest.param(b'{"online":1}', "schema", id="a number for yes"),
        pytest.param(b'{"online":false,"x":1}', "schema", id="an unknown member"),
        pytest.param(b'{"online":false}' + b" " * 8192, "size", id="too long"),
        pytest.param(b'{"online":false,"key":"k1","mac":"' + b"0" * 64 + b'"}', "mac", id="a wrong signature"),
    ],
)
def test_a_bad_state_goes_to_quarantine(payload: bytes, reason: str):
    desk = Desk()
    done = desk(Message("farm/v1/a/state", payload))
    assert (done.states, desk.reasons()) == (0, [reason])


def test_a_batch_of_nothing_is_nothing():
    done = Desk()()
    assert (done.readings, done.states, done.replies) == (0, 0, ())
