"""The MQTT session of ingest: acknowledge after storing, and only on the connection the message came by."""

from __future__ import annotations

import logging
import random
import select
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from threading import Event
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from cropcredit.adapters.buffered_socket import BufferedSocket
from cropcredit.adapters.mqtt_client import BufferedClient
from cropcredit.adapters.mqtt_packets import Delivery, cut_publishes, puback_packets, publish_packet
from cropcredit.errors import StoreUnavailable
from cropcredit.usecases.decoding import Message
from cropcredit.usecases.ingest import Ingested

log = logging.getLogger(__name__)

BATCH = 10_000
"""Messages per commit, at most; the broker's window (``max_inflight_messages``) is twice as large, so that the next
batch comes in while this one is committed."""
LINGER_S = 0.05
"""A batch begins so long after the one before it, at the soonest: twenty commits a second, and after silence no wait.
What came in while the last one was committed has waited then, so under load one follows the other at once."""
QUIET_S = 0.01
"""When nothing more came for so long, nothing will: the broker's window is smaller than a batch, or all is said."""
MOST_PENDING = 10 * BATCH
"""Beyond this nothing is read any more: the broker and the devices hold the rest."""
KEEPALIVE_S = 60
RETRY_S = (0.1, 5.0)
"""First and longest wait before a failed commit or connection is tried again."""
IDLE_S = 0.1


@dataclass(slots=True)
class Health:
    """What the service reports about itself."""

    connected: bool = False
    connections: int = 0
    """Connection epoch: how often a connection was made."""
    received: int = 0
    readings: int = 0
    states: int = 0
    refused: int = 0
    failed_commits: int = 0
    pending: int = 0
    last_commit: float | None = None
    """Monotonic clock, s."""
    beat: float | None = None
    """When the loop last turned: monotonic clock, s."""
    trouble: str = ""
    """What is wrong now; empty when all is well."""


@dataclass(slots=True)
class _Backoff:
    """When to try again."""

    at: float = 0.0
    wait_s: float = RETRY_S[0]

    def failed(self) -> None:
        self.at = time.monotonic() + self.wait_s * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret
        self.wait_s = min(self.wait_s * 2, RETRY_S[1])

    def succeeded(self) -> None:
        self.at, self.wait_s = 0.0, RETRY_S[0]

    @property
    def over(self) -> bool:
        return time.monotonic() >= self.at


