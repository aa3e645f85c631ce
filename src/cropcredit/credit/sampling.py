"""Laws known by quantiles, and draws from them that hang together within a household.

One set of standard normal draws per policy (seed, number of draws) serves every sizing: *common random numbers*. Two
sizings then differ only by what differs between the farms, and a law that is worse at every level gives a worse cash
flow in every single draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from cropcredit.errors import MalformedInput

YIELD_TAIL = 0.25
"""Exponent of the lower tail of a yield. Below the lowest quantile q at level p the law is ``q * (u / p) ** 0.25``: two
thirds of q at a fifth of p, and down to total loss. That is heavier than a lognormal of any spread up to 0.58, and,
as it depends on q alone, lowering any quantile lowers the law at every level."""

PRICE_TAIL = 0.10
"""The same for a price, which may fall below its worst past change but not to nothing."""

_GRID = ndtri((np.arange(2000) + 0.5) / 2000)


@dataclass(frozen=True)
class QuantileLaw:
    """A law of a non-negative quantity, given by quantiles.

    Between the quantiles the value is linear in the normal score of the level (a normal law is met exactly); below the
    lowest it follows a power tail down to nothing; above the highest it stays there, as no loan is made on an upside
    that the estimate does not vouch for.

    Parameters
    ----------
    probabilities : tuple of float
        Levels in (0, 1), strictly ascending, at least two.
    values : tuple of float
        Quantiles, not negative, not descending; in the unit of the quantity.
    tail : float
        Exponent of the lower tail, positive.

    Raises
    ------
    MalformedInput
        If levels or quantiles are not as described.

    Examples
    --------
    >>> law = QuantileLaw((0.05, 0.5, 0.95), (4.0, 6.0, 8.0), YIELD_TAIL)
    >>> law.median
    6.0
    >>> [round(float(value), 2) for value in law.at(ndtri([0.01, 0.05, 0.5, 0.99]))]
    [2.67, 4.0, 6.0, 8.0]
    """

    probabilities: tuple[float, ...]
    values: tuple[float, ...]
    tail: float

    def __post_init__(self) -> None:
        levels, values = np.asarray(self.probabilities), np.asarray(self.values)
        fits = len(levels) == len(values) >= 2 and levels[0] > 0 and levels[-1] < 1  # noqa: PLR2004 - two make a line
        if not (fits and np.all(np.diff(levels) > 0) and np.all(np.diff(values) >= 0) and values[0] >= 0):
            raise MalformedInput(f"not a law: quantiles {self.values} at levels {self.probabilities}")
        if not self.tail > 0:
            raise MalformedInput(f"not a tail exponent: {self.tail}")

    @cached_property
    def _knots(self) -> NDArray[np.float64]:
        return np.asarray(ndtri(self.probabilities), np.float64)

    def at(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the values at standard normal scores, any shape; monotone in the score."""
        values: NDArray[np.float64] = np.interp(scores, self._knots, self.values)
        low = scores < self._knots[0]
        values[low] *= (ndtr(scores[low]) / self.probabilities[0]) ** self.tail
        return values

    @property
    def median(self) -> float:
        """Value at level one half."""
        return float(self.at(np.zeros(1))[0])

    @property
    def low(self) -> float:
        """Value at level 0.05."""
        return float(self.at(np.asarray([ndtri(0.05)]))[0])

    @property
    def centre(self) -> float:
        """What an ordinary season brings, told carefully: the lower of median and mean between the outer quantiles.

        A wider law of the same median never has a higher centre, which the plain mean of a skewed law does.
        """
        winsorised = float(np.interp(_GRID, self._knots, self.values).mean())
        return min(self.median, winsorised)

    def times(self, factor: float) -> QuantileLaw:
        """Scale the law."""
        return QuantileLaw(self.probabilities, tuple(value * factor for value in self.values), self.tail)

    def narrowed(self, share: float) -> QuantileLaw:
        """Pull every quantile towards the median by ``share`` of its distance."""
        median = self.median
        pulled = tuple(median + (value - median) * (1 - share) for value in self.values)
        return QuantileLaw(self.probabilities, pulled, self.tail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """Size and seed of the simulation."""

    number: int
    seed: int

    def normal(self, stream: int) -> NDArray[np.float64]:
        """Give the standard normal draws of one stream, shape (number,); the same for every farm, read-only."""
        return _normal(self.number, self.seed, stream)


@lru_cache(maxsize=64)
def _normal(number: int, seed: int, stream: int) -> NDArray[np.float64]:
    scores = np.random.Generator(np.random.PCG64([seed, stream])).standard_normal(number)
    scores.flags.writeable = False
    return scores


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """What the yield of one planting shares with others."""

    group: str
    """Crop, region and season: plantings with the same text share one factor."""
    shared_share: float
    """Share of the variance (on the normal score) that the group has in common, [0, 1]."""


OWN, PRICE, FIRST_GROUP = 0, 1, 2
"""Streams of normal draws: the household's own luck, the market, then one per group in order of its name."""


def scores(
    risks: Sequence[Risk], draws: Draws, *, correlation: float
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Draw the normal scores of yield and price for each planting of one household (a Gaussian copula).

    The score of a yield is ``sqrt(s) * group + sqrt(1 - s) * own``. Groups are independent of one another; the own
    part is *one* factor for the whole household, as the same hands, soil and water stand behind all its fields: fields
    of one crop, region and season therefore rise and fall together entirely, and are never summed as independent.
    Prices share one market factor, whatever the crop; ``correlation`` ties it to the shared part of the yield, never to
    the own part, because no smallholder moves a market.

    Parameters
    ----------
    risks : sequence of Risk
        One per planting.
    draws : Draws
        Size and seed.
    correlation : float
        Between shared yield and price, [-1, 1].

    Returns
    -------
    list of (yield scores, price scores)
        One pair of arrays of shape (draws,) per planting.
    """
    groups = sorted({risk.group for risk in risks})
    shared = {group: draws.normal(FIRST_GROUP + order) for order, group in enumerate(groups)}
    own, market = draws.normal(OWN), draws.normal(PRICE)
    return [
        (
            np.sqrt(risk.shared_share) * shared[risk.group] + np.sqrt(1 - risk.shared_share) * own,
            correlation * shared[risk.group] + np.sqrt(1 - correlation**2) * market,
        )
        for risk in risks
    ]
