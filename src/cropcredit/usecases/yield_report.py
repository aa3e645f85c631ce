"""The report on the yields of a crop: all schemes at three horizons, as plain values that texts are made of."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import Any

from cropcredit.agronomy.features import PARTS, RegionTable
from cropcredit.agronomy.models import learnable
from cropcredit.agronomy.scores import Guesses, Scores, YearScores
from cropcredit.agronomy.validation import MODEL, SCHEMES, YEARS, Validation, gate
from cropcredit.errors import RefusedInput, UnknownName
from cropcredit.model import digest
from cropcredit.ports import Catalogues, Progress, Spread
from cropcredit.usecases.parallel import one_by_one
from cropcredit.usecases.progress import quiet
from cropcredit.usecases.train_yields import Judged, Trial, TrialJob, ValidateYields, YieldFiles
from cropcredit.usecases.yield_data import CropData
from cropcredit.usecases.yield_report_words import decision, summary

EARLY = (PARTS // 2, PARTS * 3 // 4)
"""Whole parts of the season that were seen at 50 % and at 75 % of it."""
DIGITS = 4
"""Decimals of every number in the report: more would be noise."""

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """One crop's report."""

    crop: str
    files: tuple[str, ...]
    facts: Facts
    """What stands in the JSON file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportYields:
    """Judge every crop by all schemes at all horizons, and write what came of it; nothing is stored or promoted."""

    validate: ValidateYields
    catalogues: Catalogues
    write: Callable[[Facts, Path], list[Path]]

    def __call__(
        self,
        files: YieldFiles,
        folder: Path,
        *,
        years: tuple[int, int] | None = None,
        as_of: datetime | None = None,
        progress: Progress = quiet,
        spread: Spread = one_by_one,
    ) -> list[Reported]:
        """Write ``<crop>.md``, ``<crop>.html`` and ``<crop>.json`` of every crop that has labels into ``folder``.

        The same input gives the same bytes.

        Parameters
        ----------
        years : tuple of int, optional
            First and last harvest year.
        spread : Spread
            Where schemes and horizons are judged; nothing in the report depends on it.

        Raises
        ------
        RefusedInput
            If nothing can be judged: no labels, fewer than five years, two labels for one region-year.
        """
        reported = []
        read = bool(files.labels or files.mapping)
        for data in self.validate.data(files, Trial(years=years), as_of=as_of):
            facts = self._facts(data, progress, spread, read=read)
            written = self.write(facts, folder)
            reported.append(Reported(crop=data.crop, files=tuple(map(str, written)), facts=facts))
        return reported

    def _facts(self, data: CropData, progress: Progress, spread: Spread, *, read: bool) -> Facts:
        jobs, not_run = self._jobs(data)
        total = sum(job.folds for _, job in jobs)
        found: dict[int, Validation] = {}
        with progress(
            f"{data.crop}: folds of {len(SCHEMES)} schemes at {len(horizons_of(data))} horizons", total
        ) as done:
            for number, validation in spread(_run, jobs):
                found[number] = validation
                done(jobs[number][1].folds)
        judged = [Judged(data=data, validation=found[n], gate=gate(found[n])) for n, _ in jobs]
        return report_facts(data, judged, not_run, names=self._names(data.crop), read=read)

    def _jobs(self, data: CropData) -> tuple[list[tuple[int, TrialJob]], dict[str, str]]:
        """List what is to be judged, with its number, and say of a scheme why it cannot be."""
        jobs: list[TrialJob] = []
        not_run = {}
        for scheme in SCHEMES:
            try:
                trials = [Trial(scheme=scheme, horizon=horizon or None) for horizon in horizons_of(data)]
                jobs += [self.validate.job(data, trial) for trial in trials]
            except RefusedInput as error:
                if scheme == YEARS:  # what cannot even be judged year by year has no report
                    raise
                not_run[scheme] = str(error)
        return list(enumerate(jobs)), not_run

    def _names(self, crop: str) -> tuple[str, str]:
        try:
            known = self.catalogues.crop(crop)
        except UnknownName:
            return crop, crop
        return known.en, known.zh


def _run(numbered: tuple[int, TrialJob]) -> tuple[int, Validation]:
    number, job = numbered
    return number, job.run()


def horizons_of(data: CropData) -> tuple[int, ...]:
    """Give the parts of the season after which it is judged; 0 alone where there is no index to learn from."""
    seen = [h for h in range(1, PARTS + 1) if learnable(data.table, h)]
    return tuple(sorted({h for h in EARLY if h in seen} | {max(seen)})) if seen else (0,)


def report_facts(
    data: CropData, judged: list[Judged], not_run: Mapping[str, str], *, names: tuple[str, str], read: bool = False
) -> Facts:
    """Give everything the report says, as plain values of the same spelling each time.

    Parameters
    ----------
    not_run : mapping
        Scheme -> why it was not run.
    names : tuple of str
        The crop in English and in Chinese.
    read : bool
        The data was read from files just now, not from the workspace.
    """
    fullest = max(one.validation.horizon for one in judged)
    facts = {
        "crop": data.crop,
        "name": {"en": names[0], "zh": names[1]},
        "data": data_plain(data, read=read),
        "trials": [_trial(one) for one in judged],
        "not_run": dict(not_run),
        "fullest": fullest,
        "yields": {one.validation.scheme: _yields(one) for one in judged if one.validation.horizon == fullest},
    }
    return facts | {"summary": summary(facts)}


def data_plain(data: CropData, *, read: bool = False) -> Facts:
    """Say what was learned from, and which labels were left out by which rule.

    What was only ``read`` from files became known now: that instant is no part of the data, nor of its fingerprint.
    """
    years = sorted({label.harvest_year for label in data.labels})
    return {
        "labels": len(data.labels),
        "regions": len({label.region for label in data.labels}),
        "first": years[0],
        "last": years[-1],
        "years": len(years),
        "fingerprint": _content(data.table) if read else data.fingerprint,
        "known_by": None if read else data.known_by.isoformat(),
        "left_out": left_out(data),
        "left_out_by_rule": dict(sorted(Counter(suspect.rule for suspect in data.suspects).items())),
        "without_index": list(data.without_index),
    }


def left_out(data: CropData | None) -> list[Facts]:
    """List the suspect labels with rule, detail and likely correction."""
    return [
        {
            "region": s.label.region,
            "harvest_year": s.label.harvest_year,
            "t_ha": s.label.t_ha,
            "rule": s.rule,
            "detail": s.detail,
            "corrected_t_ha": s.corrected_t_ha,
        }
        for s in (data.suspects if data else ())
    ]


def judged_plain(one: Judged) -> Facts:
    """Give one validation as plain values."""
    validation = one.validation
    return {
        "crop": one.data.crop,
        "parts": validation.horizon,
        "labels": len(validation.t_ha),
        "years": sorted(set(validation.year.tolist())),
        "scores": {name: validation.scores(name).to_json() for name in validation.predicted},
        "gate": asdict(one.gate),
        "scheme": validation.scheme,
        "candidates": validation.candidates,
        "chosen": {fold: str(choice) for fold, choice in validation.chosen.items()},
        "without_past": validation.without_past,
        "left_out": left_out(one.data),
        "without_index": list(one.data.without_index),
    }


def _trial(one: Judged) -> Facts:
    validation, gate = one.validation, one.gate
    shown = MODEL if MODEL in validation.predicted else gate.baseline
    years: list[Facts] = [
        {"year": model.year, "labels": model.labels, "shown": _rounded(model), "baseline": _rounded(baseline)}
        for model, baseline in zip(
            validation.guesses(shown).per_year(), validation.guesses(gate.baseline).per_year(), strict=True
        )
    ]
    trial = {
        "scheme": validation.scheme,
        "parts": validation.horizon if validation.candidates else 0,
        "labels": len(validation.t_ha),
        "without_past": validation.without_past,
        "candidates": validation.candidates,
        "chosen": dict(Counter(str(choice) for choice in validation.chosen.values()).most_common()),
        "shown": shown,
        "baseline": gate.baseline,
        "gate": {
            name: round(value, DIGITS) if isinstance(value, float) else value for name, value in asdict(gate).items()
        },
        "scores": {name: _rounded(validation.scores(name)) for name in validation.predicted},
        "years": years,
        "worst": _worst(years, gate.use, "shown" if gate.use == shown else "baseline"),
    }
    return trial | {"decision": decision(trial)}


def _worst(years: list[Facts], method: str, side: str) -> Facts:
    """Name the year in which the method that is used erred most, with the baseline beside it."""
    year = max(years, key=lambda one: one[side]["nrmse"])
    beside = {"baseline_nrmse": year["baseline"]["nrmse"]}
    scores: Facts = year[side]
    return {"year": year["year"], "labels": year["labels"], "method": method} | scores | beside


def _content(table: RegionTable) -> str:
    """Hash the region-seasons themselves."""
    return digest(json.dumps(asdict(table), default=lambda array: array.tolist(), sort_keys=True).encode())


def _yields(one: Judged) -> Facts:
    validation = one.validation
    guesses: Guesses = validation.guesses(MODEL if MODEL in validation.predicted else one.gate.baseline)
    return {
        "region": guesses.region.tolist(),
        "year": guesses.year.tolist(),
        **{
            name: [round(float(value), DIGITS) for value in getattr(guesses, name)]
            for name in ("t_ha", "predicted", "low", "high")
        },
    }


def _finite(values: Facts) -> Facts:
    """Write None for a number that does not exist (R2 of equal yields): JSON knows no other word."""
    return {name: value if not isinstance(value, float) or isfinite(value) else None for name, value in values.items()}


def _rounded(scores: Scores | YearScores) -> Facts:
    """Round the numbers that exist."""
    return {
        name: round(value, DIGITS) if isinstance(value, float) else value
        for name, value in _finite(asdict(scores)).items()
        if name not in {"year", "labels"}
    }
