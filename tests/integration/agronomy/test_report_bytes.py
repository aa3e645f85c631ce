"""The report on a crop with a model: the same bytes each time, wherever its validations were made."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

from cropcredit.adapters.yield_pages import write_report
from cropcredit.agronomy import models
from cropcredit.usecases.train_yields import ReadYields, ValidateYields, YieldFiles
from cropcredit.usecases.yield_report import ReportYields
from tests.fakes import FakeCatalogues, FakeFacts
from tests.unit.usecases.yield_world import past


def elsewhere(work, jobs):
    """As other processes do: what goes there and comes back is copied, and the last may be the first."""
    return [pickle.loads(pickle.dumps(work(pickle.loads(pickle.dumps(job))))) for job in reversed(jobs)]  # noqa: S301


def report(folder: Path, **options) -> dict[str, bytes]:
    facts, catalogues = FakeFacts(*past(3, range(2018, 2023))), FakeCatalogues()
    read = ReadYields(importer=None, archive=None)  # type: ignore[arg-type] # no file is read
    validate = ValidateYields(facts=facts, catalogues=catalogues, read=read)
    ReportYields(validate=validate, catalogues=catalogues, write=write_report)(YieldFiles(), folder, **options)
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_a_report_with_a_model_has_the_same_bytes_wherever_it_was_made(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "CANDIDATES", models.CANDIDATES[:3])  # some of each kind would only take longer
    first = report(tmp_path / "first")
    again = report(tmp_path / "again", spread=elsewhere)

    told = json.loads(first["winter_wheat.json"])
    assert {trial["shown"] for trial in told["trials"]} == {"model"}
    assert set(first) == {"winter_wheat.html", "winter_wheat.json", "winter_wheat.md"}
    assert first == again
