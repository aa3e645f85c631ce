"""From simulated cash to loan amounts: what debt service a season carries, and what loan that debt service repays.

The rate depends on the risk and the risk on the debt service, so the two are solved together: the price of a loan is
the break-even rate at its own probability of shortfall, never beyond the accepted one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cropcredit.credit.pricing import CostOfLending

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Capacity:
    """What loans the simulated cash of a season repays.

    A debt service D falls short with probability F(D) = share of seasons with cash < D, costs the rate
    r(min(F(D), alpha)) and repays the loan D / (1 + rT). As dearer risk can eat up a larger debt service, the loan that
    D carries is the largest that any debt service up to D repays: it never falls when D rises.

    Parameters
    ----------
    cash : ndarray, shape (draws,)
        Cash available for debt service, major units, any order.
    alpha : float
        Accepted probability of shortfall, (0, 1).
    cost : CostOfLending
        Gives the rate.
    years : float
        Time from lending to repayment, not negative; interest is simple.
    """

    cash: Floats
    alpha: float
    cost: CostOfLending
    years: float

    @cached_property
    def _sorted(self) -> Floats:
        return np.sort(self.cash)

    @cached_property
    def _loans(self) -> Floats:
        """Loan carried by a debt service equal to each sorted cash; not descending."""
        ranks = np.arange(len(self._sorted))
        tied = np.diff(self._sorted, prepend=-np.inf) == 0
        below = np.maximum.accumulate(np.where(tied, 0, ranks)) / len(self._sorted)
        loans: Floats = np.maximum.accumulate(np.maximum(self._sorted, 0.0) / self._growth(below))
        return loans

    def _growth(self, shortfall: Floats | float) -> Floats:
        return 1 + self.cost.rate(np.minimum(shortfall, self.alpha)) * self.years

    def shortfall(self, debt_service: float) -> float:
        """Give P(cash < debt service)."""
        return float(np.searchsorted(self._sorted, debt_service, "left")) / len(self._sorted)

    def quantile(self, probability: float) -> float:
        """Give the largest debt service whose shortfall is at most ``probability``."""
        tolerated = int(probability * len(self._sorted) + 1e-9)
        return float(self._sorted[min(tolerated, len(self._sorted) - 1)])

    def loan(self, debt_service: float) -> float:
        """Give the largest loan that debt services up to ``debt_service`` repay; 0 where it is not positive."""
        if debt_service <= 0:
            return 0.0
        below = int(np.searchsorted(self._sorted, debt_service, "left"))
        itself = debt_service / float(self._growth(below / len(self._sorted)))
        return max(itself, float(self._loans[below - 1]) if below else 0.0)

    def priced(self, loan: float) -> tuple[float, float]:
        """Give (probability of shortfall, yearly rate) of a loan, at the lowest rate that is consistent.

        Beyond what any season repays the rate is that of ``alpha``, and the shortfall what this rate leads to.
        """
        rank = int(np.searchsorted(self._loans, loan, "left"))
        rate = float(self.cost.rate(min(rank / len(self._sorted), self.alpha)))
        return self.shortfall(self.repayment(loan, rate)), rate

    def repayment(self, loan: float, rate: float) -> float:
        """Give principal and interest at the end."""
        return loan * (1 + rate * self.years)
