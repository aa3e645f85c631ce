"""The options of the command line, and the values they stand for."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from firmware_sim.clock import DeviceClock
from firmware_sim.device import Habits
from firmware_sim.errors import BadInput
from firmware_sim.faults import Faults
from firmware_sim.identity import Identity
from firmware_sim.journal import SPACE
from firmware_sim.link import Broker
from firmware_sim.plan import Character, Plan
from firmware_sim.scenario import Cast, Group, Role, cast, shares
from firmware_sim.scenario_file import kinds, outage, read_scenario

LAST_PORT = 65_535


# --- values ----------------------------------------------------------------------------------------------------------


def broker_of(options: argparse.Namespace, devices: Mapping[str, Identity]) -> Broker:
    """Read where the broker is; certificates are looked at now, not when the thousandth device connects."""
    host, _, port = options.broker.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) <= LAST_PORT:
        raise BadInput(f"broker {options.broker!r} is not HOST:PORT")
    if options.cert_dir and not options.ca:
        raise BadInput("--cert-dir needs --ca: a device that shows its certificate must also check the broker's")
    broker = Broker(host=host, port=int(port), ca_file=options.ca, cert_dir=options.cert_dir)
    for device_id in devices if options.cert_dir else list(devices)[:1]:
        broker.tls(device_id)
    return broker


def usual(options: argparse.Namespace) -> Character:
    """Read how a device behaves unless its group says otherwise."""
    every, lasts = outage(options.outage)
    faults = Faults(
        duplicate=options.duplicate, reorder=options.reorder, malformed=options.malformed, poison=options.poison,
        malformed_kinds=kinds(options.malformed_kinds), wrong_name=options.wrong_name, wrong_topic=options.wrong_topic,
        power_loss_s=options.power_loss, wipe_s=options.wipe, outage_s=every, outage_lasts_s=lasts,
    )  # fmt: skip
    habits = Habits(
        window=options.window, resend_after_s=options.resend_after, name_itself=options.name_itself, rate=options.rate,
        obeys=not options.ignore_cmd,
    )  # fmt: skip
    return Character(habits=habits, faults=faults, clock=DeviceClock.parse(options.clock))


def plan_of(options: argparse.Namespace, usual: Character, special: Mapping[str, Character]) -> Plan:
    """Read how the fleet is run."""
    return Plan(
        usual=usual, special=special, interval_s=max(1, round(options.interval)), patience_s=options.patience,
        seed=options.seed,
    )  # fmt: skip


def cast_of(options: argparse.Namespace, device_ids: Sequence[str], usual: Character) -> Cast:
    """Read who plays what; numpy is loaded here, for those who need it."""
    from firmware_sim.farm import APPLIES, CHANGES  # noqa: PLC0415
    from firmware_sim.stations import KINDS  # noqa: PLC0415

    climate, groups = options.climate, list[Group]()
    if options.scenario:
        named, groups = read_scenario(options.scenario, usual=usual, known=CHANGES)
        climate = named or climate
    for kind, share in shares(options.kind, what="kind", known=dict.fromkeys(KINDS)):
        groups.insert(0, Group(kind=kind, share=share))
    for change, share in shares(options.attack + options.ageing, what="attack or ageing", known=CHANGES):
        groups.append(Group(change=change, share=share, begins=options.begins))
    role = Role(texture=options.texture, site=options.site)
    return cast(device_ids, groups, climate=climate, usual=role, applies=APPLIES, seed=options.seed)


# --- options ---------------------------------------------------------------------------------------------------------


def add_broker(parser: argparse.ArgumentParser) -> None:
    """Add where to, and with which keys."""
    group = parser.add_argument_group("the fleet and its broker")
    add = group.add_argument
    add("--devices", type=Path, required=True, metavar="FILE", help="CSV device,kid,secret[,password]; see keygen")
    add(
        "--journal", type=Path, default=Path("firmware_sim.journal"), metavar="FILE",
        help="what is not acknowledged yet; run again with the same file and it goes on (default: %(default)s)",
    )  # fmt: skip
    add("--broker", default="127.0.0.1:1883", metavar="HOST:PORT", help="default: %(default)s")
    add("--ca", default="", metavar="FILE", help="CA certificate of the broker; turns TLS on")
    add("--cert-dir", default="", metavar="DIR", help="DEVICE.crt and DEVICE.key of each device, for mutual TLS")
    add("--patience", type=positive, default=120.0, metavar="S", help="give up after S without progress (default 120)")
    add("--ledger", action="store_true", help="keep every message for ever in the journal; see the command ledger")
    add("--bearer", default="nb-iot", metavar="NAME", help="nb-iot, lte-m or gprs: airtime is told for it")
    add("--quiet", action="store_true", help="no progress lines")


def add_habits(parser: argparse.ArgumentParser) -> None:
    """Add how devices send."""
    habits = parser.add_argument_group("how devices send")
    add = habits.add_argument
    add(
        "--window", type=int, choices=range(16, 65), default=64, metavar="N",
        help="most messages sent and not acknowledged, 16 to 64; old ones have half of them (default 64)",
    )  # fmt: skip
    add("--resend-after", type=positive, default=10.0, metavar="S", help="first pause before a resend (default 10)")
    add("--rate", type=natural, default=0.0, metavar="N", help="most messages a second; old ones get half of them")
    add(
        "--ring", type=whole, default=SPACE, metavar="N",
        help="messages that a device's flash holds; one more, and the oldest is lost (default %(default)s)",
    )  # fmt: skip
    add("--name-itself", action="store_true", help="write the device id into each message")
    add("--clock", default="ntp", metavar="MODE", help="ntp, rtc, none, or a fault: see modes (default ntp)")
    add_seed(parser)


def add_seed(parser: argparse.ArgumentParser) -> None:
    """Add the one number that all dice depend on."""
    parser.add_argument("--seed", type=int, default=0, help="of all dice: the same seed, the same run (default 0)")


def add_faults(parser: argparse.ArgumentParser) -> None:
    """Add what goes wrong between device and broker."""
    faults = parser.add_argument_group(
        "faults", "P: how often, as a share of the messages, 0 to 1. S: mean seconds, for each device. All are off."
    )
    odds: dict[str, Any] = {"type": probability, "default": 0.0, "metavar": "P"}
    mean: dict[str, Any] = {"type": natural, "default": 0.0, "metavar": "S"}
    add = faults.add_argument
    add("--duplicate", help="publish a message twice", **odds)
    add("--reorder", help="hold a message back, so that later ones overtake it", **odds)
    add("--malformed", help="add a broken message that nobody can attribute", **odds)
    add("--malformed-kinds", default="", metavar="K,K", help="only these kinds (see modes), senml, or all")
    add("--poison", help="add a message that is refused for what it says", **odds)
    add("--wrong-name", help="add a message in another device's name", **odds)
    add("--wrong-topic", help="publish a copy under another device's topic", **odds)
    add("--power-loss", help="cut the power every S: only the journal stays", **mean)
    add("--wipe", help="lose the flash every S: what it held is lost, and the count of boots", **mean)
    add("--outage", default="", metavar="S:S", help="lose the network every S, for S; readings are sent later")
    add("--ignore-cmd", action="store_true", help="bad firmware: never reads cmd; a wiped device counts from 1 again")


def add_village(parser: argparse.ArgumentParser) -> None:
    """Add who plays what."""
    village = parser.add_argument_group(
        "the village", "All devices share its weather. SHARE: of the devices on which it makes sense, 0 to 1."
    )
    add = village.add_argument
    more: dict[str, Any] = {"action": "append", "default": [], "metavar": "NAME:SHARE"}
    add("--climate", default="continental", metavar="NAME", help="continental, monsoon, highland or dry")
    add("--kind", help="soil, weather or grain; the rest is soil (may be given several times)", **more)
    add("--texture", default="loam", metavar="NAME", help="from sand to clay, see modes (default loam)")
    add("--site", default="rainfed", metavar="NAME", help="rainfed, irrigated, paddy, greenhouse or film")
    add("--attack", help="what people do, see modes (may be given several times)", **more)
    add("--ageing", help="what befalls honest devices, see modes (may be given several times)", **more)
    add("--begins", type=probability, default=0.0, metavar="P", help="both begin after this share of the readings")
    add("--scenario", type=Path, metavar="FILE", help="groups of devices, from a file (below)")
    add("--truth", type=Path, metavar="FILE", help="write down who plays what, as CSV")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None


def positive(text: str) -> float:
    """Read a number above zero."""
    number = _number(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError("not a positive number")
    return number


def natural(text: str) -> float:
    """Read a number that is not below zero."""
    number = _number(text)
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError("below zero, or not finite")
    return number


def whole(text: str) -> int:
    """Read a whole number above zero."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above zero")
    return int(text)


def probability(text: str) -> float:
    """Read a number between 0 and 1."""
    number = _number(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError("not between 0 and 1")
    return number
