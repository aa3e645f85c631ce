"""Who plays what: devices in groups, each with its kind, soil, fault or attack."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from firmware_sim.errors import BadInput
from firmware_sim.plan import Character


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
        found.append((name, share_of(text or "1", f"{what} {option!r}")))
    return found


def share_of(text: object, where: str) -> float:
    """Read a share between 0 and 1."""
    try:
        share = float(str(text))
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise BadInput(f"{where}: {text!r} is not a share between 0 and 1")
    return share
