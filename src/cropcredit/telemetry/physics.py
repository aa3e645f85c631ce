"""Whether values move as nature does: not stuck, not leaping, warm by day, with noise and with memory."""

from __future__ import annotations

import numpy as np

from cropcredit.telemetry.evidence import Check, answer, not_assessed, suspicion
from cropcredit.telemetry.tracks import COURSE, HOUR_S, Floats, Grid, Track, within_day

STUCK_HOURS, STUCK_READINGS = 48, 12
"""A value that stood still for so long over so many readings."""
LIVELY = ("air.temperature", "air.relativeHumidity", "air.pressure", "soil.temperature", "store.grainTemperature")
"""Quantities that never stand still in nature. Soil water can, in deep or frozen soil; a counter must, without rain."""
DEEP_CM = 40.0
"""Below this the temperature of soil may stand still for days, as far as a sensor can tell."""
FASTEST = {
    "air.temperature": 15.0,
    "soil.temperature": 8.0,
    "soil.moisture": 40.0,
    "store.grainTemperature": 5.0,
    "store.grainMoisture": 3.0,
}
"""Largest believable change per hour, in the catalogue's unit: soil wets quickly, grain neither heats nor dries so."""
JUMPS_FORGIVEN = 1
SWING = {"air.temperature": 0.8, "weather.solarRadiation": 25.0, "soil.temperature": 0.25}
"""Half of the usual day's range below which there is no daily cycle; soil: at 10 cm, less below."""
DAMPING_CM = 12.0
"""Depth over which the daily wave of soil temperature falls to 1/e (Hillel 1998, Environmental Soil Physics: 8-15)."""
COLD_C = 3.0
"""Frozen or snow-covered soil holds its temperature."""
CYCLE_DAYS = 5
MEMORY = {"air.temperature": 0.6, "air.relativeHumidity": 3.0, "soil.temperature": 0.3, "soil.moisture": 0.6}
"""Spread beyond which a sensor's own noise can no longer be all there is, in the catalogue's unit."""
MEMORY_AT = 0.55
"""Von Neumann's ratio, halved: 1 for values drawn one by one, near 0 for a course."""
MEMORY_STEPS = 100
SMOOTH = ("air.temperature", "air.relativeHumidity")
SMOOTH_AT = 0.12
"""Second differences over first ones: air flickers; a line drawn through hours does not."""
DAMP_AT = 1.05
"""One plus the correlation of humidity and warmth within the day: warm air is dry air, unless it rains all day."""


def stuck(track: Track) -> Check:
    """Ask whether a lively value stood still."""
    hours, count = longest_standstill(track)
    code = "stuck"
    if track.quantity not in LIVELY or (track.depth_cm or 0) > DEEP_CM:
        return not_assessed(code, "quiet", track)
    doubt = suspicion(hours, at=STUCK_HOURS) if count >= STUCK_READINGS else 0.0
    return answer(code, doubt, track, hours=hours)


def longest_standstill(track: Track) -> tuple[float, int]:
    """Give the longest time for which a value did not change at all, in hours, and over how many readings.

    Examples
    --------
    >>> at, values = np.array([0, 1, 2, 5]) * 3600.0, np.array([1.0, 2.0, 2.0, 2.0])
    >>> longest_standstill(Track(quantity="soil.moisture", channel="", at_s=at, values=values))
    (4.0, 3)
    """
    if not len(track.values):
        return 0.0, 0
    starts = np.flatnonzero(np.r_[True, np.diff(track.values) != 0])
    ends = np.r_[starts[1:], len(track.values)] - 1
    lasted = track.at_s[ends] - track.at_s[starts]
    at = int(np.lexsort((ends - starts, lasted))[-1])
    return float(lasted[at] / HOUR_S), int(ends[at] - starts[at] + 1)


def jump(track: Track) -> Check:
    """Count changes faster than nature; a gap gives nature the time of the gap, at least an hour."""
    if track.quantity not in FASTEST:
        return not_assessed("jump", "quiet", track)
    hours = np.maximum(np.diff(track.at_s) / HOUR_S, 1.0)
    times = int((np.abs(np.diff(track.values)) > FASTEST[track.quantity] * hours).sum())
    doubt = suspicion(times - JUMPS_FORGIVEN, at=1.0)
    return answer("jump", doubt, track, times=times)


