"""A workspace on disk, as an entry point opens it, and the command line in this process."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest

from cropcredit.bootstrap import App, build
from cropcredit.cli import main
from cropcredit.config import Settings
from cropcredit.model import FieldObservations
from cropcredit.usecases.import_fields import FieldForm
from cropcredit.usecases.refresh_ndvi import NdviRun


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


@pytest.fixture
def draw(workspace: App, tmp_path: Path) -> Callable[..., None]:
    """Give a function that imports fields, known since long ago: ``draw(f1=polygon, crs=…, crop=[…])``."""

    def importing(*, crs: str = "EPSG:4326", crop: Sequence[str] = (), **shapes: Any) -> None:
        path = tmp_path / "fields.gpkg"
        rows = {"id": list(shapes), "crop": list(crop) or [""] * len(shapes)}
        gpd.GeoDataFrame(rows, geometry=list(shapes.values()), crs=crs).to_file(path)
        form = FieldForm(crop_column="crop", known_at=datetime(1985, 1, 1, tzinfo=UTC))
        assert workspace.import_fields(str(path), form).refused == ()

    return importing


@dataclass(frozen=True)
class Seen:
    """What one scene told of one field."""

    mean: float
    clear: float
    pixels: float
    data: float


@pytest.fixture
def measure(workspace: App) -> Callable[..., tuple[NdviRun, list[dict[str, Seen]]]]:
    """Give a function that runs over all scenes known at the end of 2030 and reads the means: per scene, by field."""

    def measuring(
        index: str = "NDVI", *, as_of: datetime = datetime(2030, 12, 31, tzinfo=UTC), **options: Any
    ) -> tuple[NdviRun, list[dict[str, Seen]]]:
        run = workspace.refresh_ndvi(as_of=as_of, **options)
        return run, [_by_field(seen) for seen in workspace.refresh_ndvi.observations.read(run.units, index=index)]

    return measuring


def _by_field(seen: FieldObservations) -> dict[str, Seen]:
    numbers = np.column_stack([seen.mean, seen.clear_fraction, seen.covered_pixels, seen.data_fraction]).tolist()
    return {str(name): Seen(*row) for name, row in zip(seen.field_ids, numbers, strict=True)}
