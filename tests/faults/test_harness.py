"""The matrix must be able to fail: each part sees the defect that it is there to see."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from threading import Thread

import pytest

from cropcredit.adapters.database import open_database
from firmware_sim.journal import Journal
from firmware_sim.message import Ack, Key, up_message
from tests.faults.oracle import Recorded, Store, balance, open_ledger, read_ledger
from tests.faults.packets import Splitter, acknowledged, publish, published
from tests.faults.proxy import Proxy
from tests.faults.witness import Look, Witness

KEY = Key("k1", bytes(32))
CONTENT = b',"ts":1,"clk":"ntp","up":2,"m":[]'


def payload(seq: int) -> bytes:
    return up_message(1, seq, CONTENT, key=KEY)


def recorded(seq: int, *, poison: bool = False, settled: bool = True) -> Recorded:
    return Recorded(payload(seq), poison, 1.0, 2.0 if settled else None)


def test_what_is_off_the_device_and_not_in_the_store_is_lost():
    ledger = {("a", 1, 1): recorded(1), ("a", 1, 2): recorded(2)}
    found = balance(ledger, Store(readings={("a", 1, 1): payload(1)}, rows=1))
    assert (found.lost, found.wrong) == (1, "lost 1")
    assert balance(ledger, Store(readings={("a", 1, n): payload(n) for n in (1, 2)}, rows=2)).wrong == ""


def test_what_the_device_still_holds_is_in_its_outbox_and_not_lost():
    found = balance({("a", 1, 1): recorded(1, settled=False)}, Store())
    assert (found.lost, found.outbox) == (0, 1)


@pytest.mark.parametrize(
    ("store", "wrong"),
    [
        pytest.param(Store(readings={("a", 1, 1): payload(1)}, rows=2), "doubled 1", id="stored twice"),
        pytest.param(Store(readings={("a", 1, 1): b"other"}, rows=1), "corrupted 1", id="other bytes"),
        pytest.param(
            Store(readings={("a", 1, 1): payload(1), ("a", 1, 9): payload(9)}, rows=2),
            "invented 1",
            id="never recorded",
        ),
        pytest.param(
            Store(readings={("a", 1, 1): payload(1)}, rows=1, quarantined={("t", b"x"): "json"}),
            "misjudged 1",
            id="refused, and not injected",
        ),
    ],
)
def test_the_balance_names_what_is_wrong_with_the_store(store: Store, wrong: str):
    assert balance({("a", 1, 1): recorded(1)}, store).wrong == wrong


def test_a_poison_must_be_in_quarantine():
    assert balance({("a", 1, 1): recorded(1, poison=True)}, Store()).wrong == "misjudged 1"
    assert balance({("a", 1, 1): recorded(1, poison=True)}, Store(quarantined={("t", payload(1)): "range"})).wrong == ""


def test_the_ledger_keeps_what_the_journal_forgets(tmp_path):
    path = tmp_path / "journal"
    open_ledger(path)
    journal = Journal(path)
    number = journal.power_on(["a"])["a"].number
    journal.append(number, 1, 1, CONTENT)
    journal.append(number, 1, 2, CONTENT)
    journal.prove(number, shift=4)
    journal.commit()
    journal.settle(number, Ack(5, 1))
    journal.close()
    ledger = read_ledger(path, {"a": KEY})
    assert sorted(ledger) == [("a", 5, 1), ("a", 5, 2)], "renumbered with its boot"
    assert ledger["a", 5, 1].settled_at is not None
    assert ledger["a", 5, 2].settled_at is None
    assert ledger["a", 5, 1].payload == up_message(5, 1, CONTENT, key=KEY)


def test_packets_come_out_whole_however_the_bytes_are_cut():
    stream = publish("farm/v1/a/up", bytes(300), mid=7, dup=True) + b"\x40\x02\x01\x02"
    for size in (1, 2, 5, len(stream)):
        splitter = Splitter()
        packets = [p for at in range(0, len(stream), size) for p in splitter.feed(stream[at : at + size])]
        assert len(packets) == 2
        message = published(packets[0])
        assert (message.topic, message.mid, message.dup, len(message.payload)) == ("farm/v1/a/up", 7, True, 300)
        assert acknowledged(packets[1]) == 258


def puback(mid: int) -> bytes:
    return b"\x40\x02" + mid.to_bytes(2, "big")


def test_a_puback_of_another_connection_or_out_of_order_is_a_breach():
    witness = Witness()
    for connection in (1, 2):
        messages = [publish("farm/v1/a/up", payload(mid), mid=mid) for mid in (1, 2)]
        witness(connection, to_broker=False, packets=messages)
    witness(2, to_broker=True, packets=[puback(1)])
    assert witness.breaches == []
    witness(1, to_broker=True, packets=[puback(2)])
    witness(2, to_broker=True, packets=[puback(7)])
    assert witness.breaches == ["PUBACK 2 out of order", "PUBACK 7 of no message on this connection"]
    assert witness.redelivered == 2


def test_an_acknowledgement_before_the_commit_is_a_breach(tmp_path):
    url = f"sqlite:///{tmp_path / 'store.db'}"
    open_database(url).dispose()
    witness = Witness()
    witness.look = Look(url)
    witness(1, to_broker=False, packets=[publish("farm/v1/a/up", payload(1), mid=1)])
    ack = publish("farm/v1/a/ack", b'{"v":1,"boot":1,"upto":1,"ranges":[],"rej":[]}', mid=1)
    witness(1, to_broker=True, packets=[ack, puback(1)])
    witness.look.close()
    assert len(witness.breaches) == 2
    assert all("before the commit" in breach for breach in witness.breaches)
    assert len(witness.unkept({})) == 1


@pytest.fixture
def echo() -> Iterator[int]:
    """Give the port of a server that sends back what it hears."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer:
                try:
                    while data := peer.recv(1000):
                        peer.sendall(data)
                except OSError:
                    continue

    thread = Thread(target=serve, daemon=True)
    thread.start()
    yield int(listener.getsockname()[1])
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


@pytest.fixture
def proxy(echo: int) -> Iterator[Proxy]:
    proxy = Proxy(echo)
    yield proxy
    proxy.close()


def test_the_proxy_passes_freezes_and_cuts(proxy: Proxy):
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as client:
        client.sendall(b"one")
        assert client.recv(10) == b"one"
        proxy.freeze()
        client.sendall(b"two")
        client.settimeout(0.1)
        with pytest.raises(TimeoutError, match="timed out"):
            client.recv(10)
        proxy.thaw()
        client.settimeout(10)
        assert client.recv(10) == b"two"
        assert proxy.reset() == 2
        with pytest.raises(ConnectionResetError, match="reset"):
            client.recv(10)


def test_the_proxy_starves_a_connection_until_it_is_told_to_stop(proxy: Proxy):
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as client:
        proxy.bytes_per_s = 0.5
        client.sendall(b"abc")
        got = client.recv(10)
        assert got == b"a"
        client.settimeout(0.1)
        with pytest.raises(TimeoutError, match="timed out"):
            client.recv(10)
        proxy.bytes_per_s = 0
        client.settimeout(10)
        while got != b"abc":
            got += client.recv(10)