@dataclass(kw_only=True)
class Subscriber:
    """One persistent MQTT 3.1.1 session that hands batches to ``handle``.

    The loop is its own and has one thread: callbacks only queue. A batch is handled (committed), then its replies are
    published, then its messages are acknowledged in the order of arrival, each only on the connection it came by:
    packet ids start again after a reconnect, and an old one would acknowledge a new message. What is pending when a
    connection ends is forgotten here, since the broker or the device will deliver it again.

    Examples
    --------
    ::

        subscriber = Subscriber(host="127.0.0.1", port=1883, username="ingest", password=password,
                                topics=wire.SUBSCRIPTIONS, handle=app.ingest_messages)
        subscriber.run(stop)        # until stop.set(), from a signal handler or another thread
    """

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    topics: Sequence[str]
    handle: Callable[[Sequence[Message]], Ingested]
    client_id: str = "cropcredit-ingest"
    health: Health = field(default_factory=Health)

    def __post_init__(self) -> None:
        self._client = self._new_client()
        self._pending: list[Delivery] = []
        self._began = self._last_at = 0.0
        self._commit, self._connect = _Backoff(), _Backoff()

    def run(self, stop: Event) -> None:
        """Serve until ``stop`` is set; then commit and acknowledge what is in hand, and leave."""
        while not stop.is_set():
            self.health.beat, self.health.pending = time.monotonic(), len(self._pending)
            self._keep_connected()
            self._wait(stop)
            self._exchange()
            if self._due():
                self._work_off()
        if self._pending:
            self._work_off()
        self._client.disconnect()
        self._write()

    def _new_client(self) -> BufferedClient:
        client = BufferedClient(
            CallbackAPIVersion.VERSION2,
            client_id=self.client_id,
            clean_session=False,
            protocol=paho.MQTTv311,
            manual_ack=True,
        )
        client.username_pw_set(self.username, self.password)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_socket_register_write = lambda *_: None  # with this hook paho queues, and we write a batch at once
        return client

    # -- callbacks: they queue and note, nothing else --

    def _on_connect(self, client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self.health.trouble = f"the broker refused the login of {self.username!r}: {reason}"
            log.error(self.health.trouble)
            return
        self.health.connected, self.health.trouble = True, ""
        self.health.connections += 1
        self._connect.succeeded()
        client.subscribe([(topic, 1) for topic in self.topics])
        log.info("connected to %s:%d, listening to %s", self.host, self.port, ", ".join(self.topics))

    def _on_disconnect(self, _client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self.health.connected = False
        self._pending.clear()
        self._connect.failed()
        log.log(logging.WARNING if reason.is_failure else logging.INFO, "connection to the broker ended: %s", reason)

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        topic = message._topic.decode("utf-8", "backslashreplace")  # noqa: SLF001 - .topic raises on bad UTF-8
        received = Message(topic, bytes(message.payload), message.retain)
        self._queue([Delivery(self.health.connections, message.mid, received)])

    def _queue(self, deliveries: Sequence[Delivery]) -> None:
        self._last_at = time.monotonic()
        self._pending += deliveries
        self.health.received += len(deliveries)

    # -- the loop --

    def _keep_connected(self) -> None:
        if self._client.socket() is not None or not self._connect.over:
            return
        try:
            self._client.connect(self.host, self.port, keepalive=KEEPALIVE_S)
        except OSError as error:
            self._connect.failed()
            self.health.trouble = f"no broker at {self.host}:{self.port}: {error}; start one: cropcredit broker"
            log.warning(self.health.trouble)

    def _wait(self, stop: Event) -> None:
        connection = self._client.buffered
        if connection is None:
            stop.wait(IDLE_S)
            return
        if (connection.readable and self._room > 0) or self._due():
            return
        wait = max(0.0, self._due_at - time.monotonic()) if self._pending else IDLE_S
        reading = [connection] if self._room > 0 else []
        select.select(reading, [connection] if connection.unsent else [], [], wait if self._commit.over else IDLE_S)

    def _exchange(self) -> None:
        connection = self._client.buffered
        if connection is None:
            return
        if self._room > 0 and connection.fill():
            self._read(connection)
        self._client.loop_misc()
        self._write()

    def _read(self, connection: BufferedSocket) -> None:
        """Queue what has arrived: readings in large pieces, packets of other kinds one by one through paho."""
        while self._client.buffered is connection and self._room > 0:
            if self._client.between_packets and self._take(connection):
                continue
            self._client.loop_read()
            if not connection.readable:
                return

    def _take(self, connection: BufferedSocket) -> bool:
        deliveries = connection.cut(partial(cut_publishes, most=self._room, epoch=self.health.connections))
        if deliveries:
            self._queue(deliveries)
        return bool(deliveries)

    @property
    def _room(self) -> int:
        """Messages that may be read now; while the store fails a few more, so that pings are answered behind them."""
        return (BATCH if self._commit.over else MOST_PENDING) - len(self._pending)

    @property
    def _due_at(self) -> float:
        return min(self._began + LINGER_S, self._last_at + QUIET_S)

    def _due(self) -> bool:
        full = len(self._pending) >= BATCH or time.monotonic() >= self._due_at
        return bool(self._pending) and full and self._commit.over

    def _work_off(self) -> None:
        batch, self._began = self._pending[:BATCH], time.monotonic()
        try:
            done = self.handle([one.message for one in batch])
        except Exception as error:  # the store failed, or a defect did: nothing is acknowledged, the batch is kept
            self._commit.failed()
            self.health.failed_commits += 1
            self.health.trouble = f"a batch could not be committed: {error}"
            log.log(
                logging.WARNING if isinstance(error, StoreUnavailable) else logging.ERROR,
                "%s; trying again",
                self.health.trouble,
                exc_info=not isinstance(error, StoreUnavailable),
            )
            return
        del self._pending[: len(batch)]
        self._commit.succeeded()
        self._note(done)
        if self.health.connected:
            self._answer(batch, done)

    def _note(self, done: Ingested) -> None:
        health = self.health
        health.readings += done.readings
        health.states += done.states
        health.refused += sum(done.refused.values())
        health.pending, health.last_commit, health.trouble = len(self._pending), time.monotonic(), ""

    def _answer(self, batch: Sequence[Delivery], done: Ingested) -> None:
        """Publish the replies, then acknowledge in the order of arrival; a thousand small packets in one piece."""
        connection = self._client.buffered
        if connection is None:
            return
        self._write()  # what paho has queued goes first, so that no packet lands inside another
        for reply in done.replies:
            if reply.retained:
                self._client.publish(reply.topic, reply.payload, qos=1, retain=True)
            else:
                connection.put(publish_packet(reply.topic, reply.payload))
        connection.put(puback_packets(one.mid for one in batch if one.mid and one.epoch == self.health.connections))
        self._write()

    def _write(self) -> None:
        if self._client.want_write():
            self._client.loop_write()
        if self._client.buffered is not None:
            self._client.buffered.flush()
