"""The encrypted door of the broker: a certificate says who speaks, and a revoked one says nothing any more."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import paho.mqtt.client as paho
import pytest
from cryptography import x509
from paho.mqtt.enums import CallbackAPIVersion

from cropcredit.adapters.broker import Broker
from cropcredit.adapters.broker_access import service_password
from cropcredit.adapters.broker_conf import Door, Tls
from cropcredit.adapters.certificates import CertificateAuthority
from cropcredit.errors import RefusedInput
from cropcredit.model import DeviceCertificate
from tests.integration.conftest import free_port
from tests.integration.telemetry.line import until

pytestmark = pytest.mark.debian
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


class World:
    """A broker with an encrypted door, its owner at its post, and clients that come and go."""

    def __init__(self, folder: Path, tls: Tls) -> None:
        self.folder, self.door = folder, Door(tls=tls, host="127.0.0.1", port=free_port())
        self.broker = Broker(folder / "broker", port=free_port(), kind="mosquitto", door=self.door)
        self.broker.start()
        self.authority = self.broker.authority
        self.stop, self._clients = Event(), list[paho.Client]()
        self._watch = Thread(target=self.broker.serve, args=(self.stop,), kwargs={"every_s": 0.05})
        self._watch.start()

    def ingest(self) -> Client:
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id="i")
        client.username_pw_set("ingest", service_password(self.broker.directory))
        return self._come(Client(client, ("farm/v1/+/up",)), self.broker.port)

    def device(
        self, shown: DeviceCertificate | None, *, client_id: str = "x", user: str = "", topics: Any = ()
    ) -> Client:
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id)
        context = ssl.create_default_context(cafile=str(self.authority.directory / "ca.crt"))
        if shown is not None:
            file = self.folder / f"{x509.load_pem_x509_certificate(shown.certificate.encode()).serial_number}.pem"
            file.write_text(shown.certificate + shown.key)
            context.load_cert_chain(file)
        client.tls_set_context(context)
        if user:
            client.username_pw_set(user, "pw")
        return self._come(Client(client, topics), self.door.port)

    def _come(self, client: Client, port: int) -> Client:
        self._clients.append(client.paho)
        try:
            client.paho.connect("127.0.0.1", port)
        except ssl.SSLError:
            client.shut_out.set()
        else:
            client.paho.loop_start()
        return client

    def close(self) -> None:
        for client in self._clients:
            client.disconnect()
            client.loop_stop()
            client._reset_sockets()
        self.stop.set()
        self._watch.join()
        self.broker.stop()


class Client:
    """One connection that does not try again: what it heard, and whether it was let in and thrown off."""

    def __init__(self, client: paho.Client, topics: tuple[str, ...]) -> None:
        self.paho, self._topics = client, topics
        self.heard: list[tuple[str, bytes]] = []
        self.inside, self.shut_out = Event(), Event()
        client._reconnect_on_failure = False
        client.on_connect = self._connected
        client.on_disconnect = lambda *_: self.shut_out.set()
        client.on_subscribe = lambda *_: self.inside.set()
        client.on_message = lambda _client, _data, m: self.heard.append((m.topic, bytes(m.payload)))

    def _connected(self, client, _data, _flags, reason, _properties) -> None:
        if reason.is_failure:
            self.shut_out.set()
        elif self._topics:
            client.subscribe([(topic, 1) for topic in self._topics])
        else:
            self.inside.set()

    def say(self, topic: str, payload: bytes = b"x") -> None:
        self.paho.publish(topic, payload, qos=1).wait_for_publish(5)

    def is_let_in(self) -> bool:
        until(lambda: self.inside.is_set() or self.shut_out.is_set())
        return self.inside.is_set()


@pytest.fixture
def open_door(tmp_path: Path, debian_tool: Callable[[str], Path]) -> Iterator[Callable[[Tls], World]]:
    debian_tool("mosquitto")
    worlds: list[World] = []

    def make(tls: Tls) -> World:
        worlds.append(World(tmp_path, tls))
        return worlds[-1]

    yield make
    for world in worlds:
        world.close()


def test_the_name_in_the_certificate_is_who_speaks_whatever_the_device_says(open_door):
    world = open_door("certificates")
    server = world.ingest()
    assert server.is_let_in()
    b = world.device(world.authority.issue("b"))
    a = world.device(world.authority.issue("a"), client_id="b", user="b", topics=("#", "farm/v1/+/ack"))
    assert a.is_let_in()
    assert b.is_let_in()
    for topic in ("farm/v1/b/up", "farm/v1/a/ack", "farm/v1/a/up"):
        a.say(topic, topic.encode())
    until(lambda: bool(server.heard))
    assert server.heard == [("farm/v1/a/up", b"farm/v1/a/up")]
    for topic in ("farm/v1/b/ack", "farm/v1/a/ack"):
        server.say(topic)
    until(lambda: bool(a.heard))
    assert a.heard == [("farm/v1/a/ack", b"x")]
    assert not b.shut_out.is_set(), "its client id was not stolen"


def test_a_revoked_certificate_ends_the_session_and_opens_no_other_and_the_rest_go_on(open_door):
    world = open_door("certificates")
    server, shown = world.ingest(), world.authority.issue("a")
    a, b = world.device(shown), world.device(world.authority.issue("b"))
    assert server.is_let_in()
    assert a.is_let_in()
    assert b.is_let_in()
    world.authority.revoke(["a"])
    assert a.shut_out.wait(10)
    assert not world.device(shown).is_let_in()
    b.say("farm/v1/b/up")
    until(lambda: bool(server.heard))
    assert world.device(world.authority.issue("a")).is_let_in(), "a new one of the same name counts"
    assert not b.shut_out.is_set()
    assert not server.shut_out.is_set()


def test_while_a_device_changes_over_both_certificates_count_and_then_the_new_one_alone(open_door):
    world, at = open_door("certificates"), [datetime.now(UTC)]
    old = world.authority.issue("a")
    world.authority.revoke(["a"], after=timedelta(days=7))
    new = world.authority.issue("a")
    assert world.device(old).is_let_in()
    assert world.device(new).is_let_in()
    world.authority._now = lambda: at[0] + timedelta(days=8)
    serial = x509.load_pem_x509_certificate(old.certificate.encode()).serial_number
    assert set(world.authority.revoked()) == {serial}


def test_who_shows_no_certificate_or_one_of_strangers_or_of_a_server_stays_outside(open_door, tmp_path):
    world, stranger = open_door("certificates"), CertificateAuthority(tmp_path / "stranger")
    stranger.make()
    folder = world.authority.directory
    own = DeviceCertificate(certificate=(folder / "server.crt").read_text(), key=(folder / "server.key").read_text())
    for shown in (None, stranger.issue("a"), own):
        assert not world.device(shown, user="a").is_let_in()


def test_a_device_cannot_pass_for_the_broker(tmp_path):
    authority = CertificateAuthority(tmp_path / "tls")
    authority.make()
    shown, file = authority.issue("localhost"), tmp_path / "a.pem"
    file.write_text(shown.certificate + shown.key)
    serving, trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    serving.load_cert_chain(file)
    trusting.load_verify_locations(tmp_path / "tls" / "ca.crt")
    trusting.check_hostname = False  # it is the purpose that must not fit
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = serving.wrap_bio(to_server, to_client, server_side=True)
    client = trusting.wrap_bio(to_client, to_server)
    for _ in range(4):
        for side in (client, server):
            with suppress(ssl.SSLWantReadError):
                try:
                    side.do_handshake()
                except ssl.SSLCertVerificationError as error:
                    assert "purpose" in str(error)  # noqa: PT017 - it comes in the middle of a conversation
                    return
    pytest.fail("it was believed")


def test_behind_the_door_for_passwords_a_password_is_asked_for(open_door):
    world = open_door("password")
    world.broker._access.allow({"a": "pw"})
    until(lambda: world.device(None, user="a").is_let_in())
    assert not world.device(None, user="b").is_let_in()


def test_the_plain_listener_then_serves_this_machine_only_and_secrets_their_owner(open_door):
    world = open_door("certificates")
    own = socket.gethostbyname(socket.gethostname())
    if not own.startswith("127.0.0."):
        with pytest.raises(OSError, match=r"refused|timed out"):
            socket.create_connection((own, world.broker.port), timeout=2).close()
    assert Broker(world.folder / "b", host="203.0.113.7", door=world.door).host == "127.0.0.1"
    world.authority.issue("a")
    for file in world.authority.directory.iterdir():
        if file.name != "lock":
            assert file.stat().st_mode & 0o077 == 0, file


def test_the_broker_keeps_its_certificate_until_it_nears_its_end_or_its_names_change(tmp_path):
    at = [NOON]
    authority = CertificateAuthority(tmp_path / "tls", now=lambda: at[0])
    authority.make()
    file = tmp_path / "tls" / "server.crt"
    authority.serve_as(["localhost", "127.0.0.1"])
    first = file.read_bytes()
    authority.make()
    authority.serve_as(["127.0.0.1", "localhost"])
    assert file.read_bytes() == first
    authority.serve_as(["localhost", "farm.example"])
    second = file.read_bytes()
    at[0] += timedelta(days=700)
    authority.serve_as(["localhost", "farm.example"])
    assert len({first, second, file.read_bytes()}) == 3


def test_what_was_revoked_while_the_broker_was_away_is_shut_out_however_soon_it_comes_back(open_door):
    world = open_door("certificates")
    shown = world.authority.issue("a")
    assert world.device(shown).is_let_in()
    world.stop.set()
    world._watch.join()
    world.broker.stop()
    world.authority.publish([])  # in the same second as the next one, as like as not
    world.authority.revoke(["a"])
    world.broker.start()
    world.stop.clear()
    world._watch = Thread(target=world.broker.serve, args=(world.stop,), kwargs={"every_s": 0.05})
    world._watch.start()
    until(lambda: not world.device(shown).is_let_in())


def test_of_two_lists_of_the_revoked_the_later_one_is_newer_by_a_second(tmp_path):
    at = [NOON]
    authority = CertificateAuthority(tmp_path / "tls", now=lambda: at[0])
    authority.make()
    assert authority.publish([])
    assert not authority.publish([7]), "OpenSSL could not tell which of the two is the later"
    at[0] += timedelta(seconds=1)
    assert authority.publish([7])
    at[0] -= timedelta(days=1)
    assert authority.publish([7]), "a clock that was wrong does not stop it for a day"


def test_what_ends_is_told_and_a_revoked_certificate_is_not(tmp_path):
    at = [NOON]
    authority = CertificateAuthority(tmp_path / "tls", now=lambda: at[0])
    with pytest.raises(RefusedInput, match="no certificate authority; start cropcredit broker --tls"):
        authority.issue("a")
    authority.revoke(["a"])  # nothing was ever issued: nothing to do
    authority.make()
    authority.issue("a")
    authority.issue("b")
    authority.revoke(["b"])
    authority.revoke(["a"], after=timedelta(days=3))
    authority.revoke(["a"], after=timedelta(days=9))
    assert [line.revoked_at for line in authority.ledger.lines()] == [NOON + timedelta(days=3), NOON]
    assert [name for _, name in authority.ends()] == ["a", "(ca)"]
    authority.issue("a")
    authority.end_old(["a"])
    assert [line.revoked_at for line in authority.ledger.lines()] == [NOON, NOON, None], "the new one stands"
    assert "PRIVATE" not in repr(authority.issue("c"))
