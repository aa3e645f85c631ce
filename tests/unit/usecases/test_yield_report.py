"""The yield report: its numbers on a world judged by hand, its sentences, and what is run for it."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from cropcredit.agronomy.validation import FORWARD, REGIONS, YEARS
from cropcredit.errors import RefusedInput, UnknownName
from cropcredit.ports import Catalogues
from cropcredit.usecases.train_yields import ValidateYields, YieldFiles
from cropcredit.usecases.yield_report import Facts, ReportYields, data_plain, horizons_of, report_facts
from cropcredit.usecases.yield_report_text import markdown
from cropcredit.usecases.yield_report_words import at_fullest, decision
from tests.fakes import FakeCatalogues
from tests.unit.usecases.report_world import Judges, crop_data, facts, judged, keep


class NoCrops(FakeCatalogues):
    def crop(self, code: str):
        raise UnknownName("crop", code)


def report(judges: Judges, written: list[Facts], *, catalogues: Catalogues | None = None, **options: Any):
    use_case = ReportYields(
        validate=cast("ValidateYields", judges), catalogues=catalogues or FakeCatalogues(), write=keep(written)
    )
    return use_case(YieldFiles(), Path("out"), **options)


def test_the_numbers_of_a_world_judged_by_hand():
    trial = at_fullest(facts())

    assert trial is not None
    model, average = trial["scores"]["model"], trial["scores"]["average"]
    assert model["nrmse"] == 14.1421  # 100 sqrt(0.5) / 5
    assert average["nrmse"] == 28.2843
    assert model["mape"] == pytest.approx(100 * (0.125 * 2 + 0.5 / 6 * 2 + 0.5 + 0.125) / 6, abs=1e-4)
    assert model["r2"] == round(1 - 3 / 22, 4)
    assert model["coverage"] == round(4 / 6, 4)
    assert model["width_t_ha"] == 1.5
    assert model["interval_score"] == round(1.5 + 20 * 0.5 / 6, 4)  # two of six lie 0.25 t/ha outside
    assert trial["gate"] == {
        "use": "model", "baseline": "average", "skill": 0.5, "skill_low": 0.4123, "skill_high": 0.6
    }  # fmt: skip
    assert (trial["candidates"], trial["chosen"]) == (13, {"mixed model": 3})


def test_the_worst_year_is_named_with_the_baseline_beside_it():
    trial = at_fullest(facts())

    assert trial is not None
    worst = trial["worst"]
    assert (worst["year"], worst["labels"], worst["method"]) == (2003, 2, "model")
    assert (worst["nrmse"], worst["coverage"], worst["width_t_ha"], worst["baseline_nrmse"]) == (20.0, 0.0, 1.5, 40.0)
    assert [year["shown"]["coverage"] for year in trial["years"]] == [1.0, 1.0, 0.0]


def test_the_worst_year_is_that_of_what_is_used():
    worst = facts(passed=False)["trials"][0]["worst"]

    assert (worst["method"], worst["nrmse"], worst["coverage"]) == ("average", 40.0, 1.0)


def test_what_was_learned_from_and_left_out_is_told_by_rule():
    data = facts()["data"]

    assert (data["labels"], data["regions"], data["first"], data["last"], data["years"]) == (6, 2, 2001, 2003, 3)
    assert data["left_out_by_rule"] == {"times_ten": 1, "zero_yield": 1}
    assert data["left_out"][0]["corrected_t_ha"] == 5.0
    assert data["fingerprint"] == "f" * 64


def test_data_read_from_files_is_named_by_its_content_alone():
    told = [data_plain(crop_data(parts_seen), read=True) for parts_seen in (6, 6, 5)]

    assert told[0]["fingerprint"] == told[1]["fingerprint"] != told[2]["fingerprint"]
    assert told[0]["known_by"] is None
    assert "2 regions in 3 harvest years, 2001-2003, read from files." in markdown(facts() | {"data": told[0]})
    assert "2001-2003, all known by 2004-01-01T00:00:00+00:00." in markdown(facts())


def test_the_facts_are_plain_and_always_spelled_the_same():
    one, two = (json.dumps(facts(), allow_nan=False) for _ in range(2))

    assert one == two
    assert facts()["yields"][YEARS]["predicted"] == [4.5, 5.5, 4.5, 5.5, 3.0, 7.0]


@pytest.mark.parametrize(
    ("scheme", "passed", "index", "said"),
    [
        (YEARS, True, True, "The model is used: on yields it had not seen it errs 50.0 % less than the average (90 % "),
        (FORWARD, True, True, "The model would be used: on yields it had not seen it errs 50.0 % less"),
        (YEARS, False, True, "No skill, no model: the average is used. The model did not win for certain"),
        (REGIONS, False, True, "No skill, no model: the average would be used."),
        (YEARS, False, False, "No index shows enough seasons, no model: the average is used."),
    ],
)
def test_the_gate_speaks_in_one_plain_sentence(scheme, passed, index, said):
    told = facts(passed=passed, index=index)["trials"][0] | {"scheme": scheme}

    assert decision(told).startswith(said)


def test_a_model_that_errs_more_or_was_never_fitted_is_told():
    trial = facts(passed=False)["trials"][0]
    worse = {**trial, "gate": trial["gate"] | {"skill": -0.05}}

    assert "it errs 5.0 % more than the average (90 % range 10.0 % more to 60.0 % less)" in decision(worse)
    assert "(90 % range 41.2 % to 60.0 % less)" in facts()["trials"][0]["decision"]
    assert decision({**trial, "shown": "average"}) == "No model could be fitted: the average is used."


@pytest.mark.parametrize(
    ("passed", "index", "chinese"),
    [(True, True, "启用模型"), (False, True, "没有把握胜过平均值"), (False, False, "没有可用的模型")],
)
def test_the_summary_stands_on_top_in_both_languages(passed, index, chinese):
    told = facts(passed=passed, index=index)
    text = markdown(told)

    assert chinese in told["summary"]["zh"]
    assert "另有 2 条可疑数据按规则剔除" in told["summary"]["zh"]
    assert "(2 more are suspect and left out)" in told["summary"]["en"]
    assert text.index(told["summary"]["zh"]) < text.index(told["summary"]["en"]) < text.index("## Data")


def test_the_text_carries_every_figure_of_the_release_gate():
    text = markdown(facts())

    assert "| model | 14.1 | 17.4 | 0.86 |" in text
    assert "| 66.7 % | 1.50 | 3.17 | yes |" in text
    assert "| Each year left out | 6/6 | 14.1 | average 28.3 | +0.500 | +0.412 to +0.600 |" in text
    assert "13 candidates and their stack competed within the training years of each fold; chosen" in text
    assert "chosen (folds): mixed model (3)." in text
    assert (
        "Worst year of the model, which is used: 2003, nRMSE 20.0 % (average 40.0 %); its 90 % interval covered 0 % of "
        in text
    )
    assert "| times_ten | A | 2000 | 50 | 50 \\| is <ten> times 5 | 5 |" in text
    assert "Left out by rule: times_ten (1), zero_yield (1)." in text
    assert "Regions with yields but no index: 1 (C)." in text
    assert "Not run: too few regions." in text
    assert "Not judged, as no other yield of their region was to be learned from: 1." in text


def test_many_choices_are_counted_and_no_suspect_is_said():
    told = facts()
    told["data"] |= {"left_out": [], "left_out_by_rule": {}}
    for trial in told["trials"]:
        trial["chosen"] = {f"kind {number}": 1 for number in range(7)}

    text = markdown(told)

    assert "kind 4 (1) and 2 others." in text
    assert "No label was left out." in text


@pytest.mark.parametrize(("parts_seen", "horizons"), [(6, (3, 4, 6)), (5, (3, 4, 5)), (3, (3,)), (2, (2,)), (0, (0,))])
def test_horizons_are_those_the_index_shows(parts_seen, horizons):
    assert horizons_of(crop_data(parts_seen)) == horizons


def test_every_scheme_is_run_at_every_horizon_under_one_bar():
    judges = Judges(parts_seen=5)
    written: list[Facts] = []
    bars: list[tuple[str, int, int]] = []

    @contextmanager
    def bar(name, total):
        done: list[int] = []
        yield done.append
        bars.append((name, total, sum(done)))

    reported = report(judges, written, progress=bar)

    assert judges.asked == [(scheme, h) for scheme in (YEARS, FORWARD, REGIONS) for h in (3, 4, 5)]
    assert [(one.crop, one.files, one.facts) for one in reported] == [("winter_wheat", ("out/file",), written[0])]
    assert bars == [("winter_wheat: folds of 3 schemes at 3 horizons", 18, 18)]


def test_the_report_does_not_depend_on_which_validation_is_finished_first():
    written: list[Facts] = []

    report(Judges(), written)
    report(Judges(), written, spread=lambda work, jobs: map(work, reversed(jobs)))

    assert written[0] == written[1]
    assert [trial["parts"] for trial in written[1]["trials"]] == [3, 4, 6] * 3


def test_a_scheme_that_cannot_be_run_is_told_but_left_out_years_must_be():
    written: list[Facts] = []
    report(Judges(refuses=(FORWARD,)), written)

    assert written[0]["not_run"] == {FORWARD: "nothing to judge by forward"}
    assert at_fullest(written[0], FORWARD) is None
    with pytest.raises(RefusedInput, match="nothing to judge by years"):
        report(Judges(refuses=(YEARS,)), written)


def test_without_an_index_baselines_are_judged_once_and_a_crop_no_catalogue_knows_keeps_its_code():
    judges = Judges(parts_seen=0)
    written: list[Facts] = []

    report(judges, written, catalogues=NoCrops())

    assert judges.asked == [(YEARS, None), (FORWARD, None), (REGIONS, None)]
    assert written[0]["name"] == {"en": "winter_wheat", "zh": "winter_wheat"}


def test_an_r2_that_does_not_exist_is_none():
    one = judged()
    flat = one.validation.t_ha.copy()
    flat[:2] = 5.0
    object.__setattr__(one.validation, "t_ha", flat)

    told = report_facts(crop_data(), [one], {}, names=("x", "x"))

    assert told["trials"][0]["years"][0]["shown"]["r2"] is None
