"""What the desk shows beside a case: how the fields grew as seen from space, what the sensors say about them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from cropcredit.agronomy.series import smooth
from cropcredit.errors import NotPermitted, UnknownRecord
from cropcredit.model import Account, Application, Consent, FieldSeries, Planting
from cropcredit.ports import Clock, FactStore, ObservationStore, RunStore
from cropcredit.usecases.inventory import StoredLot, TakeStock
from cropcredit.usecases.refresh_ndvi import latest_run
from cropcredit.usecases.telemetry import SensorSummary, SummariseSensors

INDEX = "NDVI"
PURPOSE = "credit_assessment"
KINDS = ("satellite", "sensors")
"""Kinds of data that need the applicant's consent before anybody looks at them here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """One look at a field from space."""

    on: date
    ndvi: float
    """Mean over the clear core of the field, unitless."""
    clear_fraction: float
    """Share of the core that was seen, [0, 1]."""
    kept: bool
    """False where the look was too cloudy or a spike, so that the smoothed line passes it over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """How one field grew: what was seen, and the smoothed line through it."""

    field_id: str
    points: tuple[CurvePoint, ...]
    line: tuple[tuple[date, float], ...]
    """(day, NDVI), daily, from the first to the last look; empty where too little was seen to smooth."""
    mixed_pixel: bool
    """The field is too small for pixels of its own."""


def curves_of(series: FieldSeries) -> dict[str, Curve]:
    """Turn a series into one curve per field, smoothed the way the yield estimate smooths it.

    Parameters
    ----------
    series : FieldSeries
        Of the fields wanted and, better, of their neighbours: a drop that neighbours share is believed.
    """
    days = series.acquired_at.astype("datetime64[D]")
    if not len(days):
        return {}
    daily = smooth(series.mean, series.clear_fraction, days)
    columns = (days - daily.first_on).astype(int)
    grid = (daily.first_on + np.arange(daily.values.shape[1])).tolist()
    curves = {}
    for row, field_id in enumerate(series.field_ids):
        looks = zip(days.tolist(), columns, series.mean[row], series.clear_fraction[row], strict=True)
        points = tuple(
            CurvePoint(on=on, ndvi=float(mean), clear_fraction=float(clear), kept=bool(daily.observed[row, column]))
            for on, column, mean, clear in looks
            if np.isfinite(mean)
        )
        line = tuple((on, float(z)) for on, z in zip(grid, daily.values[row], strict=True) if np.isfinite(z))
        curves[field_id] = Curve(field_id=field_id, points=points, line=line, mixed_pixel=bool(series.mixed_pixel[row]))
    return curves


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEvidence:
    """What was seen and measured on the fields of one case."""

    as_of: datetime
    seen_as_of: datetime | None
    """Instant of the run that the curves come from; None where no run is there."""
    curves: dict[str, Curve]
    """By field id; a field never seen is absent."""
    sensors: tuple[SensorSummary, ...]
    """One per field on which a device stands."""
    stock: tuple[StoredLot, ...]
    """The applicant's lots of stored grain; sensors lower what was inspected, so they need the same consent."""
    withheld: tuple[str, ...]
    """Kinds of data the applicant has not consented to: ``satellite``, ``sensors``. They were not even read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatherCaseEvidence:
    """Read the curves and the sensors of a case, as far as the applicant allows it."""

    facts: FactStore
    observations: ObservationStore
    runs: RunStore
    summarise: SummariseSensors
    take_stock: TakeStock
    clock: Clock

    def __call__(self, application_id: str, account: Account, *, as_of: datetime | None = None) -> CaseEvidence:
        """Read what is known at ``as_of`` (None: now).

        Raises
        ------
        NotPermitted
            If the case belongs to another branch.
        UnknownRecord
            If there is no such application.
        """
        at = as_of or self.clock.now()
        application = self.facts.get(Application, application_id, as_of=at)
        if not account.sees(application.branch):
            raise NotPermitted(f"case {application_id} belongs to branch {application.branch}, not {account.branch}")
        consents = self.facts.find(Consent, as_of=at, party_id=application.party_id)
        withheld = tuple(kind for kind in KINDS if not any(c.allows(PURPOSE, kind, at) for c in consents))
        field_ids = self._fields(application, at)
        seen_as_of, curves = (None, {}) if "satellite" in withheld else self._curves(field_ids, at)
        return CaseEvidence(
            as_of=at,
            seen_as_of=seen_as_of,
            curves=curves,
            sensors=() if "sensors" in withheld else self._sensors(field_ids, at),
            stock=() if "sensors" in withheld else tuple(self.take_stock(party_id=application.party_id, as_of=at)),
            withheld=withheld,
        )

    def _fields(self, application: Application, at: datetime) -> list[str]:
        wanted = set(application.planting_ids)
        found: dict[str, None] = {}
        for planting_id in sorted(wanted):
            try:
                found[self.facts.get(Planting, planting_id, as_of=at).field_id] = None
            except UnknownRecord:
                continue  # the case itself says which plantings are missing
        return sorted(found)

    def _curves(self, field_ids: list[str], at: datetime) -> tuple[datetime | None, dict[str, Curve]]:
        try:
            run = latest_run(self.runs, at)
        except UnknownRecord:
            return None, {}
        return run.as_of, curves_of(self.observations.series(INDEX, run.units, field_ids))

    def _sensors(self, field_ids: list[str], at: datetime) -> tuple[SensorSummary, ...]:
        summaries = (self.summarise(field_id=field_id, as_of=at) for field_id in field_ids)
        return tuple(summary for summary in summaries if summary.devices)
