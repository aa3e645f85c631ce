"""When ingest acknowledges, and when it must not, against a broker that plays each case by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from queue import Queue
from threading import Event, Thread

import pytest

from cropcredit.adapters import mqtt
from cropcredit.adapters.mqtt import Subscriber
from cropcredit.errors import StoreUnavailable
from cropcredit.usecases.decoding import Message
from cropcredit.usecases.ingest import Ingested, Reply
from tests.integration.telemetry.line import until
from tests.integration.telemetry.scripted import ScriptedBroker

NOTHING = Ingested(readings=0, states=0, refused={}, replies=())


class Store:
    """Handles batches as the test says: each is reported, then waits for its outcome."""

    def __init__(self) -> None:
        self.batches: Queue[list[Message]] = Queue()
        self.outcomes: Queue[Ingested | Exception] = Queue()

    def __call__(self, messages: Sequence[Message]) -> Ingested:
        self.batches.put(list(messages))
        outcome = self.outcomes.get(timeout=60)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def taken(self) -> list[bytes]:
        """Wait for the next batch; gives its payloads."""
        return [message.payload for message in self.batches.get(timeout=60)]


@pytest.fixture
def broker() -> Iterator[ScriptedBroker]:
    broker = ScriptedBroker()
    yield broker
    broker.close()


class Session:
    """A subscriber at work in a thread."""

    def __init__(self, broker: ScriptedBroker) -> None:
        self.store, self.stop = Store(), Event()
        self.subscriber = Subscriber(
            host="127.0.0.1",
            port=broker.port,
            username="ingest",
            password="p",
            topics=("up", "state"),
            handle=self.store,
        )
        self.thread = Thread(target=self.subscriber.run, args=(self.stop,))
        self.thread.start()

    def end(self) -> None:
        self.stop.set()
        while self.thread.is_alive():
            self.store.outcomes.put(NOTHING)
            self.thread.join(timeout=0.05)


@pytest.fixture
def session(broker: ScriptedBroker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.setattr(mqtt, "RETRY_S", (0.01, 0.02))
    session = Session(broker)
    yield session
    session.end()


def test_nothing_is_acknowledged_before_the_commit_and_then_in_order_of_arrival(broker, session):
    peer = broker.accept().welcome()
    for mid in (7, 5, 9):
        peer.publish(mid, b"%d" % mid)
    taken = session.store.taken()
    while len(taken) < 3:
        session.store.outcomes.put(NOTHING)
        taken += session.store.taken()
    assert taken == [b"7", b"5", b"9"]
    session.store.outcomes.put(NOTHING)
    assert peer.pubacks(3) == [7, 5, 9]


def test_the_application_acknowledgement_goes_out_before_the_brokers(broker, session):
    peer = broker.accept().welcome()
    peer.publish(1, b"x")
    session.store.taken()
    reply = Reply("farm/v1/a/ack", b"{}")
    session.store.outcomes.put(Ingested(readings=1, states=0, refused={}, replies=(reply,)))
    assert [peer.next()[0] for _ in range(2)] == [0x30, 0x40]


def test_a_store_that_fails_is_asked_again_and_nothing_is_acknowledged_meanwhile(broker, session):
    peer = broker.accept().welcome()
    peer.publish(1, b"x")
    for outcome in (StoreUnavailable("disk full"), ZeroDivisionError("a defect")):
        assert session.store.taken() == [b"x"]
        assert session.subscriber.health.readings == 0
        session.store.outcomes.put(outcome)
    assert session.store.taken() == [b"x"]
    assert "defect" in session.subscriber.health.trouble
    session.store.outcomes.put(NOTHING)
    assert peer.pubacks(1) == [1]
    assert (session.subscriber.health.failed_commits, session.subscriber.health.trouble) == (2, "")


def test_an_acknowledgement_from_before_a_reconnect_never_acknowledges_a_new_message(broker, session):
    old = broker.accept().welcome()
    old.publish(1, b"old")
    assert session.store.taken() == [b"old"]
    old.close()
    session.store.outcomes.put(NOTHING)
    new = broker.accept().welcome()
    new.publish(1, b"new")
    assert session.store.taken() == [b"new"], "packet ids start again with a new session"
    session.store.outcomes.put(StoreUnavailable("not yet"))
    assert session.store.taken() == [b"new"]
    session.store.outcomes.put(NOTHING)
    assert new.pubacks(1) == [1]
    session.stop.set()
    assert new.rest() == [0xE0], "one acknowledgement, and no second for the old message"


def test_what_was_pending_when_the_connection_ended_is_left_to_be_delivered_again(broker, session):
    old = broker.accept().welcome()
    old.publish(1, b"x")
    assert session.store.taken() == [b"x"]
    old.close()
    session.store.outcomes.put(StoreUnavailable("disk full"))
    until(lambda: session.subscriber.health.pending == 0 and not session.subscriber.health.connected)
    new = broker.accept().welcome()
    new.publish(4, b"x")
    assert session.store.taken() == [b"x"]
    session.store.outcomes.put(NOTHING)
    assert new.pubacks(1) == [4]


def test_a_store_that_is_away_takes_in_only_so_much_and_then_works_it_off_in_order(broker, session, monkeypatch):
    monkeypatch.setattr(mqtt, "BATCH", 2)
    monkeypatch.setattr(mqtt, "MOST_PENDING", 4)
    peer = broker.accept().welcome()
    for mid in range(1, 8):
        peer.publish(mid, b"%d" % mid)
    taken = session.store.taken()
    for _ in range(3):
        session.store.outcomes.put(StoreUnavailable("disk full"))
        assert session.store.taken()[: len(taken)] == taken
    assert session.subscriber.health.received <= 4
    batches = [taken]
    session.store.outcomes.put(NOTHING)
    while sum(map(len, batches)) < 7:
        batches.append(session.store.taken())
        session.store.outcomes.put(NOTHING)
    assert [payload for batch in batches for payload in batch] == [b"%d" % mid for mid in range(1, 8)]
    assert max(map(len, batches)) <= 2
    assert peer.pubacks(7) == list(range(1, 8))


def test_a_packet_that_cannot_be_read_ends_the_connection_and_not_ingest(broker, session):
    old = broker.accept().welcome()
    old._sock.sendall(b"\x32\x04\x00\x09ab")
    assert old.rest() == []
    new = broker.accept().welcome()
    new.publish(4, b"x")
    assert session.store.taken() == [b"x"]
    session.store.outcomes.put(NOTHING)
    assert new.pubacks(1) == [4]


def test_a_topic_that_is_not_text_reaches_quarantine_like_any_other(broker, session):
    peer = broker.accept().welcome()
    peer.publish(1, b"x", topic=b"farm/\xff")
    (message,) = session.store.batches.get(timeout=60)
    assert message.topic == "farm/\\xff"
    session.store.outcomes.put(NOTHING)
    assert peer.pubacks(1) == [1]


def test_a_stop_commits_and_acknowledges_what_is_in_hand_and_says_goodbye(broker, session):
    peer = broker.accept().welcome()
    peer.publish(3, b"x")
    session.store.taken()
    session.stop.set()
    session.store.outcomes.put(NOTHING)
    assert peer.pubacks(1) == [3]
    assert peer.rest() == [0xE0]


def test_where_no_broker_answers_it_is_said_how_to_start_one(broker, session):
    broker.close()
    until(lambda: "start one: cropcredit broker" in session.subscriber.health.trouble)


def test_a_refused_login_is_said_and_tried_again(broker, session):
    broker.accept().refuse()
    until(lambda: "refused the login of 'ingest'" in session.subscriber.health.trouble)
    broker.accept().welcome()
    until(lambda: session.subscriber.health.connected)
    assert session.subscriber.health.trouble == ""
