"""Would it have held? Each year is left out in turn; what is chosen is chosen without it.

Two loops: the outer one leaves a year out to be judged; inside it, every other year is left out once more to choose the
candidate and to calibrate the interval. The judged year is never seen by either.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from cropcredit.agronomy.baselines import BASELINES, fit_expectation
from cropcredit.agronomy.features import RegionTable, labelled, without_yields
from cropcredit.agronomy.intervals import covered, year_quantiles
from cropcredit.agronomy.models import CANDIDATES, Candidate, fit_all
from cropcredit.agronomy.series import Floats
from cropcredit.model import PROBABILITIES

DRAWS = 2_000
"""Bootstrap draws of whole years behind the range of a skill."""
MODEL = "model"
ENDS = (PROBABILITIES[0], 0.5, PROBABILITIES[-1])
Method = str | Candidate


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """How a method did on years it had not seen."""

    nrmse: float
    """100 RMSE / mean yield, %."""
    mape: float
    """Mean absolute error over the yield, %."""
    r2: float
    coverage: float
    """Share of yields inside the 90 % interval."""
    width_t_ha: float
    """Mean width of that interval, t/ha."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Validation:
    """Leave-one-year-out predictions of all methods over the same region-years."""

    horizon: int
    region: NDArray[np.str_]
    year: NDArray[np.int_]
    t_ha: Floats
    predicted: dict[str, Floats]
    """``average``, ``trend`` and, where there is an index, ``model``."""
    low: dict[str, Floats]
    """Lower end of the 90 % interval, t/ha."""
    high: dict[str, Floats]
    chosen: dict[int, Candidate]
    """The candidate that each left-out year's training years chose."""

    def scores(self, name: str) -> Scores:
        """Score one method over all left-out years together."""
        error = self.predicted[name] - self.t_ha
        total = float(((self.t_ha - self.t_ha.mean()) ** 2).sum())
        return Scores(
            nrmse=100 * _rmse(error) / float(self.t_ha.mean()),
            mape=100 * float(np.mean(np.abs(error) / self.t_ha)),
            r2=1 - float((error**2).sum()) / total if total > 0 else float("nan"),
            coverage=float(covered(self.t_ha, self.low[name], self.high[name]).mean()),
            width_t_ha=float(np.mean(self.high[name] - self.low[name])),
        )

    def errors(self, name: str) -> Floats:
        """Observed minus predicted, t/ha."""
        return self.t_ha - self.predicted[name]

    @property
    def best_baseline(self) -> str:
        """The baseline with the smaller error on left-out years."""
        return min(BASELINES, key=lambda name: _rmse(self.errors(name)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What the release gate decided, and on which evidence."""

    use: str
    """``model``, or the name of the baseline that is used instead."""
    baseline: str
    skill: float
    """1 - RMSE / RMSE of the baseline on left-out years; 0 where there is no model."""
    skill_low: float
    """5 % end of the skill's range when whole years are drawn again."""
    skill_high: float


def leave_one_year_out(
    table: RegionTable,
    *,
    horizon: int,
    candidates: tuple[Candidate, ...] = CANDIDATES,
    done: Callable[[int], None] = lambda _: None,
) -> Validation:
    """Judge average, trend and model on each year as if it had not happened yet.

    Parameters
    ----------
    table : RegionTable
        Region-seasons; yields of the left-out year are hidden, its index is not (it is known by then).
    horizon : int
        Parts of the season that the model may look at.
    candidates : tuple of Candidate
        Empty: baselines only.
    done : callable
        Told 1 after each left-out year.
    """
    known = labelled(table)
    judged = table.take(known)
    years = [int(year) for year in np.unique(judged.year)]
    with threadpool_limits(1):  # hundreds of small systems: more threads only wait for each other
        folds = _folds(table, years, horizon, candidates, done)
    chosen = {year: fold.best for year, fold in folds.items() if fold.best is not None}
    names = [*BASELINES, MODEL] if chosen else list(BASELINES)
    predicted = {name: np.full(len(judged.year), np.nan) for name in names}
    low, high = ({name: values.copy() for name, values in predicted.items()} for _ in range(2))
    for year, fold in folds.items():
        rows = judged.year == year
        for name in names:
            source = name if name in fold.guess else "average"  # a fold too thin for a model falls back
            predicted[name][rows] = fold.guess[source]
            low[name][rows] = np.maximum(fold.guess[source] + fold.ends[source][0], 0.0)
            high[name][rows] = np.maximum(fold.guess[source] + fold.ends[source][-1], 0.0)
    return Validation(
        horizon=horizon,
        region=judged.region,
        year=judged.year,
        t_ha=judged.t_ha,
        predicted=predicted,
        low=low,
        high=high,
        chosen=chosen,
    )


def gate(validation: Validation, *, seed: int = 0, draws: int = DRAWS) -> Gate:
    """Let the model through only if it beats the best baseline, with its range, on years it had not seen."""
    baseline = validation.best_baseline
    if MODEL not in validation.predicted:
        return Gate(use=baseline, baseline=baseline, skill=0.0, skill_low=0.0, skill_high=0.0)
    years = np.unique(validation.year)
    squares = {
        name: np.array([(validation.errors(name)[validation.year == year] ** 2).sum() for year in years])
        for name in (MODEL, baseline)
    }
    picks = np.random.default_rng(seed).integers(len(years), size=(draws, len(years)))
    ratio = np.sqrt(squares[MODEL][picks].sum(axis=1) / np.maximum(squares[baseline][picks].sum(axis=1), 1e-12))
    low, high = np.quantile(1 - ratio, [0.05, 0.95])
    skill = 1 - _rmse(validation.errors(MODEL)) / max(_rmse(validation.errors(baseline)), 1e-12)
    use = MODEL if low > 0 else baseline
    return Gate(use=use, baseline=baseline, skill=float(skill), skill_low=float(low), skill_high=float(high))


def best_candidate(
    table: RegionTable, *, horizon: int, candidates: tuple[Candidate, ...] = CANDIDATES
) -> Candidate | None:
    """Choose a candidate by leaving out each year of ``table``, for the final fit; None where none could be fitted."""
    years = [int(year) for year in np.unique(table.year[labelled(table)])]
    with threadpool_limits(1):
        outer = [_without(table, (year,), horizon, candidates)[year] for year in years]
    return _best(_join(outer), candidates)


@dataclass(frozen=True, slots=True, eq=False)
class _Fold:
    """One left-out year: guesses of its yields, and interval ends from the other years."""

    guess: dict[str, Floats]
    ends: dict[str, Floats]
    best: Candidate | None


@dataclass(frozen=True, slots=True, eq=False)
class _Guesses:
    """Guesses of one year's yields, by every method, from years that do not include it."""

    year: int
    t_ha: Floats
    by_method: dict[Method, Floats]


def _folds(
    table: RegionTable,
    years: Sequence[int],
    horizon: int,
    candidates: Sequence[Candidate],
    done: Callable[[int], None],
) -> dict[int, _Fold]:
    """Fit once without each pair of years: it judges either year within the fold that leaves out the other."""
    inner: dict[int, list[_Guesses]] = {year: [] for year in years}
    for at, one in enumerate(years):
        for other in years[at + 1 :]:
            pair = _without(table, (one, other), horizon, candidates)
            inner[one].append(pair[other])
            inner[other].append(pair[one])
        done(1)
    return {year: _fold(table, year, inner[year], horizon, candidates) for year in years}


def _fold(
    table: RegionTable, year: int, inner: Sequence[_Guesses], horizon: int, candidates: Sequence[Candidate]
) -> _Fold:
    errors = _join(inner)
    marks = np.concatenate([np.full(len(guess.t_ha), guess.year) for guess in inner])
    best = _best(errors, candidates)
    final = _without(table, (year,), horizon, () if best is None else (best,))[year].by_method
    methods: dict[str, Method] = {name: name for name in BASELINES}
    if best is not None and best in final:
        methods[MODEL] = best
    return _Fold(
        guess={name: final[method] for name, method in methods.items()},
        ends={name: year_quantiles(errors[method], marks, ENDS) for name, method in methods.items()},
        best=best if MODEL in methods else None,
    )


def _best(errors: dict[Method, Floats], candidates: Sequence[Candidate]) -> Candidate | None:
    return min((c for c in candidates if c in errors), key=lambda c: _rmse(errors[c]), default=None)


def _join(guesses: Sequence[_Guesses]) -> dict[Method, Floats]:
    """Observed minus predicted over all years, for the methods that answered in every one."""
    methods = [m for m in guesses[0].by_method if all(m in guess.by_method for guess in guesses)]
    return {m: np.concatenate([guess.t_ha - guess.by_method[m] for guess in guesses]) for m in methods}


def _without(
    table: RegionTable, out: Sequence[int], horizon: int, candidates: Sequence[Candidate]
) -> dict[int, _Guesses]:
    """Fit every method without the years ``out`` and let it guess their yields."""
    aside = np.isin(table.year, out)
    train, target = table.take(~aside), table.take(aside)
    known = labelled(train)
    args = train.region[known], train.year[known], train.t_ha[known]
    blind = without_yields(target)
    guesses: dict[Method, Floats] = {
        kind: fit_expectation(kind, *args).predict(blind.region, blind.year) for kind in BASELINES
    }
    for candidate, model in fit_all(train, horizon, tuple(candidates)).items():
        guesses[candidate] = model.predict(blind)
    found = {}
    for year in out:
        rows = (target.year == year) & labelled(target)
        found[year] = _Guesses(year, target.t_ha[rows], {method: v[rows] for method, v in guesses.items()})
    return found


def _rmse(error: Floats) -> float:
    return float(np.sqrt(np.mean(error**2)))
