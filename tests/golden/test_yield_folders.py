"""Official yields of four folders, read by their mappings: how much there is, and what the label rules doubt."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from cropcredit.adapters.catalogues import TomlCatalogues
from cropcredit.adapters.yield_folders import YieldFolders
from cropcredit.agronomy.labels import sift
from cropcredit.config import data_dir
from cropcredit.model import CropCalendar, Record, RecordT, RegionSeries, YieldLabel

GOLDEN = json.loads(Path(__file__).with_suffix(".json").with_stem("yield_folders").read_text("utf-8"))
MAPPINGS = Path(__file__).parents[1] / "mappings"
FOLDERS = [name for name in GOLDEN if name != "provenance"]

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module", params=FOLDERS)
def folder(request, real_data):
    expected = GOLDEN[request.param]
    own = MAPPINGS / expected["mapping"]
    catalogues = data_dir() / "catalogues"
    reader = YieldFolders(mappings=catalogues / "mappings", catalogues=TomlCatalogues(catalogues))
    return expected, reader.read(real_data / "yields" / request.param, str(own) if own.exists() else own.name)


def of(kind: type[RecordT], records: list[Record]) -> list[RecordT]:
    return [record for record in records if isinstance(record, kind)]


def test_every_yield_look_and_calendar_is_there(folder):
    expected, records = folder
    labels, looks = of(YieldLabel, records), Counter[str]()
    for month in of(RegionSeries, records):
        looks[month.index] += len(month.days)

    assert {record.crop for record in records} == {expected["crop"]}
    assert len(labels) == expected["labels"]
    assert sum(label.t_ha == 0 for label in labels) == expected["zero"]
    assert sum(label.production_t is not None for label in labels) == expected["with_production"]
    assert sum(label.area_ha is not None for label in labels) == expected["with_production"]
    assert len(of(CropCalendar, records)) == expected["calendars"]
    assert looks == expected["looks"]


def test_the_label_rules_doubt_what_they_doubted(folder):
    expected, records = folder
    first, last = expected["years"]

    suspects = sift([label for label in of(YieldLabel, records) if first <= label.harvest_year <= last])[1]

    found = defaultdict(list)
    for suspect in suspects:
        found[suspect.rule].append(f"{suspect.label.region} {suspect.label.harvest_year}")
    assert found.keys() == expected["left_out"].keys()
    for rule, named in expected["left_out"].items():
        assert (len(found[rule]) if isinstance(named, int) else sorted(found[rule])) == named
