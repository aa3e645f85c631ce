"""How far the readings of a device in a window can be trusted, and why: a grade A-D, never a filter.

Four questions, each graded on its own; the worst answer is the grade, and every answer below A is a reason:

* authenticity   was each message signed by the device's own key, and is the case closed?
* completeness   how many messages of the window are missing, on how many days was nothing heard?
* clock          where do the instants come from?
* physics        does a value stand still where nature never does, or jump where nature cannot?
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from cropcredit.telemetry.dating import Dated, Dating

Sample = tuple[datetime, float]

MISSING_BOUNDS = (0.02, 0.10, 0.30)
"""Shares of missing messages up to which completeness is A, B, C."""
DOUBTFUL_CLOCK = 0.05
"""Share of readings dated by arrival, or from a clock that was wrong, above which it is a reason."""
STUCK_FOR = timedelta(hours=48)
STUCK_READINGS = 12
"""A value that stood still for so long over so many readings."""
LIVELY = ("air.temperature", "air.relativeHumidity", "air.pressure", "soil.temperature", "store.grainTemperature")
"""Quantities that never stand still in nature. Soil water can, in deep or frozen soil; a counter must, without rain."""
FASTEST = {
    "air.temperature": 15.0,
    "soil.temperature": 8.0,
    "soil.moisture": 40.0,
    "store.grainTemperature": 5.0,
    "store.grainMoisture": 3.0,
}
"""Largest believable change per hour, in the catalogue's unit: soil wets quickly, grain neither heats nor dries so."""
JUMPS_FORGIVEN = 1


class Grade(StrEnum):
    """A: as good as it gets; D: do not rely on it alone."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeReason:
    """Why a grade is below A: a code that screens put into words, with its facts."""

    code: str
    """``unsigned`` ``case_open`` ``missing`` ``silent_days`` ``clock_free`` ``clock_none`` ``clock_wrong``
    ``stuck`` ``jump`` ``too_few``."""
    grade: Grade
    """Best grade that is possible with this."""
    facts: tuple[tuple[str, str | float], ...] = ()
    """Named facts, e.g. (("share", 0.12),) or (("quantity", "air.temperature"), ("hours", 52.0))."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The grade of one device over one window."""

    grade: Grade
    reasons: tuple[GradeReason, ...]
    """Worst first."""


def grade_window(
    readings: Sequence[Dated],
    series: Mapping[tuple[str, str], Sequence[Sample]],
    *,
    missing: int,
    days: int,
) -> Evidence:
    """Grade one device over one window.

    Parameters
    ----------
    readings : sequence of Dated
        All of the device's readings in the window, heartbeats included.
    series : mapping
        Samples per (quantity, channel), in the order of measurement.
    missing : int
        Messages that the device made within the window and that are not held.
    days : int
        Length of the window in days, as far as the device stood there.
    """
    if len(readings) < STUCK_READINGS:
        too_few = GradeReason(code="too_few", grade=Grade.D, facts=(("readings", float(len(readings))),))
        return Evidence(grade=Grade.D, reasons=(too_few,))
    reasons = [
        *_authenticity(readings),
        *_completeness(readings, missing=missing, days=days),
        *_clock(readings),
        *_physics(series),
    ]
    reasons.sort(key=lambda reason: reason.grade, reverse=True)
    return Evidence(grade=max((reason.grade for reason in reasons), default=Grade.A), reasons=tuple(reasons))


def longest_standstill(samples: Sequence[Sample]) -> tuple[timedelta, int]:
    """Give the longest time for which a value did not change at all, and over how many readings.

    Examples
    --------
    >>> noon = datetime(2026, 5, 1, 12)
    >>> longest_standstill([(noon + timedelta(hours=h), v) for h, v in ((0, 1.0), (1, 2.0), (2, 2.0), (5, 2.0))])
    (datetime.timedelta(seconds=14400), 3)
    """
    longest, count, start = (timedelta(0), min(1, len(samples))), 1, 0
    for i, ((_, before), (at, value)) in enumerate(pairwise(samples), 1):
        start, count = (start, count + 1) if value == before else (i, 1)
        longest = max(longest, (at - samples[start][0], count))
    return longest


