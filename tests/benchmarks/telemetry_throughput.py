"""Durable ingest, end to end, against a stock paho subscriber that does nothing, and against ``mosquitto_sub``.

60,000 messages of about 175 bytes on 1,000 topics wait in a persistent session; the subscriber connects and drains it.
Ours decodes, commits (SQLite in WAL mode with synchronous=FULL, or PostgreSQL), acknowledges to the devices and then to
the broker; the peers only acknowledge to the broker. Each drain is a process of its own, on a broker of its own that
has the settings of ``cropcredit broker`` but for passwords and access lists. The modes take turns, and of the ratios
within the rounds the median counts. Latency is that of a live publisher at half of the measured rate, from sending a
message to the acknowledgement of its device: three runs into fresh SQLite stores, when nothing else is at work any
more, and of their 99th percentiles the median counts.
"""

from __future__ import annotations

import atexit
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
from importlib.metadata import version
from pathlib import Path
from threading import Event, Thread
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from cropcredit.adapters.broker import RECORD, mosquitto_path
from cropcredit.adapters.broker_conf import mosquitto_configuration
from cropcredit.bootstrap import App, build
from cropcredit.config import Settings
from cropcredit.service import Watch, serve_ingest
from tests.benchmarks.farm_traffic import DEVICES, FILTER, MESSAGES, SESSION, fill, latencies_s, open_session, payload
from tests.benchmarks.report import Row, at_least, at_most
from tests.debian import find_tool
from tests.postgres import Postgres

ROUNDS, LIVE_RUNS, LIVE_S = 5, 3, 8.0
COMMAND = "make bench NAME=telemetry ARGS=throughput"
PERSONAL = ("password_file", "acl_file", "allow_anonymous", "use_username_as_clientid")
"""Lines of the broker's configuration that say who may come in."""
Spent = tuple[float, float]
"""(wall seconds, CPU seconds)"""
Rounds = list[dict[str, Spent]]
"""What each mode took, by round."""


def rows() -> list[Row]:
    """Measure all modes in turn, then the latency."""
    with tempfile.TemporaryDirectory(prefix="bench-telemetry-") as folder:
        room = Path(folder)
        room.chmod(0o755)
        sqlite = f"sqlite:///{room / 'readings.db'}"
        with postgres() as postgresql:
            rounds = _drains(room, {"sqlite": sqlite, "postgresql": postgresql})
        # PostgreSQL has ended: what waits for a disk and two cores is measured with nobody else at them
        rate = statistics.median(round_["sqlite"][0] for round_ in rounds) / 2
        runs = [live(room, sqlite, rate=rate) for _ in range(LIVE_RUNS)]
    return [*_ratios(rounds), *_latencies(runs, rate), *_shown(rounds)]


def _drains(room: Path, stores: dict[str, str]) -> Rounds:
    """Drain in every mode, round by round, each time another one first."""
    modes = ["idle", "mosquitto_sub", *stores]
    turns = [modes[number % len(modes) :] + modes[: number % len(modes)] for number in range(ROUNDS)]
    return [{mode: drained(mode, room, stores) for mode in turn} for turn in turns]


def drained(mode: str, room: Path, stores: dict[str, str]) -> Spent:
    """Drain once in a fresh process; gives messages per second and CPU microseconds per message."""
    with broker(room) as port:
        fill(port)
        if mode == "mosquitto_sub":
            seconds, cpu = drain_with_mosquitto(port)
        else:
            done = child("drain", mode, str(port), fresh(stores[mode]) if mode in stores else "")
            seconds, cpu = json.loads(done.communicate()[0])
            assert done.returncode == 0
    return MESSAGES / seconds, 1e6 * cpu / MESSAGES


def live(room: Path, url: str, *, rate: float) -> list[float]:
    """Give the latency of each message (s), published at ``rate`` per second."""
    with broker(room) as port:
        open_session(port)
        server = child("serve", "sqlite", str(port), fresh(url))
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == "ready\n"
            return latencies_s(port, rate=rate, seconds=LIVE_S)
        finally:
            server.terminate()
            server.wait()


