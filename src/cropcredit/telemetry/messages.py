"""How readings came: signed or not, whole or with holes, on which clock."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from cropcredit.model import FIRST_SESSION, UNCOUNTED, Source
from cropcredit.telemetry.dating import Dated, Dating
from cropcredit.telemetry.evidence import Grade, GradeReason

MISSING_BOUNDS = (0.02, 0.10, 0.30)
"""Shares of missing messages up to which completeness is A, B, C."""
DOUBTFUL_CLOCK = 0.05
"""Share of readings dated by arrival, or from a clock that was wrong, above which it is a reason."""
DAY_S = 86_400
CROSSED = timedelta(minutes=10)
"""Boots may overlap by so much: clocks are set anew after a restart."""


def authenticity(readings: Sequence[Dated]) -> list[GradeReason]:
    """Ask whether each message was signed by the device's own key, and whether the case was closed.

    Messages that came by way of a network server are vouched for by it: what a broker lost nobody sends again.
    """
    own = [dated for dated in readings if dated.reading.source is Source.CONTRACT]
    unsigned = sum(not dated.reading.key_id for dated in own) / len(readings)
    by_server = 1 - len(own) / len(readings)
    opened = sum(dated.reading.case_open is True for dated in readings)
    found = [_share("unsigned", Grade.B, unsigned)] if unsigned else []
    found += [_share("broker_durable", Grade.B, by_server)] if by_server else []
    return found + ([_counted("case_open", Grade.C, opened)] if opened else [])


def completeness(
    readings: Sequence[Dated], *, missing: int, days: int, interval_s: int | None = None
) -> list[GradeReason]:
    """Ask how many messages are missing, and on how many days nothing was heard.

    Silence within the interval a device has declared is normal: one that reads every third day is heard on a third.
    """
    found = []
    share = missing / (missing + len(readings))
    if share > MISSING_BOUNDS[0]:
        found.append(_share("missing", _by_bounds(share), share))
    days_per_reading = max(1.0, (interval_s or 0) / DAY_S)
    silent = max(0, days - math.ceil(days_per_reading * len({dated.at.date() for dated in readings})))
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


def missing_between(readings: Sequence[Dated]) -> int:
    """Count the seqs between the first and the last one held of each boot that are not held."""
    seqs: defaultdict[int, list[int]] = defaultdict(list)
    for dated in readings:
        if dated.reading.boot != UNCOUNTED:
            seqs[dated.reading.boot].append(dated.reading.seq)
    return sum(max(held) - min(held) + 1 - len(held) for held in seqs.values())


def boots_crossed(readings: Sequence[Dated]) -> int:
    """Count restarts that began before the boot before them ended: two devices speak with one key.

    Only instants of a clock that the network set count, and ten minutes are forgiven; sessions at a network server
    carry no order.
    """
    if len({dated.reading.boot for dated in readings}) <= 1:
        return 0
    spans: dict[int, tuple[datetime, datetime]] = {}
    for dated in readings:
        boot = dated.reading.boot
        if dated.dating is Dating.NETWORK and UNCOUNTED < boot < FIRST_SESSION:
            first, last = spans.get(boot, (dated.at, dated.at))
            spans[boot] = (min(first, dated.at), max(last, dated.at))
    ordered = [spans[boot] for boot in sorted(spans)]
    return sum(begun < ended - CROSSED for (_, ended), (begun, _) in pairwise(ordered))


def _by_bounds(share: float) -> Grade:
    return next((g for g, bound in zip(Grade, MISSING_BOUNDS, strict=False) if share <= bound), Grade.D)


def _share(code: str, grade: Grade, share: float) -> GradeReason:
    return GradeReason(code=code, grade=grade, facts=(("share", round(share, 4)),))


def _counted(code: str, grade: Grade, count: int) -> GradeReason:
    return GradeReason(code=code, grade=grade, facts=(("count", float(count)),))
