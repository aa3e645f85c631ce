"""A workspace on disk, as an entry point opens it, and the command line in this process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from cropcredit.bootstrap import App, build
from cropcredit.cli import main
from cropcredit.config import Settings


@pytest.fixture
def workspace(tmp_path: Path) -> App:
    """Give an opened, empty workspace."""
    settings = Settings.checked(tmp_path / "bank", {"time_zone": "UTC"}, where="test")
    settings.save()
    return build(settings)


@dataclass(frozen=True)
class Said:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def cropcredit(
    workspace: App, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., Said]:
    """Give a function that runs one command on the workspace."""

    def run(*words: object) -> Said:
        capfd.readouterr()
        monkeypatch.setattr(sys, "argv", ["cropcredit", *map(str, words), "--home", str(workspace.settings.home)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capfd.readouterr()
        code = ended.value.code
        return Said(code if isinstance(code, int) else 0, said.out, said.err)

    return run
