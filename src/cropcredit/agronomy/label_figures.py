"""Yields held against their own area and production."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from cropcredit.agronomy.label_panel import MAD
from cropcredit.agronomy.label_rules import Doubt
from cropcredit.agronomy.label_slips import Slip, nearest, wet_weight
from cropcredit.model import YieldLabel

AGREE = 0.03
"""Area x yield and production agree within this (natural logarithm), besides what rounding allows."""
DIGITS = 6
"""Digits of a yield that count; what comes after them is left of a conversion."""
AREA_STEP = np.log(5.0)
"""An area so many times above or below the median of its region is another crop's, or another region's …"""
AREA_YIELD, AREA_YIELD_Z = 0.4, 3.0
"""… if the yield is off as well: by this (natural logarithm), and by so many spreads of the region's yields."""
SAME_HARVEST = np.log(3.0)
"""… unless a high yield on a small area is the usual harvest within this: then it is the yield that is far off."""
AREA_YEARS = 5
"""Labels with an area from which the region's own area is known."""


def doubt_products(labels: Sequence[YieldLabel]) -> dict[int, Doubt]:
    """Doubt labels whose area times yield is not their production.

    Which of the three is wrong, the region's other yields say: the correction is production over area where that lies
    closer to their median than the yield does, else the yield stays.
    """
    usual = _medians(labels)
    found = {}
    for at, label in enumerate(labels):
        implied = _implied(label)
        if implied is None or label.t_ha <= 0:
            continue
        ratio = float(np.log(label.t_ha / implied))
        if abs(ratio) <= AGREE + _rounding(label):
            continue
        middle = usual[label.region]
        yield_is_off = abs(np.log(implied / middle)) <= abs(np.log(label.t_ha / middle))
        seen = f"{np.exp(ratio):.3g} times production over area ({implied:.4g} t/ha)"
        slip = nearest(ratio, label.crop, AGREE) or wet_weight(ratio)
        found[at] = Doubt(
            rule="area_yield_production",
            detail=f"{seen}; {_cause(slip, yield_is_off=yield_is_off)}",
            factor=label.t_ha / implied if yield_is_off else 1.0,
        )
    return found


def doubt_areas(labels: Sequence[YieldLabel]) -> dict[int, Doubt]:
    """Doubt labels whose area and yield both leave their region's own: rows that slipped from another table."""
    by_region: dict[str, list[int]] = defaultdict(list)
    for at, label in enumerate(labels):
        if label.area_ha and label.t_ha > 0:
            by_region[label.region].append(at)
    found = {}
    for region in by_region.values():
        if len(region) < AREA_YEARS:
            continue
        area, t_ha = (_from_median([getattr(labels[at], name) for at in region]) for name in ("area_ha", "t_ha"))
        odd = max(AREA_YIELD, AREA_YIELD_Z * MAD * float(np.median(np.abs(t_ha))))
        same_harvest = (t_ha > 0) & (np.abs(area + t_ha) < SAME_HARVEST)
        for k in np.flatnonzero((np.abs(area) > AREA_STEP) & (np.abs(t_ha) > odd) & ~same_harvest):
            seen = f"area {np.exp(area[k]):.2g} and yield {np.exp(t_ha[k]):.2g} times the region's own"
            found[region[k]] = Doubt(rule="area_jump", detail=f"{seen}: another crop's row?", factor=None)
    return found


def _implied(label: YieldLabel) -> float | None:
    return label.production_t / label.area_ha if label.area_ha and label.production_t else None


def _rounding(label: YieldLabel) -> float:
    """Give what half a unit in the last place of the three figures makes of their ratio."""
    figures = [figure for figure in (label.t_ha, label.area_ha, label.production_t) if figure]
    return sum(0.5 * 10.0 ** -_decimals(figure) / figure for figure in figures)


def _decimals(figure: float) -> int:
    return len(f"{figure:.{DIGITS}f}".rstrip("0").partition(".")[2])


def _medians(labels: Sequence[YieldLabel]) -> dict[str, float]:
    by_region: dict[str, list[float]] = defaultdict(list)
    for label in labels:
        if label.t_ha > 0:
            by_region[label.region].append(label.t_ha)
    return {region: float(np.median(values)) for region, values in by_region.items()}


def _from_median(values: Sequence[float]) -> np.ndarray:
    logs = np.log(values)
    return np.asarray(logs - np.median(logs))


def _cause(slip: Slip | None, *, yield_is_off: bool) -> str:
    if not yield_is_off:
        return "the yield is as usual here: area or production is wrong?"
    return f"{slip.words}?" if slip else "one of the three figures is wrong"
