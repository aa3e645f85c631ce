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
from firmware_sim.errors import BadInput
from firmware_sim.fleet import Fleet
from firmware_sim.identity import Identity, new_devices, read_devices
from firmware_sim.journal import Journal
from firmware_sim.ledger import read, write
from firmware_sim.node import wall_ms
from firmware_sim.plan import Plan, Source
from firmware_sim.replay import LONG_HELP, Replay, read_mapping
from firmware_sim.report import BEARERS, summary, unexpected, words
from firmware_sim.scenario import SCENARIO_HELP, Cast

WIDE_HELP = """\
Wide form: any table with one row per device and time, and --mapping FILE (TOML):

  device = "SOURCEID"            # column of the device id
  time = "Date"                  # column of the time
  # time_format = "%d.%m.%Y"     # strptime; default ISO 8601
  # prefix = "cook-"             # written before each device id
  # missing = ["", "NA", "-99"]  # cells that mean: not measured
  [[column]]
  name = "Port1VW"
  quantity = "soil.moisture"
  channel = "d30"
  scale = 100                    # m3/m3 to %; value = cell * scale + offset, in decimal arithmetic

A row without any value is sent as a heartbeat. Run again with the same --journal, the replay goes on where it stopped.
"""
EXIT_HELP = """
Exit code 0: every message is acknowledged; 1: some are not (they stay in the journal), or some were refused;
2: bad input.
"""
EXAMPLES = """\
One morning with it:

  python -m firmware_sim keygen --count 50 --out keys.csv     # or: cropcredit devices add, which registers them too
  python -m firmware_sim run --devices keys.csv --broker broker.example:8883 --ca ca.crt --seconds 60
  python -m firmware_sim run --devices keys.csv --backlog 30 --backlog-step 60     # a month offline, then live
  python -m firmware_sim run --devices keys.csv --kind grain:0.2 --attack bucket:0.1 --truth truth.csv
  python -m firmware_sim run --devices keys.csv --power-loss 30 --outage 60:10 --duplicate .1 --malformed .05
  python -m firmware_sim write --devices keys.csv --days 365 --out year.csv        # and then: replay year.csv
  python -m firmware_sim modes                                # every attack, fault, clock and soil in a line

Each command says more with --help.
"""


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
    cast = o.cast_of(options, tuple(devices), o.usual(options))
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


# --- the words of the command line -----------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python -m firmware_sim", formatter_class=plain, epilog=EXAMPLES,
        description="A fleet of simulated farm devices that speak telemetry contract v1 over MQTT.\n"
        "Each keeps its readings in a durable journal and forgets one only when the server has acknowledged it.",
    )  # fmt: skip
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser(
        "run", help="devices that measure now, in a made-up village", formatter_class=plain,
        epilog=SCENARIO_HELP + EXIT_HELP,
        description="Devices of one village measure now: they share weather, each has its own soil or store.",
    )  # fmt: skip
    _add_run(run)
    replay = commands.add_parser(
        "replay", help="send real readings from a CSV file", description=LONG_HELP, epilog=WIDE_HELP + EXIT_HELP,
        formatter_class=plain,
    )  # fmt: skip
    replay.add_argument("csv", type=Path, metavar="CSV", help="readings, may be gzipped (.gz)")
    o.add_broker(replay)
    replay.add_argument("--mapping", type=Path, metavar="FILE", help="how to read a wide table (below)")
    replay.add_argument(
        "--interval", type=o.positive, default=3600.0, help="seconds between readings, as declared (default 3600)"
    )
    o.add_habits(replay)
    o.add_faults(replay)
    replay.set_defaults(command=_replay)
    write = commands.add_parser(
        "write", help="write a made-up village's readings to a CSV file, for replay or study", formatter_class=plain,
        epilog=SCENARIO_HELP,
    )  # fmt: skip
    _add_write(write)
    _add_small(commands)
    return parser


def _add_run(run: argparse.ArgumentParser) -> None:
    o.add_broker(run)
    add = run.add_argument
    add("--seconds", type=o.positive, default=60.0, help="measure for so long, then drain (default 60)")
    add("--interval", type=o.positive, default=10.0, help="seconds between readings of a device (default 10)")
    add("--readings", type=int, default=0, metavar="N", help="stop after N readings per device")
    add("--backlog", type=o.natural, default=0.0, metavar="DAYS", help="begin with so many days measured and not sent")
    add(
        "--backlog-step",
        type=o.natural,
        default=0.0,
        metavar="S",
        help="seconds between those (default: as --interval)",
    )
    o.add_habits(run)
    o.add_faults(run)
    o.add_village(run)
    run.set_defaults(command=_run)


def _add_write(write: argparse.ArgumentParser) -> None:
    add = write.add_argument
    add("--devices", type=Path, required=True, metavar="FILE", help="devices file; of each only the id is read")
    add("--out", type=Path, required=True, metavar="FILE", help="CSV device,time,quantity,channel,value")
    add("--days", type=o.positive, default=30.0, help="length (default 30)")
    add("--interval", type=o.positive, default=900.0, help="seconds between readings (default 900)")
    add("--start", default="", metavar="TIME", help="first reading, ISO 8601 (default: so that it ends now)")
    o.add_habits(write)
    o.add_faults(write)
    o.add_village(write)
    write.set_defaults(command=_write)


def _add_small(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    ledger = commands.add_parser("ledger", help="tell what a fleet ever recorded and what became of it, as CSV")
    ledger.add_argument("--journal", type=Path, required=True, metavar="FILE", help="kept with --ledger")
    ledger.add_argument("--devices", type=Path, required=True, metavar="FILE", help="whose keys signed the messages")
    ledger.add_argument("--name-itself", action="store_true", help="the devices wrote their id into each message")
    ledger.set_defaults(command=_ledger)
    commands.add_parser("modes", help="list attacks, ageing, broken messages, clocks, soils").set_defaults(
        command=_modes
    )
    keygen = commands.add_parser("keygen", help="make a devices file with fresh keys")
    keygen.add_argument("device", nargs="*", help="device ids")
    keygen.add_argument("--count", type=int, default=0, metavar="N", help="also N numbered devices")
    keygen.add_argument("--prefix", default="sim-", help="prefix of numbered devices (default sim-)")
    keygen.add_argument("--kid", default="k1", help="key id (default k1)")
    keygen.add_argument("--out", type=Path, metavar="FILE", help="write here, readable by you alone (default stdout)")
    keygen.set_defaults(command=_keygen)
