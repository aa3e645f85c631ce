"""How each planting grew so far: from the series of its field to the few numbers an estimate needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from cropcredit.agronomy import DailyCurves, season_metrics, smooth
from cropcredit.model import FieldSeries, Planting


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


def measure_growth(
    series: FieldSeries, plantings: Sequence[Planting], units: Mapping[str, str], until: date
) -> list[Growth]:
    """Measure each planting on its field's series, cut at a day before anything is smoothed.

    Parameters
    ----------
    series : FieldSeries
        Must hold every planting's field.
    units : mapping of field id to administrative unit
        Fields of one unit are neighbours.
    """
    last = np.datetime64(until, "D")
    if not len(series.acquired_at) or series.acquired_at[0] > last:
        return [Growth(mixed_pixel=mixed) for mixed in _mixed(series, plantings)]
    _, neighbours = np.unique([units[name] for name in series.field_ids], return_inverse=True)
    curves = smooth(series.mean, series.clear_fraction, series.acquired_at, neighbours=neighbours, until=last)
    rows = _rows(series, plantings)
    start = np.array([_day(p.sowing_on, curves) for p in plantings], dtype=int)
    end = np.array([_day(p.harvest_on, curves) for p in plantings], dtype=int)
    own = DailyCurves(first_on=curves.first_on, values=curves.values[rows], observed=curves.observed[rows])
    metrics = season_metrics(own, start, end)
    return [
        Growth(
            vigour=float(metrics.vigour[i]) if metrics.clear_dates[i] else float("nan"),
            clear_dates=int(metrics.clear_dates[i]),
            seen_share=float(metrics.seen_share[i]),
            qa_flag=int(metrics.qa_flag[i]),
            mixed_pixel=mixed,
        )
        for i, mixed in enumerate(_mixed(series, plantings))
    ]


def _rows(series: FieldSeries, plantings: Sequence[Planting]) -> list[int]:
    place = {name: row for row, name in enumerate(series.field_ids)}
    return [place[planting.field_id] for planting in plantings]


def _mixed(series: FieldSeries, plantings: Sequence[Planting]) -> list[bool]:
    return [bool(series.mixed_pixel[row]) for row in _rows(series, plantings)]


def _day(day: date, curves: DailyCurves) -> int:
    return int((np.datetime64(day, "D") - curves.first_on).astype(int))
