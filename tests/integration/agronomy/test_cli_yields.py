"""yield train, validate and run, as an agronomist types them."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from cropcredit.cli import app
from cropcredit.errors import EmptyInput, MalformedInput, RefusedInput


@pytest.fixture
def home(tmp_path):
    assert run("init", "--home", tmp_path / "bank").exit_code == 0
    return tmp_path / "bank"


@pytest.fixture
def labels(tmp_path):
    file = tmp_path / "yields.csv"
    rows = [f"winter_wheat,T{t},{2014 + y},{5 + t + (y * 7 % 5) / 10}" for t in (1, 2) for y in range(8)]
    file.write_text("\n".join(["crop,region,harvest_year,t_ha", *rows, "winter_wheat,T1,2022,50"]) + "\n", "utf-8")
    return file


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_validate_prints_the_table_and_what_was_left_out(home, labels):
    done = run("yield", "validate", "--home", home, "--labels", labels)

    assert done.exit_code == 0
    assert "average" in done.stdout
    assert "trend" in done.stdout
    assert "No index shows enough seasons of the regions to learn from: baselines alone." in done.stdout
    assert "left out: T1 2022: times_ten" in done.stdout


@pytest.mark.parametrize("verb", ["train", "validate"])
def test_a_suspect_yield_that_is_right_can_be_kept(home, labels, verb):
    words = ("yield", verb, "--home", home, "--labels", labels, *(["--lag-days", 0] if verb == "train" else []))

    left_out = run(*words)
    kept = run(*words, "--keep", "T1:2022")

    assert "left out: T1 2022: times_ten, 50 t/ha is" in left_out.stdout
    assert "It would be 5 t/ha." in left_out.stdout
    assert "left out: T1" not in kept.stdout
    with pytest.raises(MalformedInput, match="--keep '2022' names no label; write REGION:YEAR"):
        CliRunner().invoke(app, [str(w) for w in (*words, "--keep", "2022")], catch_exceptions=False)


def test_more_than_ten_suspects_of_one_rule_are_counted(home, labels):
    zeros = [f"winter_wheat,T3,{2005 + y},0" for y in range(12)]
    labels.write_text(labels.read_text("utf-8") + "\n".join(zeros) + "\n", "utf-8")

    told = run("yield", "validate", "--home", home, "--labels", labels).stdout

    assert told.count("zero_yield") == 11
    assert "left out: … and 2 more of zero_yield; --json lists them all" in told


def test_validate_as_json_carries_scores_and_gate(home, labels):
    words = ("yield", "validate", "--home", home, "--labels", labels, "--from", 2014, "--to", 2020, "--json")
    told = json.loads(run(*words).stdout)[0]

    assert told["years"] == list(range(2014, 2021))
    assert set(told["scores"]) == {"average", "trend"}
    assert told["gate"]["use"] in told["scores"]


def test_train_stores_and_a_second_training_needs_no_file(home, labels):
    first = json.loads(run("yield", "train", "--home", home, "--labels", labels, "--lag-days", 0, "--json").stdout)
    second = json.loads(run("yield", "train", "--home", home, "--json").stdout)

    assert first[0]["model_id"] == second[0]["model_id"]
    assert (home / "models" / f"{first[0]['model_id']}.md").is_file()
    assert "model" in run("yield", "train", "--home", home).stdout


def test_what_cannot_be_done_is_refused_in_words(home, labels, tmp_path):
    assert isinstance(run("yield", "run", "--home", home).exception, EmptyInput)
    assert isinstance(run("yield", "train", "--home", home).exception, EmptyInput)
    assert isinstance(
        run("yield", "validate", "--home", home, "--labels", labels, "--from", 2020, "--to", 2010).exception,
        MalformedInput,
    )
    few = tmp_path / "few.csv"
    few.write_text("crop,region,harvest_year,t_ha\nwinter_wheat,T1,2020,5\n", "utf-8")
    refused = run("yield", "validate", "--home", home, "--labels", few).exception
    assert isinstance(refused, RefusedInput)
    assert "1 harvest year(s) of 'winter_wheat'" in str(refused)


def test_a_report_is_written_per_crop_and_again_with_the_same_bytes(home, labels, tmp_path):
    words = ("yield", "validate", "--home", home, "--labels", labels, "--report")

    told = run(*words, tmp_path / "one").stdout
    plain = json.loads(run(*words, tmp_path / "two", "--json").stdout)[0]

    assert "winter_wheat: No index shows enough seasons, no model: the " in told
    assert str(tmp_path / "one" / "winter_wheat.html") in told
    for suffix in ("md", "html", "json"):
        first, second = ((tmp_path / name / f"winter_wheat.{suffix}").read_bytes() for name in ("one", "two"))
        assert first == second
    assert [trial["scheme"] for trial in plain["trials"]] == ["years", "forward", "regions"]
    assert {"Winter wheat", "冬小麦"} == set(json.loads(first)["name"].values())
    assert json.loads(first)["data"]["left_out_by_rule"] == {"times_ten": 1}


@pytest.mark.parametrize("more", [("--scheme", "forward"), ("--parts", 3), ("--until", "05-01")])
def test_a_report_runs_everything_and_takes_no_choice(home, labels, tmp_path, more):
    refused = run("yield", "validate", "--home", home, "--labels", labels, "--report", tmp_path / "r", *more).exception

    assert isinstance(refused, MalformedInput)
    assert "--report runs every scheme and horizon; leave --scheme, --parts and --until out" in str(refused)
    assert not (tmp_path / "r").exists()


def test_a_scheme_with_too_few_years_is_refused_in_words(home, tmp_path):
    file = tmp_path / "five.csv"
    rows = [f"winter_wheat,T1,{2014 + y},{5 + y / 10}" for y in range(5)]
    file.write_text("\n".join(["crop,region,harvest_year,t_ha", *rows]) + "\n", "utf-8")

    refused = run("yield", "validate", "--home", home, "--labels", file, "--scheme", "forward").exception

    assert isinstance(refused, RefusedInput)
    assert "too few years or regions of 'winter_wheat' to judge by scheme 'forward'" in str(refused)
