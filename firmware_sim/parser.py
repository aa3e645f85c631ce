"""The words of the command line: commands, their options, help and examples."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

from firmware_sim import options as o
from firmware_sim.replay import LONG_HELP
from firmware_sim.scenario_file import SCENARIO_HELP

Command = Callable[[argparse.Namespace], int]
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
USAGE = "python -m firmware_sim {} [options]"
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


def parser(work: Mapping[str, Command]) -> argparse.ArgumentParser:
    """Build the parser; ``work`` gives the function behind each command."""
    plain = argparse.RawDescriptionHelpFormatter
    main = argparse.ArgumentParser(
        prog="python -m firmware_sim", formatter_class=plain, epilog=EXAMPLES,
        description="A fleet of simulated farm devices that speak telemetry contract v1 over MQTT.\n"
        "Each keeps its readings in a durable journal and forgets one only when the server has acknowledged it.",
    )  # fmt: skip
    commands = main.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser(
        "run", usage=USAGE.format("run --devices FILE"),
        help="devices that measure now, in a made-up village", formatter_class=plain,
        epilog=SCENARIO_HELP + EXIT_HELP,
        description="Devices of one village measure now: they share weather, each has its own soil or store.",
    )  # fmt: skip
    _add_run(run)
    replay = commands.add_parser(
        "replay", usage=USAGE.format("replay CSV --devices FILE"),
        help="send real readings from a CSV file",
        description=LONG_HELP, epilog=WIDE_HELP + EXIT_HELP,
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
    write = commands.add_parser(
        "write", usage=USAGE.format("write --devices FILE --out FILE"),
        help="write a made-up village's readings to a CSV file, for replay or study",
        formatter_class=plain,
        epilog=SCENARIO_HELP,
    )  # fmt: skip
    _add_write(write)
    _add_small(commands)
    for name, command in work.items():
        commands.choices[name].set_defaults(command=command)
    return main


def _add_run(run: argparse.ArgumentParser) -> None:
    o.add_broker(run)
    add = run.add_argument_group("what they measure").add_argument
    add(
        "--seconds", type=o.positive, default=60.0, metavar="S", help="measure so long, then send the rest (default 60)"
    )
    add("--interval", type=o.positive, default=10.0, metavar="S", help="between readings of a device (default 10)")
    add("--readings", type=o.whole, default=0, metavar="N", help="stop after N readings of each device")
    add("--backlog", type=o.natural, default=0.0, metavar="DAYS", help="begin with so many days measured, not sent")
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


def _add_write(write: argparse.ArgumentParser) -> None:
    add = write.add_argument_group("what is written").add_argument
    add("--devices", type=Path, required=True, metavar="FILE", help="devices file; of each only the id is read")
    add("--out", type=Path, required=True, metavar="FILE", help="CSV device,time,quantity,channel,value")
    add("--days", type=o.positive, default=30.0, help="length (default 30)")
    add("--interval", type=o.positive, default=900.0, help="seconds between readings (default 900)")
    add("--start", default="", metavar="TIME", help="first reading, ISO 8601 (default: so that it ends now)")
    o.add_village(write)
    o.add_seed(write)


def _add_small(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    ledger = commands.add_parser("ledger", help="tell what a fleet ever recorded and what became of it, as CSV")
    ledger.add_argument("--journal", type=Path, required=True, metavar="FILE", help="kept with --ledger")
    ledger.add_argument("--devices", type=Path, required=True, metavar="FILE", help="whose keys signed the messages")
    ledger.add_argument("--name-itself", action="store_true", help="the devices wrote their id into each message")
    commands.add_parser("modes", help="list attacks, ageing, broken messages, clocks, soils")
    keygen = commands.add_parser("keygen", help="make a devices file with fresh keys")
    keygen.add_argument("device", nargs="*", help="device ids")
    keygen.add_argument("--count", type=int, default=0, metavar="N", help="also N numbered devices")
    keygen.add_argument("--prefix", default="sim-", help="prefix of numbered devices (default sim-)")
    keygen.add_argument("--kid", default="k1", help="key id (default k1)")
    keygen.add_argument("--out", type=Path, metavar="FILE", help="write here, readable by you alone (default stdout)")
