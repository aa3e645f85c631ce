"""The devices' season: a real broker, the ingest service and simulated devices, each a process of its own."""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from cropcredit.demo.processes import environment, python, run, running, wait_for
from cropcredit.demo.stage import Facts, Stage
from cropcredit.errors import StoreUnavailable
from cropcredit.usecases.devices import IssuedKey

LISTENING = "listening to"
"""What ingest says once it hears the devices; whoever sends before is heard at the second try."""
ACKNOWLEDGED = re.compile(r"acknowledged (\d+)")


def devices(stage: Stage) -> Facts:
    """Register the devices with fresh keys, say where they stand, and let them send the season they measured."""
    app, made = stage.app, stage.made
    keys = stage.home / "devices.keys.csv"
    if not keys.is_file():
        _write_keys(keys, app.add_devices(app.device_tables.devices(made / "devices.csv"), rotate=True))
    placed = app.place_devices(app.device_tables.places(made / "installations.csv"))
    with app.make_broker(kind=stage.broker) as broker:
        stage.say(f"{broker.kind} on 127.0.0.1:{broker.port}; ingest and {len(placed)} devices run beside it")
        env = environment("cropcredit", "firmware_sim")
        ingest = python("cropcredit", "ingest", "--home", str(stage.home))
        log = stage.logs / "ingest.log"
        log.unlink(missing_ok=True)
        with running(ingest, env=env, log=log) as process:
            wait_for(process, log, LISTENING)
            report = _replay(stage, keys, broker.port, env)
            if process.poll() is not None:
                raise StoreUnavailable(f"ingest ended by itself (see {log})")
    return {
        "broker": broker.kind,
        "devices": len(placed),
        "messages": report["journal"]["recorded"],
        "acknowledged": report["journal"]["acked"],
        "refused": report["journal"]["rejected"],
        "stored": app.ingest_messages.store.counts(),
        "missing": sum(gap.size for gap in app.find_gaps(None)),
        "seconds": report["seconds"],
    }


def _replay(stage: Stage, keys: Path, port: int, env: dict[str, str]) -> Facts:
    """Let the fleet send its readings until all are acknowledged by the store; returns its own account of it."""
    readings = stage.made / "readings.csv"
    options = [
        "replay", str(readings), "--devices", str(keys), "--journal", str(stage.home / "devices.journal"),
        "--broker", f"127.0.0.1:{port}", "--interval", str(stage.region.sensors.every_hours * 3600),
    ]  # fmt: skip
    with _bar(stage, _messages(readings)) as advance:
        said = run(
            python("firmware_sim", *options), env=env, log=stage.logs / "devices.log", heard=_progress_of(advance)
        )
    report: Facts = json.loads(said)
    return report


def _bar(stage: Stage, messages: int) -> AbstractContextManager[Callable[[int], None]]:
    return stage.progress("      acknowledged by the store", messages)


def _progress_of(advance: Callable[[int], None]) -> Callable[[str], None]:
    """Turn the fleet's lines into steps of the bar."""
    shown = 0

    def heard(line: str) -> None:
        nonlocal shown
        if found := ACKNOWLEDGED.search(line):
            advance(int(found[1]) - shown)
            shown = int(found[1])

    return heard


def _messages(readings: Path) -> int:
    """Count the messages that the rows of a readings file make up."""
    with readings.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        return len({(row[0], row[1]) for row in rows})


def _write_keys(file: Path, issued: Sequence[IssuedKey]) -> None:
    """Put the fresh keys where only this person reads them; each device would carry its own."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as text:
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(("device", "kid", "secret", "password"))
        rows.writerows((key.device_id, key.key_id, key.secret, key.password) for key in issued)
