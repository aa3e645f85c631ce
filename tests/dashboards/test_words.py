from __future__ import annotations

import inspect
import re
from string import Formatter

import pytest

from cropcredit.agronomy.curve_tests import TESTS
from cropcredit.cli.stores import WORDS as GRAIN_ALARMS
from cropcredit.credit import reasons as credit_reasons
from cropcredit.model import Outcome, PartyKind, Role, Step
from cropcredit.telemetry.evidence import COSTS, Grade
from cropcredit.usecases import estimate_yield, field_events, verify_crops
from cropcredit.usecases.decide import REASONS
from cropcredit.usecases.quarantine import REASONS as REFUSALS
from cropcredit.usecases.workflow import NextStep, Stage
from dashboards.words import LANGUAGES, Words, catalogue, plain
from tests import lending

GRADE_REASONS = [
    *("unsigned", "broker_durable", "case_open", "missing", "silent_days", "too_few"),
    *("clock_free", "clock_none", "clock_wrong"),
    *COSTS,
]
"""As documented at ``GradeReason.code``."""
REASON_CALL = re.compile(r'code="(\w+)"')
CHANGE_CALL = re.compile(r'change="(\w+)"')
BOTH = pytest.mark.parametrize("language", list(LANGUAGES))


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_both_languages_have_the_same_texts() -> None:
    assert catalogue("zh").keys() == catalogue("en").keys()


@pytest.mark.parametrize("key", sorted(catalogue("en")))
def test_both_languages_name_the_same_facts(key: str) -> None:
    assert placeholders(catalogue("zh")[key]) == placeholders(catalogue("en")[key])


@BOTH
def test_no_text_is_empty(language: str) -> None:
    assert [key for key, text in catalogue(language).items() if not text.strip()] == []


def test_the_chinese_texts_are_chinese() -> None:
    latin = {key for key, text in catalogue("zh").items() if not re.search(r"[\u4e00-\u9fff]", text)}
    assert latin == {"desk.none", "desk.list", "sensors.at", "decision.line", "cash.season", "unit.Cel"}


@BOTH
@pytest.mark.parametrize(
    ("group", "codes"),
    [
        pytest.param("stage", list(Stage), id="stages"),
        pytest.param("stage_help", list(Stage), id="stages explained"),
        pytest.param("role", list(Role), id="roles"),
        pytest.param("party_kind", list(PartyKind), id="kinds of party"),
        pytest.param("outcome", list(Outcome), id="outcomes"),
        pytest.param("step", list(Step), id="steps taken"),
        pytest.param("decision", [NextStep.RECOMMEND, NextStep.APPROVE, NextStep.RETURN], id="steps to take"),
        pytest.param("decision_reason", [code for codes in REASONS.values() for code in codes], id="reasons of people"),
        pytest.param("rule.name", list(credit_reasons.BINDING), id="rules"),
        pytest.param("rule.says", list(credit_reasons.BINDING), id="rules that bind"),
        pytest.param("reason", [code for code, _ in credit_reasons.BINDING.values()], id="reasons of rules"),
        pytest.param("change", [change for _, change in credit_reasons.BINDING.values()], id="what changes a rule"),
        pytest.param("scenario", [stress.name for stress in lending.policy().stresses], id="stresses"),
        pytest.param("blocked", ["role", "branch", "own_recommendation", "tier"], id="why a step is not mine"),
        pytest.param("grade", list(Grade), id="grades"),
        pytest.param("grade_reason", GRADE_REASONS, id="reasons of grades"),
        pytest.param("refusal", REFUSALS, id="refusals"),
        pytest.param("refusal_cure", REFUSALS, id="what to do about refusals"),
        pytest.param("grain_alarm", list(GRAIN_ALARMS), id="alarms of stored grain"),
        pytest.param("price.part", ["funding", "capital", "operating", "expected_loss"], id="parts of the price"),
        pytest.param("yield_baseline", ["average", "trend"], id="baselines"),
        pytest.param("verification", ["conform", "not_conform", "not_assessed"], id="is the crop there"),
    ],
)
def test_every_code_that_data_can_bring_has_a_text(language: str, group: str, codes: list[str]) -> None:
    words = Words(language)
    assert [code for code in codes if not words.knows(group, code)] == []


@BOTH
def test_every_reason_that_the_sizing_writes_has_a_text(language: str) -> None:
    source = inspect.getsource(credit_reasons)
    words = Words(language)
    assert [code for code in REASON_CALL.findall(source) if not words.knows("reason", code)] == []
    assert [code for code in CHANGE_CALL.findall(source) if not words.knows("change", code)] == []


@BOTH
def test_every_reason_of_an_estimate_has_a_text(language: str) -> None:
    said = f"{estimate_yield.__doc__}\n{verify_crops.__doc__}\n{field_events.__doc__}"
    documented = re.findall(r"^``(\w+)``", said, re.MULTILINE)
    assert {"mixed_pixel", "greenhouse", "flood", *TESTS} <= set(documented)
    told_by_the_skill = {"model_no_skill"}
    words = Words(language)
    assert [c for c in documented if c not in told_by_the_skill and not words.knows("estimate_reason", c)] == []


def test_a_code_without_a_text_is_shown_not_hidden() -> None:
    assert Words("en").code("reason", "moon_too_bright") == "moon too bright"


def test_a_fact_that_is_missing_leaves_a_visible_gap() -> None:
    assert "[cash?]" in Words("en").code("rule.says", "stress", amount="CNY 1", scenario="drought")


def test_a_key_that_does_not_exist_is_our_own_mistake() -> None:
    with pytest.raises(KeyError, match=r"queue\.nonsense"):
        Words("en")("queue.nonsense")


def test_a_name_is_shown_as_it_was_written() -> None:
    assert plain("*Li* [x](http://y)") == r"\*Li\* \[x\]\(http\://y\)"


def test_a_fact_that_is_empty_leaves_no_blank_behind():
    said = Words("en").code("finding", "value", quantity="Stored weight", channel="", value="4,358 kg")
    assert said == "Stored weight: 4,358 kg"
    assert Words("en").code("finding", "value", quantity="Moisture", channel="p1", value="13 %") == "Moisture p1: 13 %"
