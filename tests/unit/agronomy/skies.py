"""A made sky over made fields: the true curve of each day is known, and what a satellite saw of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
DAYS = np.arange(365)
"""Day 0 is 1 October: winter wheat has been sown, cotton is still picked."""
FIRST = np.datetime64("2024-10-01")


def logistic(t: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(t, -60, 60))))


def crop(n, rng, *, up, up_days, down, down_days, high=(0.7, 0.9), jitter=5.0) -> Floats:
    """Shape (n, days), without soil: a rise around day ``up`` and a fall around day ``down``."""
    late = rng.normal(0, jitter, (n, 1))
    rise = (DAYS - (up + late + rng.normal(0, 2, (n, 1)))) / (up_days * rng.uniform(0.8, 1.2, (n, 1)))
    fall = (DAYS - (down + late + rng.normal(0, 2, (n, 1)))) / (down_days * rng.uniform(0.8, 1.2, (n, 1)))
    return np.asarray((rng.uniform(*high, (n, 1)) - 0.18) * logistic(rise) * (1 - logistic(fall)))


def soil(n, rng) -> Floats:
    return np.asarray(rng.uniform(0.14, 0.22, (n, 1)) + np.zeros(len(DAYS)))


def wheat_then_maize(n, rng) -> Floats:
    """Harvest about 12 June (day 254), maize sown days later and closed by late July; ripe about day 350."""
    wheat = crop(n, rng, up=165, up_days=9, down=243, down_days=4)
    maize = crop(n, rng, up=282, up_days=6, down=345, down_days=5)
    return np.asarray(soil(n, rng) + wheat + maize)


def one_season(n, rng, *, up=200.0, down=320.0) -> Floats:
    """One summer crop, or with an early ``up`` and ``down`` wheat and then fallow."""
    return np.asarray(soil(n, rng) + crop(n, rng, up=up, up_days=9, down=down, down_days=8))


@dataclass(frozen=True, kw_only=True, eq=False)
class Looks:
    """What was seen; arrays (fields, dates)."""

    days: NDArray[np.int_]
    mean: Floats
    clear: Floats
    """Clear fraction as the mask says it: 0 under a recognised cloud."""
    cloudy: NDArray[np.bool_]
    """True where a cloud the mask has missed lies over the field."""

    @property
    def dates(self):
        return FIRST + self.days


def look(truth, rng, *, every=5, cloud=0.5, missed=0.1, patch=0.0, noise=0.02) -> Looks:
    """Look every so many days: ``cloud`` of the looks are masked, ``missed`` of those left are cloudy all the same.

    A missed cloud takes the index down towards that of a cloud (0.05) by its opacity, 30 to 100 %. ``patch`` of the
    missed clouds come as one cloud over a third of all fields on a date; the others fall field by field.
    """
    days = DAYS[::every]
    shape = (len(truth), len(days))
    masked = rng.random(shape) < cloud
    alone = rng.random(shape) < missed * (1 - patch)
    day_of_patch = rng.random(len(days)) < missed * patch * 3
    cloudy = (alone | ((rng.random(shape) < 1 / 3) & day_of_patch)) & ~masked
    opacity = np.where(cloudy, rng.uniform(0.3, 1.0, shape), 0.0)
    mean = truth[:, days] * (1 - opacity) + 0.05 * opacity + rng.normal(0, noise, shape)
    return Looks(
        days=days,
        mean=np.where(masked, np.nan, mean),
        clear=np.where(masked, 0.0, rng.uniform(0.6, 1.0, shape)),
        cloudy=cloudy,
    )
