"""How far the readings of a device in a window can be trusted, and why: a grade A-D, never a filter.

Each question is graded on its own; the worst answer is the grade, and every answer below A is a reason:

* how they came     signed by the device's own key, whole, on a right clock (:mod:`.messages`)
* physics           moving as nature does (:mod:`.physics`)
* siting            in the soil, at its depth, with a calibration that fits (:mod:`.siting`)
* copies            not another device's readings, not its own of last year (:mod:`.copies`)
* neighbours        with the same ups and downs (:mod:`.neighbours`)
* weather           answering to rain and the weather station, and to what satellites see (:mod:`.agreement`)
* stored grain      weight against the book, moisture and warmth (:mod:`.grain`)

What cannot be compared with anything is not assessed: no mark against anybody, and no merit.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cropcredit.telemetry.around import NOTHING, Around
from cropcredit.telemetry.evidence import Check, Evidence, Grade, GradeReason, grade_of
from cropcredit.telemetry.heard import Heard
from cropcredit.telemetry.messages import authenticity, clock, completeness
from cropcredit.telemetry.tracks import Grid, Track, grid_for
from cropcredit.telemetry.window import all_checks

__all__ = ["Evidence", "Grade", "GradeReason", "grade_values", "grade_window"]

FEWEST = 12
"""Readings below which nothing can be said."""


def grade_window(
    heard: Heard,
    tracks: Sequence[Track],
    *,
    missing: int,
    days: int,
    interval_s: int | None = None,
    around: Around = NOTHING,
    since: datetime | None = None,
    until: datetime | None = None,
    offset_s: float = 0.0,
) -> Evidence:
    """Grade one device over one window.

    Parameters
    ----------
    heard : Heard
        All of the device's messages in the window, heartbeats included.
    tracks : sequence of Track
        What it measured.
    missing : int
        Messages that the device made within the window and that are not held.
    days : int
        Length of the window in days, as far as the device stood there.
    interval_s : int, optional
        Seconds between readings, as the device has declared.
    around : Around
        What there is to compare with.
    since, until : datetime, optional
        The window; without it, from the first to the last reading.
    offset_s : float
        Local time minus UTC, seconds: whose days count.
    """
    if len(heard) < FEWEST:
        too_few = GradeReason(code="too_few", grade=Grade.D, facts=(("readings", float(len(heard))),))
        return Evidence(grade=Grade.D, reasons=(too_few,))
    reasons = [
        *authenticity(heard),
        *completeness(heard, missing=missing, days=days, interval_s=interval_s),
        *clock(heard),
    ]
    first = since.timestamp() if since else heard.at_us[0] / 1e6
    last = until.timestamp() if until else heard.at_us[-1] / 1e6
    return grade_of(reasons, grade_values(tracks, around, grid_for(tracks, first, last, offset_s=offset_s)))


def grade_values(tracks: Sequence[Track], around: Around, grid: Grid) -> list[Check]:
    """Ask everything that values can answer, whoever sent them."""
    return all_checks(tracks, around, grid)
