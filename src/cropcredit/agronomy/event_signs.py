"""Signs that something befell a crop, look by look: abrupt falls of its index, and water where it should not stand.

The days before emergence and the weeks in which every crop ripens are left out: there a fall says nothing. All arrays
have the shape (plantings, dates).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from cropcredit.agronomy.anomalies import row_medians
from cropcredit.agronomy.season_clock import SeasonClock
from cropcredit.agronomy.series import Bools, Floats
from cropcredit.agronomy.thermal import Ints

DROP = 0.2
"""Index units lost …"""
WITHIN_DAYS = 15
"""… within so many days are an abrupt drop."""
RECOVERED = 0.5
"""Share of a drop that a look within ``WITHIN_DAYS`` after it, or the first later one, has won back: it was a cloud."""
CONFIRM_DAYS = 30
"""A look later than this after a drop neither confirms nor refutes it."""
EMERGED = 0.10
"""Share of the season before which there is no crop to lose."""
RIPENING_DAYS = 30
"""Days before the expected harvest from which a fall is ripening, or the harvest itself."""
COLLAPSE_SPAN_DAYS = 60
"""A last look longer ago than this says nothing about a scene on which everything collapsed."""
VV_DROP_DB = 3.0
"""Fall of VV backscatter below the field's own median of the passes before …"""
VV_WATER_DB = -15.0
"""… to less than this: smooth open water (land lies at -12 to -6 dB, calm water below -15)."""
VV_MEMORY_DAYS = 60
WATER_SHARE, DRY_SHARE = 0.5, 0.1
"""A field stands under water when this share of it is classed so, after a look with less than the other."""


