"""One fault's own workspace, broker, ingest and devices, with a witness on the wire between broker and ingest."""

from __future__ import annotations

import csv
import json
import os
import resource
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from hashlib import sha256
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Lock
from typing import Any

from tests.faults import oracle, service
from tests.faults.oracle import Account, Name, Recorded, Store
from tests.faults.proxy import Proxy
from tests.faults.witness import Look, Witness
from tests.integration.telemetry.line import Line

PATIENCE_S = 150.0
"""Nothing takes so long that is not stuck."""
MIGRATING = Lock()
"""Alembic keeps its context in module globals, so only one thread of a process may make a workspace at a time."""
FLOWING_S = 0.5
"""How long readings flow on when the last fault is over."""
QUICK = ("--resend-after", "2", "--quiet")


class Failed(Exception):
    """A fault was not survived, or could not be staged as the matrix asks; one line says what was seen."""


def wait(told: Callable[[], object], what: str, *, within_s: float = PATIENCE_S) -> None:
    """Wait for something to come true; Failed, with ``what``, when it does not."""
    end = time.monotonic() + within_s
    while not told():
        if time.monotonic() > end:
            raise Failed(f"{what}: not within {within_s:.0f} s")
        time.sleep(0.02)


def resident_kb(pid: int) -> int:
    """Give the resident memory of a process, kB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * (resource.getpagesize() // 1024)


class FaultLine(Line):
    """A lender's workspace with everything that carries a reading into its store.

    Parameters
    ----------
    home : Path
        New workspace.
    devices : int
        How many are registered for the simulator: d001, d002, ….
    others : sequence of str
        Devices registered beside them, for hands.
    database_url : str
        Empty: SQLite in the workspace.
    audit : bool
        Hold every acknowledgement on the wire against the store at that very moment.
    """

    def __init__(
        self, home: Path, *, devices: int, others: Sequence[str] = (), database_url: str = "", audit: bool = True
    ) -> None:
        self.witness = Witness()
        self.proxy = Proxy(0, tap=self.witness)
        with MIGRATING:
            super().__init__(home, kind="mosquitto", database_url=database_url, ingest_port=self.proxy.port)
        self.proxy.upstream = self.device_port = self.broker.port
        self.look = Look(self.settings.database)
        if audit:
            self.witness.look = self.look
        self.device_ids = [f"d{number:03d}" for number in range(1, devices + 1)]
        self.register([*self.device_ids, *others])
        self._all = self.keys
        self.keys = self.devices_file(self.device_ids, "simulated") if others else self._all
        self.ingests: list[BaseProcess] = []
        self._heard_before = 0
        self.patience_s = PATIENCE_S
        self.injected: list[bytes] = []
        """Payloads that were sent beside the devices' journals, each to be refused."""
        self._journals: dict[Path, Path] = {}
        """With the devices file, which holds the keys."""
        self._aside: set[str] = set()

    def run(self, command: Sequence[str]) -> None:
        """Start another program of the line, such as a broker with another configuration; it ends with the line."""
        self._processes.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True))

    # --- ingest ------------------------------------------------------------------------------------------------------

    def start_ingest(self, **order: Any) -> BaseProcess:
        """Start an ingest; options as in :class:`tests.faults.service.Order`."""
        self._heard_before = self.witness.subscriptions
        self.ingests.append(service.start(service.Order(home=self.home, **order)))
        return self.ingests[-1]

    def kill_ingest(self) -> None:
        """End the latest ingest as a power cut would."""
        self.ingests[-1].kill()
        self.ingests[-1].join()

    def stop_ingest(self) -> None:
        """Ask it to end, and see that it does so in good order."""
        process = self.ingests[-1]
        wait(lambda: self.witness.subscriptions > self._heard_before, "ingest is up, before it is asked to end")
        process.terminate()
        process.join(30)
        if process.exitcode != 0:
            raise Failed(f"ingest ended with {process.exitcode} on SIGTERM")

    def connected(self) -> bool:
        """Say whether ingest holds a connection now."""
        return self.proxy.open > 0

    @property
    def _ingest_died(self) -> bool:
        return bool(self.ingests) and not self.ingests[-1].is_alive()

    def signal_ingest(self, number: signal.Signals) -> None:
        """Send it a signal."""
        pid = self.ingests[-1].pid
        assert pid is not None
        os.kill(pid, number)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the write lock of the SQLite store while inside: nothing can be committed."""
        with closing(sqlite3.connect(self.home / "cropcredit.db", isolation_level=None, timeout=30)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield

    def memory_kb(self) -> int:
        """Give the resident memory of ingest, kB."""
        return resident_kb(self.ingests[-1].pid or 0)

    def log(self) -> str:
        """Give what ingest has said so far."""
        file = self.home / "ingest.log"
        return file.read_text() if file.exists() else ""

    # --- devices -----------------------------------------------------------------------------------------------------

    def simulate(self, *arguments: object, name: str = "devices", devices: Path | None = None) -> subprocess.Popen[str]:
        """Start ``python -m firmware_sim`` with the ledger beside its journal."""
        journal = self.home / f"{name}.journal"
        self._journals[journal] = devices or self.keys
        oracle.open_ledger(journal)
        patience = ("--patience", self.patience_s / 2)
        common = ("--devices", devices or self.keys, "--journal", journal, "--broker", f"127.0.0.1:{self.device_port}")
        command, *options = arguments
        with (self.home / f"{name}.log").open("a") as log:
            return self._start("firmware_sim", *map(str, (command, *QUICK, *patience, *options, *common)), stderr=log)

    def enough(self, simulator: subprocess.Popen[str]) -> subprocess.Popen[str]:
        """Switch devices off that measure without end, and on again: what they still hold is all they have to send."""
        time.sleep(FLOWING_S)
        simulator.terminate()
        wait(lambda: simulator.poll() is not None, "the simulator ends")
        same = self._journals[self.home / "devices.journal"]
        return self.simulate("run", "--readings", "1", "--interval", "1", "--seconds", "5", devices=same)

    def set_aside(self, device: str) -> None:
        """Leave a device out of the balance: the row looks at it by itself."""
        self._aside.add(device)
        self.witness.exempt.add(device)

    def devices_file(self, device_ids: Sequence[str], name: str) -> Path:
        """Write a devices file of some of the registered devices."""
        path = self.home / f"{name}.devices.csv"
        head, *lines = self._all.read_text().splitlines()
        path.write_text("\n".join([head, *(line for line in lines if line.split(",")[0] in set(device_ids))]) + "\n")
        return path

    def passwords(self) -> dict[str, str]:
        """Give the passwords at the broker by device id."""
        with self._all.open(newline="") as file:
            return {row["device"]: row["password"] for row in csv.DictReader(file)}

    def finished(self, simulator: subprocess.Popen[str], *, refusals: bool = False) -> dict[str, Any]:
        """Wait until every device has emptied its journal; give the simulator's own account.

        With ``refusals`` some of what it sent may be refused.
        """
        wait(lambda: simulator.poll() is not None or self._ingest_died, "outboxes are empty", within_s=self.patience_s)
        if simulator.poll() is None:
            raise Failed(f"ingest ended by itself with {self.ingests[-1].exitcode}")
        assert simulator.stdout is not None
        said = simulator.stdout.read()
        report: dict[str, Any] = json.loads(said) if said else {}
        if not report or report["outstanding"] or (report["refused"] and not refusals):
            raise Failed(f"devices gave up: {report.get('outstanding')} held, refused {report.get('refused')}")
        return report

    # --- the balance -------------------------------------------------------------------------------------------------

    def ledger(self) -> dict[Name, Recorded]:
        """Give what the devices ever recorded; their simulators must have ended."""
        found: dict[Name, Recorded] = {}
        for journal, devices in self._journals.items():
            found |= oracle.read_ledger(journal, oracle.read_keys(devices))
        return found

    def nonsense(self) -> dict[bytes, str]:
        """Give what the simulators injected beside their journals: SHA-256 of the payload, expected reason."""
        found: dict[bytes, str] = {}
        for journal in self._journals:
            found |= oracle.read_injected(journal)
        return found

    def store(self) -> Store:
        """Read what the store holds."""
        return oracle.read_store(self.settings.database)

    def counts(self) -> dict[str, int]:
        """Count what the store holds, as the product counts it."""
        return self.app.ingest_messages.store.counts()

    def account(self) -> Account:
        """Hold what the devices recorded, and what the wire showed, against the store."""
        digests = {sha256(payload).digest() for payload in self.injected} | self.nonsense().keys()
        ledger = {name: one for name, one in self.ledger().items() if name[0] not in self._aside}
        found = oracle.balance(ledger, self.store().without(self._aside), also_injected=digests)
        found.redelivered = self.witness.redelivered
        unkept = map(str, self.witness.unkept(self.look.settled()))
        found.breaches = [*self.witness.breaches, *unkept, *self.look.hollow()]
        return found

    def finish(self, simulator: subprocess.Popen[str]) -> Account:
        """Let devices drain, stop in good order, and draw the balance."""
        self.finished(simulator)
        self.stop_ingest()
        return self.account()

    def close(self) -> None:
        """End what still runs."""
        for process in self.ingests:
            if process.is_alive():
                process.kill()
            process.join()
        super().close()
        self.app.ingest_messages.store._engine.dispose()  # type: ignore[attr-defined] # one engine serves all stores
        self.proxy.close()
        self.look.close()
