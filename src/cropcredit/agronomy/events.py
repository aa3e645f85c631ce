"""What befell a crop: abrupt damage, flood and slow drought, each with its date, depth, stage and evidence.

An event is told from what the field itself showed; whether its neighbours show the same is said beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from cropcredit.agronomy.anomalies import against_history
from cropcredit.agronomy.event_signs import WITHIN_DAYS, EventKind, Looks, Signs, Witnesses, damage, floods, last_kept
from cropcredit.agronomy.season_clock import SeasonClock
from cropcredit.agronomy.series import Bools, Floats
from cropcredit.agronomy.thermal import Ints

MIN_OTHERS = 5
"""Other fields of the group seen around that day, below which nothing is said about neighbours."""
MOST = 0.5
"""Share of the neighbours from which on they confirm an event."""
DROUGHT_Z = -1.5
"""Standard deviations below the field's own years. ASAP warns from -1 on for regions; a field is noisier."""
DROUGHT_LACK = 0.10
"""Share of the usual index sum that must be lacking too: in steady fields a small lack is a large z."""
WET = 0.95
"""Mean stress coefficient from which on a water balance speaks against drought."""
DRY = 0.80
"""Mean stress coefficient below which it speaks for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event of one planting; days count from the first day of the grid."""

    row: int
    """Of the planting."""
    kind: EventKind
    after_day: int
    """Last day on which all was well: it happened after that …"""
    day: int
    """… and by this day, on which it shows."""
    depth: float
    """Index units lost; of a flood seen by radar, dB; of a drought, share of the usual index sum that is lacking."""
    stage: float
    """Share of the season passed on ``day``, [0, 1]."""
    thermal: bool
    """The stage goes by warmth, not by calendar."""
    evidence: tuple[str, ...]
    """``index_drop`` ``vv_drop`` ``water_class`` ``scene_collapse`` ``index_deficit`` ``water_balance``."""
    neighbours: float
    """Share of the other fields of the group that show the same then; NaN: fewer than five were seen."""
    confirmed: bool
    """A later look, another sensor or most neighbours show it too."""
    z: float = float("nan")
    """Of a drought: the sum since the start of season against the field's own years."""
    percentile: float = float("nan")


def find_events(
    looks: Looks, clock: SeasonClock, group: NDArray[np.generic], *, witnesses: Witnesses | None = None
) -> list[Event]:
    """Find abrupt damage and floods; nothing after the last look is known.

    Parameters
    ----------
    looks : Looks
        Of the index: all clear ones. A de-spiked series has lost the first look after a blow, for a fall that stays
        has a corner like a cloud's; here a cloud is told by the looks that follow it.
    clock : SeasonClock
        One season per planting.
    group : ndarray, shape (plantings,)
        Crop and administrative unit: whose fields are neighbours.
    witnesses : Witnesses, optional
        Radar and water, where they were seen.

    Returns
    -------
    list of Event
        By planting and day; a flood stands for the drop that it explains.
    """
    signs = [damage(looks, clock), *floods(looks, clock, witnesses or Witnesses())]
    found = [event for sign in signs for event in _events(sign, clock, group)]
    found.sort(key=lambda event: (event.row, event.day, event.kind))
    return [event for _, mine in groupby(found, key=lambda event: event.row) for event in _joined(list(mine))]


def find_droughts(
    now: Floats,
    past: Floats,
    shares: Floats,
    clock: SeasonClock,
    group: NDArray[np.generic],
    *,
    abrupt: Bools | None = None,
    stress: Floats | None = None,
) -> list[Event]:
    """Find slow deficits: the index since the start of season, far below the field's own years, and still so.

    Parameters
    ----------
    now : ndarray, shape (plantings, phases)
        Mean index from the start of season to each phase; NaN: not reached.
    past : ndarray, shape (plantings, seasons, phases)
        The same in earlier seasons of the crop on the field.
    shares : ndarray, shape (plantings, phases)
        Share of the season at each phase, ascending.
    clock : SeasonClock
    group : ndarray, shape (plantings,)
        Crop and administrative unit.
    abrupt : ndarray of bool, shape (plantings,), optional
        An abrupt event explains the deficit already.
    stress : ndarray, shape (plantings,), optional
        Mean stress coefficient of a water balance; NaN: none. Above 0.95 it speaks against drought, below 0.8 for it.
    """
    count = len(now)
    if not count or not now.shape[1]:
        return []
    reached = np.isfinite(now).sum(axis=1)
    latest = np.maximum(reached - 1, 0)
    held = against_history(now, past)
    with np.errstate(invalid="ignore"):
        low = (held.z <= DROUGHT_Z) & (held.difference <= -DROUGHT_LACK * held.normal)
        wet = np.zeros(count, dtype=bool) if stress is None else stress >= WET
        dry = np.zeros(count, dtype=bool) if stress is None else stress < DRY
    still = low | (np.arange(now.shape[1]) > latest[:, None])
    onset = np.where(still.all(axis=1), 0, now.shape[1] - still[:, ::-1].argmin(axis=1))
    explained = np.zeros(count, dtype=bool) if abrupt is None else abrupt
    now_low, known = (np.take_along_axis(of, latest[:, None], axis=1)[:, 0] for of in (low, np.isfinite(held.z)))
    found = now_low & (reached > 0) & ~explained & ~wet
    others = _others(now_low, known, group)
    moment = clock.reached(shares)
    first = np.minimum(onset, latest)
    return [
        Event(
            row=int(row),
            kind=EventKind.DROUGHT,
            after_day=int(moment[row, max(first[row] - 1, 0)] if first[row] else clock.start[row]),
            day=int(np.ceil(moment[row, first[row]])) - 1,
            depth=float(-held.difference[row, latest[row]] / held.normal[row, latest[row]]),
            stage=float(shares[row, first[row]]),
            thermal=bool(clock.thermal[row]),
            evidence=("index_deficit", "water_balance") if dry[row] else ("index_deficit",),
            neighbours=float(others[row]),
            confirmed=bool(dry[row] or others[row] >= MOST),
            z=float(held.z[row, latest[row]]),
            percentile=float(held.percentile[row, latest[row]]),
        )
        for row in np.flatnonzero(found)
    ]


