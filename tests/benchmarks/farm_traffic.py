"""The messages of the telemetry benchmark, and who publishes them: all beforehand, or live at a rate."""

from __future__ import annotations

import json
import select
import socket
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from threading import Event, Thread

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from cropcredit.adapters.mqtt_packets import cut_publishes

MESSAGES, DEVICES = 60_000, 1000
FILTER = "farm/v1/+/up"
SESSION = "cropcredit-ingest"
"""Client id of the persistent session that is drained: that of ingest, for all."""
CONNECT = b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x00\x00\x02pp"
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


def connected(port: int) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.sendall(CONNECT)
    assert sock.recv(4)[3] == 0
    return sock


def latencies_s(port: int, *, rate: float, seconds: float) -> list[float]:
    """Publish live at a rate (messages per second) and listen to the acknowledgements; gives seconds per message."""
    with connected(port) as sock:
        sock.sendall(SUBSCRIBE)
        assert sock.recv(5)[0] == 0x90
        return _Live(sock).run(rate, seconds)


class _Live:
    """One socket that publishes at a pace and notes when each message is acknowledged by the store."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._waiting: defaultdict[str, deque[tuple[int, float]]] = defaultdict(deque)
        self._told: list[float] = []
        self._rest = b""

    def run(self, rate: float, seconds: float) -> list[float]:
        begun, sent = time.perf_counter(), 0
        while len(self._told) < sent or time.perf_counter() < begun + seconds:
            now = time.perf_counter() - begun
            assert now < seconds + 60, f"{sent - len(self._told)} of {sent} messages were never acknowledged"
            due = int(rate * min(now, seconds))
            if due > sent:
                self._publish(sent, due)
                sent = due
            if select.select([self._sock], [], [], PACE_S)[0]:
                self._listen()
        return self._told

    def _publish(self, first: int, last: int) -> None:
        at = time.perf_counter()
        for number in range(first, last):
            self._waiting[f"dev-{number % DEVICES:04d}"].append((number // DEVICES + 1, at))
        self._sock.sendall(b"".join(packets(first, last)))

    def _listen(self) -> None:
        received, at = self._rest + self._sock.recv(1 << 20), 0
        now = time.perf_counter()
        while at < len(received):
            acks, at = cut_publishes(received, at, most=len(received), epoch=0)
            for ack in acks:
                waiting = self._waiting[ack.message.topic.split("/")[2]]
                upto = json.loads(ack.message.payload)["upto"]
                while waiting and waiting[0][0] <= upto:
                    self._told.append(now - waiting.popleft()[1])
            if received[at : at + 1] != b"\x40" or at + 4 > len(received):
                break
            at += 4  # PUBACK
        self._rest = received[at:]