class EventKind(StrEnum):
    """What befell a crop; the value is the reason that estimates carry."""

    DAMAGE = "crop_damage"
    FLOOD = "flood"
    DROUGHT = "drought"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Looks:
    """What was seen of each planting, on common days."""

    day: Ints
    """Shape (dates,): ascending, from the first day of the grid."""
    value: Floats
    """Shape (plantings, dates)."""
    keep: Bools
    """Looks that count."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Witnesses:
    """What else may tell of water; whatever is None was not there."""

    vv_db: Looks | None = None
    """VV backscatter of the same plantings, dB."""
    water_share: Floats | None = None
    """Shape (plantings, dates) of the index looks: share of the field classed as water."""
    collapsed: Bools | None = None
    """Shape (dates,) of the index looks: scenes on which everything fell and stayed down."""
    paddy: Bools | None = None
    """Shape (plantings,): stands under water by intent, so water is no flood."""


@dataclass(frozen=True, slots=True, eq=False)
class Signs:
    """Looks that show one kind of event, before they are put together."""

    looks: Looks
    shown: Bools
    depth: Floats
    """Index units lost, dB, or share under water; NaN where nothing can be compared."""
    stays: Bools
    """The next look shows it too."""
    evidence: str
    kind: EventKind
    span_days: int = WITHIN_DAYS
    """Signs no further apart are one event."""


def drops(looks: Looks, days: int = WITHIN_DAYS) -> Floats:
    """Fall of each look below the highest of the days before it, index units; NaN where there is none to compare."""
    out = np.full(looks.value.shape, np.nan)
    kept = np.where(looks.keep, looks.value, -np.inf)
    for date, begin in enumerate(np.searchsorted(looks.day, looks.day - days)):
        if begin < date:
            top = kept[:, begin:date].max(axis=1)
            comparable = looks.keep[:, date] & np.isfinite(top)
            out[comparable, date] = top[comparable] - looks.value[comparable, date]
    return out


def damage(looks: Looks, clock: SeasonClock) -> Signs:
    """Abrupt drops of the living crop that the next look has not won back."""
    alive = replace(looks, keep=looks.keep & living(looks, clock))
    return _falls(alive, drops(alive), looks, "index_drop", EventKind.DAMAGE)


def floods(looks: Looks, clock: SeasonClock, seen: Witnesses) -> list[Signs]:
    """Give the signs of water by each witness that there is; paddies are passed over."""
    dry = np.ones(len(looks.value), dtype=bool) if seen.paddy is None else ~seen.paddy
    found = []
    if seen.vv_db is not None:
        found.append(_radar(seen.vv_db, clock, dry))
    if seen.water_share is not None:
        found.append(_classed(looks, seen.water_share, clock, dry))
    if seen.collapsed is not None:
        found.append(_collapses(looks, seen.collapsed, seen.vv_db, clock, dry))
    return found


def living(looks: Looks, clock: SeasonClock) -> Bools:
    """Tell which looks lie between emergence and ripening."""
    emerged = clock.reached(np.array([EMERGED]))
    return np.asarray((looks.day >= emerged) & (looks.day <= (clock.end - RIPENING_DAYS)[:, None]))


def last_kept(keep: Bools) -> Ints:
    """Column of the last kept look before each one; -1: none."""
    columns = np.maximum.accumulate(np.where(keep, np.arange(keep.shape[1]), -1), axis=1)
    return np.concatenate([np.full((len(keep), 1), -1), columns[:, :-1]], axis=1)


def _falls(
    compared: Looks, fall: Floats, looks: Looks, evidence: str, kind: EventKind, span: int = WITHIN_DAYS
) -> Signs:
    """Falls that are deep enough; any later look, of ripening too, may refute or confirm them."""
    later = _highest_after(looks)
    with np.errstate(invalid="ignore"):
        won_back = later >= looks.value + RECOVERED * fall
        shown = (fall >= DROP) & ~won_back
    return Signs(compared, shown, fall, np.isfinite(later) & ~won_back, evidence, kind, span)


def _highest_after(looks: Looks) -> Floats:
    """Highest look of the days after each one: two clouds in a row do not hide it. NaN: nothing within a month."""
    out = np.full(looks.value.shape, np.nan)
    kept = np.where(looks.keep, looks.value, -np.inf)
    bounds = (np.searchsorted(looks.day, looks.day + days, side="right") for days in (WITHIN_DAYS, CONFIRM_DAYS))
    for date, (soon, late) in enumerate(zip(*bounds, strict=True)):
        near = kept[:, date + 1 : soon].max(axis=1, initial=-np.inf)
        far = np.full(len(kept), -np.inf)
        for column in range(late - 1, soon - 1, -1):  # only the first of these
            far = np.where(looks.keep[:, column], kept[:, column], far)
        found = np.where(np.isfinite(near), near, far)
        out[:, date] = np.where(np.isfinite(found), found, np.nan)
    return out


def _radar(vv: Looks, clock: SeasonClock, dry: Bools) -> Signs:
    kept = np.where(vv.keep, vv.value, np.nan)
    fall = np.full(kept.shape, np.nan)
    for date, begin in enumerate(np.searchsorted(vv.day, vv.day - VV_MEMORY_DAYS)):
        if begin < date:
            fall[:, date] = row_medians(kept[:, begin:date]) - kept[:, date]
    with np.errstate(invalid="ignore"):
        low = (fall >= VV_DROP_DB) & (kept <= VV_WATER_DB)
    later = np.concatenate([low[:, 1:], np.zeros((len(low), 1), dtype=bool)], axis=1)
    return Signs(vv, low & living(vv, clock) & dry[:, None], fall, later, "vv_drop", EventKind.FLOOD)


def _classed(looks: Looks, water: Floats, clock: SeasonClock, dry: Bools) -> Signs:
    known = np.isfinite(water)
    last = last_kept(known)
    before = np.where(last < 0, np.nan, np.take_along_axis(water, np.maximum(last, 0), axis=1))
    with np.errstate(invalid="ignore"):
        under = water >= WATER_SHARE
        shown = under & (before < DRY_SHARE) & living(looks, clock) & dry[:, None]
    later = np.concatenate([under[:, 1:], np.zeros((len(under), 1), dtype=bool)], axis=1)
    return Signs(replace(looks, keep=known), shown, water, later, "water_class", EventKind.FLOOD)


def _collapses(looks: Looks, collapsed: Bools, vv: Looks | None, clock: SeasonClock, dry: Bools) -> Signs:
    """Scenes on which everything fell and stayed down, unless radar looked at the field around that day."""
    alive = replace(looks, keep=looks.keep & living(looks, clock))
    fall = np.where(collapsed & dry[:, None], drops(alive, COLLAPSE_SPAN_DAYS), np.nan)
    if vv is not None:
        near = np.abs(vv.day[:, None] - looks.day) <= WITHIN_DAYS
        fall = np.where(vv.keep.astype(float) @ near.astype(float) > 0, np.nan, fall)
    return _falls(alive, fall, looks, "scene_collapse", EventKind.FLOOD, COLLAPSE_SPAN_DAYS)
