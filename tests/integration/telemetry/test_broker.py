"""The broker of this machine: who may log in, who may say what, and that it comes back."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event, Thread

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from cropcredit.adapters.broker import Broker, Kind, tells_who_speaks
from cropcredit.adapters.broker_access import FileBrokerAccess, service_password
from cropcredit.errors import DegradedWork, MalformedInput, RefusedInput, StoreUnavailable
from tests.integration.conftest import free_port
from tests.integration.telemetry.line import until


class Client:
    """A plain paho client; ``heard`` is what it was sent, ``refused`` why it may not come in."""

    def __init__(
        self, broker: Broker, username: str, password: str, *, topics: tuple[str, ...] = (), client_id: str = ""
    ) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.refused, self.gone = "", 0
        self.ready, self._topics = Event(), topics
        name = client_id or f"test-{username}"
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=name, clean_session=False)
        self._client.username_pw_set(username, password)
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_subscribe = lambda *_: self.ready.set()
        self._client.on_message = lambda _client, _data, m: self.heard.append((m.topic, bytes(m.payload)))
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()

    def _connected(self, client, _data, _flags, reason, _properties) -> None:
        if reason.is_failure:
            self.refused = str(reason)
        elif self._topics:
            client.subscribe([(topic, 1) for topic in self._topics])
        else:
            self.ready.set()

    def _disconnected(self, _client, _data, _flags, _reason, _properties) -> None:
        if self.ready.is_set() and not self.refused:
            self.gone += 1

    def say(self, topic: str, payload: bytes = b"x") -> None:
        self._client.publish(topic, payload, qos=1).wait_for_publish(5)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def come() -> Iterator[Callable[..., Client]]:
    clients: list[Client] = []

    def make(*arguments, **more) -> Client:
        clients.append(Client(*arguments, **more))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def make_broker(tmp_path: Path) -> Iterator[Callable[..., Broker]]:
    brokers: list[Broker] = []

    def make(kind: Kind, **more) -> Broker:
        brokers.append(Broker(tmp_path / "broker", port=free_port(), kind=kind, **more))
        return brokers[-1]

    yield make
    for broker in brokers:
        broker.stop()


@pytest.fixture
def mosquitto(make_broker, debian_tool) -> Broker:
    debian_tool("mosquitto")
    broker: Broker = make_broker("mosquitto")
    FileBrokerAccess(broker.directory).allow({"a": "pw-a", "b": "pw-b"})
    return broker.start()


def ingest(come, broker: Broker) -> Client:
    client: Client = come(
        broker, "ingest", service_password(broker.directory), topics=("farm/v1/+/up", "farm/v1/+/state")
    )
    assert client.ready.wait(5)
    return client


@pytest.mark.debian
def test_a_device_speaks_and_hears_under_its_own_name_only(mosquitto, come):
    server = ingest(come, mosquitto)
    a = come(mosquitto, "a", "pw-a", topics=("farm/v1/a/ack", "farm/v1/b/ack", "farm/v1/+/cmd"))
    assert a.ready.wait(5)
    for topic in ("farm/v1/b/up", "farm/v1/a/ack", "farm/v1/a/up", "farm/v1/a/state"):
        a.say(topic, topic.encode())
    until(lambda: len(server.heard) >= 2)
    assert server.heard == [("farm/v1/a/up", b"farm/v1/a/up"), ("farm/v1/a/state", b"farm/v1/a/state")]
    for topic in ("farm/v1/b/ack", "farm/v1/b/cmd", "farm/v1/a/ack", "farm/v1/a/cmd"):
        server.say(topic)
    until(lambda: len(a.heard) >= 2)
    assert [topic for topic, _ in a.heard] == ["farm/v1/a/ack", "farm/v1/a/cmd"]


@pytest.mark.debian
def test_nobody_comes_in_with_a_wrong_password_or_none(mosquitto, come):
    for username, password in (("a", "pw-b"), ("stranger", "x"), ("ingest", "")):
        client = come(mosquitto, username, password)
        until(partial(refused, client))


@pytest.mark.debian
def test_a_device_added_or_revoked_while_the_broker_runs_counts_without_a_restart(mosquitto, come):
    access = FileBrokerAccess(mosquitto.directory)
    with Watch(mosquitto):
        access.allow({"new": "pw-new"})
        until(lambda: enters(come, mosquitto, "new", "pw-new"))
        access.forbid(["a"])
        until(lambda: not enters(come, mosquitto, "a", "pw-a"))


@pytest.mark.debian
def test_a_session_that_stands_ends_with_its_password_and_the_others_go_on(mosquitto, come):
    server, watch = ingest(come, mosquitto), Watch(mosquitto)
    a, b = come(mosquitto, "a", "pw-a"), come(mosquitto, "b", "pw-b", topics=("farm/v1/b/ack",))
    assert a.ready.wait(5)
    assert b.ready.wait(5)
    with watch:
        FileBrokerAccess(mosquitto.directory).forbid(["a"])
        until(lambda: a.gone == 1 and bool(a.refused))
        b.say("farm/v1/b/up")
        server.say("farm/v1/b/ack")
        until(lambda: len(server.heard) == 1 and len(b.heard) == 1)
    assert (server.gone, b.gone) == (0, 0)


@pytest.mark.debian
def test_listening_to_everybody_gives_nothing(mosquitto, come):
    server, a = ingest(come, mosquitto), come(mosquitto, "a", "pw-a", topics=("#", "farm/v1/+/up", "$SYS/#", "+/+/+/+"))
    b = come(mosquitto, "b", "pw-b")
    assert a.ready.wait(5)
    assert b.ready.wait(5)
    b.say("farm/v1/b/up", b"secret")
    b.say("farm/v1/b/state", b"secret")
    server.say("farm/v1/b/ack")
    server.say("farm/v1/a/ack", b"mine")  # what a may hear, so that we know it heard all there was before
    until(lambda: bool(a.heard))
    assert a.heard == [("farm/v1/a/ack", b"mine")]


@pytest.mark.debian
def test_a_last_will_in_anothers_name_is_not_spoken(mosquitto, come):
    server = ingest(come, mosquitto)
    for name, topic in (("a", "farm/v1/b/state"), ("b", "farm/v1/b/state")):
        client = paho.Client(CallbackAPIVersion.VERSION2)
        client.username_pw_set(name, f"pw-{name}")
        client.will_set(topic, name.encode(), qos=1)
        client.connect("127.0.0.1", mosquitto.port)
        client.loop()
        connection = client.socket()
        assert connection is not None
        connection.close()  # without a goodbye: the will is due
        client._reset_sockets()
    until(lambda: bool(server.heard))
    assert server.heard == [("farm/v1/b/state", b"b")]


@pytest.mark.debian
def test_a_client_id_cannot_be_stolen(mosquitto, come):
    b = come(mosquitto, "b", "pw-b", client_id="b")
    a = come(mosquitto, "a", "pw-a", client_id="b")
    assert a.ready.wait(5)
    assert b.ready.wait(5)
    b.say("farm/v1/b/up")
    assert b.gone == 0


@pytest.mark.debian
def test_while_a_device_changes_over_its_old_password_counts_and_then_the_new_one_alone(mosquitto, come):
    at = [datetime(2026, 5, 1, 12, tzinfo=UTC)]
    access = FileBrokerAccess(mosquitto.directory, now=lambda: at[0])
    access.allow({"a": "pw-next"}, after=timedelta(days=7))
    mosquitto._access = access
    with Watch(mosquitto):
        a = come(mosquitto, "a", "pw-a")
        assert a.ready.wait(5)
        assert not enters(come, mosquitto, "a", "pw-next")
        at[0] += timedelta(days=8)
        until(lambda: a.gone == 1 and bool(a.refused))
        assert enters(come, mosquitto, "a", "pw-next")
    access.allow({"a": "pw-third"}, after=timedelta(days=7))
    access.put_in_place(["a"])  # the technician is done before the time is over
    assert not (mosquitto.directory / "passwords.next").read_text()


@pytest.mark.debian
def test_who_sends_a_packet_that_no_device_can_mean_is_thrown_off(mosquitto, come):
    server, a = ingest(come, mosquitto), come(mosquitto, "a", "pw-a")
    assert a.ready.wait(5)
    a._client.publish("farm/v1/a/up", b"x" * 10_000_000, qos=0)
    until(lambda: a.gone >= 1)
    b = come(mosquitto, "b", "pw-b")
    assert b.ready.wait(5)
    b.say("farm/v1/b/up", b"small")
    until(lambda: bool(server.heard))
    assert server.heard == [("farm/v1/b/up", b"small")]


def test_two_who_change_the_passwords_at_once_lose_nothing(tmp_path):
    access, other = FileBrokerAccess(tmp_path), Thread(target=FileBrokerAccess(tmp_path).allow, args=({"b": "x"},))
    with access._changing() as (now, _):
        other.start()
        other.join(timeout=0.3)  # it would be done by now, and undone by us, if it did not wait
        now["a"] = "a:hash"
    other.join()
    assert [line.partition(":")[0] for line in (tmp_path / "passwords").read_text().splitlines()] == ["a", "b"]


def test_of_two_who_make_the_password_of_ingest_both_hold_the_same(tmp_path):
    found: list[str] = []
    makers = [Thread(target=lambda: found.append(service_password(tmp_path / "broker"))) for _ in range(8)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    assert len(set(found)) == 1
    assert len(found[0]) == 64


def test_a_folder_that_others_could_look_into_is_closed_to_them(tmp_path):
    tmp_path.chmod(0o755)
    FileBrokerAccess(tmp_path).allow({"a": "x"})
    assert tmp_path.stat().st_mode & 0o077 == 0


class Watch:
    """The owner of a broker at its post while inside."""

    def __init__(self, broker: Broker) -> None:
        self._stop = Event()
        self._thread = Thread(target=broker.serve, args=(self._stop,), kwargs={"every_s": 0.02})

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def refused(client: Client) -> bool:
    return bool(client.refused)


def enters(come: Callable[..., Client], broker: Broker, username: str, password: str) -> bool:
    client = come(broker, username, password)
    until(lambda: client.ready.is_set() or bool(client.refused))
    client.close()
    return client.ready.is_set()


@pytest.mark.debian
def test_more_than_a_thousand_messages_wait_for_an_ingest_that_is_away(mosquitto, come):
    ingest(come, mosquitto).close()
    a = come(mosquitto, "a", "pw-a")
    assert a.ready.wait(5)
    for number in range(3000):
        a._client.publish("farm/v1/a/up", b"%d" % number, qos=1)
    a.say("farm/v1/a/up", b"last")
    back = ingest(come, mosquitto)
    until(lambda: len(back.heard) >= 3001)
    assert {payload for _, payload in back.heard} == {b"%d" % n for n in range(3000)} | {b"last"}


@pytest.mark.debian
def test_the_session_of_ingest_outlives_an_orderly_restart(mosquitto, come):
    ingest(come, mosquitto).close()
    a = come(mosquitto, "a", "pw-a")
    assert a.ready.wait(5)
    a.say("farm/v1/a/up")
    a.close()
    mosquitto.stop()
    mosquitto.start()
    back = ingest(come, mosquitto)
    until(lambda: back.heard == [("farm/v1/a/up", b"x")])


@pytest.mark.debian
def test_secrets_of_the_broker_are_for_its_owner_only(mosquitto):
    for name in ("passwords", "ingest.password"):
        assert (mosquitto.directory / name).stat().st_mode & 0o077 == 0
    text = (mosquitto.directory / "passwords").read_text()
    assert "pw-a" not in text
    assert service_password(mosquitto.directory) not in text


def test_it_listens_on_this_machine_only_and_says_whether_it_tells_who_speaks(broker_kind, make_broker):
    broker = make_broker(broker_kind)
    assert not tells_who_speaks(broker.directory), "unknown is no"
    with broker:
        assert tells_who_speaks(broker.directory) == (broker_kind == "mosquitto")
        with socket.create_connection(("127.0.0.1", broker.port), timeout=2):
            pass
        own = socket.gethostbyname(socket.gethostname())
        if not own.startswith("127.0.0."):
            with pytest.raises(OSError, match=r"refused|timed out"):
                socket.create_connection((own, broker.port), timeout=2).close()
    assert not broker.running


def test_it_comes_back_after_a_power_cut(broker_kind, make_broker):
    broker = make_broker(broker_kind).start()
    broker.kill()
    assert not broker.running
    broker.start()
    assert broker.running
    broker.stop()
    broker.stop()


OWNER = """
import sys, time
from pathlib import Path
from cropcredit.adapters.broker import Broker
Broker(Path(sys.argv[1]), port=int(sys.argv[2]), kind=sys.argv[3]).start()
print("up", flush=True)
time.sleep(600)
"""


def test_it_goes_when_its_owner_is_killed_so_that_the_port_is_free_again(broker_kind, make_broker):
    broker = make_broker(broker_kind)
    command = [sys.executable, "-c", OWNER, str(broker.directory), str(broker.port), broker_kind]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as owner:
        try:
            assert owner.stdout is not None
            assert owner.stdout.readline() == b"up\n"
        finally:
            owner.kill()
    until(partial(nobody_answers, broker.port))
    broker.start()


def nobody_answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_port_that_is_taken_is_refused_by_name(broker_kind, make_broker, tmp_path):
    broker = make_broker(broker_kind).start()
    with pytest.raises(RefusedInput, match=f"127.0.0.1:{broker.port}: port is taken"):
        Broker(tmp_path / "other", port=broker.port, kind=broker_kind).start()


def test_the_death_of_the_broker_does_not_go_unnoticed(broker_kind, make_broker):
    broker = make_broker(broker_kind).start()
    broker.process.kill()
    with pytest.raises(StoreUnavailable, match=f"{broker_kind} ended by itself"):
        broker.serve(Event(), every_s=0.01)
    assert not broker.running


def test_a_broker_that_cannot_come_up_says_why(make_broker, debian_tool):
    debian_tool("mosquitto")
    broker = make_broker("mosquitto")
    broker.directory.mkdir(parents=True, exist_ok=True)
    (broker.directory / "sessions.db").write_bytes(b"no sessions of mosquitto")
    with pytest.raises(StoreUnavailable, match="does not come up"):
        broker.start()


def test_an_address_of_another_machine_is_refused_by_name(make_broker):
    broker = make_broker("mosquitto", host="203.0.113.7")
    with pytest.raises(RefusedInput, match=r"nothing can listen there: .*give an address of this machine"):
        broker.start()


def test_a_broker_without_access_lists_warns_when_it_is_to_listen_to_everybody(make_broker):
    broker = make_broker("iotcore", host="0.0.0.0")  # noqa: S104 - that is the point
    with pytest.warns(DegradedWork, match="no access lists"):
        broker.start()


def test_a_name_that_would_open_a_wildcard_is_no_user(tmp_path):
    with pytest.raises(MalformedInput, match="cannot be a user name"):
        FileBrokerAccess(tmp_path).allow({"+": "x"})
