"""Guesses that every method makes of yields it was not given, each training set fitted once and remembered.

To leave a year out of a training set that has lost another one is the same as the other way round, and what a
validation has fitted serves the final choice again: most of the time of learning goes into these fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from cropcredit.agronomy.baselines import BASELINES, fit_expectation
from cropcredit.agronomy.choice import Choice, Method, choose
from cropcredit.agronomy.features import RegionTable, labelled, without_yields
from cropcredit.agronomy.models import BaselineModel, Candidate, RegionalModel, Stack, candidates_for, fit_all
from cropcredit.agronomy.series import Bools, Floats


@dataclass(frozen=True, slots=True, eq=False)
class LeftOut:
    """Guesses of training rows, each made without its year."""

    t_ha: Floats
    year: NDArray[np.int_]
    region: NDArray[np.str_]
    guesses: dict[Method, Floats]


@dataclass(slots=True, eq=False)
class Fits:
    """Guesses of all methods by what they were trained on."""

    table: RegionTable
    horizon: int
    """Parts of the season that the models may look at."""
    candidates: Sequence[Candidate]
    found: dict[bytes, dict[Method, Floats]] = field(default_factory=dict)
    """Guesses of all rows that were not trained on."""

    @classmethod
    def of(cls, table: RegionTable, horizon: int, candidates: Sequence[Candidate] | None = None) -> Fits:
        """Begin with nothing fitted; candidates default to all of :func:`cropcredit.agronomy.models.candidates_for`."""
        return cls(table, horizon, candidates_for(table, horizon) if candidates is None else candidates)

    def models(self, train: RegionTable, methods: Sequence[Method]) -> dict[Method, RegionalModel]:
        """Fit methods on some rows."""
        known = train.take(labelled(train))
        fitted: dict[Method, RegionalModel] = {
            kind: BaselineModel(expectation=fit_expectation(kind, known.region, known.year, known.t_ha))
            for kind in BASELINES
            if kind in methods
        }
        return fitted | fit_all(train, self.horizon, [m for m in methods if isinstance(m, Candidate)])

    def guesses(self, train: Bools, rows: Bools) -> dict[Method, Floats]:
        """Guess ``rows`` (none of them in ``train``) by every method."""
        key, aside = train.tobytes(), ~train
        if key not in self.found:
            blind = without_yields(self.table.take(aside))
            models = self.models(self.table.take(train), [*BASELINES, *self.candidates])
            self.found[key] = {method: model.predict(blind) for method, model in models.items()}
        return {method: values[rows[aside]] for method, values in self.found[key].items()}

    def year_by_year(self, train: Bools) -> LeftOut:
        """Leave out each year of the rows ``train`` in turn."""
        table = self.table
        known = train & labelled(table)
        pieces = []
        for year in np.unique(table.year[known]):
            rows = known & (table.year == year)
            pieces.append((rows, self.guesses(train & (table.year != year), rows)))
        every: tuple[Method, ...] = (*BASELINES, *self.candidates)
        methods = [m for m in every if all(m in guesses for _, guesses in pieces)]
        return LeftOut(
            t_ha=np.concatenate([table.t_ha[rows] for rows, _ in pieces]),
            year=np.concatenate([table.year[rows] for rows, _ in pieces]),
            region=np.concatenate([table.region[rows] for rows, _ in pieces]),
            guesses={m: np.concatenate([guesses[m] for _, guesses in pieces]) for m in methods},
        )


def fit_best(fits: Fits) -> tuple[Choice, RegionalModel] | None:
    """Choose by leaving out each year of the table, and fit on all of it; None where nothing could be fitted."""
    with threadpool_limits(1):  # hundreds of small systems: more threads only wait for each other
        left_out = fits.year_by_year(np.ones(len(fits.table.year), dtype=bool))
        found = choose(left_out.t_ha, left_out.year, left_out.guesses)
        if found is None:
            return None
        choice = found[0]
        models = fits.models(fits.table, [method for method, _ in choice.weights])
    members = tuple((weight, models[method]) for method, weight in choice.weights)
    return choice, members[0][1] if len(members) == 1 else Stack(members=members)
