"""What only time brings: a soak (row 17), and an upgrade with a quarantine to be tried again (row 18)."""

from __future__ import annotations

import sqlite3
import statistics
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

import cropcredit.adapters
from cropcredit.adapters.broker_access import FileBrokerAccess
from cropcredit.bootstrap import build
from cropcredit.config import Settings
from cropcredit.model import Device
from firmware_sim.message import up_message
from tests.faults.hand import Hand
from tests.faults.line import MIGRATING, Failed, FaultLine, resident_kb, wait
from tests.faults.oracle import Account
from tests.faults.stage import NONSENSE, Stage

SLOPE_MB_PER_MIN = 1.0
GROSS_MB = 12.0
LONG_S = 300.0
OLD_SCHEMA = "0002"
LATE = "late"
LATE_MESSAGES = 30


def soak(stage: Stage) -> Account:
    """Row 17: hours of ordinary work: neither memory nor open files may grow."""
    form = stage.form
    line = stage.started(devices=form.soak_devices, audit=False)
    seconds, interval = form.soak_s, form.soak_interval_s
    devices = line.simulate("run", "--seconds", seconds, "--interval", interval, "--seed", "1")
    wait(line.stored, "readings flow")
    pid = line.ingests[-1].pid or 0
    samples: list[tuple[float, float, int]] = []
    begun = time.monotonic()
    while devices.poll() is None:
        files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        samples.append(((time.monotonic() - begun) / 60, resident_kb(pid) / 1024, files))
        time.sleep(min(1.0, seconds / 100))
    found = line.finish(devices)
    found.note = _judged(samples, seconds)
    return found


def _judged(samples: Sequence[tuple[float, float, int]], seconds: float) -> str:
    """Fit a line through memory after the first quarter; Failed when it climbs."""
    settled = [sample for sample in samples if 60 * sample[0] > seconds / 4]
    slope = statistics.linear_regression([at for at, _, _ in settled], [mb for _, mb, _ in settled]).slope
    grown, files = settled[-1][1] - settled[0][1], max(f for *_, f in settled) - min(f for *_, f in settled)
    said = f"memory {slope:+.2f} MB/min over {seconds:.0f} s ({grown:+.1f} MB), open files vary by {files}"
    # A run of seconds is over before caches are full: it sees a gross leak only; the bar is for the long ones.
    if slope > SLOPE_MB_PER_MIN and (seconds >= LONG_S or grown > GROSS_MB):
        raise Failed(said)
    if files > 20:
        raise Failed(said)
    return said


def upgraded(stage: Stage) -> Account:
    """Row 18: rows of an old schema under new code; and what was refused passes once what was wrong is put right."""
    line = stage.line()
    FileBrokerAccess(line.broker.directory).allow({LATE: "password"})
    line.broker.start()
    line.start_ingest()
    wait(lambda: line.witness.subscriptions, "ingest listens")
    line.finished(line.simulate(*stage.live, *NONSENSE))
    _late_says(line, LATE_MESSAGES)
    line.stop_ingest()
    _age(line)
    line.start_ingest()
    wait(lambda: line.witness.subscriptions > 1, "ingest opens the old store and listens")
    line.app = build(Settings.load(line.home))
    _late_says(line, 2 * LATE_MESSAGES)
    again = line.simulate(*stage.live, *NONSENSE)
    found = line.finish(again)
    found.note = f"schema {OLD_SCHEMA} brought up to date; " + _replay_twice(line)
    return found


_CONTENT = b',"ts":1767225600000,"clk":"rtc","up":5,"m":[{"q":"soil.moisture","v":20.5,"c":"d30"}]'


def _late_says(line: FaultLine, upto: int) -> None:
    """Let the device that nobody registered say what it has not said yet; see that it is refused."""
    fresh = [up_message(1, seq, _CONTENT, key=None) for seq in range(len(line.injected) + 1, upto + 1)]
    line.injected += fresh
    with Hand(line.device_port, LATE, "password") as hand:
        hand.send(f"farm/v1/{LATE}/up", fresh)
    wait(lambda: line.store().arrivals["unknown"] >= upto, "an unregistered device is refused", within_s=30)


def _age(line: FaultLine) -> None:
    """Replace the store by one of the old schema with the same rows."""
    now, old = line.home / "cropcredit.db", line.home / "old.db"
    config = Config()
    config.set_main_option("script_location", str(Path(cropcredit.adapters.__file__).parent / "migrations"))
    engine = create_engine(f"sqlite:///{old}")
    with MIGRATING, engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, OLD_SCHEMA)
    engine.dispose()
    with closing(sqlite3.connect(old, isolation_level=None)) as database:
        database.execute("ATTACH ? AS new", (str(now),))
        tables = "SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        for (table,) in database.execute(f"{tables} AND name <> 'alembic_version'").fetchall():
            columns = ", ".join(row[1] for row in database.execute(f"PRAGMA main.table_info({table})"))
            database.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM new.{table}")  # noqa: S608
    for suffix in ("", "-wal", "-shm"):
        now.with_name(now.name + suffix).unlink(missing_ok=True)
    old.rename(now)


def _replay_twice(line: FaultLine) -> str:
    """Register the device, replay, replay again, and let it say everything once more.

    Of what was refused under the old schema nobody knows any more whether the broker tied it to its sender: unsigned
    as it is, it must not pass before the device says it again.
    """
    (issued,) = line.app.add_devices([Device(id=LATE, known_at=line.app.clock.now())])
    before = line.counts()["readings"]
    first, second = line.app.replay_quarantine(), line.app.replay_quarantine()
    said = (
        f"{first.passed} passed when replayed, then {second.passed}; {first.refused.get('unsigned', 0)} stay unsigned"
    )
    if (first.passed, second.passed, first.refused.get("unsigned")) != (LATE_MESSAGES, 0, LATE_MESSAGES):
        raise Failed(said)
    if line.counts()["readings"] != before + LATE_MESSAGES:
        raise Failed(f"{LATE_MESSAGES} messages passed and {line.counts()['readings'] - before} were stored")
    line.start_ingest()
    wait(lambda: line.witness.subscriptions > 2, "ingest listens")
    line.broker.reload()
    wait(lambda: _enters(line, issued.password), "the broker takes the device's new password")
    with Hand(line.device_port, LATE, issued.password) as hand:
        hand.send(f"farm/v1/{LATE}/up", line.injected)
    wait(lambda: line.counts()["readings"] == before + 2 * LATE_MESSAGES, "all of it is stored once said again")
    line.stop_ingest()
    if line.counts()["conflicts"]:
        raise Failed("what was replayed contradicts what the device says again")
    return said


def _enters(line: FaultLine, password: str) -> bool:
    try:
        Hand(line.device_port, LATE, password).close()
    except ConnectionRefusedError:
        return False
    return True