def no_daily_cycle(track: Track, values: Floats, grid: Grid) -> Check:
    """Ask whether days are warmer, and brighter, than nights.

    Parameters
    ----------
    track : Track
        What was measured.
    values : ndarray, shape (steps,)
        The same on the grid.
    """
    code = "no_daily_cycle"
    if track.quantity not in SWING or (track.depth_cm or 0) > DEEP_CM / 2:
        return not_assessed(code, "quiet", track)
    moves = within_day(values, grid)
    known = np.isfinite(moves)
    if grid.per_day < COURSE or known.sum() < CYCLE_DAYS * grid.per_day * 0.7:
        return not_assessed(code, "too_short", track)
    if track.quantity == "soil.temperature" and np.nanmean(values) < COLD_C:
        return not_assessed(code, "cold", track)
    swing, least = daily_swing(moves, grid), least_swing(track)
    return answer(code, suspicion(least / max(swing, 1e-6), at=1.0), track, swing=swing, least=least)


def least_swing(track: Track) -> float:
    """Half of the smallest daily range that is usual, damped by depth."""
    depth = track.depth_cm or 10.0
    damping = np.exp(-(depth - 10.0) / DAMPING_CM) if track.quantity == "soil.temperature" else 1.0
    return float(SWING[track.quantity] * min(damping, 1.5))


def daily_swing(moves: Floats, grid: Grid) -> float:
    """Amplitude of the daily wave: the first harmonic of deviations from the running mean of a day."""
    turn = 2 * np.pi * (np.arange(grid.count) % grid.per_day) / grid.per_day
    known = np.isfinite(moves)
    wave = np.where(known, moves, 0.0) * np.exp(1j * turn)
    return float(2 * abs(wave.sum()) / max(known.sum(), 1))


def no_memory(track: Track, values: Floats, grid: Grid) -> Check:
    """Ask whether values follow from those before, or from those of the day before, or are drawn one by one."""
    code = "no_memory"
    if track.quantity not in MEMORY:
        return not_assessed(code, "quiet", track)
    spread = float(np.nanstd(values)) if np.isfinite(values).sum() >= MEMORY_STEPS else 0.0
    ratios = [_unlikeness(values, lag) / max(spread**2, 1e-12) for lag in (1, grid.per_day)]
    if grid.per_day < COURSE or not spread or not np.isfinite(ratios).any():
        return not_assessed(code, "too_short", track)
    ratio = float(np.nanmin(ratios))
    loud = spread**2 / (spread**2 + MEMORY[track.quantity] ** 2)
    return answer(code, suspicion(ratio * loud, at=MEMORY_AT), track, memory=1 - ratio, spread=spread)


def _unlikeness(values: Floats, lag: int) -> float:
    """Half of the mean squared change over a lag: the variance itself where nothing is remembered; NaN: too few."""
    moves = values[lag:] - values[:-lag]
    known = moves[np.isfinite(moves)]
    return float(np.mean(known**2)) / 2 if len(known) >= MEMORY_STEPS // 2 else float("nan")


def too_smooth(track: Track) -> Check:
    """Ask whether air flickers as it does: a drawn line has no noise."""
    if track.quantity not in SMOOTH:
        return not_assessed("too_smooth", "quiet", track)
    if len(track.values) < 4 * MEMORY_STEPS or np.median(np.diff(track.at_s)) > HOUR_S:
        return not_assessed("too_smooth", "too_short", track)
    first = np.diff(track.values)
    moved = float(np.sqrt(np.mean(first**2)))
    flicker = float(np.median(np.abs(np.diff(first)))) / max(moved, 1e-9) if moved > 0 else 1.0
    doubt = suspicion(SMOOTH_AT / max(flicker, 1e-6), at=1.0)
    return answer("too_smooth", doubt, track, flicker=flicker)


def damp_when_warm(track: Track, humidity: Floats, warmth: Floats | None, grid: Grid) -> Check:
    """Ask whether air is dry when it is warm: relative humidity falls as the day warms the same vapour."""
    if warmth is None:
        return not_assessed("damp_when_warm", "no_air", track)
    warm, damp = within_day(warmth, grid), within_day(humidity, grid)
    both = np.isfinite(warm) & np.isfinite(damp)
    if grid.per_day < COURSE or both.sum() < CYCLE_DAYS * grid.per_day * 0.7 or not damp[both].any():
        return not_assessed("damp_when_warm", "too_short", track)
    scale = float(np.sqrt((warm[both] ** 2).sum() * (damp[both] ** 2).sum()))
    together = float((warm[both] * damp[both]).sum()) / scale if scale > 0 else 0.0
    doubt = suspicion(1 + together, at=DAMP_AT)
    return answer("damp_when_warm", doubt, track, together=together)
