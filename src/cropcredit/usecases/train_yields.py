"""Learn what a region's season is worth, and say honestly how well: `yield train` and `yield validate`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cropcredit.agronomy.crop_model import HORIZONS, CropModel, learn
from cropcredit.agronomy.features import PARTS, RegionTable
from cropcredit.agronomy.labels import RegionYear, require_years
from cropcredit.agronomy.models import learnable
from cropcredit.agronomy.validation import SCHEMES, YEARS, Gate, Validation, fold_count, gate, validate
from cropcredit.errors import EmptyInput, MalformedInput, RefusedInput, UnknownName
from cropcredit.model import Promotion, Record, YieldLabel
from cropcredit.ports import Catalogues, Clock, FactStore, ModelStore, Progress, YieldArchive
from cropcredit.usecases.forms_yields import INDEX_LAG_DAYS
from cropcredit.usecases.import_records import ImportRecords
from cropcredit.usecases.models import what_changed
from cropcredit.usecases.progress import quiet
from cropcredit.usecases.yield_cards import card
from cropcredit.usecases.yield_data import CropData, crop_data, facts_of, labelled_crops

ARTEFACT = "crop-model-1"
"""Form of the stored artefact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class YieldFiles:
    """Which files to read; none: what the workspace holds."""

    labels: Path | None = None
    """CSV of past yields, or the folder that ``mapping`` is for."""
    index: Path | None = None
    calendar: Path | None = None
    mapping: str = ""
    """Name or TOML file of a data mapping; empty: CSV files of our own form."""
    crop: str = ""
    """Only this crop; for a folder, the code under which its crop is known here."""
    lag_days: int | None = None
    """Days after the end of a harvest year until its yields are published, for rows without ``known_at``."""
    keep: tuple[RegionYear, ...] = ()
    """Suspect labels that somebody has looked at, and that are learned from all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadYields:
    """Reads yield files in any of the accepted forms."""

    importer: ImportRecords
    archive: YieldArchive

    def __call__(self, files: YieldFiles) -> list[Record]:
        """Read the named files; nothing is stored.

        Raises
        ------
        RefusedInput
            Naming file, row and column.
        """
        if files.mapping:
            if files.labels is None:
                raise EmptyInput(f"mapping {files.mapping!r} has no folder", cure="name it: --labels FOLDER")
            if files.index or files.calendar:
                raise MalformedInput(
                    f"mapping {files.mapping!r} names index and calendar itself",
                    cure="leave --index and --calendar out",
                )
            return self.archive.read(files.labels, files.mapping, crop=files.crop, lag_days=files.lag_days)
        named = (("yields", files.labels, files.lag_days), ("index", files.index, INDEX_LAG_DAYS))
        records: list[Record] = []
        for noun, file, lag in (*named, ("calendar", files.calendar, None)):
            if file is not None:
                records += self.importer.read(noun, file, lag_days=lag)[1]
        return records


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What is asked of the models."""

    scheme: str = YEARS
    """One of :data:`cropcredit.agronomy.validation.SCHEMES`."""
    years: tuple[int, int] | None = None
    """First and last harvest year."""
    horizon: int | None = None
    """Parts of the season, of six, that the model may look at. Default: as many as the index shows."""
    until: str = ""
    """Day of the harvest year, ``MM-DD``, up to which it may look."""


