"""Put together what a sizing needs, as known at an instant; whatever is missing is refused by its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Protocol, TypeVar

from cropcredit.credit.offer import Evidence, FieldFacts, Plot
from cropcredit.credit.prices import published
from cropcredit.errors import MissingEvidence, UnknownRecord
from cropcredit.model import (
    Application,
    Consent,
    CostSheet,
    FarmGatePrice,
    Field,
    LendingPolicy,
    Offer,
    Party,
    Planting,
    PriceSeries,
    Record,
    RecordT,
    Tenure,
    YieldEstimate,
    digest,
)
from cropcredit.ports import Catalogues, FactStore
from cropcredit.usecases.workflow import policy_for

PURPOSE = "credit_assessment"
DATA_KIND = "satellite"

LocalT = TypeVar("LocalT", CostSheet, FarmGatePrice)


class Reads(Protocol):
    """The reading half of the fact store."""

    def get(self, kind: type[RecordT], record_id: str, *, as_of: datetime | None = None) -> RecordT: ...
    def find(self, kind: type[RecordT], *, as_of: datetime | None = None, **keys: str) -> list[RecordT]: ...


class Fields(Protocol):
    """The reading half of the field register."""

    def read(self, *, as_of: datetime | None = None, ids: Sequence[str] | None = None) -> list[Field]: ...


class Estimates(Protocol):
    """The reading half of the estimate store."""

    def latest(self, planting_ids: Sequence[str], *, as_of: datetime) -> dict[str, YieldEstimate]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Gather:
    """Read the evidence behind one application."""

    facts: Reads
    fields: Fields
    estimates: Estimates
    catalogues: Catalogues

    def __call__(self, application_id: str, *, as_of: datetime) -> Evidence:
        """Read everything known at ``as_of``.

        Raises
        ------
        UnknownRecord, MissingEvidence
            Naming the application, party, consent, planting, field, tenure, estimate, price, series, cost sheet or
            policy that is missing.
        """
        application = self.facts.get(Application, application_id, as_of=as_of)
        where = f"application {application_id}"
        party = self._get(Party, application.party_id, as_of, where=where)
        policy = policy_for(self.facts, application.requested.currency, as_of=as_of)
        if policy is None:
            currency = application.requested.currency
            what = f"no lending policy in {currency} in force at {as_of:%Y-%m-%dT%H:%MZ}"
            raise MissingEvidence(what, where=where, cure="import policy FILE")
        return Evidence(
            application=application,
            party=party,
            consents=self._consents(application, as_of),
            plots=self._plots(application, party, as_of),
            policy=policy,
        )

    def _consents(self, application: Application, as_of: datetime) -> tuple[Consent, ...]:
        consents = self.facts.find(Consent, as_of=as_of, party_id=application.party_id)
        valid = tuple(consent for consent in consents if consent.allows(PURPOSE, DATA_KIND, as_of))
        if not valid:
            what = f"no consent of party {application.party_id} to {DATA_KIND} data for {PURPOSE}"
            cure = "ask for it and import consents FILE"
            raise MissingEvidence(what, where=f"application {application.id}", cure=cure)
        return valid

    def _plots(self, application: Application, party: Party, as_of: datetime) -> tuple[Plot, ...]:
        where, ids = f"application {application.id}", application.planting_ids
        if not ids or len(set(ids)) != len(ids):
            raise MissingEvidence("names no planting, or one twice", where=where, cure="correct planting_ids")
        plantings = [self._get(Planting, planting_id, as_of, where=where) for planting_id in ids]
        field_ids = sorted({planting.field_id for planting in plantings})
        fields = {field.id: field for field in self.fields.read(as_of=as_of, ids=field_ids)}
        estimates = self.estimates.latest(list(ids), as_of=as_of)
        return tuple(self._plot(planting, party, fields, estimates, as_of) for planting in plantings)

    def _plot(
        self,
        planting: Planting,
        party: Party,
        fields: dict[str, Field],
        estimates: dict[str, YieldEstimate],
        as_of: datetime,
    ) -> Plot:
        where = f"planting {planting.id}"
        crop = self.catalogues.crop(planting.crop)
        if planting.field_id not in fields:
            raise MissingEvidence(f"no field {planting.field_id}", where=where, cure="fields import FILE")
        if planting.id not in estimates:
            raise MissingEvidence("no yield estimate", where=where, cure="run: cropcredit yield run")
        field = field_facts(fields[planting.field_id])
        unit = field.admin_unit or party.admin_unit
        return Plot(
            planting=planting,
            crop=crop,
            field=field,
            tenure=self._tenure(planting, party, as_of),
            estimate=estimates[planting.id],
            price=self._price(planting, unit, as_of),
            series=self._series(planting, as_of),
            costs=self._costs(planting, unit, as_of),
        )

    def _tenure(self, planting: Planting, party: Party, as_of: datetime) -> Tenure:
        operators = {party.id, *party.members}
        for tenure in self.facts.find(Tenure, as_of=as_of, field_id=planting.field_id):
            if tenure.party_id in operators and tenure.role == "operator" and tenure.covers(planting.sowing_on):
                return tenure
        what = f"party {party.id} is not known to operate field {planting.field_id} on {planting.sowing_on}"
        raise MissingEvidence(what, where=f"planting {planting.id}", cure="import tenures FILE")

    def _price(self, planting: Planting, unit: str, as_of: datetime) -> FarmGatePrice:
        """Give the latest price of the most specific region."""
        found = self.facts.find(FarmGatePrice, as_of=as_of, crop=planting.crop)
        past = [price for price in found if price.dated_on <= as_of.date()]
        return _local(past, unit, f"farm-gate price of {planting.crop}", f"planting {planting.id}", "prices")

    def _costs(self, planting: Planting, unit: str, as_of: datetime) -> CostSheet:
        found = self.facts.find(CostSheet, as_of=as_of, crop=planting.crop)
        return _local(found, unit, f"cost sheet of {planting.crop}", f"planting {planting.id}", "costs")

    def _series(self, planting: Planting, as_of: datetime) -> PriceSeries:
        """Give the series of the crop with the most published months."""
        series = self.facts.find(PriceSeries, as_of=as_of, crop=planting.crop)
        if not series:
            what, cure = f"no price series of {planting.crop}", "import prices FILE --series NAME --crop CROP"
            raise MissingEvidence(what, where=f"planting {planting.id}", cure=cure)
        return max(series, key=lambda each: (published(each, as_of), each.id))

    def _get(self, kind: type[RecordT], record_id: str, as_of: datetime, *, where: str) -> RecordT:
        try:
            return self.facts.get(kind, record_id, as_of=as_of)
        except UnknownRecord:
            table = "parties" if kind is Party else f"{kind.__name__.lower()}s"
            raise UnknownRecord(kind.__name__.lower(), record_id, where=where, cure=f"import {table} FILE") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptEstimates:
    """Estimates that are put among the facts as they are read, so that an offer's hashes find them again."""

    estimates: Estimates
    facts: FactStore

    def latest(self, planting_ids: Sequence[str], *, as_of: datetime) -> dict[str, YieldEstimate]:
        """Give, per planting, the version that stands among the facts, which is the one to be cited."""
        found = self.estimates.latest(planting_ids, as_of=as_of)
        return {planting_id: self._held(estimate) for planting_id, estimate in found.items()}

    def _held(self, estimate: YieldEstimate) -> YieldEstimate:
        try:
            return self.facts.by_hash(YieldEstimate, digest(estimate))
        except UnknownRecord:
            self.facts.add(estimate)
        versions = reversed(self.facts.history(YieldEstimate, estimate.id))
        return next(held for held in versions if replace(held, known_at=estimate.known_at) == estimate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Fields and estimates of one instant, read from their stores at once, for a batch over many applications."""

    fields: dict[str, Field]
    estimates: dict[str, YieldEstimate]

    def read(self, *, as_of: datetime | None = None, ids: Sequence[str] | None = None) -> list[Field]:
        """Give the fields of these ids that are held, by id."""
        del as_of  # one instant only
        return [self.fields[name] for name in sorted(ids or ()) if name in self.fields]

    def latest(self, planting_ids: Sequence[str], *, as_of: datetime) -> dict[str, YieldEstimate]:
        """Give the estimates of these plantings that are held."""
        del as_of
        return {name: self.estimates[name] for name in planting_ids if name in self.estimates}


class Cited:
    """The facts and estimates that an offer cites, in their very versions, as if nothing else were known."""

    def __init__(self, facts: FactStore, offer: Offer) -> None:
        """Read every version by its hash.

        Raises
        ------
        UnknownRecord
            If one of them is not held any more.
        """
        self._records = [
            facts.by_hash(KINDS[ref.kind], ref.sha256)
            for ref in sorted(offer.inputs, key=lambda ref: (ref.kind, ref.id))
            if ref.kind in KINDS
        ]

    def get(self, kind: type[RecordT], record_id: str, *, as_of: datetime | None = None) -> RecordT:
        for record in self.find(kind, as_of=as_of):
            if record.id == record_id:
                return record
        raise UnknownRecord(kind.__name__, record_id)

    def find(self, kind: type[RecordT], *, as_of: datetime | None = None, **keys: str) -> list[RecordT]:
        del as_of  # the versions are fixed
        held = [record for record in self._records if isinstance(record, kind)]
        return [record for record in held if all(getattr(record, name) == value for name, value in keys.items())]

    def latest(self, planting_ids: Sequence[str], *, as_of: datetime) -> dict[str, YieldEstimate]:
        del as_of
        return {e.planting_id: e for e in self.find(YieldEstimate) if e.planting_id in planting_ids}


KINDS: dict[str, type[Record]] = {
    kind.__name__: kind
    for kind in (
        Application,
        Party,
        Consent,
        LendingPolicy,
        Planting,
        Tenure,
        YieldEstimate,
        FarmGatePrice,
        PriceSeries,
        CostSheet,
    )
}
"""What an offer cites from the fact store; fields and crops are read from their register and catalogue."""


def field_facts(field: Field) -> FieldFacts:
    """Give what sizing needs of a field."""
    return FieldFacts(
        id=field.id, boundary_version=field.boundary_version, area_ha=field.area_ha, admin_unit=field.admin_unit
    )


def _local(found: Sequence[LocalT], unit: str, what: str, where: str, noun: str) -> LocalT:
    """Give the record of the most specific region that covers ``unit``: the longest code that begins it, else ``*``.

    Of several of one region, the latest dated one.
    """
    covering = [record for record in found if record.region == "*" or unit.startswith(record.region)]
    if not covering:
        raise MissingEvidence(f"no {what} for {unit or 'anywhere'}", where=where, cure=f"import {noun} FILE")
    return max(covering, key=lambda record: (len(record.region.strip("*")), _dated(record), record.id))


def _dated(record: CostSheet | FarmGatePrice) -> date:
    return record.dated_on if isinstance(record, FarmGatePrice) else record.known_at.date()
