"""The command line: ``run``, ``replay``, ``keygen``. Progress on stderr, one JSON summary on stdout."""

from __future__ import annotations

import argparse
import json
import resource
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from firmware_sim.clock import MODES, DeviceClock
from firmware_sim.device import Habits
from firmware_sim.errors import BadInput
from firmware_sim.faults import Faults
from firmware_sim.fleet import Fleet
from firmware_sim.identity import Identity, new_devices, read_devices
from firmware_sim.journal import Journal
from firmware_sim.link import Broker
from firmware_sim.node import wall_ms
from firmware_sim.plan import Plan, Source
from firmware_sim.replay import LONG_HELP, Replay, read_mapping
from firmware_sim.synthetic import Synthetic

LAST_PORT = 65_535

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
Exit code 0: every message is acknowledged; 1: some are not (they stay in the journal), or some were refused;
2: bad input.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.command(options)
    except BadInput as error:
        print(f"firmware_sim: {error}", file=sys.stderr)
        return 2
    return code


# --- commands --------------------------------------------------------------------------------------------------------


def _run(options: argparse.Namespace) -> int:
    devices = read_devices(options.devices)
    source = Synthetic(
        tuple(devices), interval_s=options.interval, start_ms=wall_ms(), seconds=options.seconds,
        each=options.readings, seed=options.seed,
    )  # fmt: skip
    return _operate(options, devices, source)


def _replay(options: argparse.Namespace) -> int:
    devices = read_devices(options.devices)
    mapping = read_mapping(options.mapping) if options.mapping else None
    return _operate(options, devices, Replay(options.csv, mapping=mapping, known=tuple(devices)))


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


def _operate(options: argparse.Namespace, devices: dict[str, Identity], source: Source) -> int:
    _raise_file_limit()
    journal = Journal(options.journal)
    try:
        if isinstance(source, Replay):
            source.skip(journal.taken(source.digest))
        fleet = Fleet(devices.values(), source, journal, broker=_broker(options), plan=_plan(options), tell=_tell)
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: fleet.stop())
        began = time.monotonic()
        fleet.run(_quiet if options.quiet else _progress(began))
        return _report(fleet, journal, seconds=time.monotonic() - began)
    finally:
        journal.close()


def _report(fleet: Fleet, journal: Journal, *, seconds: float) -> int:
    totals, left = journal.totals(), journal.left()
    counts, refusals = fleet.counts, journal.refusals()
    unexpected = {reason: count for (reason, injected), count in sorted(refusals.items()) if not injected}
    complete = fleet.source.exhausted and totals.outstanding == 0
    names = (
        "readings", "poisoned", "sent", "resent", "acked", "rejected", "duplicated", "malformed", "wrong_name", "acks",
        "connects", "power_losses", "renumbered", "broken_heard", "bytes", "bytes_received",
    )  # fmt: skip
    summary: dict[str, Any] = {"complete": complete, "devices": len(fleet.nodes)}
    summary |= {name: counts[name] for name in names}
    summary |= {
        "outstanding": totals.outstanding,
        "seconds": round(seconds, 3),
        "journal": {"recorded": totals.recorded, "acked": totals.acked, "rejected": totals.rejected},
        "refused": unexpected,
        "left": left,
    }
    print(json.dumps(summary))
    if not complete:
        more = "" if fleet.source.exhausted else ", and not every reading was taken"
        _tell(f"not finished: {totals.outstanding} messages of {len(left)} devices wait in {journal.path}{more}")
    if unexpected:
        _tell("refused: " + ", ".join(f"{count} {reason}" for reason, count in unexpected.items()))
    return 0 if complete and not unexpected else 1


# --- from options to values ------------------------------------------------------------------------------------------


def _plan(options: argparse.Namespace) -> Plan:
    habits = Habits(window=options.window, resend_after_s=options.resend_after, name_itself=options.name_itself)
    faults = Faults(
        duplicate=options.duplicate, reorder=options.reorder, malformed=options.malformed, poison=options.poison,
        wrong_name=options.wrong_name, power_loss_s=options.power_loss,
    )  # fmt: skip
    return Plan(
        habits=habits, faults=faults, clock=DeviceClock.parse(options.clock), seed=options.seed,
        interval_s=max(1, round(options.interval)), patience_s=options.patience,
    )  # fmt: skip


