"""One small workspace, built once and copied for each test, because tests decide cases in it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders import desk_workspace


@pytest.fixture(scope="session")
def _pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("desk") / "workspace"
    desk_workspace(home)
    return home


@pytest.fixture
def workspace(_pristine: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(_pristine, tmp_path / "workspace"))


@pytest.fixture(autouse=True)
def _own_main() -> Iterator[None]:
    """AppTest makes the page the main module; a process spawned by a later test would run the page again."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main
