"""Folders of the CY-Bench form."""

from __future__ import annotations

from datetime import date

import pytest

from cropcredit.adapters.cybench import CyBenchFolder
from cropcredit.errors import EmptyInput, MalformedInput
from cropcredit.model import CropCalendar, RegionSeries, YieldLabel


def write(folder, name, *lines):
    (folder / name).write_text("\n".join(lines) + "\n", "utf-8")


@pytest.fixture
def folder(tmp_path):
    write(
        tmp_path,
        "yield_wheat_XX.csv",
        "crop_name,country_code,adm_id,harvest_year,yield,harvest_area,production",
        "winter_wheat,XX,XX1,2019,3.5,10,35",
        "winter_wheat,XX,XX1,2020,,10,",
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
    write(tmp_path, "crop_calendar_wheat_XX.csv", "crop_name,adm_id,sos,eos", "wheat,XX1,322.6,176.2")
    return tmp_path


def test_labels_index_and_calendar_are_read(folder):
    label, january, february, calendar = CyBenchFolder().read(folder)

    assert isinstance(label, YieldLabel)
    assert (label.crop, label.region, label.harvest_year, label.t_ha) == ("winter_wheat", "XX1", 2019, 3.5)
    assert isinstance(january, RegionSeries)
    assert january.days == (date(2020, 1, 2), date(2020, 1, 10))
    assert january.ndvi == (0.25, 0.5)
    assert isinstance(february, RegionSeries)
    assert february.ndvi == (0.6,)
    assert isinstance(calendar, CropCalendar)
    assert (calendar.sowing_doy, calendar.harvest_doy) == (323, 176)


def test_the_crop_may_be_known_by_another_code_here(folder):
    assert {getattr(record, "crop", "") for record in CyBenchFolder().read(folder, crop="barley")} == {"barley"}


def test_a_folder_without_yields_is_refused(tmp_path):
    with pytest.raises(EmptyInput, match=r"holds no yield_\*.csv"):
        CyBenchFolder().read(tmp_path)


def test_two_crops_in_one_folder_are_refused(folder):
    write(folder, "yield_maize_XX.csv", "crop_name,adm_id,harvest_year,yield", "maize,XX1,2019,9")
    with pytest.raises(MalformedInput, match=r"holds 2 files yield_\*.csv"):
        CyBenchFolder().read(folder)


def test_a_missing_column_and_two_crops_in_one_file_are_named(folder):
    write(folder, "yield_wheat_XX.csv", "crop_name,adm_id,year,yield", "winter_wheat,XX1,2019,9")
    with pytest.raises(MalformedInput, match="column 'harvest_year' is missing"):
        CyBenchFolder().read(folder)
    write(folder, "yield_wheat_XX.csv", "crop_name,adm_id,harvest_year,yield", "a,XX1,2019,9", "b,XX1,2019,9")
    with pytest.raises(MalformedInput, match="yields of a, b stand together"):
        CyBenchFolder().read(folder)


def test_a_file_that_is_no_table_is_refused(folder):
    (folder / "yield_wheat_XX.csv").write_bytes(b"")
    with pytest.raises(MalformedInput, match="is not CSV"):
        CyBenchFolder().read(folder)
