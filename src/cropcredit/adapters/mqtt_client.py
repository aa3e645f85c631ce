"""paho over a socket that reads and writes in large pieces."""

from __future__ import annotations

import socket
from typing import Any

import paho.mqtt.client as paho

from cropcredit.adapters.buffered_socket import BufferedSocket


class BufferedClient(paho.Client):
    """paho over a socket that reads and writes in large pieces: six system calls a message become few per batch."""

    buffered: BufferedSocket | None = None

    @property
    def between_packets(self) -> bool:
        """True while no packet has been read in part."""
        return self._in_packet["command"] == 0

    def _create_socket(self) -> Any:
        sock: Any = super()._create_socket()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffered = BufferedSocket(sock, closed=self._forget)
        return self.buffered

    def _handle_on_message(self, message: paho.MQTTMessage) -> None:
        """Hand over without matching the topic against per-topic callbacks: there are none."""
        assert self.on_message is not None
        self.on_message(self, None, message)

    def _forget(self) -> None:
        self.buffered = None
