"""The break-even rate of one season: what funding, capital, work and expected loss cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class CostOfLending:
    """What lending costs, as shares per year of the amount lent."""

    funding_rate: float
    capital_ratio: float
    """Share of the amount that is funded by capital instead of deposits."""
    capital_return: float
    operating_rate: float
    lgd: float
    """Loss given default, share of principal and interest, [0, 1)."""
    guaranteed: float = 0.0
    """Share of the loss that a guarantor covers, [0, 1]."""
    claim_paid: float = 1.0
    """Probability that the guarantor pays, [0, 1]."""

    @property
    def lgd_kept(self) -> float:
        """Loss given default that stays with the lender."""
        return self.lgd * (1 - self.guaranteed * self.claim_paid)

    def rate(self, pd: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Give the yearly rate at which a loan of that default probability breaks even; rises with ``pd``.

        ``[1 + f(1 - K) + hK + c] / (1 - PD * LGD) - 1``: one period, loss on principal and interest.

        Examples
        --------
        >>> cost = CostOfLending(funding_rate=0.02, capital_ratio=0.08, capital_return=0.12, operating_rate=0.012,
        ...                      lgd=0.6)
        >>> round(float(cost.rate(0.04)), 4)
        0.0656
        """
        return np.asarray((1 + self._before_loss()) / (1 - np.multiply(pd, self.lgd_kept)) - 1, np.float64)

    def parts(self, rate: float) -> tuple[tuple[str, float], ...]:
        """Split a rate into its named components; what is not cost is for expected loss."""
        return (
            ("funding", self.funding_rate * (1 - self.capital_ratio)),
            ("capital", self.capital_ratio * self.capital_return),
            ("operating", self.operating_rate),
            ("expected_loss", rate - self._before_loss()),
        )

    def _before_loss(self) -> float:
        funded = self.funding_rate * (1 - self.capital_ratio)
        return funded + self.capital_ratio * self.capital_return + self.operating_rate
