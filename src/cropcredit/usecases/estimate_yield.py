"""Estimate the yield of every planting as of an instant: what its region may expect, and how the field itself grows.

What is not known widens an estimate and is named among its reasons; it is never a mark against the farmer.

=======================  ===============================================================================================
reason                   meaning
=======================  ===============================================================================================
``before_sowing``        nothing was sown yet: the region's expectation with the full spread between fields
``early_season``         less than half of the season has passed
``cold_start``           no model of this crop was known: the official regional yield, widened
``model_no_skill``       the model does not beat the plain baseline on unseen years; the baseline is used
``season_not_seen``      too little of the region's season was seen for a model; the baseline is used
``no_regional_index``    there is no index of the regions to learn from; the baseline is used
``region_without_labels``  yields are known of other regions only
``no_observations``      no clear look at the field in this season
``few_clear_dates``      fewer than four clear looks
``mixed_pixel``          the field is too small for a pixel of its own
``few_neighbours``       fewer than five fields of this crop and region to compare with
=======================  ===============================================================================================

Reasons of :mod:`cropcredit.usecases.verify_crops` and :mod:`cropcredit.usecases.field_events` stand beside these.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

import cropcredit
from cropcredit.agronomy.anomalies import ranks
from cropcredit.agronomy.cold_start import MODEL_ID, official_forecast
from cropcredit.agronomy.crop_model import CropModel
from cropcredit.agronomy.downscale import FieldSpread, field_yield, trust
from cropcredit.agronomy.forecasts import RegionForecast
from cropcredit.errors import EmptyInput, RefusedInput, UnknownRecord
from cropcredit.model import CropCalendar, Field, Planting, RegionSeries, Season, YieldEstimate, YieldLabel, digest
from cropcredit.ports import (
    Catalogues,
    Clock,
    EstimateStore,
    FactStore,
    FieldStore,
    ModelStore,
    ObservationStore,
    Progress,
    RunStore,
)
from cropcredit.usecases.field_features import MeasureFields
from cropcredit.usecases.growth import Growth, growth_reasons, measure_growth, with_events
from cropcredit.usecases.models import model_as_of
from cropcredit.usecases.progress import quiet
from cropcredit.usecases.refresh_ndvi import latest_run
from cropcredit.usecases.verify_crops import Claims, read_claims, unseen
from cropcredit.usecases.yield_data import region_of, season_table

KIND = "yield"
METHOD = "yield-3"
"""Change when the numbers change: it is part of every run's name."""
PAST = timedelta(days=365)
"""Plantings harvested longer ago than this are not estimated again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A planting without an estimate, and why."""

    planting_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class YieldRun:
    """What a run found; equal for equal inputs."""

    run_id: str
    as_of: datetime
    estimates: tuple[YieldEstimate, ...]
    refused: tuple[Refused, ...]
    models: dict[str, str]
    """Crop -> model used."""
    outcomes: dict[str, int]
    """Plantings estimated and refused, and how many carry each reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Knowledge:
    """What is known of one crop at the instant."""

    model_id: str
    spread: FieldSpread
    forecasts: Mapping[tuple[str, int], RegionForecast]
    labels: tuple[YieldLabel, ...]
    fingerprint: str

    def of(self, crop: str, region: str, year: int) -> RegionForecast:
        found = self.forecasts.get((region, year))
        return found if found is not None else official_forecast(self.labels, crop, region)


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateYields:
    """Estimate all plantings known at an instant, and store the result."""

    facts: FactStore
    fields: FieldStore
    observations: ObservationStore
    runs: RunStore
    models: ModelStore
    estimates: EstimateStore
    catalogues: Catalogues
    clock: Clock
    zone: str
    """IANA zone of the lender's days."""
    features: MeasureFields | None = None
    """Looks for what befell the plantings; None: nobody looks."""

    def __call__(self, *, as_of: datetime, progress: Progress = quiet) -> YieldRun:
        """Run over all plantings whose harvest is not longer than a year past.

        Parameters
        ----------
        as_of : datetime
            Plantings, boundaries, scenes, labels, index and models count only if known by then.

        Raises
        ------
        EmptyInput
            If there are no plantings.
        """
        started = self.clock.now()
        day = as_of.astimezone(ZoneInfo(self.zone)).date()
        plantings = [p for p in self.facts.find(Planting, as_of=as_of) if p.harvest_on >= day - PAST]
        if not plantings:
            raise EmptyInput(f"no planting is known as of {as_of.isoformat()}", cure="cropcredit import plantings FILE")
        fields = {field.id: field for field in self.fields.read(as_of=as_of)}
        kept, refused = self._sort(plantings, fields)
        knowledge = {crop: self._knowledge(crop, of, fields, as_of) for crop, of in _by_crop(kept).items()}
        claims = read_claims(kept, fields, self.catalogues, self.facts.find(CropCalendar, as_of=as_of))
        ndvi_run, growth = self._growth(kept, fields, as_of, day, claims)
        growth = with_events(growth, self.features, kept, fields, as_of)
        groups = np.array([f"{p.crop}/{fields[p.field_id].admin_unit}/{p.season_id}" for p in kept], dtype=np.str_)
        places = ranks(np.array([g.vigour for g in growth]), groups)
        estimates: list[YieldEstimate] = []
        with progress("plantings", len(kept)) as done:
            for planting, grown, rank in zip(kept, growth, places, strict=True):
                known, region = knowledge[planting.crop], fields[planting.field_id].admin_unit
                try:
                    estimates.append(_estimate(planting, region, known, grown, float(rank), as_of, day, ndvi_run))
                except RefusedInput as error:
                    refused.append(Refused(planting_id=planting.id, reason=str(error)))
                done(1)
        return self._finish(as_of, started, estimates, refused, knowledge, ndvi_run)

    def _sort(self, plantings: Sequence[Planting], fields: Mapping[str, Field]) -> tuple[list[Planting], list[Refused]]:
        """Part the plantings that can be estimated from those that cannot; one bad row never stops a run."""
        kept, refused = [], []
        for planting in plantings:
            try:
                self.catalogues.crop(planting.crop)
                if planting.field_id not in fields:
                    raise UnknownRecord("field", planting.field_id, cure="cropcredit fields import FILE")
                kept.append(planting)
            except RefusedInput as error:
                refused.append(Refused(planting_id=planting.id, reason=str(error)))
        return kept, refused

    def _knowledge(
        self, crop: str, plantings: Sequence[Planting], fields: Mapping[str, Field], as_of: datetime
    ) -> _Knowledge:
        """Forecast the regions of a crop: by its model if it knew no more than was known then."""
        labels = tuple(label for label in self.facts.find(YieldLabel, as_of=as_of, crop=crop) if not label.planting_id)
        months = self.facts.find(RegionSeries, as_of=as_of, crop=crop)
        names = sorted({label.region for label in labels} | {month.region for month in months})
        wanted = sorted({(fields[p.field_id].admin_unit, Season.parse(p.season_id).harvest_year) for p in plantings})
        mine = {(unit, year): region_of(unit, names) for unit, year in wanted}
        found_model = model_as_of(self.models, crop, as_of)
        if found_model is None:
            official = {key: official_forecast(labels, crop, region) for key, region in mine.items() if labels}
            return _Knowledge(
                model_id=MODEL_ID, spread=FieldSpread(), forecasts=official, labels=labels, fingerprint=digest(labels)
            )
        model_id, artefact = found_model
        model = CropModel.from_json(artefact["model"])
        rows = {(region, year): float("nan") for (_, year), region in mine.items()}
        now = season_table(rows, months, model.calendars, sorted({year for _, year in wanted}))
        found = model.forecast(now)
        return _Knowledge(
            model_id=model_id,
            spread=model.spread,
            forecasts={key: found[region, key[1]] for key, region in mine.items()},
            labels=labels,
            fingerprint=digest([month for month in months if month.days[-1].year >= now.year.min() - 1]),
        )

    def _growth(
        self, plantings: Sequence[Planting], fields: Mapping[str, Field], as_of: datetime, day: date, claims: Claims
    ) -> tuple[str, list[Growth]]:
        """Measure how each planting grew so far; without any NDVI run, nothing was seen."""
        try:
            run = latest_run(self.runs, as_of)
        except UnknownRecord:
            return "", [Growth(verdict=verdict) for verdict in unseen(claims)]
        ids = sorted({planting.field_id for planting in plantings})
        series = self.observations.series("NDVI", run.units, ids)
        return run.run_id, measure_growth(series, plantings, {i: fields[i].admin_unit for i in ids}, day, claims)

    def _finish(
        self,
        as_of: datetime,
        started: datetime,
        estimates: Sequence[YieldEstimate],
        refused: Sequence[Refused],
        knowledge: Mapping[str, _Knowledge],
        ndvi_run: str,
    ) -> YieldRun:
        reasons = Counter(reason for estimate in estimates for reason in estimate.reasons)
        outcomes = {"estimated": len(estimates), "refused": len(refused), **dict(sorted(reasons.items()))}
        models = {crop: known.model_id for crop, known in sorted(knowledge.items())}
        manifest: dict[str, Any] = {
            "kind": KIND,
            "method": METHOD,
            "as_of": as_of.isoformat(),
            "code_version": cropcredit.__version__,
            "models": models,
            "inputs": {crop: known.fingerprint for crop, known in sorted(knowledge.items())},
            "ndvi_run": ndvi_run,
            "estimates": digest(list(estimates)),
            "outcomes": outcomes,
            "refused": [[r.planting_id, r.reason] for r in refused],
        }
        run_id = digest(manifest)[:16]
        self.estimates.write(run_id, estimates)
        log = {"started_at": started.isoformat(), "finished_at": self.clock.now().isoformat()}
        self.runs.write(run_id, {"run_id": run_id, **manifest}, log)
        return YieldRun(
            run_id=run_id,
            as_of=as_of,
            estimates=tuple(estimates),
            refused=tuple(refused),
            models=models,
            outcomes=outcomes,
        )


