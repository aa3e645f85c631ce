"""Folders of past yields, read as a data mapping says."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cropcredit.adapters.catalogues import TomlCatalogues
from cropcredit.adapters.yield_folders import YieldFolders
from cropcredit.cli import app
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
    first, second, january, february, *_, calendar = read(cybench)

    assert isinstance(first, YieldLabel)
    assert isinstance(second, YieldLabel)
    assert (first.crop, first.region, first.harvest_year, first.t_ha) == ("winter_wheat", "XX1", 2019, 3.5)
    assert (first.area_ha, first.production_t) == (10, 35)
    assert first.known_at.date() == date(2020, 12, 30)  # 365 days after the end of 2019, and 2020 has 366
    assert (second.harvest_year, second.area_ha, second.production_t) == (2021, None, None)
    assert isinstance(january, RegionSeries)
    assert january.days == (date(2020, 1, 2), date(2020, 1, 10))
    assert january.ndvi == pytest.approx((0.25, 0.5))
    assert (january.source, january.known_at.date()) == ("CY-Bench", date(2020, 1, 20))
    assert isinstance(february, RegionSeries)
    assert february.ndvi == pytest.approx((0.6,))
    assert isinstance(calendar, CropCalendar)
    assert (calendar.sowing_doy, calendar.harvest_doy) == (323, 176)


def test_crop_and_lag_may_be_told_from_outside(cybench):
    records = read(cybench, crop="barley", lag_days=31)

    assert {getattr(record, "crop", "") for record in records} == {"barley"}
    assert records[0].known_at.date() == date(2020, 1, 31)


def test_index_calendar_and_figures_of_cybench_may_be_absent(tmp_path):
    write(tmp_path, "yield_x.csv", "crop_name,country_code,adm_id,harvest_year,yield", "maize,ES,001,2019,3.5")

    label, calendar = read(tmp_path)

    assert isinstance(label, YieldLabel)
    assert (label.region, label.area_ha, label.production_t) == ("001", None, None)
    assert isinstance(calendar, CropCalendar)
    assert calendar.region == "001"
    assert calendar.sowing_doy < calendar.harvest_doy


BASE = """
source = "Office of statistics"
crop = "maize"
[yields]
file = "y.csv"
region = "code"
year = "jahr"
value = "ertrag"
"""
INDEX = """
[[index]]
name = "FAPAR"
file = "i.csv"
region = "code"
value = "v"
"""


@pytest.fixture
def read_as(tmp_path):
    """Read two yields (and an index) as a mapping says that adds some lines to the least there can be."""
    write(tmp_path, "y.csv", "code,jahr,ertrag", "A,2019,6.5", "B,2020,7")

    def do(more: str = "", *, base: str = BASE) -> list[Record]:
        (tmp_path / "map.toml").write_text(base + more, "utf-8")
        return read(tmp_path, str(tmp_path / "map.toml"))

    return do


def labels(records: list[Record]) -> list[YieldLabel]:
    return [record for record in records if isinstance(record, YieldLabel)]


def series(records: list[Record]) -> list[RegionSeries]:
    return [record for record in records if isinstance(record, RegionSeries)]


def calendars(records: list[Record]) -> list[CropCalendar]:
    return [record for record in records if isinstance(record, CropCalendar)]


def test_the_least_mapping_gives_labels_in_tonnes_per_hectare(read_as):
    first, second = read_as()

    assert (first.crop, first.region, first.harvest_year, first.t_ha) == ("maize", "A", 2019, 6.5)
    assert (second.source, second.t_ha) == ("Office of statistics", 7)


def test_yields_areas_and_production_come_in_the_units_of_the_source(tmp_path, read_as):
    write(tmp_path, "y.csv", "code,jahr,ertrag,a,p", "A,2019,100,30,120")
    more = 'unit = "bu/acre"\narea = "a"\narea_unit = "mu"\nproduction = "p"\nproduction_unit = "quintal"\n'

    (label,) = labels(read_as(more))

    assert label.t_ha == pytest.approx(100 * 56 * 0.45359237 / 1000 / 0.40468564224)
    assert label.area_ha == pytest.approx(2)
    assert label.production_t == pytest.approx(12)


def test_figures_of_units_that_have_no_name_here_come_with_a_factor(tmp_path, read_as):
    write(tmp_path, "y.csv", "code,jahr,ertrag,a,p", "A,2019,50,0.03,90")
    more = 'unit = "kg/ha"\nfactor = 60\narea = "a"\narea_factor = 1000\nproduction = "p"\nproduction_factor = 0.001\n'

    (label,) = labels(read_as(more))

    assert label.t_ha == pytest.approx(3.0)
    assert label.area_ha == pytest.approx(30)
    assert label.production_t == pytest.approx(0.09)


def test_a_season_named_after_its_sowing_is_shifted_to_its_harvest(read_as):
    first, second = labels(read_as("year_shift = 1\n"))

    assert [(label.harvest_year, label.id) for label in (first, second)] == [
        (2020, "maize/A/2020"),
        (2021, "maize/B/2021"),
    ]


def test_the_unit_may_stand_row_by_row(tmp_path, read_as):
    write(tmp_path, "y.csv", "code,jahr,ertrag,u", "A,2019,65,dt/ha", "B,2020,800,jin/mu")

    assert [label.t_ha for label in labels(read_as('unit = { column = "u" }\n'))] == pytest.approx([6.5, 6.0])

    write(tmp_path, "y.csv", "code,jahr,ertrag,u", "A,2019,65,dt/ha", "B,2020,800,stone/ha")
    with pytest.raises(MalformedInput, match=r"y\.csv row 3: unknown unit of weight 'stone'; known: kg, t"):
        read_as('unit = { column = "u" }\n')


def test_rows_are_picked_and_blank_cells_passed_over(tmp_path, read_as):
    rows = ("maize;A;2019;6,5", "barley;A;2019;4", "maize; B ;2020;NA", " maize; NA ;2020;7,25")
    write(tmp_path, "y.csv", "crop; code ;jahr;ertrag", *rows)
    base = 'separator = ";"\ndecimal = ","\n' + BASE

    records = labels(read_as('where = { crop = "maize" }\n', base=base))

    assert [(r.region, r.t_ha) for r in records] == [("A", 6.5), ("NA", 7.25)]  # NA is Namibia, too


def test_files_of_several_years_make_one_table(tmp_path, read_as):
    write(tmp_path, "y2.csv", "code,jahr,ertrag", "A,2021,8")
    base = BASE.replace("y.csv", "y*.csv")

    assert [r.harvest_year for r in labels(read_as("several = true\n", base=base))] == [2019, 2020, 2021]
    with pytest.raises(MalformedInput, match=r"holds 2 files y\*\.csv; one crop per folder; or write `several = true`"):
        read_as(base=base)


@pytest.mark.parametrize(
    ("header", "cells", "date_of", "day", "known"),
    [
        pytest.param("d", "20200229", '{ column = "d", form = "YYYYMMDD" }', (2, 29), (3, 10), id="YYYYMMDD"),
        pytest.param("d", "2020-02-29", '{ column = "d" }', (2, 29), (3, 10), id="ISO"),
        pytest.param("d", "29.02.2020", '{ column = "d", form = "%d.%m.%Y" }', (2, 29), (3, 10), id="strptime"),
        pytest.param("y,s", "2020,4", '{ year = "y", dekad = "s" }', (2, 5), (2, 20), id="first dekad of February"),
        pytest.param("y,s", "2020,5", '{ year = "y", dekad = "s" }', (2, 15), (3, 1), id="second dekad"),
        pytest.param("y,s", "2020,6", '{ year = "y", dekad = "s" }', (2, 25), (3, 10), id="last dekad, to the 29th"),
        pytest.param("y,s", "2020,36", '{ year = "y", dekad = "s" }', (12, 25), None, id="last dekad of the year"),
        pytest.param("y,s", "2020,2", '{ year = "y", month = "s" }', (2, 15), (3, 10), id="month"),
        pytest.param("y,s", "2020,60", '{ year = "y", day_of_year = "s" }', (2, 29), (3, 10), id="day of a leap year"),
    ],
)
def test_days_come_in_many_forms(tmp_path, read_as, header, cells, date_of, day, known):
    write(tmp_path, "i.csv", f"code,{header},v", f"A,{cells},50", f"B,{cells},0", f"C,{cells},")

    (seen,) = series(read_as(f"{INDEX}date = {date_of}\nscale = 0.01\nmissing = [0]\n"))

    assert (seen.region, seen.index, seen.ndvi) == ("A", "fapar", (0.5,))
    assert seen.days == (date(2020, *day),)
    assert seen.known_at.date() == (date(2020, *known) if known else date(2021, 1, 10))


@pytest.mark.parametrize("year", [2019, 2020])
def test_the_36_dekads_follow_each_other_three_in_a_month(tmp_path, read_as, year):
    write(tmp_path, "i.csv", "code,y,s,v", *(f"A,{year},{dekad},0.5" for dekad in range(36, 0, -1)))

    months = series(read_as(f'{INDEX}date = {{ year = "y", dekad = "s" }}\nlag_days = 0\n'))

    assert [month.days for month in months] == [
        tuple(date(year, month, day) for day in (5, 15, 25)) for month in range(1, 13)
    ]
    lasts = [month.known_at.date() for month in months]
    assert lasts == [date(year + m // 12, m % 12 + 1, 1) - timedelta(days=1) for m in range(1, 13)]


def test_regions_that_stand_mixed_are_told_apart(tmp_path, read_as):
    write(tmp_path, "i.csv", "code,d,v", "B,2020-03-09,.4", "A,2020-03-01,.1", "B,2020-03-01,.3", "A,2020-02-01,.2")

    found = [(s.region, s.days, s.ndvi) for s in series(read_as(f'{INDEX}date = {{ column = "d" }}\n'))]

    assert found == [
        ("A", (date(2020, 2, 1),), (0.2,)),
        ("A", (date(2020, 3, 1),), (0.1,)),
        ("B", (date(2020, 3, 1), date(2020, 3, 9)), (0.3, 0.4)),
    ]


def test_a_further_index_keeps_to_itself(tmp_path, read_as):
    write(tmp_path, "i.csv", "code,y,m,v,n", "A,2020,3,0.3,150")
    days = 'date = { year = "y", month = "m" }\n'
    more = INDEX.replace("FAPAR", "NDVI").replace('"v"', '"n"') + days + "scale = 0.005\noffset = -0.25\n"

    fapar, ndvi = series(read_as(INDEX + days + more))

    assert (fapar.id, fapar.index, fapar.ndvi) == ("maize/A/2020-03/fapar", "fapar", (0.3,))
    assert (ndvi.id, ndvi.index, ndvi.ndvi) == ("maize/A/2020-03", "ndvi", (0.5,))


def test_two_days_of_the_year_serve_all_regions(read_as):
    (calendar,) = calendars(read_as("[calendar]\nsowing_doy = 110\nharvest_doy = 280.4\n"))

    assert (calendar.region, calendar.sowing_doy, calendar.harvest_doy) == ("*", 110, 280)


def test_a_calendar_passes_over_regions_without_days(tmp_path, read_as):
    write(tmp_path, "c.csv", "code,s,h", "A,0.2,180", "B,,", "C,9,", "D,,9")
    more = '[calendar]\nfile = "c.csv"\nregion = "code"\nsowing_doy = "s"\nharvest_doy = "h"\n'

    (calendar,) = calendars(read_as(more))

    assert (calendar.region, calendar.sowing_doy) == ("A", 1)
    write(tmp_path, "c.csv", "code,s,h", "A,1,180", "B,10,400")
    with pytest.raises(MalformedInput, match=r"c\.csv row 3: h 400 is not a day of the year"):
        read_as(more)
    write(tmp_path, "c.csv", "code,s,h", "A,1,180", "A,10,180")
    with pytest.raises(MalformedInput, match=r"c\.csv: 2 calendars of A; pick one in the mapping: where"):
        read_as(more)


def test_a_country_lends_the_middle_of_its_season(read_as):
    (calendar,) = calendars(read_as(base='country = "FR"\n' + BASE))  # sown March to June, harvested August to November

    assert (calendar.region, calendar.sowing_doy, calendar.harvest_doy) == ("*", 120, 274)
    assert calendar.source == "crop calendars"


def test_a_season_across_new_year_has_its_middle_there(read_as):
    base = 'country = "KE"\nseason = "long_rains"\n' + BASE  # sown February to May, harvested July to January

    (calendar,) = calendars(read_as(base=base))
    (potato,) = calendars(read_as(base='country = "ES"\n' + BASE.replace("maize", "potato")))  # December to June

    assert (calendar.sowing_doy, calendar.harvest_doy) == (92, 289)
    assert potato.sowing_doy == 76


def test_a_country_with_none_or_several_seasons_is_refused(read_as):
    with pytest.raises(MissingEvidence, match=r"no calendar of 'maize' in 'XX'; give days: \[calendar\]"):
        read_as(base='country = "XX"\n' + BASE)
    with pytest.raises(MissingEvidence, match=r"calendars of 'maize' in 'KE'; name country and season \(KE long_rains"):
        read_as(base='country = "KE"\n' + BASE)
    with pytest.raises(
        MissingEvidence, match=r"calendars of 'maize' in 'CN'; .*\(CN-north summer, CN-northeast summer"
    ):
        read_as(base='country = "CN"\n' + BASE)


MAPPINGS = [
    pytest.param('unit = "t"\n', "a yield unit is weight/area, not 't'.* at `.*yields`", id="no yield unit"),
    pytest.param('area_unit = "rood"\n', "unknown unit of area 'rood'", id="no area unit"),
    pytest.param('production_unit = "last"\n', "unknown unit of weight 'last'", id="no weight unit"),
    pytest.param('unit = "bag60/ha"\n', "unknown unit of weight 'bag60'.* or one of these with a factor", id="bags"),
    pytest.param("factor = 0.0\n", "factors are greater than nothing", id="factor of nothing"),
    pytest.param("area_factor = inf\n", "factors are greater than nothing", id="endless factor"),
    pytest.param("year_shift = 2\n", "year_shift is -1, 0 or 1", id="shift of two years"),
    pytest.param("optional = true\n", "it is not optional", id="yields that may be absent"),
    pytest.param('colour = "red"\n', "unknown field `colour`.* at `.*yields`", id="unknown member"),
    pytest.param("[calendar]\nsowing_doy = 90\nharvest_doy = 370\n", "days of the year lie in 1-366", id="day 370"),
    pytest.param('[calendar]\nsowing_doy = "s"\nharvest_doy = "h"\n', "two days of the year and no file", id="no file"),
    pytest.param(
        '[calendar]\nfile = "c"\nregion = "r"\nsowing_doy = "s"\nharvest_doy = 9\n', "two columns", id="column and day"
    ),
    pytest.param(f"{INDEX}date = {{ }}\n", "name a column, or year and one of dekad, month, day_of_year", id="no date"),
    pytest.param(f'{INDEX}date = {{ year = "y", month = "m", dekad = "d" }}\n', "name a column, or", id="two steps"),
    pytest.param(f'{INDEX}date = {{ column = "d", form = "%Y-%m" }}\n', "nor tells a day", id="form without a day"),
    pytest.param(f'{INDEX}date = {{ column = "d" }}\n' * 2, "two indices of one name among fapar, fapar", id="twins"),
    pytest.param(f'{INDEX}date = {{ column = "d" }}\n'.replace("i.csv", ""), "an index needs a file", id="index file"),
    pytest.param(
        f'{INDEX}date = {{ column = "d" }}\n'.replace("FAPAR", "leaf area"), "name without blanks", id="index name"
    ),
    pytest.param(
        f'{INDEX}date = {{ column = "d", zone = "UTC" }}\n', "unknown field `zone`", id="unknown member of a date"
    ),
    pytest.param("[calender]\nsowing_doy = 9\n", "unknown field `calender`", id="unknown table"),
    pytest.param('[calendar]\nregion = "r"\nsowing_doy = 9\nharvest_doy = 90\n', "and no file", id="column of no file"),
    pytest.param("=", "is not TOML", id="not TOML"),
]


@pytest.mark.parametrize(("more", "match"), MAPPINGS)
def test_an_impossible_mapping_is_refused_by_member(read_as, more, match):
    with pytest.raises(MalformedInput, match=rf"map\.toml: is not .*{match}|map\.toml: {match}"):
        read_as(more)


def test_separator_and_decimal_differ(read_as):
    with pytest.raises(MalformedInput, match="separator is one character, decimal a point or a comma, and they differ"):
        read_as(base='decimal = ","\n' + BASE)


FILES = [
    pytest.param("code,jahr", "A,2019", r"y\.csv: column 'ertrag' is missing; name one of code, jahr", id="column"),
    pytest.param("code,jahr,code,ertrag", "A,2019,A,1", r"y\.csv: column 'code' stands twice", id="column twice"),
    pytest.param(
        "code,jahr,ertrag",
        "A,2019,much",
        r"y\.csv row 2: ertrag is no number: invalid value 'much'",
        id="word for a number",
    ),
    pytest.param("code,jahr,ertrag", "A,2019", r"y\.csv: is not the table.*Expected 3 columns, got 2", id="cells"),
    pytest.param("code,jahr,ertrag", "A,2019.5,1", r"y\.csv row 2: jahr 2019.5 is not a whole number", id="half year"),
    pytest.param("code,jahr,ertrag", "A,19,1", r"y\.csv row 2: jahr 19 is not a whole number from 1900", id="year 19"),
    pytest.param("code,jahr,ertrag", "A,,1", r"y\.csv row 2: jahr nan is not a whole number", id="no year"),
    pytest.param("code,jahr,ertrag", " ,2019,1", r"y\.csv row 2: code is empty", id="no region"),
    pytest.param("code,jahr,ertrag", "A,2019,inf", r"y\.csv row 2: ertrag inf is no number", id="infinite"),
    pytest.param("code,jahr,ertrag", 'A,"20\n19"', r"y\.csv: is not the table.*got 2", id="a line break in a cell"),
    pytest.param("code,jahr,ertrag", "A,2019,\n,2019,1", r"y\.csv row 3: code is empty", id="after a row passed over"),
    pytest.param("", "", r"y\.csv: is not the table.*Empty CSV", id="empty file"),
]


@pytest.mark.parametrize(("header", "row", "match"), FILES)
def test_a_file_that_is_not_as_mapped_is_refused_by_column_and_row(tmp_path, read_as, header, row, match):
    if header:
        write(tmp_path, "y.csv", header, row)
    else:
        write(tmp_path, "y.csv")

    with pytest.raises(MalformedInput, match=match) as refused:
        read_as()
    assert "\n" not in str(refused.value)


def test_text_of_another_encoding_is_read_where_the_mapping_says_so(tmp_path, read_as):
    (tmp_path / "y.csv").write_bytes("code,jahr,ertrag\nCórdoba,2019,6\n".encode("latin-1"))

    assert labels(read_as(base='encoding = "latin-1"\n' + BASE))[0].region == "Córdoba"
    with pytest.raises(MalformedInput, match=r"y\.csv: is not text of .*write the encoding into the mapping"):
        read_as()
    (tmp_path / "y.csv").write_bytes("province,jahr,ertrag\nA,2019,6\n".encode("utf-16"))
    with pytest.raises(MalformedInput, match=r"y\.csv: is not"):
        read_as()
    with pytest.raises(MalformedInput, match="unknown encoding 'klingon': utf-8, latin-1, gb18030"):
        read_as(base='encoding = "klingon"\n' + BASE)


def test_figures_below_nothing_are_refused_with_their_count(tmp_path, read_as):
    write(tmp_path, "y.csv", "code,jahr,ertrag,a", "A,2019,6,10", "A,2020,6,-1", "A,2021,6,-2")

    with pytest.raises(MalformedInput, match=r"y\.csv row 3: a -1 is below nothing \(2 such rows\)"):
        read_as('area = "a"\n')


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        pytest.param(["A,2020,1,101"], r"i\.csv row 2: FAPAR 1.01 is outside of -1..1; correct scale", id="percent"),
        pytest.param(["A,2020,37,50"], r"i\.csv row 2: s 37 is not a whole number from 1 to 36", id="dekad 37"),
        pytest.param(["A,2020,1,50"] * 2, r"i\.csv: two values of FAPAR in A on 2020-01-05; pick one", id="twice"),
    ],
)
def test_an_index_that_cannot_be_is_refused(tmp_path, read_as, rows, match):
    write(tmp_path, "i.csv", "code,y,s,v", *rows)

    with pytest.raises(MalformedInput, match=match):
        read_as(f'{INDEX}date = {{ year = "y", dekad = "s" }}\nscale = 0.01\n')


def test_a_day_of_another_form_is_refused(tmp_path, read_as):
    write(tmp_path, "i.csv", "code,d,v", "A,20200101,0.5", "A,2020-01-09,0.5")

    with pytest.raises(MalformedInput, match=r"i\.csv row 3: d '2020-01-09' is no day of the form YYYYMMDD"):
        read_as(f'{INDEX}date = {{ column = "d", form = "YYYYMMDD" }}\n')


def test_what_is_not_there_is_refused_by_name(tmp_path, read_as):
    with pytest.raises(EmptyInput, match=r"holds no i\.csv; correct `file` in the mapping"):
        read_as(f'{INDEX}date = {{ column = "d" }}\n')
    with pytest.raises(EmptyInput, match=r"y\.csv: has no rows with code = 'C'"):
        read_as('where = { code = "C" }\n')
    with pytest.raises(MalformedInput, match="is no folder; name the folder that the mapping is for"):
        read(tmp_path / "y.csv")
    with pytest.raises(UnknownName, match=r"unknown mapping 'fr'; known: cybench, or a file FILE\.toml"):
        read(tmp_path, "fr")
    with pytest.raises(RefusedInput, match=r"none\.toml: cannot be read"):
        read(tmp_path, str(tmp_path / "none.toml"))


def test_two_crops_in_one_folder_are_refused(cybench):
    head = "crop_name,country_code,adm_id,harvest_year,yield"
    write(cybench, "yield_maize_XX.csv", head, "maize,XX,XX1,2019,9")
    with pytest.raises(MalformedInput, match=r"holds 2 files yield_\*\.csv"):
        read(cybench)
    (cybench / "yield_maize_XX.csv").unlink()
    write(cybench, "yield_wheat_XX.csv", head, "a,XX,XX1,2019,9", "b,XX,XX1,2019,9")
    with pytest.raises(
        MalformedInput, match=r"yields of a, b stand together; pick one in the mapping: where = { crop_name = 'a' }"
    ):
        read(cybench)


@pytest.mark.parametrize("verb", ["validate", "train"])
def test_a_new_data_set_needs_a_mapping_and_no_code(tmp_path, verb):
    home, folder = tmp_path / "bank", tmp_path / "data"
    folder.mkdir()
    harvests = (f"Mais;0{r};{y};{60 + 5 * r + y * 7 % 5 * 3}" for r in (1, 2) for y in range(2010, 2018))
    write(folder, "ernte.csv", "frucht;kreis;jahr;dt_ha", *harvests, "Weizen;01;2017;80", "Mais;01;2018;700")
    mapping = BASE.replace("y.csv", "ernte.csv").replace("code", "kreis").replace("ertrag", "dt_ha")
    said = f'separator = ";"\ncountry = "FR"{mapping}unit = "dt/ha"\nwhere = {{ frucht = "Mais" }}\nlag_days = 0\n'
    (tmp_path / "ernte.toml").write_text(said, "utf-8")
    words = ("yield", verb, "--home", home, "--labels", folder, "--mapping", tmp_path / "ernte.toml")

    assert CliRunner().invoke(app, ["init", "--home", str(home)]).exit_code == 0
    done = CliRunner().invoke(app, [str(word) for word in words])

    assert done.exit_code == 0, done.output
    assert "average" in done.stdout
    assert "left out: 01 2018: times_ten" in done.stdout
