"""Scenario files: groups of devices and their parts, in TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from firmware_sim.clock import DeviceClock
from firmware_sim.errors import BadInput
from firmware_sim.faults import Faults
from firmware_sim.malformed import BROKEN, USUAL_BROKEN
from firmware_sim.plan import Character
from firmware_sim.scenario import Group, share_of

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
        share=share_of(facts.get("share", 0), f"{where}, share"),
        begins=share_of(facts.get("begins", 0), f"{where}, begins"),
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
    given: dict[str, Any] = {name: share_of(facts[name], f"{where}, {name}") for name in odds if name in facts}
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
