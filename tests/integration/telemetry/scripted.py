"""A broker that does exactly what a test says, packet by packet (MQTT 3.1.1)."""

from __future__ import annotations

import socket
from typing import Self

CONNACK, PUBLISH, PUBACK, SUBACK, PINGRESP = 0x20, 0x32, 0x40, 0x90, 0xD0
PATIENCE_S = 60.0


class Connection:
    """One client's connection, seen from the broker."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock, self._bytes = sock, b""
        sock.settimeout(PATIENCE_S)

    def welcome(self) -> Self:
        """Take CONNECT and SUBSCRIBE, answer both."""
        assert self.next()[0] == 0x10
        self._sock.sendall(bytes((CONNACK, 2, 1, 0)))
        kind, body = self.next()
        assert kind == 0x82
        self._sock.sendall(bytes((SUBACK, 4)) + body[:2] + b"\x01\x01")
        return self

    def refuse(self) -> None:
        """Take CONNECT and refuse the login."""
        assert self.next()[0] == 0x10
        self._sock.sendall(bytes((CONNACK, 2, 0, 5)))

    def publish(self, mid: int, payload: bytes, *, topic: bytes = b"farm/v1/a/up") -> None:
        """Send a message at QoS 1."""
        body = len(topic).to_bytes(2, "big") + topic + mid.to_bytes(2, "big") + payload
        self._sock.sendall(bytes((PUBLISH, len(body))) + body)

    def pubacks(self, count: int) -> list[int]:
        """Wait for so many PUBACKs; gives their packet ids in order of arrival."""
        found: list[int] = []
        while len(found) < count:
            kind, body = self.next()
            if kind == PUBACK:
                found.append(int.from_bytes(body, "big"))
        return found

    def rest(self) -> list[int]:
        """Give the kinds of the packets that come until the client closes."""
        kinds = []
        try:
            while True:
                kinds.append(self.next()[0])
        except EOFError:
            return kinds

    def next(self) -> tuple[int, bytes]:
        """Read one packet: (first byte, body)."""
        while len(self._bytes) < 2 or len(self._bytes) < 2 + self._bytes[1]:
            piece = self._sock.recv(65536)
            if not piece:
                raise EOFError
            self._bytes += piece
        kind, length = self._bytes[0], self._bytes[1]
        assert length < 128, "a scripted packet is short"
        body, self._bytes = self._bytes[2 : 2 + length], self._bytes[2 + length :]
        return kind, body

    def close(self) -> None:
        self._sock.close()


class ScriptedBroker:
    """Listens on localhost; the test accepts and plays each connection."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(PATIENCE_S)
        self.port: int = self._listener.getsockname()[1]
        self._connections: list[Connection] = []

    def accept(self) -> Connection:
        """Wait for the client to connect."""
        self._connections.append(Connection(self._listener.accept()[0]))
        return self._connections[-1]

    def close(self) -> None:
        for connection in self._connections:
            connection.close()
        self._listener.close()
