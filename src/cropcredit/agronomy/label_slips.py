"""The ways in which a yield is written in a wrong unit, each as the ratio of what was written to what was meant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cropcredit.units import HECTARES, KILOGRAMS, MILLED_PER_PADDY, bushel_kg


@dataclass(frozen=True, slots=True)
class Slip:
    """One way to write a yield wrongly."""

    rule: str
    """Name under which a label is listed."""
    factor: float
    """Written over meant, unitless."""
    words: str
    """What probably happened."""
    rare: bool = False
    """True where two slips have to come together."""


_ACRE = HECTARES["acre"]
_POUND_T = KILOGRAMS["lb"] / 1000
_COMMON = (
    Slip("times_ten", 10.0, "quintals (dt) taken for tonnes, or a decimal point too far right"),
    Slip("times_ten", 0.1, "tonnes taken for quintals (dt), or a decimal point too far left"),
    Slip("times_hundred", 100.0, "two decimal places too far right"),
    Slip("times_hundred", 0.01, "two decimal places too far left"),
    Slip("kg_tonne", 1000.0, "kilograms taken for tonnes"),
    Slip("kg_tonne", 0.001, "tonnes taken for kilograms"),
    Slip("jin_kg", 1 / KILOGRAMS["jin"], "jin taken for kilograms"),
    Slip("jin_kg", KILOGRAMS["jin"], "kilograms taken for jin"),
    Slip("mu_hectare", 1 / HECTARES["mu"], "a yield per hectare taken for one per mu"),
    Slip("mu_hectare", HECTARES["mu"], "a yield per mu taken for one per hectare"),
    Slip("kg_per_mu", 1000 * HECTARES["mu"], "kg/mu taken for t/ha", rare=True),
    Slip("jin_per_mu", 1000 * HECTARES["mu"] / KILOGRAMS["jin"], "jin/mu taken for t/ha", rare=True),
    Slip("acre_hectare", 1 / _ACRE, "a yield per hectare taken for one per acre"),
    Slip("acre_hectare", _ACRE, "a yield per acre taken for one per hectare"),
    Slip("quintal_per_acre", 10 * _ACRE, "quintals per acre taken for t/ha", rare=True),
    Slip("bag_quintal", KILOGRAMS["bag90"] / 100, "quintals taken for 90-kg bags"),
    Slip("bag_quintal", 100 / KILOGRAMS["bag90"], "90-kg bags taken for quintals"),
    Slip("bag_per_acre", 1000 * _ACRE / KILOGRAMS["bag90"], "90-kg bags per acre taken for t/ha", rare=True),
    Slip("bag_per_ha", 1000 / KILOGRAMS["bag90"], "90-kg bags per hectare taken for t/ha", rare=True),
    Slip("pound_per_acre", _ACRE / _POUND_T, "lb/acre taken for t/ha", rare=True),
)
_MILLED = (
    Slip("milled_paddy", MILLED_PER_PADDY, "milled rice written as paddy"),
    Slip("milled_paddy", 1 / MILLED_PER_PADDY, "paddy written as milled rice"),
)
WETTEST = 1.35
"""Grain straight from the field weighs up to this much more than at standard moisture (35 and 12.5 %, wet basis)."""


RARE = 0.4
"""Share of the tolerance by which a rare slip must lie nearer than a common one."""


def slips(crop: str) -> tuple[Slip, ...]:
    """List the slips that can happen to a crop: bushels have a weight of their own per crop, only rice is milled."""
    bushel = bushel_kg(crop)
    bushels = (
        () if bushel is None else (Slip("bushel_per_acre", 1000 * _ACRE / bushel, "bu/acre taken for t/ha", rare=True),)
    )
    return _COMMON + bushels + (_MILLED if crop == "rice" else ())


def nearest(log_ratio: float, crop: str, tolerance: float) -> Slip | None:
    """Give the slip nearest to a ratio, both in natural logarithms; None beyond the tolerance.

    A rare slip (a bushel of wheat per acre) must lie nearer than a common one (a mu) by a part of the tolerance.
    """
    known = slips(crop)
    away = np.abs(np.log([slip.factor for slip in known]) - log_ratio)
    handicap = np.where([slip.rare for slip in known], RARE * tolerance, 0.0)
    best = int(np.argmin(np.where(away <= tolerance, away + handicap, np.inf)))
    return known[best] if away[best] <= tolerance else None


def wet_weight(log_ratio: float) -> Slip | None:
    """Say whether a ratio may be that of a weight at harvest moisture to one at standard moisture."""
    ratio = float(np.exp(log_ratio))
    wet, dry = "weight at harvest moisture", "weight at standard moisture"
    if 1 < ratio <= WETTEST:
        return Slip("wet_weight", ratio, f"{wet} written as {dry}")
    if 1 / WETTEST <= ratio < 1:
        return Slip("wet_weight", ratio, f"{dry} brought to standard moisture once more")
    return None
