"""Would it have held? Yields are guessed by models that had not seen them; what is chosen is chosen without them.

Two loops: the outer one puts rows aside to be judged; inside it, every remaining year is left out once more to choose
the model and to calibrate its interval. The judged rows are never seen by either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from cropcredit.agronomy.baselines import BASELINES, region_sd
from cropcredit.agronomy.choice import Choice, choose
from cropcredit.agronomy.features import RegionTable, labelled
from cropcredit.agronomy.fits import Fits
from cropcredit.agronomy.intervals import region_scales, scale_of, wider, year_quantiles, year_sd
from cropcredit.agronomy.models import Candidate
from cropcredit.agronomy.scores import Guesses, Scores
from cropcredit.agronomy.series import Bools, Floats
from cropcredit.errors import RefusedInput
from cropcredit.model import PROBABILITIES

DRAWS = 2_000
"""Bootstrap draws of whole years behind the range of a skill."""
MODEL = "model"
ENDS = (PROBABILITIES[0], 0.5, PROBABILITIES[-1])
YEARS, FORWARD, REGIONS = SCHEMES = ("years", "forward", "regions")
"""Leave each year out; learn from the past alone; leave neighbouring regions out together."""
FIRST_YEARS = 5
"""Years that only teach when one goes forward."""
GATE_YEARS = 3
"""Skill in fewer judged years than these has no range: no model passes on it."""
REGION_GROUPS = 8
"""Groups of regions, neighbours in the alphabet of their codes, that are left out together."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Validation:
    """Guesses of all methods of the same yields, none of which they had seen."""

    scheme: str
    """One of :data:`SCHEMES`."""
    horizon: int
    region: NDArray[np.str_]
    year: NDArray[np.int_]
    t_ha: Floats
    predicted: dict[str, Floats]
    """``average``, ``trend`` and, where there is an index, ``model``."""
    low: dict[str, Floats]
    """Lower end of the 90 % interval, t/ha."""
    high: dict[str, Floats]
    chosen: dict[str, Choice]
    """What each fold chose."""
    without_past: int
    """Yields not judged because no other yield of their region was to be learned from."""
    candidates: int
    """Models that competed."""

    def guesses(self, name: str) -> Guesses:
        """Give yields and guesses of one method."""
        return Guesses(
            region=self.region,
            year=self.year,
            t_ha=self.t_ha,
            predicted=self.predicted[name],
            low=self.low[name],
            high=self.high[name],
        )

    def scores(self, name: str) -> Scores:
        """Score one method over all judged yields together."""
        return self.guesses(name).scores()

    def errors(self, name: str) -> Floats:
        """Observed minus predicted, t/ha."""
        return self.t_ha - self.predicted[name]

    @property
    def best_baseline(self) -> str:
        """The baseline with the smaller error."""
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


