"""Attacks on devices against honest devices: how often each is found at 5 % false alarms, simulated and on a real farm.

The score of a device's window is its strongest suspicion. The constants of the checks were set while looking at the
villages of :data:`SET_ON` and at the Cook farm; the 5 % threshold is taken from the honest devices of :data:`SET_ON`,
and everything is measured on the villages of :data:`MEASURED_ON`, which nobody had seen. There is one real farm only:
it is held against the threshold of the simulated devices, and they against its own.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cropcredit.telemetry import Check, Meaning
from cropcredit.telemetry.evidence import COSTS
from firmware_sim import ageing, attacks
from tests.benchmarks.attack_worlds import DAYS, STEP_S, Case, VillageWorld
from tests.benchmarks.cook_farm import CookFarm
from tests.benchmarks.report import Row, at_least, at_most

COMMAND = "make bench NAME=telemetry"
REAL = Path(os.environ.get("CROPCREDIT_REAL_DATA", Path(__file__).parents[3] / "shared" / "data"))
SET_ON, MEASURED_ON = range(100, 110), range(200, 216)
FALSE_ALARMS = 0.05
MIDDLE = DAYS * 43_200 // STEP_S
"""Row in the middle of a window."""
EACH = 4
"""Devices of a village that each attack and each fault befalls, one at a time."""
REAL_EACH = 80
HONEST, VICTIM, HALFWAY, ALONE, WORN = "honest", "copied from", "halfway", "alone", "worn"
NO_CLAIM = ("bucket", "stones")
"""Attacks that need a sensor which the real farm does not have."""


@dataclass(frozen=True, kw_only=True)
class Scored:
    """One device's window."""

    setting: str
    mode: str
    suspicion: float
    doubted: bool
    """A reason says that the values may not be of this place and time."""


def rows() -> list[Row]:
    """Measure every bar of this part whose data are at hand."""
    threshold = _threshold(s for seed in SET_ON for s in honest(VillageWorld(seed)))
    found = [one for seed in MEASURED_ON for one in village(seed)]
    made = [
        _auc_row(found, "", "all attack modes, 30 days at 15 minutes, neighbours and last year known", bar=0.95),
        _rate_row(_of(found, HONEST), threshold, f"honest devices above the threshold set on others ({threshold:.2f})"),
        *_mode_rows(found, "", threshold),
        *_further_rows(found, threshold),
        speed_row(),
    ]
    if (REAL / "telemetry" / "cookfarm").is_dir():
        made += real_rows(threshold, _of(found, HONEST))
    return made


