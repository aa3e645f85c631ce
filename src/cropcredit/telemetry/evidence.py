"""The words of trust: grades, checks and reasons, and which grade is still possible with each reason.

A check asks one question of a device's window and answers with a suspicion from 0 to 1, or with ``not assessed``
where there is nothing to compare with: that is no mark against anybody, and no merit. From a suspicion of one half on
it is a reason, and costs a grade. No reason says that somebody cheated: it says what was seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from cropcredit.telemetry.tracks import Track

Facts = tuple[tuple[str, str | float], ...]

REASON_FROM = 0.5
"""A suspicion from here on is a reason."""
STRONG_FROM = 0.9
"""From here on it costs what it may cost at most."""


class Grade(StrEnum):
    """A: as good as it gets; D: do not rely on it alone."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"


class Meaning(StrEnum):
    """What a reason calls for."""

    TRANSPORT = "transport"
    """Messages, signatures, clocks: the way of the readings to the store."""
    MAINTENANCE = "maintenance"
    """The device needs care; never a credit event."""
    INSTALLATION = "installation"
    """It does not stand where and how the register says."""
    DOUBT = "doubt"
    """The values may not be of this place and time: somebody should look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a reason may cost."""

    meaning: Meaning
    grade: Grade
    """Best grade that is still possible with it."""
    strong: Grade
    """The same where the suspicion is strong."""
    everyday: bool = False
    """It has honest causes on many a farm (a roof, film, paddy): it counts half among the suspicions."""


def _costs(meaning: Meaning, grade: Grade, strong: Grade, *codes: str, everyday: bool = False) -> dict[str, Cost]:
    return dict.fromkeys(codes, Cost(meaning=meaning, grade=grade, strong=strong, everyday=everyday))


COSTS: dict[str, Cost] = {
    **_costs(Meaning.MAINTENANCE, Grade.C, Grade.C, "stuck", "jump"),
    **_costs(Meaning.DOUBT, Grade.C, Grade.D, "no_daily_cycle", "no_memory", "too_still"),
    **_costs(Meaning.DOUBT, Grade.C, Grade.C, "too_smooth", "damp_when_warm"),
    **_costs(Meaning.INSTALLATION, Grade.C, Grade.D, "above_porosity", "below_air_dry", "not_buried"),
    **_costs(Meaning.INSTALLATION, Grade.B, Grade.C, "stands_in_water", everyday=True),
    **_costs(Meaning.DOUBT, Grade.C, Grade.D, "copied", "replayed", "cloned", "weight_rise"),
    **_costs(Meaning.DOUBT, Grade.C, Grade.C, "apart", "weather_apart", "rain_alone", "weight_kept"),
    **_costs(Meaning.MAINTENANCE, Grade.B, Grade.C, "drift", "rises_dry", "creep"),
    **_costs(Meaning.MAINTENANCE, Grade.B, Grade.B, "gauge_silent", "level", everyday=True),
    **_costs(Meaning.INSTALLATION, Grade.B, Grade.B, "no_rain_answer", everyday=True),
    **_costs(Meaning.INSTALLATION, Grade.C, Grade.C, "dry_under_water"),
}
"""Every code that a check of the values can give."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeReason:
    """Why a grade is below A: a code that screens put into words, with its facts."""

    code: str
    """One of :data:`COSTS`, or of transport: ``unsigned`` ``broker_durable`` ``case_open`` ``missing``
    ``silent_days`` ``clock_free`` ``clock_none`` ``clock_wrong`` ``too_few``."""
    grade: Grade
    """Best grade that is possible with this."""
    facts: Facts = ()
    """Named facts, e.g. (("share", 0.12),) or (("quantity", "air.temperature"), ("hours", 52.0))."""

    @property
    def meaning(self) -> Meaning:
        """What it calls for."""
        return COSTS[self.code].meaning if self.code in COSTS else Meaning.TRANSPORT


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One question asked of a window, and its answer."""

    code: str
    quantity: str = ""
    """Empty where the question is about the whole device."""
    channel: str = ""
    suspicion: float | None = None
    """0: as nature and honest devices are; 1: cannot be. None: not assessed."""
    because: str = ""
    """Why it was not assessed: ``too_short`` ``no_neighbours`` ``no_history`` ``no_weather`` ``no_texture``
    ``no_rain`` ``no_water`` ``cold`` ``quiet`` ``flooded`` ``no_air`` ``no_deliveries``, or ``explained`` by another
    reason."""
    facts: Facts = ()

    @property
    def weight(self) -> float:
        """The suspicion, halved where it has everyday causes; 0 where it was not assessed."""
        return (self.suspicion or 0.0) * (0.5 if COSTS[self.code].everyday else 1.0)

    @property
    def reason(self) -> GradeReason | None:
        """Why this costs a grade; None where it does not."""
        if self.suspicion is None or self.suspicion < REASON_FROM:
            return None
        cost = COSTS[self.code]
        named: Facts = (("quantity", self.quantity), ("channel", self.channel)) if self.quantity else ()
        grade = cost.strong if self.suspicion >= STRONG_FROM else cost.grade
        return GradeReason(code=self.code, grade=grade, facts=(*named, *self.facts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The grade of one device over one window."""

    grade: Grade
    reasons: tuple[GradeReason, ...]
    """Worst first."""
    checks: tuple[Check, ...] = ()
    """Every question that was asked of the values, also those without a reason and those not assessed."""

    @property
    def suspicion(self) -> float:
        """The strongest suspicion among all checks, 0 to 1; 0 where nothing could be assessed."""
        return max((check.weight for check in self.checks), default=0.0)


def answer(code: str, doubt: float, track: Track | None = None, **facts: str | float) -> Check:
    """Answer a question, about one track or about the whole device."""
    quantity, channel = ("", "") if track is None else (track.quantity, track.channel)
    told = tuple((name, _plain(value)) for name, value in facts.items())
    return Check(code=code, quantity=quantity, channel=channel, suspicion=float(doubt), facts=told)


def not_assessed(code: str, because: str, track: Track | None = None) -> Check:
    """Leave a question open: no mark against anybody, and no merit."""
    quantity, channel = ("", "") if track is None else (track.quantity, track.channel)
    return Check(code=code, quantity=quantity, channel=channel, because=because)


def suspicion(found: float, *, at: float) -> float:
    """Turn a finding into a suspicion: 0 at or below nothing, one half at ``at``, towards 1 far beyond.

    Examples
    --------
    >>> suspicion(-1.0, at=2.0), suspicion(2.0, at=2.0), suspicion(6.0, at=2.0)
    (0.0, 0.5, 0.9)
    """
    above = max(float(found), 0.0) ** 2
    return above / (above + at**2)


def grade_of(reasons: Iterable[GradeReason], checks: Iterable[Check] = ()) -> Evidence:
    """Put reasons and checks together: the worst is the grade and stands first."""
    asked = tuple(checks)
    found = [*reasons, *(check.reason for check in asked if check.reason)]
    found.sort(key=lambda reason: reason.grade, reverse=True)
    return Evidence(grade=max((r.grade for r in found), default=Grade.A), reasons=tuple(found), checks=asked)


def _plain(value: str | float) -> str | float:
    """Cut a fact to what a reader can use: three digits below 10, one decimal above."""
    if isinstance(value, str):
        return value
    return float(f"{value:.3g}") if abs(value) < 10 else round(float(value), 1)  # noqa: PLR2004 - as said
