"""Verify that the declared crop grows: ``conform``, ``not_conform`` (confidence) or ``not_assessed`` (reason).

First the calendar and the curve are asked (:mod:`~cropcredit.agronomy.crop_calendar`,
:mod:`~cropcredit.agronomy.curve_tests`), then, where enough fields declare, how likely the crop is among them
(:mod:`~cropcredit.agronomy.crop_classifier`). What cannot be seen from above, was hardly seen, or goes for most
neighbours alike is not assessed: a doubt must be about this field, or it is none.

=========================  =============================================================================================
reason                     meaning
=========================  =============================================================================================
``out_of_calendar``        the declared dates lie outside of every season of the crop there
a test of the curve        see :mod:`cropcredit.agronomy.curve_tests`
``other_crop_likelier``    the curve looks like those of fields that declare other crops
``ambiguous``              something speaks against the crop, but not enough
``neighbours_alike``       most fields of the crop there fail the same test: weather, or a calendar that does not hold
``calendar_unsure``        outside of a calendar that is not held against anybody
=========================  =============================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cropcredit.agronomy.crop_classifier import declared_likelihood
from cropcredit.agronomy.curve_tests import TESTS, CurveTests, curve_tests
from cropcredit.agronomy.series import Bools, DailyCurves, Floats

CONFORM, NOT_CONFORM, NOT_ASSESSED = "conform", "not_conform", "not_assessed"
MIN_DATES = 4
"""Clear looks at the season below which nothing is said."""
FULL_DATES = 8
"""Clear looks from which a test has its full weight."""
MIN_SEEN = 0.60
"""Share of the season that must have passed at the last clear look."""
CALENDAR_SLACK_DAYS = 15
MIN_CONFIDENCE = 0.70
"""A doubt below this is not held against anybody."""
UNLIKELY, DOUBTFUL, LIKELY = 0.10, 0.30, 0.50
"""Votes for the declared crop: below the first it is refused, below the second open; the third overrules a test."""
ALIKE = 0.5
"""Share of a group's plantings that must fail a test for it to say nothing of any one of them."""
MIN_ALIKE = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Declared:
    """What is declared, one entry per planting; rows go with those of the curves."""

    field: NDArray[np.int_]
    """Number of the field, the same for plantings on one field."""
    crop: NDArray[np.str_]
    season: NDArray[np.str_]
    region: NDArray[np.str_]
    """Plantings of one crop, season and region are neighbours."""
    start: NDArray[np.int_]
    """Sowing, days from ``curves.first_on``."""
    end: NDArray[np.int_]
    """Harvest."""
    peak_share: Floats
    """Shape (plantings, 2), see :class:`cropcredit.model.Crop`."""
    calendar_gap: Floats
    """Days outside of the crop's calendar; NaN where there is none."""
    calendar_sure: Bools
    film_share: Floats
    unmeasurable: NDArray[np.str_]
    """Why it cannot be seen from above (``greenhouse``, ``intercrop`` …); empty where it can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """The outcome for one planting."""

    outcome: str
    confidence: float | None = None
    """Of ``not_conform``, 0.7 to 1; None otherwise. A grade of the evidence, not a calibrated probability."""
    reason: str = ""
    """Why not; empty where the crop conforms."""


def verify(
    curves: DailyCurves, declared: Declared, *, lowest: Floats | None = None
) -> tuple[list[Verification], CurveTests]:
    """Verify plantings against the curves of their fields.

    Parameters
    ----------
    curves : DailyCurves
        Rows are plantings (repeat a field's row for its second crop); cut at the as-of day.
    declared : Declared
        As above.
    lowest : ndarray, shape (plantings, days), optional
        From :func:`cropcredit.agronomy.curve_tests.lowest_seen`.

    Returns
    -------
    tuple of (list of Verification, CurveTests)
        One outcome per planting, and what was measured on the curve.
    """
    tests = curve_tests(curves, declared.start, declared.end, declared.peak_share, lowest=lowest)
    looks, seen = _seen(curves.observed, declared)
    blind = _blind(declared, looks, seen)
    votes = declared_likelihood(curves, declared.field, declared.crop, declared.season, declared.start, declared.end)
    strength, alike = _without_shared(tests.strength, blind == "", declared)
    doubts = np.where(strength > 0, strength, 0.0) * np.minimum(looks / FULL_DATES, 1.0)[:, None]
    worst, weight = doubts.argmax(axis=1), doubts.sum(axis=1)
    off = (np.nan_to_num(declared.calendar_gap) - CALENDAR_SLACK_DAYS) / 30
    outcomes = [
        _calendar(off[i], sure=bool(declared.calendar_sure[i]))
        or (Verification(outcome=NOT_ASSESSED, reason=str(blind[i])) if blind[i] else None)
        or _curve(float(weight[i]), TESTS[worst[i]], float(votes[i]), alike=bool(alike[i]))
        for i in range(len(off))
    ]
    hidden = declared.unmeasurable
    kept = [
        Verification(outcome=NOT_ASSESSED, reason=str(h)) if h else o for h, o in zip(hidden, outcomes, strict=True)
    ]
    return kept, tests


def _calendar(strength: float, *, sure: bool) -> Verification | None:
    if strength <= 0:
        return None
    if not sure:
        return Verification(outcome=NOT_ASSESSED, reason="calendar_unsure")
    return _doubt(strength, "out_of_calendar")


def _curve(strength: float, test: str, votes: float, *, alike: bool) -> Verification:
    """Weigh what the curve says by itself against what it says among others; NaN votes: there are too few others."""
    if strength > 0 and not votes >= LIKELY:
        return _doubt(max(strength, 1 - votes) if votes < UNLIKELY else strength, test)
    if votes < UNLIKELY:
        return Verification(outcome=NOT_CONFORM, confidence=1 - votes, reason="other_crop_likelier")
    if votes < DOUBTFUL:
        return Verification(outcome=NOT_ASSESSED, reason="ambiguous")
    if alike and not votes >= LIKELY:
        return Verification(outcome=NOT_ASSESSED, reason="neighbours_alike")
    return Verification(outcome=CONFORM)


def _doubt(strength: float, reason: str) -> Verification:
    confidence = 0.5 + 0.5 * min(strength, 1.0)
    if confidence < MIN_CONFIDENCE:
        return Verification(outcome=NOT_ASSESSED, reason="ambiguous")
    return Verification(outcome=NOT_CONFORM, confidence=confidence, reason=reason)


def _seen(observed: Bools, declared: Declared) -> tuple[NDArray[np.int_], Floats]:
    """Count the clear looks at each season and tell which share of it had passed at the last one."""
    day = np.arange(observed.shape[1])
    inside = observed & (day >= declared.start[:, None]) & (day <= declared.end[:, None])
    ever = observed & (day >= declared.start[:, None])
    last = observed.shape[1] - 1 - ever[:, ::-1].argmax(axis=1)
    share = (last - declared.start) / np.maximum(declared.end - declared.start, 1)
    return inside.sum(axis=1), np.where(ever.any(axis=1), np.minimum(share, 1.0), 0.0)


def _blind(declared: Declared, looks: NDArray[np.int_], seen: Floats) -> NDArray[np.str_]:
    """Name what keeps us from looking at a curve; empty where nothing does."""
    causes = {
        "no_observations": looks == 0,
        "film": (seen < declared.film_share) & (declared.film_share > 0),
        "early_season": seen < MIN_SEEN,
        "few_clear_dates": looks < MIN_DATES,
    }
    return np.select(list(causes.values()), list(causes), default="")


def _without_shared(strength: Floats, asked: Bools, declared: Declared) -> tuple[Floats, Bools]:
    """Take out tests that most of a group fails; tell which plantings lost a test that way."""
    kept, alike = strength.copy(), np.zeros(len(strength), dtype=bool)
    group = np.char.add(np.char.add(declared.crop, "/" + declared.season), "/" + declared.region)
    for name in np.unique(group[asked]):
        rows = np.flatnonzero((group == name) & asked)
        tested, fails = np.isfinite(strength[rows]).sum(axis=0), (strength[rows] > 0)
        common = (tested >= MIN_ALIKE) & (fails.sum(axis=0) > ALIKE * tested)
        alike[rows] = (fails & common).any(axis=1)
        kept[np.ix_(rows, common)] = np.nan
    return kept, alike
