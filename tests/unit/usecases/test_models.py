"""The registry of models: what is listed, what may be put into use, and what is kept of it."""

from __future__ import annotations

import re
from copy import deepcopy
from functools import cache
from typing import Any

import pytest

from cropcredit.errors import MalformedInput, NotPermitted, RefusedInput, UnknownName
from cropcredit.model import Account, Promotion, Role
from cropcredit.usecases.models import ListModels, PromoteModel, what_changed
from tests.fakes import FakeAccounts
from tests.unit.usecases.test_train_yields import NOW, trainer
from tests.unit.usecases.yield_world import StillClock, World, label, past, world


def people(**active: bool) -> FakeAccounts:
    accounts = FakeAccounts()
    for name, is_active in active.items():
        accounts.save(Account(username=name, full_name=name, role=Role.OFFICER, branch="1", active=is_active), "")
    return accounts


def promoter(made: World, accounts: FakeAccounts | None = None) -> PromoteModel:
    return PromoteModel(models=made.models, accounts=accounts or people(), clock=StillClock())


@cache
def learned() -> dict[str, Any]:
    """Give what training stores of a crop whose index shows its yields; learned once for all tests."""
    made = world(*past(regions=3, years=range(2018, 2025)))
    return made.models.load(trainer(made)[0].model_id)


def gated(use: str, skill: float) -> dict[str, Any]:
    artefact = deepcopy(learned())
    for part in artefact["model"]["horizons"].values():
        part["gate"] |= {"use": use, "skill": skill}
    return artefact


def put(made: World, artefact: dict[str, Any]) -> str:
    model_id = made.models.save(artefact, "# card")
    made.models.promote(Promotion(crop=artefact["crop"], model_id=model_id, at=NOW, by="", reason="trained"))
    return model_id


def twice_trained() -> tuple[World, str, str]:
    made = world()
    first = put(made, learned())
    return made, first, put(made, learned() | {"labels": 22, "predecessor": first})


def test_training_promotes_by_itself_and_says_what_changed():
    made = world(*(label("T1", year, 4 + year % 3) for year in range(2010, 2020)))
    first = trainer(made)[0].model_id
    again = trainer(made)[0].model_id
    made.facts.add(label("T1", 2020, 5.0))
    second = trainer(made)[0].model_id

    one, two = made.models.promotions()

    assert again == first
    assert (one.crop, one.model_id, one.at, one.by) == ("winter_wheat", first, NOW, "")
    assert one.reason == "trained: labels 10, years 2010-2019, skill none (no index)"
    assert two.model_id == second
    assert two.reason == (
        "trained: labels 10 -> 11, years 2010-2019 -> 2010-2020, skill none (no index) -> none (no index)"
    )


def test_what_training_on_an_index_stores_tells_its_skill():
    assert re.fullmatch(r"trained: labels 21, years 2018-2024, skill \+0\.\d{3}", what_changed(learned(), None))


def test_the_list_says_what_is_in_use_and_how_good_it_is():
    made, first, second = twice_trained()

    one, two = ListModels(models=made.models)()

    assert [one.model_id, two.model_id] == [first, second]
    assert (one.in_use, two.in_use) == (False, True)
    assert (two.crop, two.years, two.labels, two.predecessor) == ("winter_wheat", (2018, 2024), 22, first)
    assert (two.parts, two.use, two.promoted_at) == (5, "model", NOW)
    assert 0 < two.skill_low < two.skill < two.skill_high


def test_a_model_that_was_never_in_use_is_listed_first_and_an_unknown_crop_is_named():
    made, first, second = twice_trained()
    never = made.models.save(made.models.load(first) | {"labels": 7}, "# never")

    listed = ListModels(models=made.models)("winter_wheat")

    assert [one.model_id for one in listed] == [never, first, second]
    assert (listed[0].promoted_at, listed[0].reason, listed[0].in_use) == (None, "", False)
    with pytest.raises(UnknownName, match="unknown crop with a model 'maize'; known: winter_wheat"):
        ListModels(models=made.models)("maize")


