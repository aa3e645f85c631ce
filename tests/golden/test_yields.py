"""Yield validation on official yields: statistics with provenance and tolerance."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cropcredit.adapters.catalogues import TomlCatalogues
from cropcredit.adapters.tables import CsvTables
from cropcredit.adapters.yield_folders import YieldFolders
from cropcredit.config import data_dir
from cropcredit.usecases.import_records import ImportRecords
from cropcredit.usecases.train_yields import Judged, ReadYields, Trial, ValidateYields, YieldFiles
from tests.fakes import FakeFacts
from tests.unit.usecases.yield_world import StillClock

GOLDEN = json.loads(Path(__file__).with_name("yields.json").read_text("utf-8"))

pytestmark = pytest.mark.real_data


def judge(folder: Path, trial: Trial, mapping: str = "cybench") -> Judged:
    facts, catalogues = FakeFacts(), TomlCatalogues(data_dir() / "catalogues")
    importer = ImportRecords(
        facts=facts, tables=CsvTables(), catalogues=catalogues, clock=StillClock(), zone="UTC", identity_key=b"k"
    )
    archive = YieldFolders(mappings=data_dir() / "catalogues" / "mappings", catalogues=catalogues)
    read = ReadYields(importer=importer, archive=archive)
    validate = ValidateYields(facts=facts, catalogues=catalogues, read=read)
    return validate(YieldFiles(labels=folder, mapping=mapping), trial)[0]


@pytest.mark.parametrize("name", ["es-wheat", "nl-wheat"])
def test_left_out_years_score_as_they_did(real_data, name):
    expected, tolerance = GOLDEN[name], GOLDEN["tolerance"]
    first, last = expected["years"]

    judged = judge(real_data / "yields" / name, Trial(years=(first, last)))

    suspects = [[s.label.region, s.label.harvest_year, s.rule] for s in judged.data.suspects]
    assert suspects == expected["left_out"]
    assert len(judged.validation.t_ha) == expected["labels"]
    assert judged.gate.use == expected["use"]
    table = judged.data.table
    seen = np.isfinite(table.parts[table.year == last]).all(axis=1)
    assert seen.mean() > 0.9, "the last season is looked at to its end"
    for method, numbers in expected["scores"].items():
        scores = judged.validation.scores(method)
        for score, value in numbers.items():
            assert getattr(scores, score) == pytest.approx(value, abs=tolerance[score]), (method, score)
