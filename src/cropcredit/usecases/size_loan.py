"""Size a loan from what is known at an instant, store the offer, and replay it later byte for byte."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec

from cropcredit import __version__
from cropcredit.credit.offer import make_offer
from cropcredit.errors import CropcreditError, RefusedInput
from cropcredit.model import Application, Decision, Loan, Offer, Planting, canonical_bytes
from cropcredit.ports import Catalogues, Clock, FactStore, Progress
from cropcredit.usecases.evidence import Cited, Estimates, Fields, Gather, Held, KeptEstimates
from cropcredit.usecases.workflow import ACTED_ON, by_application, current_offer, stage_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeLoan:
    """Compute the offer for one application and store it; the same evidence gives the same offer, stored once."""

    facts: FactStore
    fields: Fields
    estimates: Estimates
    catalogues: Catalogues
    clock: Clock

    def __call__(self, application_id: str, *, as_of: datetime | None = None) -> Offer:
        """Size one application.

        Parameters
        ----------
        application_id : str
            Whose loan.
        as_of : datetime, optional
            Compute with what was known then; without it, now.

        Returns
        -------
        Offer
            As stored, with ``known_at`` of the first time it was computed.

        Raises
        ------
        UnknownRecord, MissingEvidence, CurrencyMismatch
            Naming what is missing or does not fit together; nothing is stored but the estimates that were read.
        """
        now = self.clock.now()
        as_of = as_of or now
        gather = Gather(
            facts=self.facts,
            fields=self.fields,
            estimates=KeptEstimates(estimates=self.estimates, facts=self.facts),
            catalogues=self.catalogues,
        )
        evidence = gather(application_id, as_of=as_of)
        offer = make_offer(evidence, as_of=as_of, known_at=now, code_version=__version__)
        self.facts.add(offer)
        return self.facts.get(Offer, offer.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sized:
    """What came of one application of a batch."""

    application_id: str
    offer: Offer | None
    refused: str = ""
    """Why there is no offer, in one line."""
    acted_on: bool = False
    """A person has recommended or decided: a new offer would overtake that, so none was made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeAll:
    """Size every application on which no person has acted; one that lacks evidence does not stop the rest."""

    facts: FactStore
    clock: Clock
    size_loan: SizeLoan

    def __call__(self, *, as_of: datetime | None = None, progress: Progress | None = None) -> list[Sized]:
        """Give one outcome per application known at ``as_of``, by id."""
        at = as_of or self.clock.now()
        applications = self.facts.find(Application, as_of=at)
        size_loan, acted_on = self._over(applications, at), self._acted_on(at)
        outcomes: list[Sized] = []
        with nullcontext(_silent) if progress is None else progress("sizing", len(applications)) as advance:
            for application in applications:
                stands = application.id in acted_on
                sized = Sized(application_id=application.id, offer=None, acted_on=True)
                outcomes.append(sized if stands else _one(size_loan, application.id, at))
                advance(1)
        return outcomes

    def _acted_on(self, at: datetime) -> set[str]:
        """Find the cases in which a person's word stands."""
        offers = by_application(self.facts.find(Offer, as_of=at))
        decisions = by_application(self.facts.find(Decision, as_of=at))
        loans = {loan.application_id: loan for loan in self.facts.find(Loan, as_of=at)}
        return {c for c in decisions if stage_of(current_offer(offers[c]), decisions[c], loans.get(c)) in ACTED_ON}

    def _over(self, applications: list[Application], at: datetime) -> SizeLoan:
        """Read the fields and estimates of all applications at once."""
        wanted = {name for application in applications for name in application.planting_ids}
        plantings = [planting for planting in self.facts.find(Planting, as_of=at) if planting.id in wanted]
        field_ids = sorted({planting.field_id for planting in plantings})
        held = Held(
            fields={field.id: field for field in self.size_loan.fields.read(as_of=at, ids=field_ids)},
            estimates=self.size_loan.estimates.latest(sorted(wanted), as_of=at),
        )
        return replace(self.size_loan, fields=held, estimates=held)


def _one(size_loan: SizeLoan, application_id: str, at: datetime) -> Sized:
    try:
        return Sized(application_id=application_id, offer=size_loan(application_id, as_of=at))
    except RefusedInput as error:
        return Sized(application_id=application_id, offer=None, refused=str(error))


def _silent(done: int) -> None:
    del done


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """Whether an offer could be computed again."""

    offer_id: str
    same: bool
    difference: str
    """First value that differs, as ``path: stored -> computed``; empty when all bytes are equal."""
    inputs: int
    """Versions that were read back by their hashes."""
    made_by: str
    """Code version that made the offer; the numbers are compared whatever it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOffer:
    """Compute a stored offer again from the very versions it cites, and compare the bytes."""

    facts: FactStore
    fields: Fields
    catalogues: Catalogues

    def __call__(self, offer_id: str) -> Replayed:
        """Replay one offer; evidence that cannot be read back is the difference reported.

        Raises
        ------
        UnknownRecord
            If there is no such offer.
        """
        stored = self.facts.get(Offer, offer_id)
        try:
            difference = self._difference(stored)
        except CropcreditError as error:
            difference = f"evidence: {error}"
        return Replayed(
            offer_id=offer_id,
            same=not difference,
            difference=difference,
            inputs=len(stored.inputs),
            made_by=stored.code_version,
        )

    def _difference(self, stored: Offer) -> str:
        cited = Cited(self.facts, stored)
        gather = Gather(facts=cited, fields=self.fields, estimates=cited, catalogues=self.catalogues)
        evidence = gather(stored.application_id, as_of=stored.as_of)
        again = make_offer(evidence, as_of=stored.as_of, known_at=stored.known_at, code_version=stored.code_version)
        if canonical_bytes(again) == canonical_bytes(stored):
            return ""
        changed = first_difference(_plain(stored), _plain(again))
        refs = {(ref.kind, ref.id): ref.sha256 for ref in again.inputs}
        for ref in stored.inputs:
            if refs.get((ref.kind, ref.id)) != ref.sha256:
                return f"{ref.kind} {ref.id} is not what it was; {changed}"
        return changed


def first_difference(left: Any, right: Any, path: str = "offer") -> str:
    """Find the first value in which two plain trees differ; empty if there is none.

    Examples
    --------
    >>> first_difference({"a": [1, 2]}, {"a": [1, 3]})
    'offer.a[1]: 2 -> 3'
    """
    if isinstance(left, dict) and isinstance(right, dict) and left.keys() == right.keys():
        pairs = [(f"{path}.{key}", left[key], right[key]) for key in sorted(left, key=lambda key: (key == "id", key))]
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        pairs = [(f"{path}[{i}]", a, b) for i, (a, b) in enumerate(zip(left, right, strict=True))]
    else:
        return "" if left == right else f"{path}: {left} -> {right}"
    return next((found for where, a, b in pairs if (found := first_difference(a, b, where))), "")


def _plain(offer: Offer) -> Any:
    return msgspec.json.decode(canonical_bytes(offer))