ORDINARY = Trial()
"""Each year left out, with all of the season that was seen."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judged:
    """One crop on years it had not seen."""

    data: CropData
    validation: Validation
    gate: Gate


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrialJob:
    """What one validation needs; small enough to be sent to another process."""

    table: RegionTable
    scheme: str
    horizon: int
    """Parts of the season that the model may look at; 0: baselines alone, for want of an index."""

    @property
    def folds(self) -> int:
        """How many there are."""
        return fold_count(self.table, self.scheme)

    def run(self, done: Callable[[int], None] = lambda _: None) -> Validation:
        """Guess the yields that were put aside; ``done`` is told 1 after each fold."""
        kinds = None if self.horizon else ()
        horizon = self.horizon or PARTS
        return validate(self.table, horizon=horizon, scheme=self.scheme, candidates=kinds, done=done)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateYields:
    """Judge average, trend and model on yields they have not seen; nothing is stored or promoted."""

    facts: FactStore
    catalogues: Catalogues
    read: ReadYields

    def __call__(
        self, files: YieldFiles, test: Trial = ORDINARY, *, as_of: datetime | None = None, progress: Progress = quiet
    ) -> list[Judged]:
        """Validate every crop that has labels.

        Raises
        ------
        UnknownName
            If there is no such scheme.
        RefusedInput
            If nothing can be judged: no labels, fewer than five years, two labels for one region-year.
        """
        if test.scheme not in SCHEMES:
            raise UnknownName("scheme", test.scheme, SCHEMES)
        judged = []
        for data in self.data(files, test, as_of=as_of):
            job = self.job(data, test)
            with progress(f"{data.crop}: folds", job.folds) as done:
                validation = job.run(done)
            judged.append(Judged(data=data, validation=validation, gate=gate(validation)))
        return judged

    def data(self, files: YieldFiles, test: Trial, *, as_of: datetime | None) -> list[CropData]:
        """Lay out what every crop is judged by; refuses as the call does."""
        records = _known_by(as_of, self.read(files)) if files.labels or files.mapping else None
        found = []
        for crop in _crops(self.facts, records, files.crop, as_of):
            known = facts_of(self.facts, crop, as_of) if records is None else records
            data = crop_data(crop, known, self.catalogues, test.years, files.keep, until=test.until)
            require_years(data.labels, crop)
            found.append(data)
        return found

    def job(self, data: CropData, test: Trial) -> TrialJob:
        """Plan the validation of one crop; refuses what cannot be judged."""
        if not fold_count(data.table, test.scheme):
            raise RefusedInput(f"too few years or regions of {data.crop!r} to judge by scheme {test.scheme!r}")
        return TrialJob(table=data.table, scheme=test.scheme, horizon=_reached(data, test))


def _known_by(as_of: datetime | None, records: list[Record]) -> list[Record]:
    """Keep of what files say only what was known then."""
    kept = [record for record in records if as_of is None or record.known_at <= as_of]
    if labelled_crops(records) and not labelled_crops(kept):
        raise EmptyInput(
            f"no yield in the files was known by {as_of}",
            cure="rows without known_at count as known from now on: write that column, or leave --as-of out",
        )
    return kept


def _reached(data: CropData, test: Trial) -> int:
    """Give the parts of the season that the model may look at; 0 where there is no index to learn from."""
    reached = max((h for h in range(1, (test.horizon or PARTS) + 1) if learnable(data.table, h)), default=0)
    if test.until and not reached:
        raise RefusedInput(
            f"by {test.until} no index shows anything of a season of {data.crop!r}",
            cure="name a later day with --until, or give an index of the regions",
        )
    if test.horizon is not None and reached < test.horizon:
        shown = f"the index of {data.crop!r} shows {reached} sixths of its seasons" if reached else "no index shows any"
        raise RefusedInput(f"{shown}, not {test.horizon}")
    return reached


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trained:
    """What came of one crop."""

    crop: str
    data: CropData | None = None
    model_id: str = ""
    model: CropModel | None = None
    validations: dict[int, Validation] | None = None
    refused: str = ""
    """Why there is no model; then `yield run` answers with the official regional yield."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainYields:
    """Store what the files say, learn every crop from all that is known, and put the result into use."""

    facts: FactStore
    catalogues: Catalogues
    models: ModelStore
    read: ReadYields
    clock: Clock

    def __call__(
        self, files: YieldFiles, *, as_of: datetime | None = None, progress: Progress = quiet
    ) -> list[Trained]:
        """Train every crop that has labels; a crop with too few years is passed over, and says so.

        Parameters
        ----------
        as_of : datetime, optional
            Learn only from what was known then. Default: now.

        Raises
        ------
        RefusedInput
            If a file is refused (nothing of it is stored) or no crop could be trained.
        """
        if files.labels or files.index or files.calendar or files.mapping:
            records = self.read(files)
            for crop in {r.crop for r in records if hasattr(r, "crop")}:
                self.catalogues.crop(crop)
            self.facts.add(*records)
        at = as_of or self.clock.now()
        trained = [self._train(crop, at, files.keep, progress) for crop in _crops(self.facts, None, files.crop, at)]
        if all(result.refused for result in trained):
            raise RefusedInput(trained[0].refused)
        return trained

    def _train(self, crop: str, as_of: datetime, keep: tuple[RegionYear, ...], progress: Progress) -> Trained:
        try:
            data = crop_data(crop, facts_of(self.facts, crop, as_of), self.catalogues, keep=keep)
            require_years(data.labels, crop)
            rounds = len({label.harvest_year for label in data.labels}) * _rounds(data)
            with ExitStack() as stack:
                done: Callable[[int], None] = stack.enter_context(progress(f"{crop}: years left out", rounds))
                model, validations = learn(crop, data.table, data.calendars, done=done)
        except RefusedInput as error:
            return Trained(crop=crop, refused=str(error))
        artefact = self._artefact(data, model)
        model_id = self.models.save(artefact, card(artefact, model, data))
        self._promote(model_id, artefact)
        return Trained(crop=crop, data=data, model_id=model_id, model=model, validations=validations)

    def _promote(self, model_id: str, artefact: dict[str, Any]) -> None:
        crop = artefact["crop"]
        current = self.models.current(crop)
        reason = what_changed(artefact, self.models.load(current) if current else None)
        self.models.promote(Promotion(crop=crop, model_id=model_id, at=self.clock.now(), by="", reason=reason))

    def _artefact(self, data: CropData, model: CropModel) -> dict[str, Any]:
        current = self.models.current(data.crop)
        before = current and self.models.load(current)
        same = before and before["data"] == data.fingerprint and before["model"] == model.to_json()
        return {
            "form": ARTEFACT,
            "crop": data.crop,
            "known_by": data.known_by.isoformat(),
            "data": data.fingerprint,
            "labels": len(data.labels),
            "years": sorted({label.harvest_year for label in data.labels}),
            "left_out": [[s.label.region, s.label.harvest_year, s.rule] for s in data.suspects],
            "predecessor": before["predecessor"] if before and same else current,
            "model": model.to_json(),
        }


def _rounds(data: CropData) -> int:
    return 1 + sum(learnable(data.table, horizon) for horizon in HORIZONS)


def _crops(facts: FactStore, records: list[Record] | None, crop: str, as_of: datetime | None) -> list[str]:
    found = labelled_crops(facts.find(YieldLabel, as_of=as_of) if records is None else records)
    if crop and crop not in found:
        raise UnknownName("crop with labels", crop, tuple(found))
    if not found:
        raise EmptyInput("no past yields are known", cure="give them: --labels FILE (crop, region, harvest_year, t_ha)")
    return [crop] if crop else found
