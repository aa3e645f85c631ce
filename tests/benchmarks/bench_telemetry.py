"""Durable ingest, end to end, against a stock paho subscriber that does nothing with the same messages.

60,000 messages of about 175 bytes on 1,000 topics wait in a persistent session; the subscriber connects and drains it.
Ours decodes, commits (SQLite WAL, synchronous=FULL), acknowledges to the device and then to the broker; the peer only
acknowledges to the broker. Each drain is a process of its own; the two take turns; the median of the ratios counts.
"""

from __future__ import annotations

import json
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from threading import Event, Thread
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from cropcredit import wire
from cropcredit.adapters.broker import mosquitto_path
from cropcredit.adapters.broker_conf import WINDOW
from cropcredit.adapters.catalogues import load_quantities
from cropcredit.adapters.clock import SystemClock
from cropcredit.adapters.database import open_database
from cropcredit.adapters.database.readings import DatabaseReadings
from cropcredit.adapters.mqtt import Subscriber
from cropcredit.config import data_dir
from cropcredit.usecases.ingest import IngestMessages
from tests.benchmarks.report import Row, publish

MESSAGES, DEVICES, ROUNDS = 60_000, 1000, 5
TOPIC = "farm/v1/+/up"
CLIENT = "drain"
SECRET = bytes(32)
Spent = tuple[float, float]
"""(wall seconds, CPU seconds)"""
CONFIGURATION = f"""\
listener {{port}} 127.0.0.1
allow_anonymous true
max_inflight_messages {WINDOW}
max_queued_messages 1000000
set_tcp_nodelay true
log_type error
"""


class Known:
    """Credentials of the benchmark's devices, in memory: the store of keys is not what is measured."""

    def known(self, device_ids: Any) -> dict[str, dict[str, bytes]]:
        return {device_id: {"k1": SECRET} for device_id in device_ids}


def payload(seq: int) -> bytes:
    """One message of about 175 bytes: a probe at 30 cm, clock, battery, signal."""
    value = 20 + seq % 100 / 10
    return (
        f'{{"v":1,"boot":3,"seq":{seq},"ts":{1767225600000 + 900_000 * seq},"clk":"ntp","up":{900_000 * seq},'
        f'"bat":3.61,"sig":-71,"m":[{{"q":"soil.moisture","v":{value},"c":"d30"}},'
        f'{{"q":"soil.temperature","v":18.25,"c":"d30"}}]}}'
    ).encode()


def fill(port: int) -> None:
    """Make the persistent session and publish every message into it from one socket, counting PUBACKs."""
    session = paho.Client(CallbackAPIVersion.VERSION2, client_id=CLIENT, clean_session=False)
    ready = Event()
    session.on_subscribe = lambda *_: ready.set()
    session.on_connect = lambda client, *_: client.subscribe(TOPIC, 1)
    session.connect("127.0.0.1", port)
    session.loop_start()
    assert ready.wait(10)
    session.disconnect()
    session.loop_stop()
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x3c\x00\x02pp")
        assert sock.recv(4)[3] == 0
        sent = Thread(target=sock.sendall, args=(b"".join(_packets()),))
        sent.start()
        acknowledged = 0
        while acknowledged < 4 * MESSAGES:
            acknowledged += len(sock.recv(65536))
        sent.join()


