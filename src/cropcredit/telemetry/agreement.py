"""Whether soil and gauges answer to rain that others measured, and days go with the weather station.

Soil may wet without rain: irrigation is honest. Soil under film or glass need not answer to rain: that is a question
for a visit and costs no more than a B. A gauge that counts nothing while others count is clogged, not dishonest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cropcredit.telemetry.alike import closeness
from cropcredit.telemetry.evidence import Check, answer, not_assessed, suspicion
from cropcredit.telemetry.siting import ANY_SOIL, THAWED_C, pores_of
from cropcredit.telemetry.tracks import Floats, Track

WET_DAY_MM = 5.0
SOAKING_MM = 20.0
"""Rain of two days that reaches a probe down to 40 cm in a soil that has room for it."""
ANSWER_CM = 40.0
ANSWER_PCT = 1.0
"""Least rise, points of volume."""
ANSWER_DAYS = 3
NO_ANSWER_AT = 0.6
GAUGE_MM = 20.0
"""Others must have counted so much on wet days before a gauge is judged."""
GAUGE_AT = 0.6
ALONE_MM = {True: 20.0, False: 50.0}
"""Rain on days on which neighbours (True) or only the weather station (False) had none."""
DRY_DAY_MM = 1.0
LACKING_AT = 0.25
"""Share below field capacity under open water."""
SEEPING_CM = 70.0
LEAP_PCT = 1.0
"""Points of volume within a day that are water coming in."""
QUIET_DAYS = 5
RISE_AT = 0.06
"""Points of volume per day: 1.8 a month."""
RISE_SURE = 3.0
STATION_DAYS = 12
STATION_AT = 1.0
STATION_USUAL = 1.45
"""Closeness of daily means to the region's weather station that is usual: a correlation of 0.9."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rain:
    """What others counted, by local day of the window."""

    mm: Floats
    """Shape (days,): the middle of the neighbours' gauges, or the weather station; NaN: unknown."""
    gauges: int
    """Neighbours behind it; 0: the weather station."""
    each: Floats | None = None
    """Shape (gauges, days): what each of them counted."""

    @property
    def most(self) -> Floats:
        """The largest that any of them counted, by day; NaN: unknown."""
        return self.mm if self.each is None else np.fmax.reduce(np.vstack((self.each, self.mm)))

    def least(self, days: NDArray[np.bool_]) -> float:
        """Give the smallest sum over some days of those who counted anything: showers differ between hamlets."""
        if self.each is None:
            return float(self.mm[days].sum())
        sums = np.nansum(self.each[:, days], axis=1)
        return float(sums[sums >= DRY_DAY_MM].min(initial=np.inf)) if (sums >= DRY_DAY_MM).any() else 0.0


def no_rain_answer(track: Track, days: Floats, warmth: Floats | None, rain: Rain | None) -> Check:
    """Ask whether soil gets wetter within three days of soaking rain.

    Parameters
    ----------
    track : Track
        ``soil.moisture``.
    days, warmth : ndarray, shape (days,)
        Daily means of moisture, and of soil temperature at the probe.
    rain : Rain or None
        What others counted.
    """
    if rain is None:
        return not_assessed("no_rain_answer", "no_weather", track)
    if (track.depth_cm or 0) > ANSWER_CM:
        return not_assessed("no_rain_answer", "quiet", track)
    full = (pores_of(track.texture) or ANY_SOIL).capacity
    events, answered = 0, 0
    for day in soaking_days(rain.mm):
        before, after = days[max(day - 1, 0)], days[day : day + ANSWER_DAYS + 1]
        frozen = warmth is not None and warmth[day] < THAWED_C
        if frozen or not np.isfinite(before) or not np.isfinite(after).any() or before > full:
            continue
        events += 1
        answered += bool(np.nanmax(after) - before >= ANSWER_PCT)
    if not events:
        return not_assessed("no_rain_answer", "no_rain", track)
    missed = events - answered
    doubt = suspicion(missed / events * missed / (missed + 1), at=NO_ANSWER_AT)
    return answer("no_rain_answer", doubt, track, missed=missed, rains=events)


def soaking_days(mm: Floats) -> list[int]:
    """Give the days on which the rain of two days first soaks, at least three days apart.

    Examples
    --------
    >>> soaking_days(np.array([0.0, 12, 15, 9, 0, 0, 25]))
    [2, 6]
    """
    fallen = np.nan_to_num(mm)
    both = fallen + np.r_[0.0, fallen[:-1]]
    found: list[int] = []
    for day in np.flatnonzero(both >= SOAKING_MM).tolist():
        if not found or day - found[-1] > ANSWER_DAYS:
            found.append(day)
    return found


def gauge(track: Track, days: Floats, rain: Rain | None) -> list[Check]:
    """Ask whether a gauge counts what others count, and only that.

    Parameters
    ----------
    track : Track
        ``weather.rain``.
    days : ndarray, shape (days,)
        Its rise by day, mm; NaN: nothing was read.
    rain : Rain or None
        What others counted.
    """
    if rain is None:
        return [not_assessed(code, "no_weather", track) for code in ("gauge_silent", "rain_alone")]
    both = np.isfinite(days) & np.isfinite(rain.mm)
    wet, dry = both & (rain.mm >= WET_DAY_MM), both & (_widened(rain.most) < DRY_DAY_MM)
    theirs, ours, alone = rain.least(wet), float(days[wet].sum()), float(days[dry].sum())
    silent = not_assessed("gauge_silent", "no_rain", track)
    if theirs >= GAUGE_MM:
        silent = answer("gauge_silent", suspicion(1 - ours / theirs, at=GAUGE_AT), track, ours=ours, theirs=theirs)
    at = ALONE_MM[rain.gauges >= 2]  # noqa: PLR2004 - one gauge may itself be clogged
    return [silent, answer("rain_alone", suspicion(alone, at=at), track, mm=alone)]