def test_an_earlier_model_is_put_back_into_use_by_the_beginning_of_its_id():
    made, first, second = twice_trained()

    done = promoter(made, people(li=True))(first[:12], reason=" the new label is doubtful ", by="li")

    assert done == Promotion(crop="winter_wheat", model_id=first, at=NOW, by="li", reason="the new label is doubtful")
    assert made.models.promoted("winter_wheat") == [first, second, first]
    assert made.models.promotions()[-1] == done
    assert [one.model_id for one in ListModels(models=made.models)() if one.in_use] == [first]


@pytest.mark.parametrize("by", ["nobody", "gone"])
def test_only_an_active_account_promotes(by):
    made, first, _ = twice_trained()

    with pytest.raises(NotPermitted, match=f"there is no active account '{by}'"):
        promoter(made, people(gone=False))(first, reason="why", by=by)
    assert len(made.models.promotions()) == 2


def test_a_promotion_without_a_reason_or_of_what_is_in_use_is_refused():
    made, first, second = twice_trained()

    with pytest.raises(MalformedInput, match="a promotion needs a reason; say why: --reason TEXT"):
        promoter(made)(first, reason="  ")
    with pytest.raises(RefusedInput, match=f"model {second[:12]} is in use for 'winter_wheat' already"):
        promoter(made)(second, reason="why")


def test_an_unknown_id_names_the_known_ones():
    made, first, second = twice_trained()
    shown = ", ".join(sorted([first[:12], second[:12]]))

    for name in ("nope", ""):
        with pytest.raises(UnknownName, match=f"unknown model '{name}'; known: {shown}"):
            promoter(made)(name, reason="why")


def test_an_id_begun_too_short_names_those_it_may_mean():
    made = world()
    for number in range(400):  # sixteen digits to begin with: some begin alike
        made.models.save({"crop": "maize", "number": number}, "")

    with pytest.raises(UnknownName, match=r"unknown model, several begin so: 'a'; known: (a\w{11}, ){10}and \d+ more"):
        promoter(made)("a", reason="why")


def test_a_model_whose_gate_refused_is_refused_in_one_line():
    made, *_ = twice_trained()
    refused = made.models.save(gated("trend", -0.05), "# card")

    with pytest.raises(
        RefusedInput, match=rf"^the gate refused model {refused[:12]}: .* its skill over the \w+ is -0.050"
    ):
        promoter(made)(refused, reason="I like it")
    assert len(made.models.promotions()) == 2


def test_baselines_alone_have_nothing_to_refuse():
    made = world(*(label("T1", year, 4 + year % 3) for year in range(2010, 2020)))
    first = trainer(made)[0].model_id
    made.facts.add(label("T1", 2020, 5.0))
    trainer(made)

    promoter(made)(first, reason="the last year is preliminary")

    assert made.models.current("winter_wheat") == first


def test_a_form_that_is_no_longer_read_is_refused():
    made, first, _ = twice_trained()
    artefact: dict[str, Any] = made.models.load(first)
    old = made.models.save(artefact | {"model": {"horizons": artefact["model"]["horizons"]}}, "")

    with pytest.raises(RefusedInput, match=f"model {old[:12]} has a form that is no longer read; train it again"):
        promoter(made)(old, reason="why")


def test_what_did_not_change_is_not_told_twice():
    part = {"gate": {"use": "trend", "skill": -0.05}}
    one = {"labels": 40, "years": [2003, 2019], "model": {"horizons": {"0": part, "6": part}}}

    assert what_changed(one, None) == "trained: labels 40, years 2003-2019, skill -0.050"
    assert what_changed(one, one) == "trained: labels 40, years 2003-2019, skill -0.050 -> -0.050"


def test_the_card_tells_how_many_competed_and_how_good_the_interval_is():
    made = world(*(label(f"T{t}", year, 4 + t + year % 3) for t in (1, 2) for year in range(2010, 2020)))

    _, card = made.models.artefacts[trainer(made)[0].model_id]
    header, line = (
        row.split("|") for row in card.splitlines() if row.startswith(("| season seen", "| before | average"))
    )

    assert "(0 candidates;" in card
    row = dict(zip((name.strip() for name in header), (cell.strip() for cell in line), strict=True))
    assert float(row["interval score"]) >= float(row["width t/ha"]) > 0
    assert float(row["r anomaly"]) < 0  # the average of the other years errs against the year that is left out
