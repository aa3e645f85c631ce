"""The household's cash of one season: what every simulated harvest leaves for debt service.

    saleable = area * yield * (100 - moisture) / (100 - standard moisture) * (1 - loss)
    cash     = sum(saleable * price) - harvest costs + off-farm income - household draw - existing debt service

All amounts are major units of the loan's currency, as floats: this is simulation; money at rest is :class:`Money`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from cropcredit.credit.sampling import Draws, QuantileLaw, Risk, scores
from cropcredit.model import CostItem, Crop, Stress

KG_PER_T = 1000.0


def at_standard_moisture(weight: float, moisture_pct: float, standard_pct: float) -> float:
    """Convert a weight at one wet-basis moisture to the weight at the standard one; dry matter stays.

    Examples
    --------
    Grain dried from 25 to 15.5 % loses 11.24 % of its weight:

    >>> round(at_standard_moisture(100.0, 25.0, 15.5), 2)
    88.76
    """
    return weight * (100 - moisture_pct) / (100 - standard_pct)


def saleable_share(crop: Crop, moisture_pct: float | None = None) -> float:
    """Give the tonnes sold per tonne harvested: brought to standard moisture, losses taken off.

    Parameters
    ----------
    crop : Crop
        Standard moisture and loss.
    moisture_pct : float, optional
        Moisture of the weight that is given; None where it already stands at the standard, as yield estimates do.
    """
    moisture = crop.standard_moisture_pct if moisture_pct is None else moisture_pct
    return at_standard_moisture(1.0, moisture, crop.standard_moisture_pct) * (1 - crop.post_harvest_loss)


def cost_per_ha(items: Sequence[CostItem], *, at_harvest: bool) -> float:
    """Sum the items of a cost sheet that are, or are not, paid from the harvest; major units per hectare."""
    return float(sum(item.per_ha.major for item in items if item.at_harvest == at_harvest))


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One planting as cash sees it."""

    planting_id: str
    area_ha: float
    """Financed area."""
    yield_law: QuantileLaw
    """t/ha at standard moisture."""
    price_law: QuantileLaw
    """Major units per kg on the day of sale."""
    risk: Risk
    saleable: float
    """Share of the harvest that is sold, [0, 1]."""
    input_cost_ha: float
    """Costs before harvest, major units per hectare."""
    harvest_cost_ha: float
    """Costs paid from the harvest, major units per hectare."""
    sold_on: date

    def cash(self, t_ha: NDArray[np.float64] | float, per_kg: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Give revenue less harvest costs for yields and prices."""
        revenue = self.area_ha * KG_PER_T * self.saleable * np.multiply(t_ha, per_kg)
        return np.asarray(revenue - self.area_ha * self.harvest_cost_ha, np.float64)

    @property
    def input_cost(self) -> float:
        """Costs before harvest, major units."""
        return self.area_ha * self.input_cost_ha


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """Everything that brings or takes cash until the loan is due; major units."""

    lines: tuple[Line, ...]
    own_funds: float
    off_farm_income: float
    household_draw: float
    debt_service: float

    @property
    def input_cost(self) -> float:
        """Costs of all plantings before harvest."""
        return sum(line.input_cost for line in self.lines)

    @property
    def needed(self) -> float:
        """Input costs less own funds, never negative."""
        return max(0.0, self.input_cost - self.own_funds)

    @property
    def besides(self) -> float:
        """Cash that does not depend on the harvest: off-farm income less draw and existing debts; may be negative."""
        return self.off_farm_income - self.household_draw - self.debt_service

    def scaled(self, share: float) -> Household:
        """Give the same household on a share of every planting's area."""
        return replace(self, lines=tuple(replace(line, area_ha=line.area_ha * share) for line in self.lines))


def harvests(household: Household, draws: Draws, *, correlation: float) -> list[NDArray[np.float64]]:
    """Simulate what each planting brings, harvest costs paid: one array of shape (draws,) per line."""
    pairs = scores([line.risk for line in household.lines], draws, correlation=correlation)
    return [
        line.cash(line.yield_law.at(of_yield), line.price_law.at(of_price))
        for line, (of_yield, of_price) in zip(household.lines, pairs, strict=True)
    ]


def simulate(household: Household, draws: Draws, *, correlation: float) -> NDArray[np.float64]:
    """Simulate the cash available for the new loan's debt service, shape (draws,), in order of the draws."""
    total = np.full(draws.number, household.besides)
    for harvest in harvests(household, draws, correlation=correlation):
        total += harvest
    return total


def ordinary(household: Household) -> float:
    """Give the cash of an ordinary season: every yield and price at the centre of its law.

    A hedge between yield and price would lower the product's mean by at most their covariance (0.9 % of revenue at
    the policy's limit of -0.3 and spreads of 0.20 and 0.15); that is left out.
    """
    crops = sum(float(line.cash(line.yield_law.centre, line.price_law.centre)) for line in household.lines)
    return crops + household.besides


def stressed(household: Household, stress: Stress) -> float:
    """Give the cash of a named bad season.

    Yield and price stand at their medians times the scenario's factors; harvest costs rise by the cost factor, and
    so do input costs, whose excess has to come out of the cash.
    """
    crops = 0.0
    for line in household.lines:
        dearer = replace(line, harvest_cost_ha=line.harvest_cost_ha * stress.cost_factor)
        bad_yield, bad_price = line.yield_law.median * stress.yield_factor, line.price_law.median * stress.price_factor
        crops += float(dearer.cash(bad_yield, bad_price))
    return crops - household.input_cost * (stress.cost_factor - 1) + household.besides
