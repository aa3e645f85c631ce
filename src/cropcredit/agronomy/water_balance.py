"""How much water the roots can still reach: the daily balance of FAO-56 with a single crop coefficient.

Water is kept as depletion below field capacity, in the root zone and in the soil that roots have yet to reach. Nothing
is lost: rain + adjustment = evapotranspiration + runoff + percolation + what is stored. Vectorised over plantings.

References
----------
Allen, R. G., Pereira, L. S., Raes, D. & Smith, M. (1998). Crop evapotranspiration. FAO Irrigation and Drainage Paper
56, Rome: tables 11, 12, 19 and 22, equations 58, 66 and 82-88. USDA (1972), National Engineering Handbook, section 4
(curve number).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cropcredit.agronomy.series import Floats
from cropcredit.errors import RefusedInput

SEED_ROOT_M = 0.30
"""Depth that a sown crop draws on from the first day."""
SOWN_DEPLETION = 0.5
"""Share of the readily available water taken to be used up at sowing where nothing was measured."""
MIN_DEPLETION, MAX_DEPLETION = 0.1, 0.8
"""Bounds of the depletion fraction once adjusted to the day's demand (FAO-56, table 22)."""


@dataclass(frozen=True, slots=True)
class Soil:
    """What a soil holds, m³ of water per m³."""

    field_capacity: float
    wilting_point: float


