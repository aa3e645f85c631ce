"""The messages of the telemetry benchmark, and who publishes them: all beforehand, or live at a rate."""

from __future__ import annotations

import select
import socket
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from threading import Event, Thread

import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from cropcredit.adapters.mqtt_packets import cut_publishes

MESSAGES, DEVICES = 60_000, 1000
FILTER = "farm/v1/+/up"
SESSION = "cropcredit-ingest"
"""Client id of the persistent session that is drained: that of ingest, for all."""
CONNECT = b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x00\x00\x02"
SUBSCRIBE = b"\x82\x12\x00\x01\x00\x0dfarm/v1/+/ack\x00"
PACE_S = 0.005


def payload(seq: int) -> bytes:
    """One message of about 175 bytes: a probe at 30 cm, clock, battery, signal."""
    value = 20 + seq % 100 / 10
    return (
        f'{{"v":1,"boot":3,"seq":{seq},"ts":{1767225600000 + 900_000 * seq},"clk":"ntp","up":{900_000 * seq},'
        f'"bat":3.61,"sig":-71,"m":[{{"q":"soil.moisture","v":{value},"c":"d30"}},'
        f'{{"q":"soil.temperature","v":18.25,"c":"d30"}}]}}'
    ).encode()


def packets(first: int, last: int) -> Iterator[bytes]:
    """Give PUBLISH packets at QoS 1: message by message, a device after the other."""
    for number in range(first, last):
        topic = f"farm/v1/dev-{number % DEVICES:04d}/up".encode()
        mid = (number % 65_535 + 1).to_bytes(2, "big")
        body = len(topic).to_bytes(2, "big") + topic + mid + payload(number // DEVICES + 1)
        yield b"\x32" + bytes((len(body) % 128 | 128, len(body) // 128)) + body


def fill(port: int) -> None:
    """Make the persistent session and publish every message into it from one socket, counting PUBACKs."""
    open_session(port)
    with connected(port) as sock:
        sent = Thread(target=sock.sendall, args=(b"".join(packets(0, MESSAGES)),))
        sent.start()
        acknowledged = 0
        while acknowledged < 4 * MESSAGES:
            acknowledged += len(sock.recv(65536))
        sent.join()


def open_session(port: int) -> None:
    """Subscribe under the drained session's name, and leave."""
    session = paho.Client(CallbackAPIVersion.VERSION2, client_id=SESSION, clean_session=False)
    ready = Event()
    session.on_subscribe = lambda *_: ready.set()
    session.on_connect = lambda client, *_: client.subscribe(FILTER, 1)
    session.connect("127.0.0.1", port)
    session.loop_start()
    assert ready.wait(10)
    session.disconnect()
    session.loop_stop()


def connected(port: int, name: bytes = b"pp") -> socket.socket:
    """Log in with a client id of two letters."""
    sock = socket.create_connection(("127.0.0.1", port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.sendall(CONNECT + name)
    assert sock.recv(4)[3] == 0
    return sock


def latencies_s(port: int, *, rate: float, seconds: float) -> list[float]:
    """Publish live at a rate (messages per second) and listen to the acknowledgements; gives seconds per message."""
    with connected(port) as publisher, connected(port, b"pl") as listener:
        listener.sendall(SUBSCRIBE)
        assert listener.recv(5)[0] == 0x90
        return _Live(publisher, listener).run(list(packets(0, int(rate * seconds))), rate)


class Told(msgspec.Struct):
    """What matters here of an acknowledgement."""

    upto: int


class _Live:
    """Publishes at a pace and notes when each message is acknowledged by the store."""

    def __init__(self, publisher: socket.socket, listener: socket.socket) -> None:
        self._publisher, self._listener = publisher, listener
        self._waiting: defaultdict[str, deque[tuple[int, float]]] = defaultdict(deque)
        self._told: list[float] = []
        self._rest = b""

    def run(self, messages: list[bytes], rate: float) -> list[float]:
        begun, sent = time.perf_counter(), 0
        while len(self._told) < len(messages):
            now = time.perf_counter() - begun
            assert now < len(messages) / rate + 60, "some messages were never acknowledged"
            due = min(int(rate * now), len(messages))
            if due > sent:
                self._publish(messages, sent, due)
                sent = due
            readable, _, _ = select.select([self._publisher, self._listener], [], [], PACE_S)
            if self._publisher in readable:
                self._publisher.recv(1 << 20)  # PUBACKs
            if self._listener in readable:
                self._listen()
            time.sleep(max(0.0, begun + now + PACE_S - time.perf_counter()))
        return self._told

    def _publish(self, messages: list[bytes], first: int, last: int) -> None:
        at = time.perf_counter()
        for number in range(first, last):
            self._waiting[f"farm/v1/dev-{number % DEVICES:04d}/ack"].append((number // DEVICES + 1, at))
        self._publisher.sendall(b"".join(messages[first:last]))

    def _listen(self) -> None:
        received = self._rest + self._listener.recv(1 << 20)
        acks, end = cut_publishes(received, 0, most=len(received), epoch=0)
        now, self._rest = time.perf_counter(), received[end:]
        for ack in acks:
            waiting, told = self._waiting[ack.message.topic], msgspec.json.decode(ack.message.payload, type=Told)
            while waiting and waiting[0][0] <= told.upto:
                self._told.append(now - waiting.popleft()[1])
