"""Who plays what: devices in groups, each with its kind, soil, fault or attack. From options or a scenario file."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from firmware_sim.clock import DeviceClock
from firmware_sim.errors import BadInput
from firmware_sim.faults import Faults
from firmware_sim.malformed import BROKEN, USUAL_BROKEN
from firmware_sim.plan import Character

SCENARIO_HELP = """\
A scenario file (TOML) gives groups of devices their parts; the first group that names a device has it:

  climate = "monsoon"              # continental, monsoon, highland, dry
  [[group]]
  devices = ["sim-00*", "sim-0100"]   # patterns; or share = 0.1, drawn by lot
  kind = "soil"                    # soil, weather, grain
  texture = "clay"                 # sand ... clay
  site = "irrigated"               # rainfed, irrigated, paddy, greenhouse, film
  attack = "bucket"                # or ageing = "clogged_gauge"; see 'modes'
  begins = 0.5                     # halfway through the readings
  clock = "drift:50"
  ignore_cmd = true                # bad firmware
  rate = 2.0                       # messages per second at most
  [group.faults]                   # as the options of 'run': probabilities, or seconds
  duplicate = 0.1
  outage = "3600:600"

firmware_sim/scenarios/ holds examples.
"""
GROUP_KEYS = frozenset(
    (
        "devices",
        "share",
        "kind",
        "texture",
        "site",
        "attack",
        "ageing",
        "begins",
        "clock",
        "ignore_cmd",
        "rate",
        "faults",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Some devices and their part; empty words mean: as usual."""

    patterns: tuple[str, ...] = ()
    share: float = 0.0
    """Of the fleet; with a change, of the devices on which it makes sense."""
    kind: str = ""
    texture: str = ""
    site: str = ""
    change: str = ""
    """Name of an attack or of a kind of ageing."""
    begins: float = 0.0
    """Share of the readings after which the change begins."""
    character: Character | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What one device plays."""

    kind: str = "soil"
    texture: str = "loam"
    site: str = "rainfed"
    change: str = ""
    begins: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Every device's role, and the characters of those that behave otherwise than usual."""

    climate: str
    roles: Mapping[str, Role]
    special: Mapping[str, Character] = field(default_factory=dict)


def cast(
    device_ids: Sequence[str], groups: Sequence[Group], *, climate: str, usual: Role,
    applies: Mapping[str, Sequence[str]], seed: int,
) -> Cast:  # fmt: skip
    """Hand out the parts.

    Parameters
    ----------
    device_ids : sequence of str
        The fleet.
    groups : sequence of Group
        In order: patterns take the devices they name; shares draw from those that are left.
    climate : str
        Of the village.
    usual : Role
        Of the rest.
    applies : mapping of str to sequence of str
        Kinds of device on which each change makes sense.
    seed : int
        Of the draw.

    Raises
    ------
    BadInput
        If a pattern names no device, or a change makes no sense on the kind of its group.
    """
    roles, special = dict.fromkeys(device_ids, usual), dict[str, Character]()
    shuffled, rng = list(device_ids), random.Random(f"{seed}/cast")
    rng.shuffle(shuffled)
    plain, free = list(shuffled), list(shuffled)
    for group in sorted(groups, key=_rank):
        pool = plain if _rank(group) == PLAIN else free
        chosen = _named(group, pool) if group.patterns else _drawn(group, pool, roles, applies, len(device_ids))
        for device_id in chosen:
            roles[device_id] = _role(roles[device_id], group)
            if group.character is not None:
                special[device_id] = group.character
        taken = set(chosen)
        plain = [name for name in plain if name not in taken]
        if _rank(group) != PLAIN:
            free = [name for name in free if name not in taken]
    for device_id, role in roles.items():
        if role.change and role.kind not in applies[role.change]:
            raise BadInput(f"{role.change!r} makes no sense on {role.kind} device {device_id}: see 'modes'")
    return Cast(climate=climate, roles=roles, special=special)


NAMED, PLAIN, CHANGED = range(3)


def _rank(group: Group) -> int:
    """Let those named by pattern come first, then those that only stand elsewhere, then those that are changed."""
    if group.patterns:
        return NAMED
    return CHANGED if group.change or group.character else PLAIN


def _named(group: Group, free: list[str]) -> list[str]:
    chosen = [name for name in free if any(fnmatchcase(name, pattern) for pattern in group.patterns)]
    if not chosen:
        raise BadInput(f"no device is left that {' or '.join(map(repr, group.patterns))} would name")
    return chosen


def _drawn(
    group: Group, free: list[str], roles: Mapping[str, Role], applies: Mapping[str, Sequence[str]], fleet: int
) -> list[str]:
    """Draw a share: of the whole fleet, or of those on which the change makes sense."""
    if not group.change:
        return free[: round(group.share * fleet)]
    kinds = applies[group.change]
    fits = [name for name in free if (group.kind or roles[name].kind) in kinds]
    whole = sum((group.kind or role.kind) in kinds for role in roles.values())
    return fits[: round(group.share * whole)]


def _role(role: Role, group: Group) -> Role:
    given = {name: getattr(group, name) for name in ("kind", "texture", "site", "change") if getattr(group, name)}
    return replace(role, **given, begins=group.begins or role.begins)


