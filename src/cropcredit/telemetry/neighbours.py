"""Whether a device goes with its neighbours: the same ups and downs from day to day, no growing and no large distance.

What is usual between honest neighbours is not assumed: each neighbour is held against the others in the same way, and
the device must stand out from them. A floor keeps a lucky village from accusing anybody.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cropcredit.telemetry.alike import closeness, median_of_rows
from cropcredit.telemetry.evidence import Check, answer, not_assessed, suspicion
from cropcredit.telemetry.tracks import Floats, Track

LEAST_DAYS = 10
LEAST_OTHERS = 2
APART_AT = 3.3
"""Deviations of closeness, among neighbours, from which a course of its own is a reason."""
APART_FLOOR = 0.3
MEMORY_DAYS = 3.0
"""Days for which weather remembers itself: three of them tell no more than one."""
WEATHER_CM = 100.0
"""Below this the days' weather no longer reaches the soil."""
STILL_AT = 1.2
"""Logarithm of how much more the neighbours' days differ: over three times."""
DRIFT_AT = 5.0
SOIL_DRIFT_AT = 2.5
"""Of several depths together."""
LEVEL_AT = 5.0


@dataclass(frozen=True, slots=True)
class Usual:
    """How far sound sensors of one quantity differ where only their place does."""

    level: float
    """Spread of levels among places, in the quantity's unit."""
    drift: float
    """Spread of what the distance grows by in 30 days."""
    shared: bool
    """Whether neighbours share the ups and downs of the days: weather does, irrigated soil water does not."""


USUAL = {
    "air.temperature": Usual(1.0, 0.4, shared=True),
    "air.relativeHumidity": Usual(5.0, 2.5, shared=True),
    "air.pressure": Usual(25.0, 1.0, shared=True),
    "weather.solarRadiation": Usual(40.0, 20.0, shared=True),
    "soil.temperature": Usual(1.5, 0.8, shared=True),
    "soil.moisture": Usual(8.0, 4.0, shared=False),
}
"""Floors; real neighbours are asked first. Air: a sensor in a shield is good to half a kelvin and 3 % of humidity;
moisture of one field differs by 3 to 5 % of volume (Famiglietti et al. 2008, Water Resources Research 44, W01423)."""


def against_neighbours(track: Track, days: Floats, others: Floats) -> list[Check]:
    """Hold daily means against those of neighbours.

    Parameters
    ----------
    track : Track
        What the device measured.
    days : ndarray, shape (days,)
        Its daily means; NaN: not measured.
    others : ndarray, shape (neighbours, days)
        Those of its neighbours.
    """
    usual = USUAL.get(track.quantity)
    if usual is None or not usual.shared:
        return []
    codes = ("drift", "apart", "level", "too_still")
    others = others[np.isfinite(others).sum(axis=1) >= LEAST_DAYS]
    if len(others) < LEAST_OTHERS:
        return [not_assessed(code, "no_neighbours", track) for code in codes]
    middle = _middle(others)
    if (np.isfinite(days) & np.isfinite(middle)).sum() < LEAST_DAYS:
        return [not_assessed(code, "too_short", track) for code in codes]
    everybody = np.vstack([days, others])
    distance = np.vstack([everybody[row] - _middle(np.delete(everybody, row, axis=0)) for row in range(len(everybody))])
    found = [_drift(distance, usual), _apart(everybody), _level(distance, usual), _too_still(days, middle, usual)]
    if (track.depth_cm or 0) > WEATHER_CM:
        found = [one for one in found if one[0] != "apart"]
    return [answer(code, doubt, track, **facts) for code, doubt, facts in found]


