"""The real ingest in a process of its own, forked from one that has its libraries loaded already.

``cropcredit ingest`` takes two seconds to load what cropcredit needs; thirty restarts would measure nothing else.
Where a fault lies inside the process it is set here: the store's ``add``, SQLAlchemy's event before a commit, and two
constants.
What happens on the wire (after the commit, between acknowledgements) is done to it from outside, by the proxy.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Engine, event

CRASHED = 137
Crash = Literal["", "before insert", "inside transaction"]
_PDEATHSIG = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What one run of ingest is to be like."""

    home: Path
    crash: Crash = ""
    nth: int = 1
    """Crash in the n-th batch with readings."""
    keepalive_s: int = 0
    """0: as shipped."""
    busy_ms: int = 0
    """How long SQLite waits for a lock; 0: as shipped."""


def start(order: Order) -> BaseProcess:
    """Start it; give the process (``pid``, ``kill``, ``exitcode``)."""
    context: Any = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.preload"])
    process: BaseProcess = context.Process(target=_serve, args=(order,), daemon=True)
    process.start()
    return process


def _serve(order: Order) -> None:
    ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL)
    log = os.open(order.home / "ingest.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    from cropcredit.adapters import mqtt  # noqa: PLC0415 - loaded before the fork
    from cropcredit.adapters.database import engine  # noqa: PLC0415
    from cropcredit.cli import main  # noqa: PLC0415

    mqtt.KEEPALIVE_S = order.keepalive_s or mqtt.KEEPALIVE_S
    engine.BUSY_MS = order.busy_ms or engine.BUSY_MS
    if order.crash:
        _arm(order.crash, order.nth)
    sys.argv = ["cropcredit", "ingest", "--home", str(order.home)]
    try:
        main()
    except SystemExit as end:
        os._exit(int(end.code or 0))
    os._exit(0)


def _arm(crash: Crash, nth: int) -> None:
    """End the process, as SIGKILL would, in its n-th batch with readings."""
    from cropcredit.adapters.database.readings import DatabaseReadings  # noqa: PLC0415

    add, batches = DatabaseReadings.add, 0

    def counted(store: DatabaseReadings, readings: Any, *arguments: Any, **more: Any) -> Any:
        nonlocal batches
        batches += bool(len(readings))
        if crash == "before insert" and batches >= nth:
            os._exit(CRASHED)
        return add(store, readings, *arguments, **more)

    def committing(_connection: Connection) -> None:
        if crash == "inside transaction" and batches >= nth:
            os._exit(CRASHED)

    setattr(DatabaseReadings, "add", counted)  # noqa: B010 - a method is replaced on purpose
    event.listen(Engine, "commit", committing)