def weather_apart(track: Track, days: Floats, station: Floats | None) -> Check:
    """Ask whether daily warmth goes with the weather station's.

    Parameters
    ----------
    track : Track
        ``air.temperature``, or ``soil.temperature`` near the surface.
    days, station : ndarray, shape (days,)
        Daily means, °C; NaN: unknown.
    """
    if station is None:
        return not_assessed("weather_apart", "no_weather", track)
    both = np.isfinite(days) & np.isfinite(station)
    if both.sum() < STATION_DAYS:
        return not_assessed("weather_apart", "too_short", track)
    at = np.arange(len(days))[both]
    x, y = (values[both] - np.polyval(np.polyfit(at, values[both], 1), at) for values in (days, station))
    scale = float(np.sqrt((x @ x) * (y @ y)))
    alike = float(x @ y) / scale if scale > 0 else 0.0
    doubt = suspicion(STATION_USUAL - float(closeness(np.array(alike))), at=STATION_AT)
    return answer("weather_apart", doubt, track, alike=alike)


def dry_under_water(track: Track, days: Floats, water: Floats | None) -> Check:
    """Ask whether soil is full on days on which satellites saw open water on the field.

    Parameters
    ----------
    track : Track
        ``soil.moisture``.
    days : ndarray, shape (days,)
        Daily means.
    water : ndarray of 0 and 1, shape (days,), or None
        Days on which open water was seen.
    """
    pores = pores_of(track.texture)
    if water is None or not np.nansum(water) or pores is None or (track.depth_cm or 0) > ANSWER_CM:
        return not_assessed("dry_under_water", "no_water", track)
    seen = days[(water > 0) & np.isfinite(days)]
    if not len(seen):
        return not_assessed("dry_under_water", "too_short", track)
    lacking = 1 - float(seen.max()) / pores.capacity
    return answer("dry_under_water", suspicion(lacking, at=LACKING_AT), track, level=float(seen.max()))


def rises_dry(days: Floats, depths_cm: Sequence[float], rain: Rain | None) -> Check:
    """Ask whether soil gets wetter from day to day while nothing wets it: a calibration that drifts upwards.

    Days on which others counted rain, the two after them, and leaps as of irrigation are left out; what is left may
    fall or stand. Water that seeps lifts a deeper layer at the cost of those above, so deep ones count with them only.

    Parameters
    ----------
    days : ndarray, shape (depths, days)
        Daily means of soil moisture, % of volume.
    depths_cm : sequence of float
        Of each row.
    rain : Rain or None
        What others counted; None: only leaps are left out.
    """
    found = []
    for row, depth_cm in zip(days, depths_cm, strict=True):
        moves = _quiet_moves(row, rain) if depth_cm <= SEEPING_CM and len(row) > QUIET_DAYS else np.empty(0)
        if len(moves) >= QUIET_DAYS:
            rise = float(np.median(moves))
            error = 1.25 * 1.4826 * float(np.median(np.abs(moves - rise))) / np.sqrt(len(moves))
            found.append((rise, error, depth_cm <= ANSWER_CM))
    if not found:
        return not_assessed("rises_dry", "too_short")
    rises, errors = (np.array(column) for column in zip(*((rise, error) for rise, error, _ in found), strict=True))
    together = (float(rises.mean()), float(np.sqrt((errors**2).sum())) / len(errors))
    asked = [together, *((rise, error) for rise, error, shallow in found if shallow)]
    doubts = [min(suspicion(r, at=RISE_AT), suspicion(r / max(e, 1e-6), at=RISE_SURE)) for r, e in asked]
    at = int(np.argmax(doubts))
    return replace(answer("rises_dry", doubts[at], per_day=asked[at][0]), quantity="soil.moisture")


def _quiet_moves(days: Floats, rain: Rain | None) -> Floats:
    """Give the changes from day to day while nothing wets the soil."""
    moves = np.diff(days)
    quiet = np.isfinite(moves) & (np.abs(moves) < LEAP_PCT) & ~_after_leaps(moves)
    if rain is not None:
        wet = np.nan_to_num(rain.mm) >= DRY_DAY_MM
        quiet &= ~(wet[1:] | wet[:-1] | np.r_[False, wet[:-2]])
    return np.asarray(moves[quiet])


def _after_leaps(moves: Floats) -> NDArray[np.bool_]:
    """Mark the two days after a leap: water is still on its way."""
    leap = np.nan_to_num(moves) >= LEAP_PCT
    return np.asarray(np.r_[False, leap[:-1]] | np.r_[False, False, leap[:-2]])


def _widened(mm: Floats) -> Floats:
    """Largest rain of a day and those beside it: a gauge's midnight need not be the others'."""
    known = np.where(np.isfinite(mm), mm, 0.0)
    beside = np.maximum(np.r_[0.0, known[:-1]], np.r_[known[1:], 0.0])
    return np.asarray(np.where(np.isfinite(mm), np.maximum(known, beside), np.nan))