def _broker(options: argparse.Namespace) -> Broker:
    host, _, port = options.broker.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) <= LAST_PORT:
        raise BadInput(f"broker {options.broker!r} is not HOST:PORT")
    return Broker(host=host, port=int(port), ca_file=options.ca)


def _raise_file_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


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


# --- options ---------------------------------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m firmware_sim",
        description="A fleet of simulated farm devices that speak telemetry contract v1 over MQTT. Each keeps its "
        "readings in a durable journal and forgets one only when the server has acknowledged it.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="devices that measure now, made-up weather and soil")
    _common(run)
    run.add_argument("--seconds", type=_positive, default=60.0, help="measure for so long, then drain (default 60)")
    run.add_argument(
        "--interval", type=_positive, default=10.0, help="seconds between readings of a device (default 10)"
    )
    run.add_argument("--readings", type=int, default=0, metavar="N", help="stop after N readings per device")
    run.set_defaults(command=_run)

    replay = commands.add_parser(
        "replay", help="send real readings from a CSV file", description=LONG_HELP, epilog=WIDE_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    replay.add_argument("csv", type=Path, metavar="CSV", help="readings, may be gzipped (.gz)")
    _common(replay)
    replay.add_argument("--mapping", type=Path, metavar="FILE", help="how to read a wide table (below)")
    replay.add_argument(
        "--interval", type=_positive, default=3600.0, help="seconds between readings, as declared (default 3600)"
    )
    replay.set_defaults(command=_replay)

    keygen = commands.add_parser("keygen", help="make a devices file with fresh keys")
    keygen.add_argument("device", nargs="*", help="device ids")
    keygen.add_argument("--count", type=int, default=0, metavar="N", help="also N numbered devices")
    keygen.add_argument("--prefix", default="sim-", help="prefix of numbered devices (default sim-)")
    keygen.add_argument("--kid", default="k1", help="key id (default k1)")
    keygen.add_argument("--out", type=Path, metavar="FILE", help="write here, readable by you alone (default stdout)")
    keygen.set_defaults(command=_keygen)
    return parser


def _common(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--devices", type=Path, required=True, metavar="FILE", help="CSV device,kid,secret[,password]; see keygen")
    add("--journal", type=Path, default=Path("firmware_sim.journal"), metavar="FILE", help="default: %(default)s")
    add("--broker", default="127.0.0.1:1883", metavar="HOST:PORT", help="default: %(default)s")
    add("--ca", default="", metavar="FILE", help="CA certificate of the broker; turns TLS on")
    add("--patience", type=_positive, default=120.0, metavar="S", help="give up after S without progress (default 120)")
    add("--window", type=int, choices=range(16, 65), default=64, metavar="N", help="messages under way (default 64)")
    add("--resend-after", type=_positive, default=10.0, metavar="S", help="first pause before a resend (default 10)")
    add("--name-itself", action="store_true", help="write the device id into each message")
    add("--seed", type=int, default=0, help="of the dice (default 0)")
    add("--quiet", action="store_true", help="no progress lines")
    faults = parser.add_argument_group("faults", "probabilities per message, 0 to 1, all off by default")
    odds: dict[str, Any] = {"type": _probability, "default": 0.0, "metavar": "P"}
    faults.add_argument("--duplicate", help="publish twice", **odds)
    faults.add_argument("--reorder", help="let later messages overtake", **odds)
    faults.add_argument("--malformed", help="add a broken message that nobody can attribute", **odds)
    faults.add_argument("--poison", help="add a message that is refused for what it says", **odds)
    faults.add_argument("--wrong-name", help="add a message in another device's name", **odds)
    faults.add_argument(
        "--power-loss", type=_positive, default=0.0, metavar="S", help="mean seconds between power cuts"
    )
    faults.add_argument("--clock", default="ntp", metavar="MODE", help=f"{MODES} (default ntp)")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None


def _positive(text: str) -> float:
    number = _number(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError("not a positive number")
    return number


def _probability(text: str) -> float:
    number = _number(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError("not between 0 and 1")
    return number
