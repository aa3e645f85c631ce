"""yield models and yield promote, as a person types them."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from cropcredit.cli import app
from cropcredit.errors import NotPermitted, UnknownName


def run(*words, typed: str = ""):
    return CliRunner().invoke(app, [str(word) for word in words], input=typed)


@pytest.fixture
def home(tmp_path):
    home = tmp_path / "bank"
    assert run("init", "--home", home).exit_code == 0
    file = tmp_path / "yields.csv"
    rows = [f"winter_wheat,T{t},{2014 + y},{5 + t + (y * 7 % 5) / 10}" for t in (1, 2) for y in range(8)]
    for last in (rows[:-1], rows):
        file.write_text("\n".join(["crop,region,harvest_year,t_ha", *last]) + "\n", "utf-8")
        assert run("yield", "train", "--home", home, "--labels", file, "--lag-days", 0).exit_code == 0
    return home


def listed(home):
    return json.loads(run("yield", "models", "--home", home, "--json").stdout)


def test_an_earlier_model_is_listed_and_put_back_into_use(home):
    first, second = listed(home)
    assert (first["labels"], second["labels"], second["predecessor"]) == (15, 16, first["model_id"])
    assert [first["in_use"], second["in_use"]] == [False, True]

    done = run("yield", "promote", first["model_id"][:12], "--home", home, "--reason", "the last label is preliminary")

    assert done.stdout == f"winter_wheat: model {first['model_id'][:12]} is in use\n"
    used = listed(home)[-1]
    assert (used["model_id"], used["in_use"]) == (first["model_id"], True)
    assert used["reason"] == "the last label is preliminary"
    table = run("yield", "models", "--home", home, "--crop", "winter_wheat").stdout
    assert "the last label is preliminary" in table
    assert "trained: labels 15 -> 16, years 2014-2021, skill none (no index)" in table


def test_who_promoted_is_kept(home):
    words = ("users", "add", "li.na", "--role", "officer", "--name", "Li Na", "--branch", "1", "--password-stdin")
    assert run(*words, "--home", home, typed="a-quiet-meadow\n").exit_code == 0
    name = listed(home)[0]["model_id"]

    told = run("yield", "promote", name, "--home", home, "--reason", "why", "--by", "li.na", "--json").stdout

    assert json.loads(told)["by"] == "li.na"
    assert listed(home)[-1]["promoted_by"] == "li.na"


def test_what_cannot_be_promoted_is_refused_in_one_line(home):
    unknown = run("yield", "promote", "nope", "--home", home, "--reason", "why").exception
    assert isinstance(unknown, UnknownName)
    assert all(one["model_id"][:12] in str(unknown) for one in listed(home))
    stranger = run("yield", "promote", listed(home)[0]["model_id"], "--home", home, "--reason", "why", "--by", "x")
    assert isinstance(stranger.exception, NotPermitted)


def test_an_empty_store_says_how_to_fill_it(tmp_path):
    run("init", "--home", tmp_path / "new")

    assert (
        "No model is stored; learn one: cropcredit yield train"
        in run("yield", "models", "--home", tmp_path / "new").stdout
    )
