"""A client that does by hand what no decent device does: any bytes, any topic, marked DUP, and no wait for an ack."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from tests.faults.packets import PUBACK, PUBLISH, SUBACK, Published, Splitter, acknowledged, kind, publish, published

PATIENCE_S = 20.0
CONNECT, CONNACK, SUBSCRIBE = 1, 2, 8


class Hand:
    """One MQTT 3.1.1 connection, driven by its owner.

    Parameters
    ----------
    port : int
        Of the broker, on this machine.
    username, password : str
        A device's login; the client id is the same.
    """

    def __init__(self, port: int, username: str, password: str) -> None:
        self._sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._splitter, self._mid = Splitter(), 0
        self.unacknowledged: set[int] = set()
        self.heard: list[Published] = []
        body = b"\x00\x04MQTT\x04\xc2\x00\x00" + b"".join(_text(one) for one in (username, username, password))
        self._sock.sendall(_packet(CONNECT, body))
        try:
            answer = self._until(CONNACK)
        except OSError:
            self.close()
            raise
        if answer[3] != 0:
            self.close()
            raise ConnectionRefusedError(f"the broker refuses {username}: {answer[3]}")

    def subscribe(self, topic: str) -> None:
        """Listen to a topic at QoS 0."""
        self._sock.sendall(_packet(SUBSCRIBE, b"\x00\x01" + _text(topic) + b"\x00", flags=2))
        self._until(SUBACK)

    def send(self, topic: str, payloads: Iterable[bytes], *, dup: bool = False, window: int = 500) -> int:
        """Publish at QoS 1, with at most ``window`` unacknowledged by the broker; returns how many."""
        count = 0
        for payload in payloads:
            while len(self.unacknowledged) >= window:
                self._read(PATIENCE_S)
            self._mid = self._mid % 65_535 + 1
            self.unacknowledged.add(self._mid)
            self._sock.sendall(publish(topic, payload, mid=self._mid, dup=dup))
            count += 1
            self._read(0)
        while self.unacknowledged:
            self._read(PATIENCE_S)
        return count

    def listen(self, seconds: float) -> list[Published]:
        """Read what comes for so long; gives all that was heard."""
        while self._read(seconds):
            pass
        return self.heard

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._sock], [], [], seconds)
        if not ready:
            if seconds >= PATIENCE_S:
                raise TimeoutError("the broker does not answer")
            return False
        for packet in self._splitter.feed(self._receive()):
            self._take(packet)
        return True

    def _receive(self) -> bytes:
        data = self._sock.recv(65_536)
        if not data:
            raise ConnectionResetError("the broker hung up")
        return data

    def _take(self, packet: bytes) -> None:
        if kind(packet) == PUBACK:
            self.unacknowledged.discard(acknowledged(packet))
        elif kind(packet) == PUBLISH:
            self.heard.append(published(packet))

    def _until(self, wanted: int) -> bytes:
        while True:
            for packet in self._splitter.feed(self._receive()):
                if kind(packet) == wanted:
                    return packet
                self._take(packet)

    def close(self) -> None:
        """Hang up."""
        self._sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None) -> None:
        self.close()


def _text(value: str) -> bytes:
    data = value.encode()
    return len(data).to_bytes(2, "big") + data


def _packet(packet_kind: int, body: bytes, *, flags: int = 0) -> bytes:
    assert len(body) < 16_384
    length = bytes((len(body),)) if len(body) < 128 else bytes((len(body) % 128 | 128, len(body) // 128))
    return bytes((packet_kind << 4 | flags,)) + length + body