def shares(options: Sequence[str], *, what: str, known: Mapping[str, object]) -> list[tuple[str, float]]:
    """Read options of the form NAME:SHARE.

    Examples
    --------
    >>> shares(["bucket:0.1"], what="attack", known={"bucket": 0})
    [('bucket', 0.1)]
    """
    found = []
    for option in options:
        name, _, text = option.partition(":")
        if name not in known:
            raise BadInput(f"{what} {name!r} is not known; known: {', '.join(known)}")
        found.append((name, _share(text or "1", f"{what} {option!r}")))
    return found


def _share(text: object, where: str) -> float:
    try:
        share = float(str(text))
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise BadInput(f"{where}: {text!r} is not a share between 0 and 1")
    return share


# --- the scenario file -----------------------------------------------------------------------------------------------


def read_scenario(path: Path, *, usual: Character, known: Mapping[str, object]) -> tuple[str, list[Group]]:
    """Read a scenario file; gives the climate (empty: not named) and the groups.

    Parameters
    ----------
    path : Path
        TOML.
    usual : Character
        What a group's own clock, faults and habits are changes of.
    known : mapping
        Names of attacks and ageing.
    """
    try:
        facts = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInput(f"{path}: not a scenario ({error}); see 'run --help'") from error
    _only(facts, {"climate", "group"}, str(path))
    groups = [_group(one, f"{path}, group {i}", usual, known) for i, one in enumerate(facts.get("group", []), 1)]
    return str(facts.get("climate", "")), groups


def _only(facts: Mapping[str, object], known: set[str] | frozenset[str], where: str) -> None:
    unknown = sorted(facts.keys() - known)
    if unknown:
        raise BadInput(f"{where}: {unknown[0]!r} is not known there; known: {', '.join(sorted(known))}")


def _group(facts: dict[str, Any], where: str, usual: Character, known: Mapping[str, object]) -> Group:
    _only(facts, GROUP_KEYS, where)
    change = facts.get("attack") or facts.get("ageing") or ""
    if change and change not in known:
        raise BadInput(f"{where}: {change!r} is neither attack nor ageing; see 'modes'")
    if ("devices" in facts) == ("share" in facts):
        raise BadInput(f"{where}: give either devices or share")
    own = facts.keys() & {"clock", "faults", "ignore_cmd", "rate"}
    patterns = facts.get("devices", [])
    return Group(
        patterns=(patterns,) if isinstance(patterns, str) else tuple(patterns),
        share=_share(facts.get("share", 0), f"{where}, share"),
        begins=_share(facts.get("begins", 0), f"{where}, begins"),
        kind=facts.get("kind", ""), texture=facts.get("texture", ""), site=facts.get("site", ""), change=change,
        character=_character(facts, where, usual) if own else None,
    )  # fmt: skip


def _character(facts: dict[str, Any], where: str, usual: Character) -> Character:
    habits = replace(
        usual.habits,
        obeys=not facts.get("ignore_cmd", not usual.habits.obeys),
        rate=float(facts.get("rate", usual.habits.rate)),
    )
    clock = DeviceClock.parse(facts["clock"]) if "clock" in facts else usual.clock
    faults = faults_from(facts.get("faults", {}), where, usual.faults)
    return Character(habits=replace(habits, delay=faults.reorder), clock=clock, faults=faults)


def faults_from(facts: Mapping[str, Any], where: str, usual: Faults) -> Faults:
    """Read faults by the names of the options."""
    odds = ("duplicate", "reorder", "malformed", "poison", "wrong_name", "wrong_topic")
    _only(facts, {*odds, "malformed_kinds", "power_loss", "wipe", "outage"}, f"{where}, faults")
    given: dict[str, Any] = {name: _share(facts[name], f"{where}, {name}") for name in odds if name in facts}
    given |= {f"{name}_s": _seconds(facts[name], where) for name in ("power_loss", "wipe") if name in facts}
    if "outage" in facts:
        every, lasts = outage(str(facts["outage"]))
        given |= {"outage_s": every, "outage_lasts_s": lasts}
    if "malformed_kinds" in facts:
        given["malformed_kinds"] = kinds(",".join(facts["malformed_kinds"]))
    return replace(usual, **given)


def _seconds(value: object, where: str) -> float:
    try:
        number = float(str(value))
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise BadInput(f"{where}: {value!r} are no seconds")
    return number


def outage(text: str) -> tuple[float, float]:
    """Read EVERY:LASTS, both in seconds.

    Examples
    --------
    >>> outage("3600:600")
    (3600.0, 600.0)
    """
    every, _, lasts = text.partition(":")
    if not every and not lasts:
        return 0.0, 0.0
    return _seconds(every, f"outage {text!r}"), _seconds(lasts, f"outage {text!r}")


def kinds(text: str) -> tuple[str, ...]:
    """Read names of broken messages, divided by commas; ``all`` are all of them, ``senml`` those of SenML.

    Examples
    --------
    >>> kinds("nan,bom")
    ('nan', 'bom')
    """
    if not text:
        return USUAL_BROKEN
    senml = tuple(kind for kind, broken in BROKEN.items() if broken.level != "up")
    named = {"all": tuple(BROKEN), "senml": senml}.get(text) or tuple(text.split(","))
    for name in named:
        if name not in BROKEN:
            raise BadInput(f"broken message {name!r} is not known; known: {', '.join(BROKEN)}")
    return named
