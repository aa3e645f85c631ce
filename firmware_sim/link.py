"""One MQTT connection of one device: paho without its threads, driven by the fleet's own loop.

paho's ``loop_start`` uses three file descriptors, a thread and ``select`` per client, and stops at some 339 clients
without a word. With the external-loop hooks and epoll one thread carries thousands. A link lives for one connection:
the next one is a new object, so nothing of the old one (packet ids, half-written packets) can leak into it.
"""

from __future__ import annotations

import selectors
import socket
import ssl
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from firmware_sim.errors import BadInput
from firmware_sim.message import WILL

CONNECT_TIMEOUT_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Where the broker listens, and how often a silent device says that it lives."""

    host: str = "127.0.0.1"
    port: int = 1883
    keepalive_s: int = 30
    ca_file: str = ""
    """CA certificate (PEM) to check the broker against; empty means no TLS."""
    cert_dir: str = ""
    """Folder with DEVICE.crt and DEVICE.key (PEM) of each device; empty means no client certificates."""

    def tls(self, device_id: str) -> ssl.SSLContext | None:
        """Give the context of a device's connections; shared by all who show no certificate of their own.

        Raises
        ------
        BadInput
            If a file is not there, or holds no certificate or key.
        """
        if not self.ca_file:
            return None
        if not self.cert_dir:
            return _context(self.ca_file)
        context, stem = _fresh_context(self.ca_file), Path(self.cert_dir) / device_id
        try:
            context.load_cert_chain(f"{stem}.crt", f"{stem}.key")
        except (OSError, ssl.SSLError) as error:
            raise BadInput(f"{stem}.crt, {stem}.key: no certificate of device {device_id} ({error})") from error
        return context


def _fresh_context(ca_file: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise BadInput(f"{ca_file}: no CA certificate can be read there ({error})") from error


_context = lru_cache(maxsize=4)(_fresh_context)


@dataclass(slots=True)
class Traffic:
    """What went over the wire: bytes as TCP counts them, TLS included, and packets."""

    bytes_out: int = 0
    bytes_in: int = 0
    packets_out: int = 0
    packets_in: int = 0

    def add(self, other: Traffic) -> None:
        """Sum up."""
        self.bytes_out += other.bytes_out
        self.bytes_in += other.bytes_in
        self.packets_out += other.packets_out
        self.packets_in += other.packets_in


def traffic_of(sock: Any) -> Traffic:
    """Ask the kernel what a connection has carried (struct tcp_info of linux/tcp.h); nothing where it cannot tell."""
    try:
        raw = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 144)
        return Traffic(*struct.unpack_from("=QQII", raw, 120))
    except (AttributeError, OSError, struct.error):
        return Traffic()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """What a link tells its owner."""

    ready: Callable[[], None]
    """Subscriptions stand: acks will be heard."""
    heard: Callable[[str, bytes], None]
    """A message: last topic level, payload."""
    gone: Callable[[str], None]
    """The connection ended, or was refused; why. Called once."""


class Link:
    """A connection from the moment it is tried."""

    def __init__(
        self, device_id: str, password: str, *, broker: Broker, selector: selectors.BaseSelector, hooks: Hooks
    ) -> None:
        self.topic = f"farm/v1/{device_id}"
        self._selector, self._hooks, self._broker = selector, hooks, broker
        self._sock: Any = None
        self._writing = False
        self.connected_at: float | None = None
        self.subscribed = False
        self._over, self._doomed = False, ""
        self.published_bytes = 0
        self._carried = Traffic()
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=device_id, clean_session=True, reconnect_on_failure=False
        )
        client.max_inflight_messages_set(0)  # the device has its own window
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.username_pw_set(device_id, password or None)
        client.will_set(f"{self.topic}/state", WILL, qos=1, retain=True)
        if (context := broker.tls(device_id)) is not None:
            client.tls_set_context(context)
        client.on_socket_open, client.on_socket_close = self._opened, self._closed
        client.on_socket_register_write = client.on_socket_unregister_write = lambda *_: None  # see flush()
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_subscribe, client.on_message = self._on_subscribe, self._on_message
        self._client = client

    def connect(self) -> None:
        """Open the socket and send CONNECT; raises OSError when nobody listens."""
        self._client.connect(self._broker.host, self._broker.port, self._broker.keepalive_s)
        self.connected_at = time.monotonic()
        self.flush()

    def publish(self, level: str, payload: bytes, *, retain: bool = False, device_id: str = "") -> None:
        """Queue a QoS 1 message under this device's topic, or under another device's."""
        topic = f"farm/v1/{device_id}/{level}" if device_id else f"{self.topic}/{level}"
        self._client.publish(topic, payload, qos=1, retain=retain)
        self.published_bytes += publish_size(topic, payload)

    @property
    def traffic(self) -> Traffic:
        """What the connection has carried so far."""
        return self._carried if self._sock is None else traffic_of(self._sock)

    @property
    def stalled(self) -> bool:
        """True while the socket takes no more bytes."""
        return self._writing

    def flush(self) -> None:
        """Write what is queued; ask epoll to call again when the socket is full."""
        if self._sock is None:
            return
        self._client.loop_write()
        if self._sock is not None and self._client.want_write() != self._writing:
            self._writing = not self._writing
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._writing else 0)
            self._selector.modify(self._sock, events, self)

    def turn(self, events: int) -> None:
        """Serve the socket."""
        if events & selectors.EVENT_READ:
            self._client.loop_read()
            while self._sock is not None and getattr(self._sock, "pending", int)():  # TLS keeps bytes epoll cannot see
                self._client.loop_read()
        if self._doomed:
            self.cut(self._doomed)
        self.flush()

    def tick(self, now: float) -> None:
        """Keep alive; give up on a broker that took the connection and never answered."""
        self._client.loop_misc()
        if not self.subscribed and self.connected_at is not None and now - self.connected_at > 3 * CONNECT_TIMEOUT_S:
            self.cut("the broker does not answer")

    def leave(self) -> None:
        """Say goodbye: publish the state a will would, then disconnect."""
        if self.subscribed:
            self.publish("state", WILL, retain=True)
        self._client.disconnect()
        self.flush()
        self.cut("left")

    def cut(self, why: str) -> None:
        """Drop the socket without a word, as a power cut does; the broker publishes the will."""
        if self._sock is not None:
            sock = self._sock
            self._closed(None, None, sock)
            sock.close()
        self._end(why)

    def _end(self, why: str) -> None:
        if not self._over:
            self._over = True
            self._hooks.gone(why)

    def _opened(self, _client: Any, _userdata: Any, sock: Any) -> None:
        self._sock = sock
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(sock, selectors.EVENT_READ, self)

    def _closed(self, _client: Any, _userdata: Any, sock: Any) -> None:
        if self._sock is not None:
            self._carried = traffic_of(sock)
            self._selector.unregister(sock)
            self._sock, self._writing = None, False

    def _on_connect(self, client: mqtt.Client, _u: Any, _f: Any, reason: Any, _p: Any) -> None:
        if reason.is_failure:
            self._doomed = f"refused: {reason}"
            return
        client.subscribe([(f"{self.topic}/cmd", 1), (f"{self.topic}/ack", 1)])

    def _on_subscribe(self, _c: Any, _u: Any, _mid: int, reasons: list[Any], _p: Any) -> None:
        if any(reason.is_failure for reason in reasons):
            self._doomed = "refused: the broker does not let this device read its ack"
            return
        self.subscribed = True
        self._hooks.ready()

    def _on_message(self, _c: Any, _u: Any, message: mqtt.MQTTMessage) -> None:
        self._hooks.heard(message.topic.rpartition("/")[2], bytes(message.payload))

    def _on_disconnect(self, _c: Any, _u: Any, _f: Any, reason: Any, _p: Any) -> None:
        self._end(self._doomed or str(reason))


def publish_size(topic: str, payload: bytes) -> int:
    """Bytes of a QoS 1 PUBLISH packet: fixed header, topic, packet id, payload.

    Examples
    --------
    >>> publish_size("farm/v1/a/up", b"x" * 10)
    28
    """
    body = 2 + len(topic.encode()) + 2 + len(payload)
    lengths = 1
    while body >> (7 * lengths):
        lengths += 1
    return 1 + lengths + body