def drain_with_mosquitto(port: int) -> Spent:
    """Debian's own client in C, which prints every payload to nowhere."""
    command = [find_tool("mosquitto_sub") or sys.exit("mosquitto_sub is missing: apt install mosquitto-clients")]
    begun = _now(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [*command, "-p", str(port), "-c", "-i", SESSION, "-q", "1", "-t", FILTER, "-C", str(MESSAGES)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return _since(begun, resource.RUSAGE_CHILDREN)


def drain_idle(port: int, _url: str) -> Spent:
    """Stock paho with its own thread, automatic acknowledgement, an empty callback."""
    done, count = Event(), 0

    def on_message(*_: Any) -> None:
        nonlocal count
        count += 1
        if count >= MESSAGES:
            done.set()

    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=SESSION, clean_session=False)
    client.on_message = on_message
    begun = _now()
    client.connect("127.0.0.1", port)
    client.loop_start()
    assert done.wait(120)
    client.disconnect()
    client.loop_stop()
    return _since(begun)


def drain_durably(port: int, url: str) -> Spent:
    """Ours, whole: decode, commit, acknowledge to the device, acknowledge to the broker."""
    app = _app(port, url)
    subscriber, stop = app.make_subscriber(), Event()

    def stop_when_drained() -> None:
        while subscriber.health.readings < MESSAGES:
            time.sleep(0.005)
        stop.set()

    Thread(target=stop_when_drained, daemon=True).start()
    begun = _now()
    serve_ingest(subscriber, lease=app.ingest_lease, watch=Watch(folder=app.settings.home), stop=stop)
    spent = _since(begun)
    assert app.ingest_messages.store.counts()["readings"] == MESSAGES
    return spent


def serve(port: int, url: str) -> None:
    """Ours, until it is terminated; says when it listens."""
    app = _app(port, url)
    subscriber = app.make_subscriber()

    def say_when_ready() -> None:
        while not subscriber.health.connected:
            time.sleep(0.01)
        sys.stdout.write("ready\n")
        sys.stdout.flush()

    Thread(target=say_when_ready, daemon=True).start()
    serve_ingest(subscriber, lease=app.ingest_lease, watch=Watch(folder=app.settings.home))


def _app(port: int, url: str) -> App:
    """Wire everything as ``cropcredit ingest`` does, with every device registered."""
    home = Path(tempfile.mkdtemp(prefix="bench-telemetry-home-"))
    atexit.register(shutil.rmtree, home)
    (home / "broker").mkdir()
    (home / "broker" / RECORD).write_text('{"acl": true}')  # else only signed messages count
    app = build(Settings.checked(home, {"broker_port": port, "database_url": url}, where="benchmark"))
    devices = [f"dev-{number:04d}" for number in range(DEVICES)]
    app.ingest_messages.credentials.issue(devices, at=app.clock.now())
    return app


@contextmanager
def broker(room: Path) -> Iterator[int]:
    """Run mosquitto with the settings of ``cropcredit broker``, open to everybody, on a fresh folder."""
    folder, port = Path(tempfile.mkdtemp(dir=room)), free_port()
    lines = mosquitto_configuration(folder, host="127.0.0.1", port=port).splitlines()
    ours = [line for line in lines if not line.startswith(PERSONAL)]
    (folder / "mosquitto.conf").write_text("\n".join(["allow_anonymous true", *ours, ""]))
    command = [str(mosquitto_path()), "-c", str(folder / "mosquitto.conf")]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        until_it_answers(port)
        yield port
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder)


@contextmanager
def postgres() -> Iterator[str]:
    """Run a PostgreSQL server as it is delivered; gives the URL of a database in it."""
    server = Postgres(
        lambda name: find_tool(name) or sys.exit(f"{name} is missing: apt install postgresql"), port=free_port()
    )
    try:
        yield server.url.removesuffix("postgres") + "readings"
    finally:
        server.remove()


def fresh(url: str) -> str:
    """Empty the database at ``url``."""
    if url.startswith("sqlite:///"):
        for end in ("", "-wal", "-shm"):
            Path(url.removeprefix("sqlite:///") + end).unlink(missing_ok=True)
        return url
    server, _, name = url.rpartition("/")
    engine = create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name}"))
        connection.execute(text(f"CREATE DATABASE {name}"))
        connection.execute(text("CHECKPOINT"))
    return url


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until_it_answers(port: int) -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.02)
        else:
            return


def child(*arguments: str) -> subprocess.Popen[str]:
    """Start this module in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.telemetry_throughput", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _now(whose: int = resource.RUSAGE_SELF) -> Spent:
    used = resource.getrusage(whose)
    return time.perf_counter(), used.ru_utime + used.ru_stime


def _since(begun: Spent, whose: int = resource.RUSAGE_SELF) -> Spent:
    now = _now(whose)
    return now[0] - begun[0], now[1] - begun[1]


IDLE = f"paho-mqtt {version('paho-mqtt')} doing nothing"
BARS = (
    ("SQLite", "sqlite", "idle", 1.5, IDLE),
    ("SQLite", "sqlite", "mosquitto_sub", 0.45, "mosquitto_sub > /dev/null"),
    ("PostgreSQL", "postgresql", "idle", 1.2, IDLE),
)


def _ratios(rounds: Rounds) -> list[Row]:
    found = []
    for name, ours, theirs, least, peer in BARS:
        ratios = [round_[ours][0] / round_[theirs][0] for round_ in rounds]
        target, ok = at_least(statistics.median(ratios), least)
        bar = f"durable ingest, {name}, {len(payload(1))} bytes ({min(ratios):.2f} to {max(ratios):.2f})"
        value = statistics.median(ratios)
        found.append(Row(bar=bar, value=value, unit="x", target=target, ok=ok, peer=peer, command=COMMAND))
    return found


def _latencies(runs: list[list[float]], rate: float) -> list[Row]:
    p50s, p99s = ([1000 * sorted(waits)[int(part * len(waits))] for waits in runs] for part in (0.5, 0.99))
    p50, p99 = statistics.median(p50s), statistics.median(p99s)
    target, ok = at_most(p99, 250)
    bar = f"publish to application ack at {rate:.0f} messages/s"
    worst = f"{bar}, p99 ({min(p99s):.0f} to {max(p99s):.0f})"
    return [
        Row(bar=worst, value=p99, unit="ms", target=target, ok=ok, command=COMMAND),
        Row(bar=f"{bar}, p50", value=p50, unit="ms", target="", ok=True, command=COMMAND),
    ]


def _shown(rounds: Rounds) -> list[Row]:
    kinds = ((0, "messages/s"), (1, "CPU us/message"))
    return [
        Row(
            bar=mode,
            value=statistics.median(round_[mode][which] for round_ in rounds),
            unit=unit,
            target="",
            ok=True,
            command=COMMAND,
        )
        for which, unit in kinds
        for mode in rounds[0]
    ]


def main(what: str, mode: str, port: int, url: str) -> None:
    if what == "serve":
        serve(port, url)
    else:
        drain = drain_idle if mode == "idle" else drain_durably
        sys.stdout.write(json.dumps(drain(port, url)))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
