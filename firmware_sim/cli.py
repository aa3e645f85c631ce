"""The command line: ``run``, ``replay``, ``write``, ``ledger``, ``modes``, ``keygen``.

Progress goes to stderr, one JSON summary to stdout.
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from firmware_sim import options as o
from firmware_sim.clock import DeviceClock
from firmware_sim.device import Habits
from firmware_sim.errors import BadInput
from firmware_sim.faults import Faults
from firmware_sim.fleet import Fleet
from firmware_sim.identity import Identity, new_devices, read_devices
from firmware_sim.journal import Journal
from firmware_sim.ledger import read, write
from firmware_sim.node import wall_ms
from firmware_sim.parser import parser
from firmware_sim.plan import Character, Plan, Source
from firmware_sim.replay import Replay, read_mapping
from firmware_sim.report import BEARERS, summary, unexpected, words
from firmware_sim.scenario import Cast


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.command(options)
    except BadInput as error:
        print(f"firmware_sim: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # somebody reads only the head of our list
        return 0
    return code


# --- commands --------------------------------------------------------------------------------------------------------


def _run(options: argparse.Namespace) -> int:
    from firmware_sim.farm import Farm  # noqa: PLC0415 - numpy takes its time, and only this command needs it

    devices = read_devices(options.devices)
    usual = o.usual(options)
    cast = o.cast_of(options, tuple(devices), usual)
    source = Farm(
        cast, seed=options.seed, start_ms=wall_ms(), seconds=options.seconds, interval_s=options.interval,
        each=options.readings, backlog_days=options.backlog, backlog_step_s=options.backlog_step,
    )  # fmt: skip
    if options.truth:
        _write_truth(options.truth, cast)
    return _operate(options, devices, source, o.plan_of(options, usual, cast.special))


def _replay(options: argparse.Namespace) -> int:
    devices = read_devices(options.devices)
    mapping = read_mapping(options.mapping) if options.mapping else None
    source = Replay(options.csv, mapping=mapping, known=tuple(devices))
    return _operate(options, devices, source, o.plan_of(options, o.usual(options), {}))


def _write(options: argparse.Namespace) -> int:
    from firmware_sim.farm import Farm  # noqa: PLC0415

    devices = read_devices(options.devices)
    usual = Character(habits=Habits(), faults=Faults(), clock=DeviceClock())
    cast = o.cast_of(options, tuple(devices), usual)
    start_ms = _start_ms(options.start, options.days)
    farm = Farm(
        cast, seed=options.seed, start_ms=start_ms + round(options.days * 86_400_000), seconds=0,
        interval_s=options.interval, backlog_days=options.days,
    )  # fmt: skip
    try:
        with options.out.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(("device", "time", "quantity", "channel", "value"))
            for reading in farm.backlog():
                time = datetime.fromtimestamp(reading.at_ms / 1000, UTC).isoformat(timespec="milliseconds")
                table.writerows((reading.device_id, time, q, c, v) for q, v, c in reading.values)
    except OSError as error:
        raise BadInput(f"{options.out}: {error}") from error
    if options.truth:
        _write_truth(options.truth, cast)
    _tell(f"{options.out}: {options.days:g} days of {len(devices)} devices; send it with 'replay {options.out}'")
    return 0


def _start_ms(text: str, days: float) -> int:
    if not text:
        return wall_ms() - round(days * 86_400_000)
    try:
        start = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"--start {text!r} is not ISO 8601, for example 2026-05-01") from error
    return round((start if start.tzinfo else start.replace(tzinfo=UTC)).timestamp() * 1000)


def _write_truth(path: Path, cast: Cast) -> None:
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(("device", "kind", "texture", "site", "change", "begins"))
            for device, role in cast.roles.items():
                table.writerow((device, role.kind, role.texture, role.site, role.change, role.begins))
    except OSError as error:
        raise BadInput(f"{path}: {error}") from error


def _ledger(options: argparse.Namespace) -> int:
    write(read(options.journal, read_devices(options.devices), name_itself=options.name_itself), sys.stdout)
    return 0


def _modes(_: argparse.Namespace) -> int:
    from firmware_sim.modes import lines  # noqa: PLC0415

    for line in lines():
        print(line)
    return 0


def _keygen(options: argparse.Namespace) -> int:
    ids = options.device + [f"{options.prefix}{i:04d}" for i in range(1, options.count + 1)]
    if not ids:
        raise BadInput("name at least one device, or give --count")
    text = new_devices(ids, kid=options.kid)
    if options.out is None:
        print(text, end="")
        return 0
    try:
        options.out.touch(mode=0o600, exist_ok=False)
        options.out.write_text(text)
    except FileExistsError as error:
        raise BadInput(f"{options.out} exists; keys are never overwritten") from error
    except OSError as error:
        raise BadInput(f"{options.out}: {error}") from error
    return 0


# --- a fleet at work -------------------------------------------------------------------------------------------------


def _operate(options: argparse.Namespace, devices: dict[str, Identity], source: Source, plan: Plan) -> int:
    _raise_file_limit(len(devices))
    if options.bearer not in BEARERS:
        raise BadInput(f"bearer {options.bearer!r} is not known; known: {', '.join(BEARERS)}")
    broker = o.broker_of(options, devices)
    with closing(Journal(options.journal, space=options.ring, ledger=options.ledger)) as journal:
        if isinstance(source, Replay):
            source.skip(journal.taken(source.digest))
        fleet = Fleet(devices.values(), source, journal, broker=broker, plan=plan, tell=_tell)
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: fleet.stop())
        began = time.monotonic()
        fleet.run(_quiet if options.quiet else _progress(began))
        return _report(fleet, journal, seconds=time.monotonic() - began, bearer=options.bearer)


def _report(fleet: Fleet, journal: Journal, *, seconds: float, bearer: str) -> int:
    said, refused = summary(fleet, journal, seconds=seconds, bearer=bearer), unexpected(journal)
    print(json.dumps(said))
    for line in words(said):
        _tell(line)
    if not said["complete"]:
        more = "" if fleet.source.exhausted else ", and not every reading was taken"
        _tell(
            f"not finished: {said['outstanding']} messages of {len(said['left'])} devices wait in {journal.path}{more}"
        )
    if refused:
        _tell("refused: " + ", ".join(f"{count} {reason}" for reason, count in refused.items()))
    return 0 if said["complete"] and not refused else 1


def _raise_file_limit(devices: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard != resource.RLIM_INFINITY and hard < devices + 50:
        raise BadInput(f"this machine lets a process open {hard} files; {devices} devices need more (ulimit -n)")


def _tell(line: str) -> None:
    print(f"firmware_sim: {line}", file=sys.stderr, flush=True)


def _quiet(_: Fleet) -> None:
    """Say nothing."""


def _progress(began: float) -> Callable[[Fleet], None]:
    def tell(fleet: Fleet) -> None:
        counts, passed = fleet.counts, time.monotonic() - began
        _tell(
            f"{passed:6.0f} s  online {fleet.online}/{len(fleet.nodes)}  recorded {counts['readings']}"
            f"  acknowledged {counts['acked']}  rejected {counts['rejected']}  outstanding {fleet.outstanding}"
            f"  resent {counts['resent']}"
        )

    return tell


def _parser() -> argparse.ArgumentParser:
    return parser(
        {"run": _run, "replay": _replay, "write": _write, "ledger": _ledger, "modes": _modes, "keygen": _keygen}
    )
