"""Which stored models there are, which one is in use, and how another is put into use: `models` and `promote`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cropcredit.agronomy.crop_model import CropModel
from cropcredit.agronomy.validation import MODEL
from cropcredit.errors import MalformedInput, NotPermitted, RefusedInput, UnknownName
from cropcredit.model import Promotion
from cropcredit.ports import AccountStore, Clock, ModelStore

SHORT = 12
"""Digits of an id that are shown, and that are enough to name a model by."""
LISTED = 10
"""Ids that a refusal names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredModel:
    """One stored artefact, as the registry shows it."""

    model_id: str
    crop: str
    in_use: bool
    promoted_at: datetime | None
    """When it was last put into use; None if never, or where an old store did not keep it."""
    promoted_by: str
    reason: str
    years: tuple[int, int]
    """First and last harvest year it learned from."""
    labels: int
    parts: int
    """Sixths of the season after which its fullest model is tried; 0 where there was no index."""
    use: str
    """What answers then: ``model``, or a baseline."""
    skill: float
    """Skill of that model over the best baseline on left-out years; 0 where none was tried."""
    skill_low: float
    skill_high: float
    predecessor: str | None
    known_by: str
    """Latest instant at which anything it learned from became known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListModels:
    """List what the model store holds."""

    models: ModelStore

    def __call__(self, crop: str = "") -> list[StoredModel]:
        """List the models of one crop, or of all, by crop and in the order in which they were last put into use.

        Raises
        ------
        UnknownName
            If a crop is named that has no model.
        """
        promotions = self.models.promotions()
        last = {(one.crop, one.model_id): (place, one) for place, one in enumerate(promotions)}
        found = []
        for model_id in self.models.ids():
            artefact = self.models.load(model_id)
            place, promotion = last.get((artefact["crop"], model_id), (-1, None))
            in_use = self.models.current(artefact["crop"]) == model_id
            found.append((artefact["crop"], place, _stored(model_id, artefact, promotion, in_use=in_use)))
        crops = tuple(sorted({name for name, _, _ in found}))
        if crop and crop not in crops:
            raise UnknownName("crop with a model", crop, crops)
        return [one for name, _, one in sorted(found, key=lambda row: row[:2]) if crop in ("", name)]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromoteModel:
    """Put an earlier or another stored model into use."""

    models: ModelStore
    accounts: AccountStore
    clock: Clock

    def __call__(self, model_id: str, *, reason: str, by: str = "") -> Promotion:
        """Put a model into use for its crop; who, when and why is kept for good.

        Parameters
        ----------
        model_id : str
            Its id, or the beginning of it where only one model's id begins so.
        reason : str
        by : str
            Username of the person; nobody is named without it.

        Raises
        ------
        UnknownName
            If there is no such model.
        NotPermitted
            If there is no such account, or it is not active.
        MalformedInput
            If there is no reason.
        RefusedInput
            If the model is in use already, cannot be read any more, or its gate kept everything it learned out.
        """
        if not reason.strip():
            raise MalformedInput("a promotion needs a reason", cure="say why: --reason TEXT")
        if by:
            account = self.accounts.find(by)
            if account is None or not account[0].active:
                raise NotPermitted(f"there is no active account {by!r}")
        found = self._named(model_id)
        artefact = self.models.load(found)
        crop = artefact["crop"]
        if self.models.current(crop) == found:
            raise RefusedInput(f"model {found[:SHORT]} is in use for {crop!r} already")
        _refuse_unfit(found, artefact)
        promotion = Promotion(crop=crop, model_id=found, at=self.clock.now(), by=by, reason=reason.strip())
        self.models.promote(promotion)
        return promotion

    def _named(self, model_id: str) -> str:
        ids = self.models.ids()
        meant = [known for known in ids if model_id and known.startswith(model_id)]
        if len(meant) == 1:
            return meant[0]
        shown = tuple(known[:SHORT] for known in (meant or ids))
        more = (f"and {len(shown) - LISTED} more",) if len(shown) > LISTED else ()
        raise UnknownName("model" if not meant else "model, several begin so:", model_id, shown[:LISTED] + more)


def model_as_of(models: ModelStore, crop: str, as_of: datetime) -> tuple[str, dict[str, Any]] | None:
    """Give the model that answers for an instant, and its artefact; whatever is put into use later changes nothing.

    Of the models that learned from nothing later: the last one put into use by then, or, where there was none yet,
    the first one put into use after it.
    """
    later = None
    for promotion in reversed([one for one in models.promotions() if one.crop == crop]):
        artefact = models.load(promotion.model_id)
        if datetime.fromisoformat(artefact["known_by"]) > as_of:
            continue
        if promotion.at is None or promotion.at <= as_of:
            return promotion.model_id, artefact
        later = promotion.model_id, artefact
    return later


def what_changed(artefact: Mapping[str, Any], before: Mapping[str, Any] | None) -> str:
    """Say why training put an artefact into use: what it learned from and how well, against the one before it.

    Examples
    --------
    >>> part = {"gate": {"use": "model", "skill": 0.2, "skill_low": 0.1, "skill_high": 0.3}}
    >>> old = {"labels": 40, "years": [2003, 2019], "model": {"horizons": {"6": part}}}
    >>> what_changed(old | {"labels": 44, "years": [2003, 2020]}, old)
    'trained: labels 40 -> 44, years 2003-2019 -> 2003-2020, skill +0.200 -> +0.200'
    """
    facts = {"labels": _labels, "years": _span, "skill": _skill}
    words = []
    for name, tell in facts.items():
        now, then = tell(artefact), tell(before) if before else ""
        words.append(f"{name} {then} -> {now}" if then and (then != now or name == "skill") else f"{name} {now}")
    return "trained: " + ", ".join(words)


def _labels(artefact: Mapping[str, Any]) -> str:
    return str(artefact["labels"])


def _span(artefact: Mapping[str, Any]) -> str:
    return f"{artefact['years'][0]}-{artefact['years'][-1]}"


def _skill(artefact: Mapping[str, Any]) -> str:
    parts, gate = _fullest(artefact)
    return f"{gate['skill']:+.3f}" if parts else "none (no index)"


def _fullest(artefact: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
    """Give the parts of the season after which its fullest model is tried, and the gate's word on it."""
    horizons = {int(parts): horizon["gate"] for parts, horizon in artefact["model"]["horizons"].items()}
    return max(horizons.items())