def soil_drift(days: Floats, others: Floats) -> Check:
    """Ask whether soil moisture moves away from the neighbours' at all depths together.

    Water moves through one soil sooner than through another, so one depth tells little; a calibration that drifts, or
    is turned up, lifts them all.

    Parameters
    ----------
    days : ndarray, shape (depths, days)
        Daily means, % of volume.
    others : ndarray, shape (depths, neighbours, days)
        Those of the neighbours at like depths.
    """
    usual, found = USUAL["soil.moisture"], []
    for mine, theirs in zip(days, others, strict=True):
        heard = theirs[np.isfinite(theirs).sum(axis=1) >= LEAST_DAYS]
        if len(heard) >= LEAST_OTHERS and (np.isfinite(mine) & np.isfinite(_middle(heard))).sum() >= LEAST_DAYS:
            everybody = np.vstack([mine, heard])
            slopes = [30 * _slope(row - _middle(np.delete(everybody, at, axis=0))) for at, row in enumerate(everybody)]
            middle, spread = _usual(np.array(slopes[1:]), floor=usual.drift)
            found.append((slopes[0] - middle, spread))
    if not found:
        return not_assessed("drift", "no_neighbours" if not others.size else "too_short")
    grown, spread = (float(np.mean(column)) for column in zip(*found, strict=True))
    at = SOIL_DRIFT_AT if len(found) > 1 else DRIFT_AT
    check = answer("drift", suspicion(abs(grown) / spread, at=at), per_month=grown, usual=spread)
    return replace(check, quantity="soil.moisture")


Found = tuple[str, float, dict[str, float]]


def _apart(everybody: Floats) -> Found:
    """Ask whether the day-to-day course is the neighbours'."""
    close = np.array(
        [
            closeness(np.array(_together(row, _middle(np.delete(everybody, at, axis=0)))))
            for at, row in enumerate(everybody)
        ]
    )
    usual, spread = _usual(close[1:], floor=APART_FLOOR)
    shared = (np.isfinite(everybody[0]) & np.isfinite(_middle(everybody[1:]))).sum()
    chance = 1 / np.sqrt(max(shared / MEMORY_DAYS - 3, 1))  # of Fisher's z
    below = (usual - close[0]) / float(np.hypot(spread, chance))
    return "apart", suspicion(below, at=APART_AT), {"alike": float(np.tanh(close[0])), "usual": float(np.tanh(usual))}


def _drift(distance: Floats, usual: Usual) -> Found:
    """Ask whether the distance to the neighbours grows; per 30 days."""
    slopes = np.array([_slope(row) for row in distance]) * 30
    middle, spread = _usual(slopes[1:], floor=usual.drift)
    grown = abs(slopes[0] - middle) / spread
    return "drift", suspicion(grown, at=DRIFT_AT), {"per_month": float(slopes[0]), "usual": spread}


def _level(distance: Floats, usual: Usual) -> Found:
    levels = median_of_rows(distance.T)
    middle, spread = _usual(levels[1:], floor=usual.level)
    off = abs(levels[0] - middle) / spread
    return "level", suspicion(off, at=LEVEL_AT), {"by": float(levels[0]), "usual": spread}


def _too_still(days: Floats, middle: Floats, usual: Usual) -> Found:
    """Ask whether the days differ as little as noise while the neighbours' days differ."""
    both = np.isfinite(days) & np.isfinite(middle)
    noise = usual.drift / 4
    ours, theirs = (float(np.hypot(np.std(row[both]), noise)) for row in (days, middle))
    return "too_still", suspicion(np.log(theirs / ours), at=STILL_AT), {"ours": ours, "theirs": theirs}


def _usual(values: Floats, *, floor: float) -> tuple[float, float]:
    """Median and robust spread, the latter not below a floor."""
    known = values[np.isfinite(values)]
    if not len(known):
        return 0.0, floor
    middle = float(np.median(known))
    return middle, float(np.hypot(1.4826 * np.median(np.abs(known - middle)), floor))


def _middle(rows: Floats) -> Floats:
    """Median over rows without NaN; NaN where fewer than two rows know."""
    return np.asarray(np.where(np.isfinite(rows).sum(axis=0) >= LEAST_OTHERS, median_of_rows(rows), np.nan))


def _slope(row: Floats) -> float:
    """Slope per step by medians (Theil-Sen on thirds): a few odd days do not count."""
    known = np.flatnonzero(np.isfinite(row))
    if len(known) < LEAST_DAYS:
        return float("nan")
    third = max(len(known) // 3, 1)
    first, last = known[:third], known[-third:]
    return float((np.median(row[last]) - np.median(row[first])) / (np.median(last) - np.median(first)))


def _together(row: Floats, other: Floats) -> float:
    """Correlate two courses on the days that both know, each without its trend over these days."""
    known = np.flatnonzero(np.isfinite(row) & np.isfinite(other))
    if len(known) < LEAST_DAYS:
        return float("nan")
    a, b = (course[known] - np.polyval(np.polyfit(known, course[known], 1), known) for course in (row, other))
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0 else 0.0