def validate(
    table: RegionTable,
    *,
    horizon: int,
    scheme: str = YEARS,
    candidates: tuple[Candidate, ...] | None = None,
    fits: Fits | None = None,
    done: Callable[[int], None] = lambda _: None,
) -> Validation:
    """Judge average, trend and model on yields as if they had not happened yet.

    Parameters
    ----------
    table : RegionTable
        Region-seasons; yields put aside are hidden, their index is not (it is known by then).
    horizon : int
        Parts of the season that the model may look at.
    scheme : {"years", "forward", "regions"}
    candidates : tuple of Candidate, optional
        Default: all (:func:`cropcredit.agronomy.models.candidates_for`); empty: baselines only.
    fits : Fits, optional
        What was fitted to this table, horizon and candidates before; it is used, and more is added.
    done : callable
        Told 1 after each fold.

    Raises
    ------
    RefusedInput
        If no yield can be judged: every region has a single one.
    """
    fits = Fits.of(table, horizon, candidates) if fits is None else fits
    folds: list[tuple[Bools, _Fold]] = []
    without_past = 0
    with threadpool_limits(1):  # hundreds of small systems: more threads only wait for each other
        for name, train, judged in _splits(table, scheme):
            known = np.isin(table.region, table.region[train & labelled(table)])
            rows = judged if scheme == REGIONS else judged & known
            without_past += int((judged & ~rows).sum())
            if rows.any():
                folds.append((rows, _fold(fits, name, train, rows, strangers=scheme == REGIONS)))
            done(1)
    if not folds:
        raise RefusedInput("no yield can be judged: none has another of its region to be learned from")
    rows = np.any([where for where, _ in folds], axis=0)
    chosen = {fold.name: fold.choice for _, fold in folds if fold.choice is not None}
    names = [*BASELINES, MODEL] if chosen else list(BASELINES)
    predicted, low, high = ({name: np.full(len(rows), np.nan) for name in names} for _ in range(3))
    for where, fold in folds:
        for name in names:
            source = name if name in fold.guess else BASELINES[0]  # a fold too thin for a model falls back
            guess, ends = fold.guess[source], fold.ends[source]
            predicted[name][where] = guess
            low[name][where], high[name][where] = (np.maximum(guess + ends[:, k], 0.0) for k in (0, -1))
    return Validation(
        scheme=scheme,
        horizon=horizon,
        region=table.region[rows],
        year=table.year[rows],
        t_ha=table.t_ha[rows],
        predicted={name: values[rows] for name, values in predicted.items()},
        low={name: values[rows] for name, values in low.items()},
        high={name: values[rows] for name, values in high.items()},
        chosen=chosen,
        without_past=without_past,
        candidates=len(fits.candidates),
    )


def fold_count(table: RegionTable, scheme: str) -> int:
    """Count the folds of a scheme, for whoever shows progress."""
    return sum(1 for _ in _splits(table, scheme))


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
    use = MODEL if low > 0 and len(years) >= GATE_YEARS else baseline
    return Gate(use=use, baseline=baseline, skill=float(skill), skill_low=float(low), skill_high=float(high))


@dataclass(frozen=True, slots=True, eq=False)
class _Fold:
    """Guesses of the rows put aside, and interval ends from the other years."""

    name: str
    guess: dict[str, Floats]
    ends: dict[str, Floats]
    """Shape (rows, ends)."""
    choice: Choice | None


def _splits(table: RegionTable, scheme: str) -> Iterator[tuple[str, Bools, Bools]]:
    """Give the name of each fold, the rows to learn from and the yields to judge."""
    known = labelled(table)
    if scheme == REGIONS:
        for number, group in enumerate(np.array_split(np.unique(table.region[known]), REGION_GROUPS)):
            aside = np.isin(table.region, group)
            if len(group) and (known & ~aside).any():
                yield f"group {number + 1}", ~aside, aside & known
        return
    years = np.unique(table.year[known])
    for year in years[FIRST_YEARS:] if scheme == FORWARD else years:
        train = table.year < year if scheme == FORWARD else table.year != year
        yield str(year), train, (table.year == year) & known


def _fold(fits: Fits, name: str, train: Bools, rows: Bools, *, strangers: bool) -> _Fold:
    """Judge ``rows``; ``strangers``: of their regions nothing was learned, so their level is not known either."""
    inner = fits.year_by_year(train)
    final = fits.guesses(train, rows)
    errors: dict[str, Floats] = {kind: inner.t_ha - inner.guesses[kind] for kind in BASELINES}
    guess = {kind: final[kind] for kind in BASELINES}
    found = choose(inner.t_ha, inner.year, inner.guesses)
    choice = None if found is None or any(method not in final for method, _ in found[0].weights) else found[0]
    if found is not None and choice is not None:
        errors[MODEL], guess[MODEL] = inner.t_ha - found[1], choice.of(final)
    ends = {}
    for method, error in errors.items():
        scales = region_scales(error, inner.region)
        offsets = year_quantiles(error / scale_of(scales, inner.region), inner.year, ENDS)
        if strangers:
            known = fits.table.take(train & labelled(fits.table))
            offsets = wider(offsets, year_sd(error, inner.year), region_sd(known.region, known.t_ha))
        ends[method] = scale_of(scales, fits.table.region[rows])[:, None] * offsets
    return _Fold(name, guess, ends, choice)


def _rmse(error: Floats) -> float:
    return float(np.sqrt(np.mean(error**2)))
