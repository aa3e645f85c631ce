from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cropcredit.cli import app
from cropcredit.errors import StateConflict, UnknownRecord


@pytest.fixture
def home(tmp_path: Path) -> Path:
    assert run("init", home=tmp_path / "desk").exit_code == 0
    return tmp_path / "desk"


def run(*words: str, home: Path) -> Result:
    return CliRunner().invoke(app, [*words, "--home", str(home)])


def test_a_network_servers_password_is_printed_once_and_its_rules_name_two_topics(home: Path) -> None:
    login = json.loads(run("devices", "bridge", "lora", "--json", home=home).stdout)
    assert (login["username"], len(login["password"])) == ("lora", 64)
    assert json.loads(run("devices", "bridge", "--json", home=home).stdout) == ["lora"]
    rules = (home / "broker" / "rules").read_text()
    assert rules.endswith("user lora\ntopic write application/#\ntopic write v3/#\n")
    kept = "".join(file.read_text() for file in (home / "broker").iterdir() if file.is_file())
    assert login["password"] not in kept
    assert isinstance(run("devices", "bridge", "lora", home=home).exception, StateConflict)
    again = run("devices", "bridge", "lora", "--rotate", home=home).stdout.split()
    assert again[:3] == ["username", "lora", "password"]
    assert again[3] != login["password"]


def test_what_was_let_in_is_shut_out_by_name(home: Path) -> None:
    run("devices", "bridge", "lora", home=home)
    assert run("devices", "bridge", "lora", "--end", home=home).stdout == "lora may log in no more\n"
    assert "lora" not in (home / "broker" / "rules").read_text() + (home / "broker" / "passwords").read_text()
    assert isinstance(run("devices", "bridge", "lora", "--end", home=home).exception, UnknownRecord)


def test_no_device_loses_its_login_to_a_network_server(home: Path) -> None:
    run("devices", "add", "probe-1", home=home)
    assert isinstance(run("devices", "bridge", "probe-1", home=home).exception, StateConflict)