def _events(signs: Signs, clock: SeasonClock, group: NDArray[np.generic]) -> list[Event]:
    """Put signs that follow each other together: one event each, dated by the first."""
    rows, columns = np.nonzero(signs.shown)
    if not len(rows):
        return []
    day = signs.looks.day[columns]
    first = np.flatnonzero(np.concatenate([[True], (np.diff(rows) != 0) | (np.diff(day) > signs.span_days)]))
    at, date = rows[first], columns[first]
    depth = np.maximum.reduceat(signs.depth[rows, columns], first)
    stays = np.logical_or.reduceat(signs.stays[rows, columns], first)
    before = last_kept(signs.looks.keep[at])[np.arange(len(at)), date]
    after_day = np.where(before < 0, day[first] - signs.span_days, signs.looks.day[np.maximum(before, 0)])
    mine = clock.take(at)
    stage, others = mine.share(day[first]), _neighbours(signs, at, date, group)
    return [
        Event(
            row=int(at[i]),
            kind=signs.kind,
            after_day=int(after_day[i]),
            day=int(day[first[i]]),
            depth=float(depth[i]),
            stage=float(stage[i]),
            thermal=bool(mine.thermal[i]),
            evidence=(signs.evidence,),
            neighbours=float(others[i]),
            confirmed=bool(stays[i] or others[i] >= MOST),
        )
        for i in range(len(at))
    ]


def _neighbours(signs: Signs, rows: Ints, dates: Ints, group: NDArray[np.generic]) -> Floats:
    """Share of the other fields of the group, seen around that day, that show the same."""
    out = np.full(len(rows), np.nan)
    for date in np.unique(dates):
        near = np.abs(signs.looks.day - signs.looks.day[date]) <= WITHIN_DAYS
        shown, seen = (np.asarray(of[:, near].any(axis=1)) for of in (signs.shown, signs.looks.keep))
        share = _others(shown, seen, group)
        mine = dates == date
        out[mine] = share[rows[mine]]
    return out


def _others(shown: Bools, seen: Bools, group: NDArray[np.generic]) -> Floats:
    """Share of each planting's group, itself left out, that shows something among those seen."""
    _, code = np.unique(group, return_inverse=True)
    looked = np.bincount(code, seen)[code] - seen
    showing = np.bincount(code, shown & seen)[code] - (shown & seen)
    return np.where(looked >= MIN_OTHERS, showing / np.maximum(looked, 1), np.nan)


def _joined(mine: Sequence[Event]) -> list[Event]:
    """Join what several witnesses tell of one flood, with the drops that it explains; events of one planting."""
    waters = [event for event in mine if event.kind is EventKind.FLOOD]
    left = [event for event in mine if event.kind is not EventKind.FLOOD]
    joined: list[Event] = []
    for water in waters:
        if joined and _same(joined[-1], water):
            joined[-1] = _together(joined[-1], [water])
        else:
            joined.append(water)
    for i, water in enumerate(joined):
        explained = [event for event in left if _same(water, event)]
        left = [event for event in left if event not in explained]
        joined[i] = _together(water, explained)
    return sorted([*joined, *left], key=lambda event: (event.day, event.kind))


def _same(one: Event, other: Event) -> bool:
    return one.after_day - WITHIN_DAYS <= other.day and other.after_day <= one.day + WITHIN_DAYS


def _together(event: Event, others: Iterable[Event]) -> Event:
    for other in others:
        evidence = tuple(dict.fromkeys([*event.evidence, *other.evidence]))
        seen_twice = bool({"vv_drop", "water_class"} & set(evidence)) and len(evidence) > 1
        early = min(event, other, key=lambda one: one.day)
        event = replace(
            event,
            day=early.day,
            after_day=early.after_day,
            stage=early.stage,
            evidence=evidence,
            confirmed=event.confirmed or other.confirmed or seen_twice,
        )
    return event