def _packets() -> Iterator[bytes]:
    for number in range(MESSAGES):
        topic = f"farm/v1/dev-{number % DEVICES:04d}/up".encode()
        mid = (number % 65_535 + 1).to_bytes(2, "big")
        body = len(topic).to_bytes(2, "big") + topic + mid + payload(number // DEVICES + 1)
        length = bytes((len(body) % 128 | 128, len(body) // 128))
        yield b"\x32" + length + body


def drain_idle(port: int, _folder: Path) -> Spent:
    """Stock paho with its own thread, automatic acknowledgement, an empty callback."""
    done, count = Event(), 0

    def on_message(*_: Any) -> None:
        nonlocal count
        count += 1
        if count >= MESSAGES:
            done.set()

    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=CLIENT, clean_session=False)
    client.on_message = on_message
    begun = _now()
    client.connect("127.0.0.1", port)
    client.loop_start()
    assert done.wait(120)
    client.disconnect()
    client.loop_stop()
    return _since(begun)


def drain_durably(port: int, folder: Path) -> Spent:
    """Ours, whole: decode, commit, acknowledge to the device, acknowledge to the broker."""
    store = DatabaseReadings(open_database(f"sqlite:///{folder / 'readings.db'}"))
    ingest = IngestMessages(
        store=store,
        credentials=Known(),  # type: ignore[arg-type] # only what ingest asks
        clock=SystemClock(),
        quantities=load_quantities(data_dir() / "catalogues" / "quantities.toml"),
        signed_only=False,
    )
    subscriber = Subscriber(
        host="127.0.0.1", port=port, username="x", password="x", topics=wire.SUBSCRIPTIONS, handle=ingest,
        client_id=CLIENT,
    )  # fmt: skip
    begun, stop = _now(), Event()
    thread = Thread(target=subscriber.run, args=(stop,))
    thread.start()
    while subscriber.health.readings < MESSAGES:
        time.sleep(0.005)
    stop.set()
    thread.join()
    spent = _since(begun)
    assert store.counts()["readings"] == MESSAGES
    return spent


@contextmanager
def broker(folder: Path) -> Iterator[int]:
    """Run mosquitto with the benchmark's settings; the same for all."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    configuration = folder / "mosquitto.conf"
    configuration.write_text(CONFIGURATION.format(port=port))
    process = subprocess.Popen([str(mosquitto_path()), "-c", str(configuration)], stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait()


def measured(mode: str) -> tuple[float, float]:
    """Drain once in a fresh process; gives messages per second and CPU microseconds per message."""
    folder = Path(tempfile.mkdtemp(prefix="bench-telemetry-"))
    try:
        with broker(folder) as port:
            fill(port)
            said = subprocess.run(
                [sys.executable, __file__, mode, str(port), str(folder)], check=True, capture_output=True
            ).stdout
    finally:
        shutil.rmtree(folder)
    seconds, cpu = json.loads(said)
    return MESSAGES / seconds, 1e6 * cpu / MESSAGES


def _now() -> Spent:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return time.perf_counter(), used.ru_utime + used.ru_stime


def _since(begun: Spent) -> Spent:
    now = _now()
    return now[0] - begun[0], now[1] - begun[1]


def main() -> None:
    rounds = [(measured("idle"), measured("durable")) for _ in range(ROUNDS)]
    ratio = statistics.median(durable[0] / idle[0] for idle, durable in rounds)
    command = "make bench NAME=telemetry"
    size = len(payload(1))
    peer = f"paho-mqtt {version('paho-mqtt')} doing nothing"

    def shown(bar: str, values: list[float], unit: str) -> Row:
        return Row(bar=bar, value=statistics.median(values), unit=unit, target="", ok=True, peer=peer, command=command)

    publish(
        "telemetry",
        [
            Row(
                bar=f"durable ingest against a do-nothing subscriber ({size} bytes)",
                value=ratio, unit="x", target="", ok=True, peer=peer, command=command,
            ),
            shown("durable ingest", [durable[0] for _, durable in rounds], "messages/s"),
            shown("do-nothing subscriber", [idle[0] for idle, _ in rounds], "messages/s"),
            shown("CPU of durable ingest", [durable[1] for _, durable in rounds], "us/message"),
            shown("CPU of the do-nothing subscriber", [idle[1] for idle, _ in rounds], "us/message"),
        ],
    )  # fmt: skip
    sys.stdout.write(f"measured at {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {ROUNDS} rounds\n")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        drain = {"idle": drain_idle, "durable": drain_durably}[sys.argv[1]]
        sys.stdout.write(json.dumps(drain(int(sys.argv[2]), Path(sys.argv[3]))))
    else:
        main()
