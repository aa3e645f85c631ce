"""What a whole season's readings are worth, from the windows it is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cropcredit.telemetry.evidence import Evidence, Grade

BETTER_BY = 1
"""A season is at most so many grades better than its worst window: one month of copies is not washed out."""
MOST_OF = 0.75
"""Share of the windows that must reach the season's grade."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeasonReason:
    """A reason, and in how many of the season's windows it stood."""

    code: str
    grade: Grade
    """The worst it cost in a window."""
    windows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SeasonEvidence:
    """The grade of one device over one season."""

    grade: Grade
    reasons: tuple[SeasonReason, ...]
    """Worst first, then the most frequent."""
    windows: tuple[Grade, ...]
    """Grade of each window, in order of time."""


def season_grade(windows: Sequence[Evidence]) -> SeasonEvidence:
    """Grade a season: three windows in four are at least so good, and none is worse by more than one grade.

    Parameters
    ----------
    windows : sequence of Evidence
        Of equal length, in order of time; at least one.

    Examples
    --------
    >>> month = {grade: Evidence(grade=grade, reasons=()) for grade in Grade}
    >>> [str(season_grade([month[g] for g in order]).grade) for order in ("AAAB", "AABB", "AAAD", "ABCD", "D")]
    ['A', 'B', 'C', 'C', 'D']
    """
    assert windows, "a season without a window has no grade"
    grades = [evidence.grade for evidence in windows]
    ladder = list(Grade)
    reached = next(g for g in ladder if sum(one <= g for one in grades) >= MOST_OF * len(grades))
    floor = ladder[max(ladder.index(max(grades)) - BETTER_BY, 0)]
    return SeasonEvidence(grade=max(reached, floor), reasons=_reasons(windows), windows=tuple(grades))


def _reasons(windows: Sequence[Evidence]) -> tuple[SeasonReason, ...]:
    found: dict[str, list[Grade]] = {}
    for evidence in windows:
        worst: dict[str, Grade] = {}
        for reason in evidence.reasons:
            worst[reason.code] = max(reason.grade, worst.get(reason.code, Grade.A))
        for code, grade in worst.items():
            found.setdefault(code, []).append(grade)
    reasons = [SeasonReason(code=code, grade=max(grades), windows=len(grades)) for code, grades in found.items()]
    reasons.sort(key=lambda r: (r.grade, r.windows), reverse=True)
    return tuple(reasons)
