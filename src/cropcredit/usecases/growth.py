"""How each planting grew so far: from the series of its field to the few numbers an estimate needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np

from cropcredit.agronomy import DailyCurves, season_metrics, smooth
from cropcredit.agronomy.downscale import FEW_DATES
from cropcredit.model import Field, FieldSeries, Planting
from cropcredit.usecases.field_features import MeasureFields
from cropcredit.usecases.verify_crops import Claims, Verdict, unseen, verify_plantings

HALF = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """One planting as seen from above up to a day; the defaults say that nothing was seen."""

    vigour: float = float("nan")
    """Mean index from sowing to that day or harvest, later days weighing more."""
    clear_dates: int = 0
    seen_share: float = 0.0
    """Share of the season up to the last clear look, [0, 1]."""
    qa_flag: int = 0
    mixed_pixel: bool = False
    verdict: Verdict = Verdict()  # noqa: RUF009 - frozen, without arguments
    events: tuple[str, ...] = ()
    """What befell it and is confirmed, as :attr:`cropcredit.usecases.field_features.FieldFeatures.reasons`."""


def measure_growth(
    series: FieldSeries, plantings: Sequence[Planting], units: Mapping[str, str], until: date, claims: Claims
) -> list[Growth]:
    """Measure each planting on its field's series, cut at a day before anything is smoothed.

    Parameters
    ----------
    series : FieldSeries
        Must hold every planting's field.
    units : mapping of field id to administrative unit
        Fields of one unit are neighbours.
    claims : Claims
        What is declared of the plantings, in their order.
    """
    last = np.datetime64(until, "D")
    if not len(series.acquired_at) or series.acquired_at[0] > last:
        nothing = zip(_mixed(series, plantings), unseen(claims), strict=True)
        return [Growth(mixed_pixel=mixed, verdict=verdict) for mixed, verdict in nothing]
    _, neighbours = np.unique([units[name] for name in series.field_ids], return_inverse=True)
    curves = smooth(series.mean, series.clear_fraction, series.acquired_at, neighbours=neighbours, until=last)
    rows = _rows(series, plantings)
    start = np.array([_day(p.sowing_on, curves) for p in plantings], dtype=int)
    end = np.array([_day(p.harvest_on, curves) for p in plantings], dtype=int)
    own = DailyCurves(first_on=curves.first_on, values=curves.values[rows], observed=curves.observed[rows])
    metrics = season_metrics(own, start, end)
    verdicts = verify_plantings(own, series, rows, plantings, units, claims)
    return [
        Growth(
            vigour=float(metrics.vigour[i]) if metrics.clear_dates[i] and not verdicts[i].hidden else float("nan"),
            clear_dates=int(metrics.clear_dates[i]),
            seen_share=float(metrics.seen_share[i]),
            qa_flag=int(metrics.qa_flag[i]),
            mixed_pixel=mixed,
            verdict=verdicts[i],
        )
        for i, mixed in enumerate(_mixed(series, plantings))
    ]


def growth_reasons(elapsed: float, grown: Growth, rank: float) -> tuple[str, ...]:
    """Name what makes the estimate of one planting weaker than it could be, or its crop doubtful.

    Parameters
    ----------
    elapsed : float
        Share of the season passed; negative before sowing.
    rank : float
        Of its growth among its neighbours; NaN where there is none.
    """
    if elapsed < 0:
        return ("before_sowing",)
    blind = grown.clear_dates == 0
    codes = {
        "no_observations": blind,
        "few_clear_dates": 0 < grown.clear_dates < FEW_DATES,
        "mixed_pixel": grown.mixed_pixel,
        "few_neighbours": not (blind or grown.verdict.hidden) and bool(np.isnan(rank)),
        "early_season": elapsed < HALF,
        **dict.fromkeys(grown.verdict.reasons, True),
    }
    told = () if grown.verdict.hidden else grown.events
    return (*(code for code, holds in codes.items() if holds), *told)


def with_events(
    growth: Sequence[Growth],
    features: MeasureFields | None,
    plantings: Sequence[Planting],
    fields: Mapping[str, Field],
    as_of: datetime,
) -> list[Growth]:
    """Add to each planting what befell it; without ``features`` nobody looked."""
    if features is None:
        return list(growth)
    found = features.of(plantings, fields, as_of=as_of)
    return [replace(grown, events=one.reasons) for grown, one in zip(growth, found, strict=True)]


def _rows(series: FieldSeries, plantings: Sequence[Planting]) -> list[int]:
    place = {name: row for row, name in enumerate(series.field_ids)}
    return [place[planting.field_id] for planting in plantings]


def _mixed(series: FieldSeries, plantings: Sequence[Planting]) -> list[bool]:
    return [bool(series.mixed_pixel[row]) for row in _rows(series, plantings)]


def _day(day: date, curves: DailyCurves) -> int:
    return int((np.datetime64(day, "D") - curves.first_on).astype(int))
