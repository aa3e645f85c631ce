"""Folders of past yields, read as a data mapping says."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from cropcredit.adapters.catalogues import TomlCatalogues
from cropcredit.adapters.yield_folders import YieldFolders
from cropcredit.config import data_dir
from cropcredit.errors import EmptyInput, MalformedInput, MissingEvidence, RefusedInput, UnknownName
from cropcredit.model import CropCalendar, Record, RegionSeries, YieldLabel

CATALOGUES = data_dir() / "catalogues"


def write(folder: Path, name: str, *lines: str) -> None:
    (folder / name).write_text("\n".join(lines) + "\n", "utf-8")


def read(folder: Path, mapping: str = "cybench", crop: str = "", lag_days: int | None = None) -> list[Record]:
    reader = YieldFolders(mappings=CATALOGUES / "mappings", catalogues=TomlCatalogues(CATALOGUES))
    return reader.read(folder, mapping, crop=crop, lag_days=lag_days)


@pytest.fixture
def cybench(tmp_path):
    write(
        tmp_path,
        "yield_wheat_XX.csv",
        "crop_name,country_code,adm_id,harvest_year,yield,harvest_area,production",
        "winter_wheat,XX,XX1,2019,3.5,10,35",
        "winter_wheat,XX,XX1,2020,,10,",
        "winter_wheat,XX,XX1,2021,4,,",
    )
    write(
        tmp_path,
        "ndvi_wheat_XX.csv",
        "crop_name,adm_id,date,ndvi",
        "wheat,XX1,20200110,150",
        "wheat,XX1,20200102,100",
        "wheat,XX1,20200118,0",
        "wheat,XX1,20200203,170",
    )
    write(tmp_path, "fpar_wheat_XX.csv", "crop_name,adm_id,date,fpar", "wheat,XX1,20200101,33")
    write(tmp_path, "crop_calendar_wheat_XX.csv", "crop_name,adm_id,sos,eos", "wheat,XX1,322.6,176.2")
    return tmp_path


def test_labels_index_and_calendar_are_read(cybench):
    first, second, january, february, calendar = read(cybench)

    assert isinstance(first, YieldLabel)
    assert isinstance(second, YieldLabel)
    assert (first.crop, first.region, first.harvest_year, first.t_ha) == ("winter_wheat", "XX1", 2019, 3.5)
    assert (first.area_ha, first.production_t) == (10, 35)
    assert first.known_at.date() == date(2020, 12, 30)  # 365 days after the end of 2019, and 2020 has 366
    assert (second.harvest_year, second.area_ha, second.production_t) == (2021, None, None)
    assert isinstance(january, RegionSeries)
    assert january.days == (date(2020, 1, 2), date(2020, 1, 10))
    assert january.ndvi == pytest.approx((0.25, 0.5))
    assert (january.source, january.known_at.date()) == ("CY-Bench NDVI", date(2020, 1, 20))
    assert isinstance(february, RegionSeries)
    assert february.ndvi == pytest.approx((0.6,))
    assert isinstance(calendar, CropCalendar)
    assert (calendar.sowing_doy, calendar.harvest_doy) == (323, 176)


def test_crop_and_lag_may_be_told_from_outside(cybench):
    records = read(cybench, crop="barley", lag_days=31)

    assert {getattr(record, "crop", "") for record in records} == {"barley"}
    assert records[0].known_at.date() == date(2020, 1, 31)
