from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cropcredit.cli import app
from cropcredit.errors import MalformedInput, RefusedInput

ADD = ["users", "add", "li.na", "--role", "officer", "--name", "李娜", "--branch", "3702", "--password-stdin"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    assert run("init", "--home", str(tmp_path / "desk")).exit_code == 0
    return tmp_path / "desk"


def run(*words: str, typed: str = ""):
    return CliRunner().invoke(app, words, input=typed)


def test_an_added_account_is_listed_without_its_password(home: Path) -> None:
    assert run(*ADD, "--home", str(home), typed="a-quiet-meadow\n").exit_code == 0
    listed = run("users", "list", "--json", "--home", str(home)).stdout
    assert json.loads(listed)[0] | {"full_name": "李娜", "branch": "3702", "role": "officer"} == json.loads(listed)[0]
    assert "meadow" not in listed
    assert "argon2" not in listed
    assert "李娜" in run("users", "list", "--home", str(home)).stdout


def test_the_password_is_asked_for_twice(home: Path) -> None:
    outcome = run(*ADD[:-1], "--home", str(home), typed="a-quiet-meadow\na-quiet-meadow\n")
    assert outcome.exit_code == 0
    assert "meadow" not in outcome.stdout


def test_a_short_password_is_refused(home: Path) -> None:
    refused = run(*ADD, "--home", str(home), typed="short\n").exception
    assert isinstance(refused, MalformedInput)
    assert "li.na: the password is refused" in str(refused)


def test_a_language_without_texts_is_refused(home: Path) -> None:
    refused = run(*ADD, "--home", str(home), "--language", "fr", typed="a-quiet-meadow\n").exception
    assert str(refused) == "--language: no texts in language 'fr'; zh or en"


def test_the_desk_does_not_open_on_a_folder_that_is_no_workspace(tmp_path: Path) -> None:
    refused = run("dashboard", "--home", str(tmp_path)).exception
    assert isinstance(refused, RefusedInput)
    assert "is not a workspace" in str(refused)