def _stored(model_id: str, artefact: Mapping[str, Any], promotion: Promotion | None, *, in_use: bool) -> StoredModel:
    parts, gate = _fullest(artefact)
    return StoredModel(
        model_id=model_id,
        crop=artefact["crop"],
        in_use=in_use,
        promoted_at=promotion.at if promotion else None,
        promoted_by=promotion.by if promotion else "",
        reason=promotion.reason if promotion else "",
        years=(artefact["years"][0], artefact["years"][-1]),
        labels=artefact["labels"],
        parts=parts,
        use=gate["use"],
        skill=gate["skill"],
        skill_low=gate["skill_low"],
        skill_high=gate["skill_high"],
        predecessor=artefact["predecessor"],
        known_by=artefact["known_by"],
    )


def _refuse_unfit(model_id: str, artefact: Mapping[str, Any]) -> None:
    """Refuse what cannot be read back, and what the gate kept out whenever it was tried."""
    try:
        model = CropModel.from_json(artefact["model"])
    except (KeyError, TypeError, ValueError) as error:
        raise RefusedInput(
            f"model {model_id[:SHORT]} has a form that is no longer read", cure="train it again: yield train"
        ) from error
    tried = [part.gate for parts, part in model.horizons.items() if parts]
    if tried and all(gate.use != MODEL for gate in tried):
        best = max(tried, key=lambda gate: gate.skill)
        raise RefusedInput(
            f"the gate refused model {model_id[:SHORT]}: on left-out years its skill over the {best.baseline} is "
            f"{best.skill:+.3f} (90 % range {best.skill_low:+.3f} to {best.skill_high:+.3f})",
            cure="keep the one in use, or train with more years",
        )
