"""stores list, as an officer types it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cropcredit.bootstrap import build
from cropcredit.cli import app
from cropcredit.config import Settings
from cropcredit.errors import UnknownRecord
from cropcredit.model import GrainLot, Party, PartyKind

THEN = datetime(2026, 7, 1, tzinfo=UTC)


def run(*words: str, home: Path) -> Result:
    return CliRunner().invoke(app, ["stores", "list", *words, "--home", str(home)])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "desk"
    assert CliRunner().invoke(app, ["init", "--home", str(folder)]).exit_code == 0
    build(Settings.load(folder)).facts.add(
        Party(id="li", known_at=THEN, kind=PartyKind.HOUSEHOLD, name="Li", branch="north"),
        GrainLot(id="l", known_at=THEN, store_id="s", party_id="wang", crop="maize", harvest_year=2026),
    )
    return folder


def test_an_owner_whom_nobody_knows_is_refused_and_one_without_lots_is_said_so(home: Path):
    refused = run("--party", "nobody", home=home)
    assert isinstance(refused.exception, UnknownRecord)
    assert refused.exception.record_id == "nobody"
    assert "li has no lots" in run("--party", "li", home=home).stdout
    assert "wang" in run("--party", "wang", home=home).stdout
