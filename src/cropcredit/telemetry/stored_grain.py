"""How much grain lies in a store, in kilograms of the standard, and what is wrong with it.

An inspection gives a lot its quantity. Sensors watch it until the next one, and may only lower it: a scale proves that
something left, never that what lies on it is grain (stones weigh as much).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import pairwise

from cropcredit.model import GrainMovement, StoreInspection
from cropcredit.units import at_moisture

DailyMeans = Mapping[date, float]
"""Mean of each local day that has one."""

PURE_PCT = 1.0
"""Impurity up to which weight counts whole: limit of GB 1351 (wheat), GB 1353 (maize) and GB 1350 (paddy)."""
SCALE_TOLERANCE = 0.02
"""Share by which a load cell may creep with temperature and age before the loss is believed."""
PROBE_TOLERANCE_PCT = 0.5
"""Points of moisture by which a probe may stand above the inspector's meter: half a step of Chinese buying practice."""
DAMP = 0.70
"""Relative humidity between the kernels above which mould grows (the usual limit of safe storage, 65 to 70 %)."""
MOULDY = 0.80
"""Above it, moulds of stored grain grow within weeks."""
HEATING_C = 5.0
"""A probe so much above the median of its store, or risen so much against it within a week, heats by itself."""
HEATING_DAYS = 7
SUDDEN = 0.05
"""Share of the weight that is gone from one day to the next."""
STALE_DAYS = 180
"""An inspection older than this asks for another."""

HAIRCUTS = {"damp": 0.10, "mouldy": 0.30, "heating": 0.25}
"""Share of the value that a buyer takes off for what may have happened to the quality. No formula gives these: they are
set so that mould risk costs about one grade of wheat, and heating or mould about what separates food from feed."""

CHUNG_PFOST = {
    "winter_wheat": (0.35616, 0.056788, 50.998),
    "spring_wheat": (0.35616, 0.056788, 50.998),
    "maize": (0.33872, 0.058970, 30.205),
    "soybean": (0.41631, 0.071853, 100.288),
    "rice": (0.29394, 0.046015, 35.703),
    "barley": (0.33363, 0.050279, 91.323),
    "sorghum": (0.35649, 0.050907, 102.849),
}
"""E, F, C of the Chung-Pfost equation, ASAE standard D245 (Pfost et al. 1976): hard wheat, yellow maize, paddy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreWatch:
    """What trustworthy sensors of one store said, day by day."""

    weight_kg: DailyMeans = field(default_factory=dict)
    """Sum of the store's scales, on days when nothing was carried: another day's mean is neither before nor after."""
    moisture_pct: DailyMeans = field(default_factory=dict)
    """Mean of the grain moisture probes, wet basis."""
    probes_c: Mapping[str, DailyMeans] = field(default_factory=dict)
    """Grain temperature by probe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something a person should look at, as a code with its facts; screens put it into words."""

    code: str
    """``damp`` ``mouldy`` ``heating`` ``sudden_loss`` ``shortfall`` ``unexplained_rise`` ``not_inspected``
    ``stale_inspection`` ``not_watched`` ``overdrawn`` ``lies_ahead``."""
    facts: tuple[tuple[str, str | float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LotQuantity:
    """What of a lot may be counted on."""

    inspected_kg: float | None
    """As the inspector weighed it; None where nobody has."""
    standard_kg: float
    """At the crop's standard moisture, clean, less what left or is missing since; 0 without an inspection."""
    haircut: float
    """Share to take off the value for doubtful quality."""
    moisture_pct: float | None
    """The one that was used: the inspector's, or the probes' where they stand higher."""
    missing_share: float
    """Share of the expected weight that the scale misses."""

    @property
    def pledgeable_kg(self) -> float:
        """Standard kilograms after the haircut."""
        return self.standard_kg * (1 - self.haircut)


