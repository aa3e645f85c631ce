"""The simulated fleet: how fast and how small, and what a stored reading costs on its way.

Three thousand devices connect to the project's own mosquitto (passwords, access lists), in one process of the
simulator; the clock runs from the start of that process to the moment its last device is subscribed. Once more through
TLS. Then a smaller fleet sends a backlog and live readings to the real ingest service, and says what each cost.
"""

from __future__ import annotations

import json
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cropcredit.adapters.broker import Broker
from cropcredit.adapters.broker_access import FileBrokerAccess
from cropcredit.adapters.broker_conf import Door
from firmware_sim.identity import new_devices, read_devices
from tests.benchmarks.report import Row, at_most
from tests.integration.telemetry.line import Line, report_of, until

DEVICES, ROUNDS = 3000, 3
SENDERS, BACKLOG_DAYS = 100, 3
ROOT = Path(__file__).parents[2]
COMMAND = "make bench NAME=telemetry ARGS=fleet"
Facts = dict[str, Any]


@contextmanager
def brokered(folder: Path, *, tls: bool) -> Iterator[list[str]]:
    """Run the project's broker with the logins of a fresh fleet; gives the simulator's options to reach it."""
    keys = folder / "keys.csv"
    keys.write_text(new_devices([f"dev-{i:05d}" for i in range(DEVICES)]))
    port, door = _free_port(), Door(tls="password", host="127.0.0.1", port=_free_port()) if tls else None
    broker = Broker(folder / "broker", port=port, kind="mosquitto", door=door)
    if door:
        broker.authority.make()
        broker.authority.serve_as(["127.0.0.1", "localhost"])
    FileBrokerAccess(folder / "broker").allow({name: one.login() for name, one in read_devices(keys).items()})
    with broker:
        where = [f"127.0.0.1:{door.port}", "--ca", str(folder / "broker" / "tls" / "ca.crt")] if door else []
        yield ["--devices", str(keys), "--broker", *(where or [f"127.0.0.1:{port}"])]


def connected(*, tls: bool) -> tuple[float, Facts]:
    """Connect the fleet once; gives seconds from the start of the process, and its own account."""
    folder = Path(tempfile.mkdtemp(prefix="bench-fleet-"))
    try:
        with brokered(folder, tls=tls) as options:
            command = [sys.executable, "-m", "firmware_sim", "run", *options, "--journal", str(folder / "journal")]
            begun = time.monotonic()
            process = subprocess.Popen(
                [*command, "--seconds", "30", "--interval", "60", "--patience", "1", "--quiet"],
                cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )  # fmt: skip
            assert process.stderr is not None
            said = next((line for line in process.stderr if "devices online after" in line), None)
            seconds = time.monotonic() - begun
            process.terminate()
            out, err = process.communicate(timeout=60)
    finally:
        shutil.rmtree(folder)
    assert said is not None, f"not all devices came online: {err[-500:]}"
    facts: Facts = json.loads(out)
    return seconds, facts


def sent() -> Facts:
    """Send a backlog and live readings of a fleet to the real ingest; gives the fleet's account."""
    home = Path(tempfile.mkdtemp(prefix="bench-fleet-"))
    line = Line(home, kind="mosquitto")
    try:
        line.register(f"dev-{i:05d}" for i in range(SENDERS))
        with line.broker:
            line.ingest()
            until(lambda: "listening" in (home / "ingest.log").read_text())
            simulator = line.simulator(
                "run", "--backlog", BACKLOG_DAYS, "--backlog-step", 900, "--seconds", 10, "--interval", 5, "--quiet"
            )
            return report_of(simulator, within_s=600)
    finally:
        line.close()
        shutil.rmtree(home)


def rows() -> list[Row]:
    """Measure, and give one row per bar and per number worth knowing."""
    plain, secret = [connected(tls=False) for _ in range(ROUNDS)], connected(tls=True)
    account = sent()
    return [*_connecting(plain), *_through_tls(secret), *_costs(account)]


def _connecting(plain: list[tuple[float, Facts]]) -> list[Row]:
    seconds = statistics.median(seconds for seconds, _ in plain)
    memory_mb = max(facts["peak_memory_mb"] for _, facts in plain)
    cpu_s = statistics.median(facts["all_online_cpu_s"] for _, facts in plain)
    fast, fast_ok = at_most(seconds, 5)
    small, small_ok = at_most(memory_mb, 120)
    connects = max(facts["connects"] for _, facts in plain)
    return [
        Row(
            bar=f"{DEVICES} devices connected in one process, from its start, median of {ROUNDS}",
            value=seconds, unit="s", target=fast, ok=fast_ok, command=COMMAND,
        ),
        Row(bar="the same, peak memory", value=memory_mb, unit="MB", target=small, ok=small_ok, command=COMMAND),
        _shown("the same, CPU of the process until then", cpu_s, "s"),
        _shown("connections it took", connects, ""),
    ]  # fmt: skip


def _through_tls(secret: tuple[float, Facts]) -> list[Row]:
    seconds, facts = secret
    return [
        _shown(f"{DEVICES} devices connected through TLS", seconds, "s"),
        _shown("the same, peak memory", facts["peak_memory_mb"], "MB"),
    ]


def _costs(account: Facts) -> list[Row]:
    each = account["cost"]["per_stored"]
    assert account["complete"], account
    return [
        _shown(f"readings of {SENDERS} devices stored and acknowledged", account["acked"], ""),
        _shown("CPU of the simulator per stored reading", 1e6 * account["cpu_s"] / account["acked"], "us"),
        _shown("published bytes per stored reading", each["published_bytes"], "B"),
        _shown("bytes on the wire per stored reading, out", each["wire_bytes_out"], "B"),
        _shown("bytes on the wire per stored reading, in", each["wire_bytes_in"], "B"),
        _shown("acknowledgements per stored reading", each["acks"], ""),
        _shown("repetitions per stored reading", each["resends"], ""),
        _shown(f"airtime per stored reading ({account['cost']['bearer']})", each["airtime_s"], "s"),
        _shown("battery per stored reading", each["battery_j"], "J"),
    ]


def _shown(bar: str, value: float, unit: str) -> Row:
    return Row(bar=bar, value=value, unit=unit, target="", ok=True, command=COMMAND)


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
