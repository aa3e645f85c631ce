"""Faults of the store: full disk (row 7), locked or restarted database (row 8), loss of power (row 9)."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from tests.debian import find_tool
from tests.faults.line import Failed, FaultLine, wait
from tests.faults.oracle import Account
from tests.faults.stage import NONSENSE, Skipped, Stage
from tests.faults.witness import Look, within
from tests.integration.conftest import free_port
from tests.postgres import Postgres

MEGABYTE = 1 << 20
COPIES = 4


def disk_full(stage: Stage) -> Account:
    """Row 7: the disk of the store fills up under it, and is made larger: nothing acknowledged in between."""
    disk = _small_disk(stage)
    line = stage.line(database_url=f"sqlite:///{disk / 'store.db'}")
    line.broker.start()
    line.start_ingest()
    devices = line.simulate(*stage.endless, *NONSENSE)
    wait(line.stored, "readings flow")
    _fill(disk)
    wait(lambda: "could not be committed" in line.log(), "ingest says that it cannot commit")
    before = line.stored()
    time.sleep(5.0 if stage.form.long else 1.5)
    if line.stored() != before:
        raise Failed("readings were stored on a full disk: the row staged nothing")
    if line.witness.breaches:
        raise Failed(f"acknowledged while the disk was full: {line.witness.breaches[0]}")
    _mount("-o", "remount,size=64m", disk)
    return line.finish(line.enough(devices))


def _small_disk(stage: Stage) -> Path:
    disk = stage.room / "disk"
    disk.mkdir()
    if os.geteuid() != 0:
        raise Skipped("needs root, to mount a small disk")
    try:
        _mount("-t", "tmpfs", "-o", "size=8m", "tmpfs", disk)
    except subprocess.CalledProcessError as error:
        raise Skipped(f"no disk can be mounted here: {error.stderr.strip()}") from error
    stage.ends.append(lambda: subprocess.run(["umount", "--lazy", str(disk)], check=False))
    return disk


def _mount(*arguments: object) -> None:
    subprocess.run(["mount", *map(str, arguments)], check=True, capture_output=True, text=True)


def _fill(disk: Path) -> None:
    """Take every byte that is left, the last ones singly: SQLite may have a page to spare."""
    with (disk / "filler").open("wb", buffering=0) as file:
        for size in (MEGABYTE, 4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


def database_locked_or_gone(stage: Stage) -> Account:
    """Row 8: SQLite locked by another writer, with a reader that never ends; PostgreSQL restarted, and killed."""
    return _locked(stage) + _postgres_away(stage)


def _locked(stage: Stage) -> Account:
    line = stage.line(name="sqlite")
    line.broker.start()
    line.start_ingest(busy_ms=0 if stage.form.long else 300)
    devices = line.simulate(*stage.endless, *NONSENSE)
    wait(line.stored, "readings flow")
    with closing(sqlite3.connect(line.home / "cropcredit.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM reading").fetchone()
        stored = line.stored()
        wait(lambda: line.stored() > stored, "readings flow beside a long reader")
        for _ in range(2):
            with line.locked():
                time.sleep(20 if stage.form.long else 1.0)
            stored = line.stored()
            wait(lambda: line.stored() > stored, "readings flow again after the lock")  # noqa: B023
    if "locked" not in line.log():
        raise Failed("the lock was never felt: the row staged nothing")
    return line.finish(line.enough(devices))


def _postgres_away(stage: Stage) -> Account:
    server = postgres(stage)
    line = stage.line(name="postgresql", database_url=server.url)
    line.broker.start()
    line.start_ingest()
    devices = line.simulate(*stage.endless, *NONSENSE)
    wait(line.stored, "readings flow into PostgreSQL")
    for round_ in range(max(2, stage.form.rounds // 3)):
        if round_ % 2:
            server.kill()
        else:
            server.stop("fast")
        time.sleep(stage.rng.uniform(0.3, 1.0))
        _start_again(server)
        stored = _stored(line)
        wait(lambda: _stored(line) > stored, "readings flow again")  # noqa: B023
    return line.finish(line.enough(devices))


def _start_again(server: Postgres) -> None:
    """Start it; after SIGKILL its children take a moment to see that their parent is gone."""
    for _ in range(20):
        try:
            server.start()
        except AssertionError:
            time.sleep(0.5)
        else:
            return
    raise Failed("PostgreSQL does not start again")


def _stored(line: FaultLine) -> int:
    """Count readings through a connection of our own: that of the app died with the server."""
    try:
        return line.look.readings()
    except DBAPIError:
        return -1


def postgres(stage: Stage) -> Postgres:
    """Give a PostgreSQL server of the row's own; it goes with the row."""

    def tool(name: str) -> Path:
        path = find_tool(name)
        if path is None:
            raise Skipped(f"Debian package with {name} is not installed")
        return path

    server = Postgres(tool, port=free_port())
    stage.ends.append(server.remove)
    return server


def power_lost(stage: Stage) -> Account:
    """Row 9: what lies on the disk at random instants opens, is whole, and holds whatever was acknowledged by then."""
    line = stage.started()
    devices = line.simulate(*stage.endless, *NONSENSE)
    wait(line.stored, "readings flow")
    checked = 0
    for number in range(COPIES * stage.form.rounds):
        time.sleep(stage.rng.uniform(0.05, 0.4))
        checked += _check_copy(line, stage.room / f"copy{number}")
    found = line.finish(line.enough(devices))
    found.note = f"{COPIES * stage.form.rounds} copies, {checked} acks held against them"
    return found


def _check_copy(line: FaultLine, copy: Path) -> int:
    said = list(line.witness.said)
    line.signal_ingest(signal.SIGSTOP)  # between two of its system calls: the disk as a power cut would leave it
    copy.mkdir()
    try:
        for suffix in ("", "-wal"):
            shutil.copy(line.home / f"cropcredit.db{suffix}", copy / f"cropcredit.db{suffix}")
    finally:
        line.signal_ingest(signal.SIGCONT)
    with closing(sqlite3.connect(copy / "cropcredit.db")) as database:
        whole = database.execute("PRAGMA integrity_check").fetchone()[0]
    if whole != "ok":
        raise Failed(f"a copy taken mid-write is not whole: {whole}")
    look = Look(f"sqlite:///{copy / 'cropcredit.db'}")
    settled, hollow = look.settled(), look.hollow()
    look.close()
    if hollow:
        raise Failed(hollow[0])
    missing = [one for one in said if not within(one, settled)]
    if missing:
        raise Failed(f"acknowledged and not on the disk: {missing[0]}")
    shutil.rmtree(copy)
    return len(said)