def relative_humidity(crop: str, moisture_pct: float, temperature_c: float) -> float | None:
    """Give the relative humidity of the air between kernels (Chung-Pfost, ASAE D245); None for a crop without it.

    Examples
    --------
    >>> round(relative_humidity("maize", 14.0, 25.0), 2)
    0.7
    """
    if crop not in CHUNG_PFOST:
        return None
    e, f, c = CHUNG_PFOST[crop]
    dry_basis = moisture_pct / (100 - moisture_pct)
    return math.exp(-math.exp((e - dry_basis) / f) / (temperature_c + c))


def clean_kg(weight_kg: float, impurity_pct: float) -> float:
    """Take off the impurity above what the standard allows.

    Examples
    --------
    >>> clean_kg(1000.0, 3.0)
    980.0
    """
    return weight_kg * (1 - max(0.0, impurity_pct - PURE_PCT) / 100)


def book_kg(inspections: Sequence[StoreInspection], movements: Sequence[GrainMovement], at: datetime) -> float:
    """Give what should lie in a lot: the last inspection until then, plus what was carried in and out since."""
    last = max((i for i in inspections if i.at <= at), key=lambda i: i.at, default=None)
    carried = sum(m.weight_kg for m in movements if m.at <= at and (last is None or m.at > last.at))
    return max(0.0, (last.weight_kg if last else 0.0) + carried)


def book_alarms(inspection: StoreInspection | None, movements: Sequence[GrainMovement]) -> list[Alarm]:
    """Find that more was carried out since the inspection than can have been there: a slip in the book, or a sale."""
    if inspection is None:
        return []
    over = -inspection.weight_kg - sum(m.weight_kg for m in movements if m.at > inspection.at)
    return [Alarm(code="overdrawn", facts=(("kg", round(over)),))] if round(over) > 0 else []


def missing_share(
    watch: StoreWatch, expected_kg: Mapping[date, float], carried_kg: Mapping[date, float], since: date
) -> float:
    """Give the share of the expected weight that the scale misses now, by its own change since ``since``.

    The scale is compared with itself, so its zero and its span do not matter; within its tolerance nothing is missing,
    and what the probes say has dried away is not missing either. Another lot that was inspected since and not carried
    in may have lain there all the time: the book has grown by it, and the scale need not have.

    Parameters
    ----------
    watch : StoreWatch
        Daily weights of the store.
    expected_kg : mapping
        What should lie in the whole store by day, for the days of ``watch``.
    carried_kg : mapping
        What was carried in less what was carried out until the end of those days, inspections left aside.
    since : date
        Day of the lot's inspection.
    """
    days = sorted(day for day in watch.weight_kg if day > since)
    if not days or watch.weight_kg[days[0]] <= 0 or expected_kg[days[0]] <= 0:
        return 0.0
    first, last = days[0], days[-1]
    sensed = watch.weight_kg[last] / watch.weight_kg[first]
    lay = max(expected_kg[first], expected_kg[last] - (carried_kg[last] - carried_kg[first]))
    expected = expected_kg[last] / lay * _dried(watch.moisture_pct, first, last)
    share = 1 - sensed / expected if expected > 0 else 0.0
    return min(1.0, share) if share > SCALE_TOLERANCE else 0.0


def quantity(
    crop: str,
    standard_moisture_pct: float,
    inspection: StoreInspection | None,
    movements: Sequence[GrainMovement],
    *,
    missing: float,
    watch: StoreWatch,
) -> LotQuantity:
    """Count a lot: only down from what was inspected.

    Grain that was carried out counts at once, grain that was carried in only when it is inspected.
    """
    if inspection is None:
        return LotQuantity(inspected_kg=None, standard_kg=0.0, haircut=0.0, moisture_pct=None, missing_share=missing)
    out = sum(-m.weight_kg for m in movements if m.weight_kg < 0 and m.at > inspection.at)
    left = max(0.0, inspection.weight_kg - out) * (1 - missing)
    sensed = watch.moisture_pct[max(watch.moisture_pct)] if watch.moisture_pct else 0.0
    moisture = sensed if sensed > inspection.moisture_pct + PROBE_TOLERANCE_PCT else inspection.moisture_pct
    kept = at_moisture(clean_kg(left, inspection.impurity_pct), moisture, standard_moisture_pct)
    return LotQuantity(
        inspected_kg=inspection.weight_kg,
        standard_kg=kept,
        haircut=haircut([*climate_alarms(crop, moisture, watch), *heating_alarms(watch)]),
        moisture_pct=moisture,
        missing_share=missing,
    )


