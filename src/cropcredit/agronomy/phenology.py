"""Season metrics of a planting from its daily curve, after TIMESAT and HR-VPP; vectorised over plantings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cropcredit.agronomy.series import Bools, DailyCurves, Floats

RISE = 0.25
"""Start of season: the curve passes this share of the amplitude on its way up (HR-VPP)."""
FALL = 0.15
"""End of season: it falls below this share of the amplitude on its way down (HR-VPP)."""
PEAK_ZONE = 0.75
"""Above this share of the amplitude counts as the peak phase of the quality flag (our choice)."""
ENOUGH = 2
"""More clear observations than this make a phase well seen (HR-VPP QFLAG)."""
SEASON_AMPLITUDE = 0.10
"""Smaller rises are not a season, index units."""
BLOCK = 2_000

_FLAGS = {  # (green-up, peak, green-down) well seen -> HR-VPP's order: three phases, then two, then one
    (True, True, True): 10,
    (True, True, False): 9,
    (False, True, True): 8,
    (True, False, True): 7,
    (False, True, False): 6,
    (True, False, False): 5,
    (False, False, True): 4,
    (False, False, False): 0,
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SeasonMetrics:
    """One entry per planting; days count from the curves' ``first_on``; NaN where nothing happened or was seen."""

    sos: Floats
    """Start of season, day."""
    peak: Floats
    """Day of the greatest value."""
    eos: Floats
    """End of season, day; NaN while the curve has not come down."""
    peak_value: Floats
    base_value: Floats
    """Lower envelope of the season: mean of the minima before and after the peak."""
    large_integral: Floats
    """Index days above zero from SOS to EOS (or to the last day seen): HR-VPP TPROD."""
    small_integral: Floats
    """Index days above ``base_value`` over the same days: HR-VPP SPROD."""
    vigour: Floats
    """Mean of the curve from sowing to harvest or the last day, each day weighing the share of the season passed: the
    weeks from flowering on make the grain. Index units; what fields are compared by."""
    clear_dates: NDArray[np.int_]
    """Used observations inside the window."""
    seen_share: Floats
    """Share of the window passed at its last used observation, [0, 1]; 0 where there is none."""
    qa_flag: NDArray[np.int_]
    """HR-VPP QFLAG: 10 when green-up, peak and green-down are each well seen; 9-7 two of them, 6-4 one, 0 none."""


def season_metrics(curves: DailyCurves, start: NDArray[np.int_], end: NDArray[np.int_]) -> SeasonMetrics:
    """Measure one season per row inside its window.

    Parameters
    ----------
    curves : DailyCurves
        Rows are plantings (repeat a field's row for its second crop).
    start, end : ndarray of int, shape (plantings,)
        Sowing and harvest as day numbers from ``curves.first_on``; they may lie outside the grid.

    Returns
    -------
    SeasonMetrics
        Arrays of shape (plantings,).
    """
    pieces = [
        _measure(curves.values[rows], curves.observed[rows], start[rows], end[rows])
        for rows in (slice(at, at + BLOCK) for at in range(0, len(start), BLOCK))
    ]
    names = SeasonMetrics.__dataclass_fields__
    joined: dict[str, Any] = {
        name: np.concatenate([piece[name] for piece in pieces]) if pieces else np.empty(0) for name in names
    }
    return SeasonMetrics(**joined)


def _measure(
    values: Floats, observed: Bools, start: NDArray[np.int_], end: NDArray[np.int_]
) -> dict[str, NDArray[np.generic]]:
    day = np.arange(values.shape[1])
    inside = (day >= start[:, None]) & (day <= end[:, None]) & np.isfinite(values)
    alive = inside.any(axis=1)
    top = np.where(inside, values, -np.inf)
    peak = top.argmax(axis=1)
    peak_value = np.where(alive, top.max(axis=1), np.nan)
    low = np.where(inside, values, np.inf)
    left, right = day <= peak[:, None], day >= peak[:, None]
    left_base = np.where(left, low, np.inf).min(axis=1)
    right_base = np.where(right, low, np.inf).min(axis=1)
    with np.errstate(invalid="ignore"):
        rise, fall = peak_value - left_base, peak_value - right_base
        began = alive & (rise >= SEASON_AMPLITUDE)
        ended = began & (fall >= np.maximum((1 - FALL) * rise / 2, SEASON_AMPLITUDE))
        below_left = inside & left & (values < (left_base + RISE * rise)[:, None])
        below_right = inside & right & (values < (right_base + FALL * fall)[:, None])
    sos = np.where(began, values.shape[1] - below_left[:, ::-1].argmax(axis=1), np.nan)
    eos = np.where(ended & below_right.any(axis=1), below_right.argmax(axis=1), np.nan)
    base = np.where(ended, (left_base + right_base) / 2, left_base)
    in_season = inside & (day >= sos[:, None]) & ((day < eos[:, None]) | np.isnan(eos)[:, None])
    curve = np.where(inside, values, 0.0)
    return {
        "sos": sos,
        "peak": np.where(alive, peak, np.nan),
        "eos": eos,
        "peak_value": peak_value,
        "base_value": np.where(alive, base, np.nan),
        "large_integral": np.where(began, np.where(in_season, np.maximum(curve, 0), 0).sum(axis=1), np.nan),
        "small_integral": np.where(
            began, np.where(in_season, np.maximum(curve - np.where(began, base, 0)[:, None], 0), 0).sum(axis=1), np.nan
        ),
        "vigour": _vigour(curve, inside, start, end),
        "clear_dates": (observed & inside).sum(axis=1),
        "seen_share": _seen_share(observed & inside, start, end),
        "qa_flag": _quality(values, observed & inside, peak, base, peak_value, began),
    }


def _vigour(curve: Floats, inside: Bools, start: NDArray[np.int_], end: NDArray[np.int_]) -> Floats:
    passed = (np.arange(curve.shape[1]) - start[:, None] + 1) / np.maximum(end - start + 1, 1)[:, None]
    weight = np.where(inside, passed, 0.0)
    total = weight.sum(axis=1)
    return np.where(total > 0, (weight * curve).sum(axis=1) / np.where(total > 0, total, 1.0), np.nan)


def _seen_share(observed: Bools, start: NDArray[np.int_], end: NDArray[np.int_]) -> Floats:
    last = observed.shape[1] - 1 - observed[:, ::-1].argmax(axis=1)
    share = (last - start) / np.maximum(end - start, 1)
    return np.where(observed.any(axis=1), np.clip(share, 0.0, 1.0), 0.0)


def _quality(
    values: Floats, observed: Bools, peak: NDArray[np.int_], base: Floats, peak_value: Floats, began: Bools
) -> NDArray[np.int_]:
    day = np.arange(values.shape[1])
    with np.errstate(invalid="ignore"):
        high = values >= (base + PEAK_ZONE * (peak_value - base))[:, None]
    phases = (
        observed & ~high & (day < peak[:, None]),
        observed & high,
        observed & ~high & (day > peak[:, None]),
    )
    seen = np.stack([(phase.sum(axis=1) > ENOUGH) & began for phase in phases], axis=1)
    return np.array([_FLAGS[bool(row[0]), bool(row[1]), bool(row[2])] for row in seen], dtype=int)