def _estimate(
    planting: Planting,
    unit: str,
    known: _Knowledge,
    grown: Growth,
    rank: float,
    as_of: datetime,
    day: date,
    ndvi_run: str,
) -> YieldEstimate:
    region = known.of(planting.crop, unit, Season.parse(planting.season_id).harvest_year)
    length = (planting.harvest_on - planting.sowing_on).days
    elapsed = min((day - planting.sowing_on).days / length, 1.0)
    weight = trust(grown.seen_share, grown.clear_dates, mixed_pixel=grown.mixed_pixel)
    field = field_yield(region, known.spread, rank, weight)
    return YieldEstimate(
        id=planting.id,
        known_at=as_of,
        planting_id=planting.id,
        as_of=as_of,
        crop=planting.crop,
        region=unit,
        season_id=planting.season_id,
        model_id=known.model_id,
        t_ha=field.t_ha,
        shared_share=field.shared_share,
        baseline=region.baseline,
        baseline_t_ha=region.baseline_t_ha,
        skill=region.skill,
        qa_flag=grown.qa_flag,
        growth_percentile=None if np.isnan(rank) else 100 * rank,
        verification=grown.verdict.found.outcome,
        verification_confidence=grown.verdict.found.confidence,
        planted_share=grown.verdict.planted_share,
        reasons=(*growth_reasons(elapsed, grown, rank), *region.reasons),
        inputs=tuple(filter(None, (known.model_id, known.fingerprint, ndvi_run))),
    )


def _by_crop(plantings: Sequence[Planting]) -> dict[str, list[Planting]]:
    crops: dict[str, list[Planting]] = {}
    for planting in plantings:
        crops.setdefault(planting.crop, []).append(planting)
    return crops