def haircut(alarms: Sequence[Alarm]) -> float:
    """Combine what the alarms take off: each from what the others leave."""
    return 1 - math.prod(1 - HAIRCUTS.get(code, 0.0) for code in {alarm.code for alarm in alarms})


def climate_alarms(crop: str, moisture_pct: float, watch: StoreWatch) -> list[Alarm]:
    """Judge moisture and temperature together; without a temperature or an equation for the crop nothing is said."""
    warmest = max((means[max(means)] for means in watch.probes_c.values() if means), default=None)
    humidity = None if warmest is None else relative_humidity(crop, moisture_pct, warmest)
    if warmest is None or humidity is None or humidity < DAMP:
        return []
    facts = (("moisture_pct", round(moisture_pct, 1)), ("celsius", round(warmest, 1)), ("humidity", round(humidity, 2)))
    return [Alarm(code="mouldy" if humidity >= MOULDY else "damp", facts=facts)]


def heating_alarms(watch: StoreWatch) -> list[Alarm]:
    """Find probes that are, or within a week have become, warmer than the rest of the heap."""
    found = []
    for name, means in sorted(watch.probes_c.items()):
        others = [other for probe, other in watch.probes_c.items() if probe != name and other]
        if not means or not others:
            continue
        last = max(means)
        above = _above(means, others, last)
        before = [day for day in means if 0 < (last - day).days <= HEATING_DAYS]
        risen = above - _above(means, others, min(before)) if before else 0.0
        if max(above, risen) >= HEATING_C:
            found.append(Alarm(code="heating", facts=(("probe", name), ("celsius", round(means[last], 1)))))
    return found


def weight_alarms(
    watch: StoreWatch, expected_kg: Mapping[date, float], carried_kg: Mapping[date, float]
) -> list[Alarm]:
    """Find days between which weight went, or came, that neither a movement nor an inspection explains.

    Grain often lies on the scale before somebody inspects it: on that day the book grows, and nothing was carried.

    Parameters
    ----------
    watch : StoreWatch
        Daily weights of the store.
    expected_kg : mapping
        What should lie in the whole store by day, for the days of ``watch``.
    carried_kg : mapping
        What was carried in less what was carried out until the end of those days, inspections left aside.
    """
    found = []
    for before, day in pairwise(sorted(watch.weight_kg)):
        was = watch.weight_kg[before]
        sensed = watch.weight_kg[day] - was
        change = min((sensed - (said[day] - said[before]) for said in (expected_kg, carried_kg)), key=abs)
        if was > 0 and abs(change) > SUDDEN * was:
            code = "sudden_loss" if change < 0 else "unexplained_rise"
            found.append(Alarm(code=code, facts=(("on", day.isoformat()), ("kg", round(abs(change), 1)))))
    return found


def _dried(moisture_pct: DailyMeans, first: date, last: date) -> float:
    """Give what drying leaves of a weight, by the probes' own change; grain that took up water counts as it was."""
    if first not in moisture_pct or last not in moisture_pct:
        return 1.0
    return min(1.0, (100 - moisture_pct[first]) / (100 - moisture_pct[last]))


def _above(means: DailyMeans, others: Sequence[DailyMeans], day: date) -> float:
    """Give how much warmer a probe was than the median of the others that day."""
    rest = sorted(other[day] for other in others if day in other)
    return means[day] - rest[len(rest) // 2] if rest else 0.0
