"""How readings came: signed or not, whole or with holes, on which clock."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from cropcredit.model import FIRST_SESSION, UNCOUNTED
from cropcredit.telemetry.evidence import Grade, GradeReason
from cropcredit.telemetry.heard import ARRIVAL, BOOT, CLOCK, DATINGS, NETWORK, WRONG, Heard, Messages

MISSING_BOUNDS = (0.02, 0.10, 0.30)
"""Shares of missing messages up to which completeness is A, B, C."""
DOUBTFUL_CLOCK = 0.05
"""Share of readings dated by arrival, or from a clock that was wrong, above which it is a reason."""
DAY_S = 86_400
DAY_US = DAY_S * 1_000_000
CROSSED_US = 600_000_000
"""Boots may overlap by so much: clocks are set anew after a restart."""


def authenticity(heard: Heard) -> list[GradeReason]:
    """Ask whether each message was signed by the device's own key, and whether the case was closed.

    Messages that came by way of a network server are vouched for by it: what a broker lost nobody sends again.
    """
    own = heard.messages.contract
    unsigned = float((own & ~heard.messages.signed).mean())
    by_server = 1 - float(own.mean())
    opened = int(heard.messages.case_open.sum())
    found = [_share("unsigned", Grade.B, unsigned)] if unsigned else []
    found += [_share("broker_durable", Grade.B, by_server)] if by_server else []
    return found + ([_counted("case_open", Grade.C, opened)] if opened else [])


def completeness(heard: Heard, *, missing: int, days: int, interval_s: int | None = None) -> list[GradeReason]:
    """Ask how many messages are missing, and on how many days nothing was heard.

    Silence within the interval a device has declared is normal: one that reads every third day is heard on a third.
    """
    found = []
    share = missing / (missing + len(heard))
    if share > MISSING_BOUNDS[0]:
        found.append(_share("missing", _by_bounds(share), share))
    days_per_reading = max(1.0, (interval_s or 0) / DAY_S)
    silent = max(0, days - math.ceil(days_per_reading * len(np.unique(heard.at_us // DAY_US))))
    if days and silent / days > MISSING_BOUNDS[0]:
        facts = (("days", float(silent)), ("of", float(days)))
        found.append(GradeReason(code="silent_days", grade=_by_bounds(silent / days), facts=facts))
    return found


def clock(heard: Heard) -> list[GradeReason]:
    """Ask where the instants come from."""
    share = (np.bincount(heard.dating, minlength=len(DATINGS)) / len(heard)).tolist()
    found = []
    for code, dating in (("clock_wrong", WRONG), ("clock_none", ARRIVAL)):
        if share[dating]:
            found.append(_share(code, Grade.C if share[dating] > DOUBTFUL_CLOCK else Grade.B, share[dating]))
    free = share[CLOCK] + share[BOOT]
    return [*found, _share("clock_free", Grade.B, free)] if free else found


def missing_between(messages: Messages) -> int:
    """Count the seqs between the first and the last one held of each boot that are not held."""
    counted = messages.boot != UNCOUNTED
    found = 0
    for boot in np.unique(messages.boot[counted]):
        held = messages.seq[messages.boot == boot]
        found += int(held.max() - held.min()) + 1 - len(held)
    return found


def boots_crossed(heard: Heard) -> int:
    """Count restarts that began before the boot before them ended: two devices speak with one key.

    Only instants of a clock that the network set count, and ten minutes are forgiven; sessions at a network server
    carry no order.
    """
    boot = heard.messages.boot
    counts = (heard.dating == NETWORK) & (boot > UNCOUNTED) & (boot < FIRST_SESSION)
    spans = [(at.min(), at.max()) for at in (heard.at_us[counts & (boot == one)] for one in np.unique(boot[counts]))]
    return sum(bool(begun < ended - CROSSED_US) for (_, ended), (begun, _) in pairwise(spans))


def _by_bounds(share: float) -> Grade:
    return next((g for g, bound in zip(Grade, MISSING_BOUNDS, strict=False) if share <= bound), Grade.D)


def _share(code: str, grade: Grade, share: float) -> GradeReason:
    return GradeReason(code=code, grade=grade, facts=(("share", round(share, 4)),))


def _counted(code: str, grade: Grade, count: int) -> GradeReason:
    return GradeReason(code=code, grade=grade, facts=(("count", float(count)),))
