"""The telemetry line as processes: a workspace, its broker, ingest, and simulated devices."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

from cropcredit.adapters.broker import Broker, Kind
from cropcredit.adapters.mqtt import Subscriber
from cropcredit.bootstrap import App, build
from cropcredit.config import FILE, Settings
from cropcredit.model import Device
from tests.integration.conftest import free_port

ROOT = Path(__file__).parents[3]
PATIENCE_S = 240.0


class Line:
    """One workspace with everything that carries a reading into its store; ``close`` ends whatever still runs.

    With ``ingest_port`` ingest looks for the broker there, where a proxy may stand between the two.
    """

    def __init__(self, home: Path, *, kind: Kind, database_url: str = "", ingest_port: int = 0) -> None:
        self.home = home
        port = free_port()
        Settings.checked(home, {"broker_port": ingest_port or port}, where="test").save()
        if database_url:
            with (home / FILE).open("a") as file:
                file.write(f'database_url = "{database_url}"\n')
        self._environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT)))}
        self.settings = Settings.load(home)
        self.app: App = build(self.settings)
        self.broker: Broker = self.app.make_broker(kind=kind, port=port)
        self.keys = home / "devices.csv"
        self._processes: list[subprocess.Popen[str]] = []

    def register(self, device_ids: Iterable[str]) -> None:
        """Register devices and write the devices file that the simulator reads."""
        now = self.app.clock.now()
        issued = self.app.add_devices([Device(id=device_id, known_at=now) for device_id in device_ids])
        with self.keys.open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(("device", "kid", "secret", "password"))
            rows.writerows((key.device_id, key.key_id, key.secret, key.password) for key in issued)

    def ingest(self) -> subprocess.Popen[str]:
        """Start ``cropcredit ingest``; its log goes to ``ingest.log``."""
        with (self.home / "ingest.log").open("a") as log:
            return self._start("cropcredit", "ingest", "--home", str(self.home), stderr=log)

    @contextmanager
    def ingesting(self) -> Iterator[Subscriber]:
        """Ingest in a thread of this process while inside: the same session and use case, without the start-up."""
        subscriber, stop = build(self.settings).make_subscriber(), Event()
        thread = Thread(target=subscriber.run, args=(stop,))
        thread.start()
        try:
            until(lambda: subscriber.health.connected)
            yield subscriber
        finally:
            stop.set()
            thread.join()

    def simulator(self, *arguments: object) -> subprocess.Popen[str]:
        """Start ``python -m firmware_sim`` with this line's devices and broker."""
        common = ("--devices", self.keys, "--journal", self.home / "devices.journal")
        broker = ("--broker", f"127.0.0.1:{self.broker.port}")
        with (self.home / "devices.log").open("a") as log:
            return self._start("firmware_sim", *map(str, (*arguments, *common, *broker)), stderr=log)

    def stored(self) -> int:
        """Count the readings in the store."""
        return self.app.ingest_messages.store.counts()["readings"]

    def close(self) -> None:
        """End what still runs."""
        for process in self._processes:
            if process.poll() is None:
                process.kill()
            process.communicate()
        self.broker.stop()

    def _start(self, module: str, *arguments: str, stderr: Any) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", module, *arguments]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=stderr, env=self._environment, text=True, cwd=self.home
        )
        self._processes.append(process)
        return process


def until(told: Callable[[], bool], *, within_s: float = PATIENCE_S) -> None:
    """Wait for something to come true, and fail when it does not."""
    end = time.monotonic() + within_s
    while not told():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def report_of(simulator: subprocess.Popen[str], *, within_s: float) -> dict[str, Any]:
    """Wait for the simulator to end well; give its own account."""
    said, _ = simulator.communicate(timeout=within_s)
    assert simulator.returncode == 0, said
    report: dict[str, Any] = json.loads(said)
    return report