def _authenticity(readings: Sequence[Dated]) -> list[GradeReason]:
    unsigned = sum(not dated.reading.key_id for dated in readings) / len(readings)
    opened = sum(dated.reading.case_open is True for dated in readings)
    found = [_share("unsigned", Grade.B, unsigned)] if unsigned else []
    return found + ([_counted("case_open", Grade.C, opened)] if opened else [])


def _completeness(readings: Sequence[Dated], *, missing: int, days: int) -> list[GradeReason]:
    found = []
    share = missing / (missing + len(readings))
    if share > MISSING_BOUNDS[0]:
        found.append(_share("missing", _by_bounds(share), share))
    silent = max(0, days - len({dated.at.date() for dated in readings}))
    if days and silent / days > MISSING_BOUNDS[0]:
        found.append(
            GradeReason(
                code="silent_days",
                grade=_by_bounds(silent / days),
                facts=(("days", float(silent)), ("of", float(days))),
            )
        )
    return found


def _clock(readings: Sequence[Dated]) -> list[GradeReason]:
    counted = Counter(dated.dating for dated in readings)
    shares = {dating: counted[dating] / len(readings) for dating in Dating}
    found = []
    if shares[Dating.WRONG]:
        bad = shares[Dating.WRONG] > DOUBTFUL_CLOCK
        found.append(_share("clock_wrong", Grade.C if bad else Grade.B, shares[Dating.WRONG]))
    if shares[Dating.ARRIVAL]:
        bad = shares[Dating.ARRIVAL] > DOUBTFUL_CLOCK
        found.append(_share("clock_none", Grade.C if bad else Grade.B, shares[Dating.ARRIVAL]))
    free = shares[Dating.CLOCK] + shares[Dating.BOOT]
    return [*found, _share("clock_free", Grade.B, free)] if free else found


def _physics(series: Mapping[tuple[str, str], Sequence[Sample]]) -> list[GradeReason]:
    found = []
    for (quantity, channel), samples in sorted(series.items()):
        stood, count = longest_standstill(samples)
        if quantity in LIVELY and stood >= STUCK_FOR and count >= STUCK_READINGS:
            found.append(_measured("stuck", Grade.C, quantity, channel, ("hours", stood / timedelta(hours=1))))
        jumps = _jumps(samples, FASTEST[quantity]) if quantity in FASTEST else 0
        if jumps > JUMPS_FORGIVEN:
            found.append(_measured("jump", Grade.C, quantity, channel, ("times", float(jumps))))
    return found


def _jumps(samples: Sequence[Sample], fastest: float) -> int:
    """Count changes faster than ``fastest`` per hour; a gap gives nature the time of the gap, at least an hour."""
    hour = timedelta(hours=1)
    return sum(
        abs(value - before) > fastest * max(1.0, (at - then) / hour)
        for (then, before), (at, value) in pairwise(samples)
    )


def _by_bounds(share: float) -> Grade:
    return next((g for g, bound in zip(Grade, MISSING_BOUNDS, strict=False) if share <= bound), Grade.D)


def _share(code: str, grade: Grade, share: float) -> GradeReason:
    return GradeReason(code=code, grade=grade, facts=(("share", round(share, 4)),))


def _counted(code: str, grade: Grade, count: int) -> GradeReason:
    return GradeReason(code=code, grade=grade, facts=(("count", float(count)),))


def _measured(code: str, grade: Grade, quantity: str, channel: str, fact: tuple[str, float]) -> GradeReason:
    return GradeReason(code=code, grade=grade, facts=(("quantity", quantity), ("channel", channel), fact))
