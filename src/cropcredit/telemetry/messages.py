"""How readings came: signed or not, whole or with holes, on which clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from cropcredit.telemetry.dating import Dated, Dating
from cropcredit.telemetry.evidence import Grade, GradeReason

MISSING_BOUNDS = (0.02, 0.10, 0.30)
"""Shares of missing messages up to which completeness is A, B, C."""
DOUBTFUL_CLOCK = 0.05
"""Share of readings dated by arrival, or from a clock that was wrong, above which it is a reason."""


def authenticity(readings: Sequence[Dated]) -> list[GradeReason]:
    """Ask whether each message was signed by the device's own key, and whether the case was closed."""
    unsigned = sum(not dated.reading.key_id for dated in readings) / len(readings)
    opened = sum(dated.reading.case_open is True for dated in readings)
    found = [_share("unsigned", Grade.B, unsigned)] if unsigned else []
    return found + ([_counted("case_open", Grade.C, opened)] if opened else [])


def completeness(readings: Sequence[Dated], *, missing: int, days: int) -> list[GradeReason]:
    """Ask how many messages are missing, and on how many days nothing was heard."""
    found = []
    share = missing / (missing + len(readings))
    if share > MISSING_BOUNDS[0]:
        found.append(_share("missing", _by_bounds(share), share))
    silent = max(0, days - len({dated.at.date() for dated in readings}))
    if days and silent / days > MISSING_BOUNDS[0]:
        facts = (("days", float(silent)), ("of", float(days)))
        found.append(GradeReason(code="silent_days", grade=_by_bounds(silent / days), facts=facts))
    return found


def clock(readings: Sequence[Dated]) -> list[GradeReason]:
    """Ask where the instants come from."""
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


def _by_bounds(share: float) -> Grade:
    return next((g for g, bound in zip(Grade, MISSING_BOUNDS, strict=False) if share <= bound), Grade.D)


def _share(code: str, grade: Grade, share: float) -> GradeReason:
    return GradeReason(code=code, grade=grade, facts=(("share", round(share, 4)),))


def _counted(code: str, grade: Grade, count: int) -> GradeReason:
    return GradeReason(code=code, grade=grade, facts=(("count", float(count)),))