def village(seed: int) -> list[Scored]:
    """Score every device of a village honest, then some of them under each attack and each fault."""
    world, dice = VillageWorld(seed), np.random.default_rng((seed, 5))
    found = honest(world)
    for mode, change in attacks.ATTACKS.items():
        for name in _some(world, attacks.APPLIES[mode], dice):
            found.append(_scored("", mode, world.changed(name, change, seed)))
            found.append(
                _scored(HALFWAY, mode, world.changed(name, change, seed, first_row=len(world.village.times_ms) // 2))
            )
            changed = change(np.random.default_rng((seed, len(name))), world.village.site(name))
            found.append(_scored(ALONE, mode, world.case(name, changed, alone=True)))
    found += [_scored(ALONE, HONEST, world.case(n, world.village.devices[n], alone=True)) for n in world.names]
    for mode in ("copied_late", "copied_noisy"):
        for name in _some(world, ("soil", "weather"), dice):
            found.append(_scored(VICTIM, mode, world.victim(name, attacks.ATTACKS[mode], seed)))
    for mode, change in ageing.AGEING.items():
        found += [_scored(WORN, mode, world.changed(n, change, seed)) for n in _some(world, ageing.APPLIES[mode], dice)]
    return found


def honest(world: VillageWorld) -> list[Scored]:
    """Score a village in which nobody does anything."""
    return [_scored(HONEST, world.site[name], world.honest(name)) for name in world.names]


def speed_row() -> Row:
    """Take the CPU time of grading one window of three quantities, every 15 minutes for 30 days."""
    world = VillageWorld(next(iter(MEASURED_ON)))
    case = world.honest("soil-0")
    wanted = {("air.temperature", ""), ("soil.moisture", "d30"), ("soil.temperature", "d30")}
    three = Case(
        name=case.name,
        tracks=tuple(t for t in case.tracks if (t.quantity, t.channel) in wanted),
        around=case.around,
        grid=case.grid,
    )
    spent = []
    for _ in range(15):
        start = time.process_time()
        three.checks()
        spent.append(1000 * (time.process_time() - start))
    value = float(np.median(spent))
    target, ok = at_most(value, 20)
    return Row(
        bar="grade one window: 30 days at 15 minutes, 3 quantities, 5 neighbours, last year",
        value=value,
        unit="ms CPU",
        target=target,
        ok=ok,
        peer=f"{min(spent):.1f} to {max(spent):.1f} in {len(spent)} runs",
        command=COMMAND,
    )


def real_rows(threshold: float, simulated: list[Scored]) -> list[Row]:
    """Hold the stations of the Cook farm against the threshold of simulated devices, and the other way round."""
    farm = CookFarm(REAL / "telemetry" / "cookfarm")
    found = cook_farm(farm)
    windows = _of(found, HONEST)
    own = _threshold(windows)
    what = f"Cook farm: {len(windows)} honest windows of {len(farm.names)} stations"
    return [
        _rate_row(windows, threshold, f"{what} above the threshold of simulated devices"),
        _rate_row(simulated, own, f"simulated honest devices above the Cook farm's own threshold ({own:.2f})"),
        _auc_row(found, "", "Cook farm, daily values: attacks put into real series", bar=None),
        *_mode_rows(found, "", own, "Cook farm, daily: "),
    ]


def cook_farm(farm: CookFarm) -> list[Scored]:
    """Score every window of the real stations, and attacks put into some."""
    windows, dice = list(farm.windows()), np.random.default_rng(3)
    found = [_scored(HONEST, "cook", farm.honest(name, first)) for name, first in windows]
    for mode, change in attacks.ATTACKS.items():
        if mode not in NO_CLAIM:
            able = [window for window in windows if farm.can(mode, *window)]
            chosen = dice.choice(len(able), size=min(REAL_EACH, len(able)), replace=False)
            picked = [able[at] for at in chosen.tolist()]
            found += [_scored("", mode, farm.changed(name, first, change, seed=first)) for name, first in picked]
    return found


def auc(bad: Iterable[float], good: Iterable[float]) -> float:
    """Area under the ROC curve: how often a bad one scores above a good one, ties counting half.

    >>> auc([0.9, 0.5], [0.1, 0.5])
    0.875
    """
    b, g = np.asarray(list(bad))[:, None], np.asarray(list(good))[None]
    return float(np.mean((b > g) + 0.5 * (b == g)))


def _some(world: VillageWorld, kinds: tuple[str, ...], dice: np.random.Generator) -> list[str]:
    able = [name for name in world.names if world.kind[name] in kinds]
    return [str(name) for name in dice.choice(able, size=min(EACH, len(able)), replace=False)]


def _scored(setting: str, mode: str, case: Case) -> Scored:
    checks = case.checks()
    return Scored(
        setting=setting, mode=mode, suspicion=max(check.weight for check in checks), doubted=any(map(_doubts, checks))
    )


def _doubts(check: Check) -> bool:
    return check.reason is not None and COSTS[check.code].meaning is Meaning.DOUBT


def _of(found: Iterable[Scored], setting: str) -> list[Scored]:
    return [one for one in found if one.setting == setting]


def _threshold(good: Iterable[Scored]) -> float:
    return float(np.quantile([one.suspicion for one in good], 1 - FALSE_ALARMS))


def _share(some: list[Scored], threshold: float) -> float:
    return float(np.mean([one.suspicion > threshold for one in some]))


def _modes(found: list[Scored], setting: str) -> dict[str, list[Scored]]:
    by_mode: defaultdict[str, list[Scored]] = defaultdict(list)
    for one in _of(found, setting):
        if one.mode != HONEST:
            by_mode[one.mode].append(one)
    return dict(by_mode)


def _auc_row(found: list[Scored], setting: str, what: str, *, bar: float | None) -> Row:
    bad, good = [s.suspicion for some in _modes(found, setting).values() for s in some], _of(found, HONEST)
    if setting == ALONE:
        good = [one for one in _of(found, ALONE) if one.mode == HONEST]
    value = auc(bad, (one.suspicion for one in good))
    target, ok = ("", True) if bar is None else at_least(value, bar)
    peer = f"{len(bad)} attacked against {len(good)} honest windows"
    return Row(bar=f"ROC AUC, {what}", value=value, unit="", target=target, ok=ok, peer=peer, command=COMMAND)


def _rate_row(some: list[Scored], threshold: float, what: str) -> Row:
    return Row(
        bar=what, value=100 * _share(some, threshold), unit="%", target="", ok=True, peer=_noise(some), command=COMMAND
    )


def _mode_rows(found: list[Scored], setting: str, threshold: float, where: str = "") -> list[Row]:
    good = [one.suspicion for one in _of(found, HONEST)]
    return [
        Row(
            bar=f"{where}{mode} found at 5 % false alarms",
            value=100 * _share(some, threshold),
            unit="%",
            target="",
            ok=True,
            peer=f"AUC {auc((s.suspicion for s in some), good):.3f}; {_noise(some)}",
            command=COMMAND,
        )
        for mode, some in _modes(found, setting).items()
    ]


def _further_rows(found: list[Scored], threshold: float) -> list[Row]:
    """Show what is no bar: a late start, a lone device, who was copied from, worn devices, special sites."""
    made = [
        _auc_row(found, HALFWAY, "attacks that begin in the middle of the window", bar=None),
        _auc_row(found, ALONE, "devices without neighbours, past, weather and book", bar=None),
        _rate_row(_of(found, VICTIM), threshold, "honest devices that somebody copied, accused"),
    ]
    for mode, some in _modes(found, WORN).items():
        doubted = 100 * float(np.mean([one.doubted for one in some]))
        peer = f"above the threshold {100 * _share(some, threshold):.0f} %; {_noise(some)}"
        what = f"worn, not false: {mode}: values doubted"
        made.append(Row(bar=what, value=doubted, unit="%", target="", ok=True, peer=peer, command=COMMAND))
    sites = defaultdict(list)
    for one in _of(found, HONEST):
        sites[one.mode].append(one)
    return made + [_rate_row(some, threshold, f"honest, {site}: above the threshold") for site, some in sites.items()]


def _noise(some: list[Scored]) -> str:
    return f"{len(some)} windows, each {100 / max(len(some), 1):.1f} %"
