"""Whether the weight of a store goes with what came in, what was sold, and what the grain gave to the air.

Dry matter cannot grow: what is on the scale may rise by a delivery or by water, and by nothing else. Without a book of
deliveries a rise is not judged. A loss may be a sale nobody wrote down: it is for the stock-taker, not for this grade.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from cropcredit.telemetry.evidence import Check, answer, not_assessed, suspicion
from cropcredit.telemetry.tracks import COURSE, HOUR_S, Floats, Grid, Track, daily_means, within_day

LEAST_DAYS = 5
RISE_SHARE = 0.02
"""Share of the load that scale, temperature and moisture sensors may be wrong by together (class IIII of OIML R 76
allows 0.1 to 0.3 % per division; cheap load cells creep by up to 0.5 % in 10 K)."""
RISE_KG = 20.0
CREEP_AT = 0.0004
"""Half of the daily range of the weight, as a share of it, that goes with warmth."""
CREEP_ALIKE = 0.5
MOVED_SHARE = 0.004
"""Share of the load that is carried in or out, and no breath, when it comes or goes between two steps."""
STEADY = 5
"""Steps, of which the middle one counts."""
KEPT_AT = 1.2
"""Water that left the grain by its moisture and not by its weight, in tolerances."""
KEPT_SHARE = 0.01
MOST_MOVE_H = 12.0
"""A move in the book and the step on the scale are so near."""

Move = tuple[float, float]
"""(seconds since 1970, kg): above zero what came in, below what went out."""


def weight(
    track: Track,
    values: Floats,
    grid: Grid,
    *,
    moisture: Floats | None,
    warmth: Floats | None,
    moves: Sequence[Move] | None,
    stock_taken_s: Sequence[float] = (),
) -> list[Check]:
    """Judge the weight of one store.

    Parameters
    ----------
    track : Track
        ``store.weight``.
    values : ndarray, shape (steps,)
        The same on the grid, kg.
    moisture, warmth : ndarray or None, shape (steps,)
        Mean moisture of the grain, % wet basis, and temperature of the air at the scale.
    moves : sequence of Move or None
        The book of what came and went; None: there is none.
    stock_taken_s : sequence of float
        When somebody took stock: what rose by then has been looked at.
    """
    if np.isfinite(daily_means(values, grid)).sum() < LEAST_DAYS or np.nanmax(values) <= RISE_KG:
        return [not_assessed(code, "too_short", track) for code in ("weight_rise", "weight_kept", "creep")]
    return [
        _rise(track, values, grid, moisture, moves, stock_taken_s),
        _kept(track, values, grid, moisture, moves),
        _creep(track, values, grid, warmth),
    ]


def _rise(
    track: Track,
    values: Floats,
    grid: Grid,
    moisture: Floats | None,
    moves: Sequence[Move] | None,
    stock_taken_s: Sequence[float],
) -> Check:
    """Find the largest rise of dry matter that the book does not explain."""
    if moves is None:
        return not_assessed("weight_rise", "no_deliveries", track)
    own = _unbooked(_dry(values, grid, moisture), grid, moves)
    at_s = grid.start_s + (np.arange(len(own)) + 0.5) * grid.step_s
    for taken_s in stock_taken_s:  # what came shortly before was weighed with the rest
        own = np.where(np.abs(at_s - taken_s) < MOST_MOVE_H * HOUR_S, np.nan, own)
    between = np.searchsorted(np.asarray(stock_taken_s, dtype=np.float64), at_s)
    risen = 0.0
    begun = 1 if len(stock_taken_s) else 0  # what lay there before anybody took stock is in no book
    for part in np.unique(between[between >= begun]):
        known = _steady(own[(between == part) & np.isfinite(own)])
        risen = max(risen, float(np.max(known - np.minimum.accumulate(known), initial=0.0)))
    load = float(np.nanmax(values))
    doubt = suspicion(risen, at=RISE_SHARE * load + RISE_KG)
    return answer("weight_rise", doubt, track, kg=round(risen), share=risen / load)


def _kept(track: Track, values: Floats, grid: Grid, moisture: Floats | None, moves: Sequence[Move] | None) -> Check:
    """Ask whether weight fell as the grain dried: dry matter stays, so W2 / W1 = (100 - M1) / (100 - M2)."""
    if moisture is None or moves is None:
        return not_assessed("weight_kept", "no_deliveries", track)
    wet = daily_means(moisture, grid)
    own = _unbooked(daily_means(values, grid), grid, moves, daily=True)
    both = np.flatnonzero(np.isfinite(wet) & np.isfinite(own))
    if len(both) < LEAST_DAYS or (moves and max(abs(kg) for _, kg in moves) > 0.5 * np.nanmax(values)):
        return not_assessed("weight_kept", "too_short", track)
    first, last = both[: len(both) // 3 + 1], both[-(len(both) // 3 + 1) :]
    before, after = float(np.median(wet[first])), float(np.median(wet[last]))
    load = float(np.median(own[first]))
    due = load * ((100 - before) / (100 - after) - 1)
    was = float(np.median(own[last])) - load
    doubt = suspicion(min(was - due, -due) / (KEPT_SHARE * load), at=KEPT_AT) if due < 0 else 0.0
    return answer("weight_kept", doubt, track, due=round(-due), lost=round(-was))


def _creep(track: Track, values: Floats, grid: Grid, warmth: Floats | None) -> Check:
    """Ask whether the scale breathes with the warmth of the day."""
    if warmth is None or grid.per_day < COURSE:
        return not_assessed("creep", "no_air", track)
    load, warm = within_day(values, grid), within_day(warmth, grid)
    quiet = ~_within_a_day_of_moves(values, grid)
    both = np.isfinite(load) & np.isfinite(warm) & quiet
    if both.sum() < LEAST_DAYS * grid.per_day // 2:
        return not_assessed("creep", "too_short", track)
    x, y = warm[both], load[both]
    scale = float(np.sqrt((x @ x) * (y @ y)))
    alike = float(x @ y) / scale if scale > 0 else 0.0
    swing = (
        abs(float(x @ y) / float(x @ x)) * float(np.std(x)) * np.sqrt(2) / float(np.nanmax(values)) if scale else 0.0
    )
    doubt = suspicion(swing, at=CREEP_AT) if abs(alike) >= CREEP_ALIKE else 0.0
    return answer("creep", doubt, track, share=swing)


def _steady(values: Floats) -> Floats:
    """Take the running median of five: a bad contact is no delivery."""
    return np.asarray(np.median(sliding_window_view(values, STEADY), axis=1)) if len(values) >= STEADY else values


def _within_a_day_of_moves(values: Floats, grid: Grid) -> NDArray[np.bool_]:
    """Mark the steps whose running mean of a day holds something carried in or out."""
    moved = np.abs(np.diff(values, prepend=values[:1])) > MOVED_SHARE * np.nanmax(values)
    reach = np.ones(grid.per_day + 1)
    return np.asarray(np.convolve(np.nan_to_num(moved), reach, "same") > 0)


def _dry(values: Floats, grid: Grid, moisture: Floats | None) -> Floats:
    """Give the weight as if the grain kept its first moisture; shape (steps,)."""
    if moisture is None or not np.isfinite(moisture).any():
        return values
    wet = daily_means(moisture, grid, least=0.25)
    known = np.flatnonzero(np.isfinite(wet))
    if not len(known):
        return values
    smooth = np.interp(np.arange(grid.count) / grid.per_day, known + 0.5, wet[known])
    return np.asarray(values * (100 - smooth) / (100 - smooth[0]))


def _unbooked(values: Floats, grid: Grid, moves: Sequence[Move], *, daily: bool = False) -> Floats:
    """Take the book's moves out of the weight; steps about a move are left out, so that its hour does not matter."""
    step = 86_400 if daily else grid.step_s
    at = grid.start_s + (np.arange(len(values)) + 0.5) * step
    booked, near = np.zeros(len(values)), np.zeros(len(values), dtype=bool)
    for at_s, kg in moves:
        booked += np.where(at >= at_s, kg, 0.0)
        near |= np.abs(at - at_s) < max(MOST_MOVE_H * HOUR_S, step)
    left = np.where(near, np.nan, values - booked)
    return left if np.isfinite(left).sum() >= LEAST_DAYS else values - booked