SOILS = {  # middle of the ranges of FAO-56, table 19
    "sand": Soil(0.12, 0.045),
    "loamy sand": Soil(0.15, 0.065),
    "sandy loam": Soil(0.23, 0.11),
    "loam": Soil(0.25, 0.12),
    "silt loam": Soil(0.29, 0.15),
    "silt": Soil(0.32, 0.17),
    "silt clay loam": Soil(0.335, 0.205),
    "silty clay": Soil(0.36, 0.23),
    "clay": Soil(0.36, 0.22),
}
USUAL_SOIL = "loam"
"""Taken where nobody named a texture, and said so."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WaterBalance:
    """Each array has shape (plantings, days), in mm; NaN from the first day on which rain or demand is unknown."""

    et_mm: Floats
    """Evapotranspiration, held back by stress."""
    runoff_mm: Floats
    percolation_mm: Floats
    """What drained out of the deepest soil that roots will reach."""
    adjustment_mm: Floats
    """What a measurement of soil moisture added (irrigation that nobody told of) or took away; 0 without one."""
    depletion_mm: Floats
    """Root zone at the end of the day, below field capacity."""
    below_mm: Floats
    """The same in the soil that roots have yet to reach."""
    available_mm: Floats
    """Total available water of the root zone (equation 82)."""
    stress: Floats
    """Ks, [0, 1]: 1 while water is readily available (equation 84)."""
    begun_mm: Floats
    """Shape (plantings,): depletion of the whole soil before the first day."""


def soil_of(texture: str) -> Soil | None:
    """Look up a texture in the words of FAO-56, table 19; None where it is unknown.

    Examples
    --------
    >>> soil_of("Silty_Clay loam"), soil_of("peat")
    (Soil(field_capacity=0.335, wilting_point=0.205), None)
    """
    name = " ".join(texture.lower().replace("_", " ").replace("-", " ").split())
    return SOILS.get({"silty clay loam": "silt clay loam", "clay loam": "silt clay loam"}.get(name, name))


def crop_coefficient(share: Floats, kc: tuple[float, float, float], stages: tuple[int, int, int, int]) -> Floats:
    """Draw the crop coefficient curve: level, rising, level, falling (equation 66).

    Parameters
    ----------
    share : ndarray
        Share of the season passed.
    kc : tuple
        At the beginning, in mid-season, at the end (table 12).
    stages : tuple
        Days of the initial, development, middle and late stage (table 11); only their proportions count.

    Examples
    --------
    >>> crop_coefficient(np.array([0.0, 0.3, 0.6, 1.0]), (0.3, 1.2, 0.4), (20, 20, 40, 20)).round(2).tolist()
    [0.3, 0.75, 1.2, 0.4]
    """
    initial, development, middle, late = np.cumsum(stages) / sum(stages)
    beginning, top, end = kc
    return np.asarray(np.interp(share, [0, initial, development, middle, late], [beginning, beginning, top, top, end]))


def root_depth(share: Floats, deepest_m: float, stages: tuple[int, int, int, int]) -> Floats:
    """Let roots grow in a straight line from sowing to the start of mid-season, m."""
    grown = sum(stages[:2]) / sum(stages)
    first = min(SEED_ROOT_M, deepest_m)
    return np.asarray(first + (deepest_m - first) * np.clip(share / grown, 0.0, 1.0))


def runoff(rain_mm: Floats, curve_number: float) -> Floats:
    """Rain that does not enter the soil, mm (USDA curve number).

    Examples
    --------
    >>> runoff(np.array([5.0, 50.0]), 80).round(1).tolist()
    [0.0, 13.8]
    """
    retained = 25_400 / curve_number - 254
    beyond = np.maximum(rain_mm - 0.2 * retained, 0.0)
    return np.asarray(beyond**2 / np.maximum(rain_mm + 0.8 * retained, 1e-9))


def water_balance(
    rain_mm: Floats,
    demand_mm: Floats,
    root_m: Floats,
    *,
    soil: tuple[Floats, Floats],
    depletion: Floats,
    begun: Floats | None = None,
    measured: Floats | None = None,
    curve_number: float | None = None,
) -> WaterBalance:
    """Keep the books of the soil's water, day by day.

    Parameters
    ----------
    rain_mm : ndarray, shape (plantings, days)
    demand_mm : ndarray, shape (plantings, days)
        Crop evapotranspiration without stress: crop coefficient times reference, mm.
    root_m : ndarray, shape (plantings, days)
        Depth of roots, m; never shrinking.
    soil : tuple of ndarray, shape (plantings,)
        Field capacity and wilting point, m³/m³.
    depletion : ndarray, shape (plantings,)
        Depletion fraction p at 5 mm per day of demand (table 22).
    begun : ndarray, shape (plantings,), optional
        Share of the available water missing before the first day, [0, 1]. Default: half of the readily available.
    measured : ndarray, shape (plantings, days), optional
        Soil moisture of the root zone at the end of the day, m³/m³; NaN: not measured. The balance follows it.
    curve_number : float, optional
        For runoff; default: all rain enters the soil, as FAO-56 assumes.

    Raises
    ------
    RefusedInput
        If rain or demand is negative, roots shrink, or a soil holds no water between its two limits.
    """
    capacity, wilting = soil
    _check(rain_mm, demand_mm, root_m, capacity, wilting)
    whole = 1000 * (capacity - wilting)[:, None] * root_m
    lost = np.zeros_like(rain_mm) if curve_number is None else runoff(rain_mm, curve_number)
    share = SOWN_DEPLETION * depletion if begun is None else begun
    state = _Store(zone=share * whole[:, 0], below=share * (whole[:, -1] - whole[:, 0]))
    fraction = np.clip(depletion[:, None] + 0.04 * (5 - demand_mm), MIN_DEPLETION, MAX_DEPLETION)
    books: list[tuple[Floats, ...]] = []
    for day in range(rain_mm.shape[1]):
        before = whole[:, max(day - 1, 0)]
        state.grow(whole[:, day] - before, whole[:, -1] - before)
        found = state.pass_day(rain_mm[:, day] - lost[:, day], demand_mm[:, day], whole[:, day], fraction[:, day])
        seen = np.full(len(rain_mm), np.nan) if measured is None else measured[:, day]
        added = state.follow(1000 * (capacity - seen) * root_m[:, day], whole[:, day])
        books.append((*found, added, state.zone, state.below))
    et, percolation, stress, adjustment, zone, below = (np.stack(column, axis=1) for column in zip(*books, strict=True))
    return WaterBalance(
        et_mm=et,
        runoff_mm=lost,
        percolation_mm=percolation,
        adjustment_mm=adjustment,
        depletion_mm=zone,
        below_mm=below,
        available_mm=whole,
        stress=stress,
        begun_mm=share * whole[:, -1],
    )


@dataclass(slots=True)
class _Store:
    """Depletion of the root zone and of the soil below it, mm."""

    zone: Floats
    below: Floats

    def grow(self, reached: Floats, left: Floats) -> None:
        """Roots reach ``reached`` mm of available water more, of the ``left`` mm that they had yet to reach."""
        moved = self.below * reached / np.where(left > 0, left, 1.0)
        self.zone, self.below = self.zone + moved, self.below - moved

    def pass_day(self, wet: Floats, demand: Floats, whole: Floats, fraction: Floats) -> tuple[Floats, Floats, Floats]:
        """Let a day pass (equations 84-88); gives evapotranspiration, percolation and stress coefficient."""
        stress = np.clip((whole - self.zone) / ((1 - fraction) * whole), 0.0, 1.0)
        et = np.minimum(stress * demand, whole - self.zone + wet)  # nothing evaporates that is not there
        after = self.zone - wet + et
        surplus = np.maximum(-after, 0.0)
        refill = np.minimum(surplus, self.below)
        self.zone, self.below = np.maximum(after, 0.0), self.below - refill
        return et, surplus - refill, stress

    def follow(self, measured: Floats, whole: Floats) -> Floats:
        """Take a measured depletion for true where there is one; gives the water that this added."""
        seen = np.isfinite(measured)
        target = np.where(seen, np.clip(measured, 0.0, whole), self.zone)
        added = self.zone - target
        self.zone = target
        return added


def _check(rain: Floats, demand: Floats, root: Floats, capacity: Floats, wilting: Floats) -> None:
    with np.errstate(invalid="ignore"):
        wrong = {
            "rain is negative": (rain < 0).any(),
            "crop evapotranspiration is negative": (demand < 0).any(),
            "roots shrink": (np.diff(root, axis=1) < 0).any(),
            "a soil's wilting point is not below its field capacity": (wilting >= capacity).any(),
        }
    for what, holds in wrong.items():
        if holds:
            raise RefusedInput(what, where="water balance", cure="correct the weather or soil given")
