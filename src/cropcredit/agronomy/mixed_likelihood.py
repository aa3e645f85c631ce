"""The marginal likelihood of the mixed model of yields, its gradient, and the effects at given variances.

V = B + W Q W': B is block-diagonal (what a region has of its own), W few columns that all regions share. Inverse and
determinant of V come from those of the blocks and of one small matrix.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cropcredit.agronomy.series import Floats

Matrices = dict[str, Floats]

FLAT = 1e3
"""Variance of the intercept, in variances of the yields: nothing is known of it beforehand."""
DECADE = 10.0
"""Trends are counted per ten years."""
START = {
    "level": 0.5,
    "trend": 0.02,
    "drift": 0.1,
    "drift_years": 5.0,
    "response": 0.02,
    "noise": 0.2,
    "common_trend": 0.01,
    "common_drift": 0.05,
    "common_drift_years": 5.0,
    "year": 0.05,
    "index": 0.02,
    "common_index": 0.04,
}
"""Where the search begins: variances in units of the variance of the yields, drifts' memory in years."""
VAGUE, MEMORY = 2.5, 0.7
"""Standard deviations of the logarithms around :data:`START`: of the variances, of the drifts' memory."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seasons:
    """Region-seasons as the model sees them."""

    region: NDArray[np.str_]
    year: NDArray[np.int_]
    own: Floats
    """Index anomalies of the region, standard deviations, shape (rows, parts); 0 where the season was not seen."""
    common: Floats
    """The same, mean of all regions of that year."""

    @property
    def vigour(self) -> Floats:
        """Mean anomaly of the season so far."""
        return self.own.mean(axis=1) if self.own.shape[1] else np.zeros(len(self.year))

    def take(self, rows: NDArray[np.bool_]) -> Seasons:
        """Give some of the rows."""
        return Seasons(region=self.region[rows], year=self.year[rows], own=self.own[rows], common=self.common[rows])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Blocks:
    """Training rows sorted into regions and padded, shape (regions, most rows of a region)."""

    place: tuple[NDArray[np.int_], NDArray[np.int_]]
    """Region and position of each row."""
    there: Floats
    """1 where there is a row."""
    both: Floats
    """1 where there are both of two rows of a region."""
    apart: Floats
    """Years between them."""
    y: Floats
    decades: Floats
    vigour: Floats
    shared: Floats
    """Columns that all regions share: intercept, trend, own and common anomalies, one per year."""
    years: Floats
    parts: int

    @classmethod
    def of(cls, seasons: Seasons, y: Floats, origin: float) -> Blocks:
        """Sort rows (``y``: yields in standard deviations) into regions; trends count from ``origin``."""
        _, region, counts = np.unique(seasons.region, return_inverse=True, return_counts=True)
        position = np.empty(len(region), dtype=int)
        order = np.argsort(region, kind="stable")
        position[order] = np.arange(len(region)) - np.repeat(np.cumsum(counts) - counts, counts)

        def padded(values: Floats) -> Floats:
            out = np.zeros((len(counts), int(counts.max()), *values.shape[1:]))
            out[region, position] = values
            return out

        years = np.unique(seasons.year)
        decades = np.asarray((seasons.year - origin) / DECADE, dtype=float)
        dummies = (seasons.year[:, None] == years).astype(float)
        there, year = padded(np.ones(len(y))), padded(seasons.year.astype(float))
        columns = [np.ones((len(y), 1)), decades[:, None], seasons.own, seasons.common, dummies]
        return cls(
            place=(region, position),
            there=there,
            both=there[:, :, None] * there[:, None, :],
            apart=np.abs(year[:, :, None] - year[:, None, :]),
            y=padded(y),
            decades=padded(decades),
            vigour=padded(seasons.vigour),
            shared=padded(np.hstack(columns)),
            years=years.astype(float),
            parts=seasons.own.shape[1],
        )

    def within(self, v: dict[str, float]) -> tuple[Matrices, Floats]:
        """Covariance within each region, part by part, and the change of the drift with its memory."""
        both = self.both
        drift = v["drift"] * np.exp(-self.apart / v["drift_years"]) * both
        terms = {
            "level": v["level"] * both,
            "trend": v["trend"] * self.decades[:, :, None] * self.decades[:, None, :],
            "drift": drift,
            "response": v["response"] * self.vigour[:, :, None] * self.vigour[:, None, :],
            "noise": v["noise"] * np.eye(both.shape[1]) * both,
        }
        return terms, drift * self.apart / v["drift_years"]

    def between(self, v: dict[str, float]) -> tuple[Matrices, Floats]:
        """Covariance of the shared effects, part by part, and the change of the common drift with its memory."""
        k = self.parts
        apart = np.abs(self.years[:, None] - self.years)
        drift = v["common_drift"] * np.exp(-apart / v["common_drift_years"])
        size, last = self.shared.shape[2], slice(2 + 2 * k, None)

        def at(where: slice, block: Floats) -> Floats:
            out = np.zeros((size, size))
            out[where, where] = block
            return out

        terms = {
            "intercept": at(slice(0, 1), np.array([[FLAT]])),
            "common_trend": at(slice(1, 2), np.array([[v["common_trend"]]])),
            "index": at(slice(2, 2 + k), v["index"] * np.eye(k)),
            "common_index": at(slice(2 + k, 2 + 2 * k), v["common_index"] * np.eye(k)),
            "year": at(last, v["year"] * np.eye(len(self.years))),
            "common_drift": at(last, drift),
        }
        return terms, at(last, drift * apart / v["common_drift_years"])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solved:
    """V^-1 in pieces: V = B + W Q W', B block-diagonal."""

    terms: tuple[Matrices, Floats]
    """What B is the sum of, as :meth:`Blocks.within` gives it."""
    shared_terms: tuple[Matrices, Floats]
    """What Q is the sum of, as :meth:`Blocks.between` gives it."""
    within: Floats
    """B^-1, shape (regions, n, n)."""
    moved: Floats
    """B^-1 W."""
    gram: Floats
    """W' B^-1 W."""
    posterior: Floats
    """(Q^-1 + W' B^-1 W)^-1."""
    log_det: float
    effects: Floats
    """Shared effects."""
    weight: Floats
    """V^-1 y."""


def solve(data: Blocks, v: dict[str, float]) -> Solved:
    """Give the effects at the variances ``v`` (named as :data:`START`)."""
    padding = np.eye(data.there.shape[1]) * (1 - data.there)[:, :, None]
    terms, shared_terms = data.within(v), data.between(v)
    b = sum(terms[0].values(), padding)
    q = sum(shared_terms[0].values(), np.zeros((data.shared.shape[2],) * 2))
    within = np.asarray(np.linalg.inv(b), dtype=float)
    moved = within @ data.shared
    gram = np.einsum("rip,riq->pq", data.shared, moved)
    inner = np.eye(len(q)) + q @ gram
    posterior = np.linalg.solve(inner, q)
    posterior = (posterior + posterior.T) / 2
    effects = posterior @ np.einsum("rip,ri->p", moved, data.y)
    return Solved(
        terms=terms,
        shared_terms=shared_terms,
        within=within,
        moved=moved,
        gram=gram,
        posterior=posterior,
        log_det=float(np.linalg.slogdet(b)[1].sum() + np.linalg.slogdet(inner)[1]),
        effects=effects,
        weight=np.einsum("rij,rj->ri", within, data.y) - moved @ effects,
    )


def objective(logs: Floats, data: Blocks, names: tuple[str, ...]) -> tuple[float, Floats]:
    """Negative log marginal likelihood with the vague priors, and its gradient, by the logarithms of the variances."""
    v = dict(zip(names, np.exp(logs), strict=True))
    s = solve(data, v)
    (within, memory), (between, common_memory) = s.terms, s.shared_terms
    blocks = s.within - s.moved @ s.posterior @ s.moved.transpose(0, 2, 1)
    pull = np.einsum("rip,ri->p", data.shared, s.weight)
    precision = s.gram - s.gram @ s.posterior @ s.gram
    change = {n: _own_change(m, s.weight, blocks) for n, m in {**within, "drift_years": memory}.items()}
    change |= {
        n: float(pull @ m @ pull - (precision * m).sum())
        for n, m in {**between, "common_drift_years": common_memory}.items()
    }
    width = np.array([MEMORY if name.endswith("_years") else VAGUE for name in names])
    off = (logs - np.log([START[name] for name in names])) / width
    value = (s.log_det + float((data.y * s.weight).sum()) + float((off**2).sum())) / 2
    return value, -np.array([change[name] for name in names]) / 2 + off / width


def _own_change(term: Floats, weight: Floats, blocks: Floats) -> float:
    return float(np.einsum("ri,rij,rj->", weight, term, weight) - (blocks * term).sum())
