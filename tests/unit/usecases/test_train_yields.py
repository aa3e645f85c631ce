"""Training and validation from files and from what the workspace holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from cropcredit.adapters.catalogues import TomlCatalogues
from cropcredit.adapters.tables import CsvTables
from cropcredit.adapters.yield_folders import YieldFolders
from cropcredit.config import data_dir
from cropcredit.errors import EmptyInput, MalformedInput, RefusedInput, UnknownName
from cropcredit.model import YieldLabel
from cropcredit.ports import Catalogues
from cropcredit.usecases.import_records import ImportRecords
from cropcredit.usecases.train_yields import ReadYields, Trained, TrainYields, Trial, ValidateYields, YieldFiles
from tests.unit.usecases.yield_world import StillClock, World, label, past, world

NOW = datetime(2025, 6, 30, tzinfo=UTC)


def reader(made: World, catalogues: Catalogues | None = None) -> ReadYields:
    importer = ImportRecords(
        facts=made.facts,
        tables=CsvTables(),
        catalogues=catalogues or made.catalogues,
        clock=StillClock(),
        zone="Asia/Shanghai",
        identity_key=b"k",
    )
    archive = YieldFolders(mappings=data_dir() / "catalogues" / "mappings", catalogues=importer.catalogues)
    return ReadYields(importer=importer, archive=archive)


def read_labels(made: World, file: Path, catalogues: Catalogues | None = None) -> list[YieldLabel]:
    records = reader(made, catalogues)(YieldFiles(labels=file))
    return [record for record in records if isinstance(record, YieldLabel)]


def trainer(made: World, files: YieldFiles | None = None, *, as_of: datetime = NOW) -> list[Trained]:
    train = TrainYields(
        facts=made.facts, catalogues=made.catalogues, models=made.models, read=reader(made), clock=StillClock()
    )
    return train(files or YieldFiles(), as_of=as_of)


def validator(made: World) -> ValidateYields:
    return ValidateYields(facts=made.facts, catalogues=made.catalogues, read=reader(made))


def write(folder: Path, name: str, *lines: str) -> Path:
    file = folder / name
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return file


def yields_csv(folder: Path, years: range = range(2015, 2025), unit: str = "jin/mu") -> Path:
    rows = [f"winter_wheat,T1,{year},{800 + year % 3 * 10},{unit}" for year in years]
    return write(folder, "yields.csv", "crop,region,harvest_year,yield,unit", *rows)


def test_what_passes_the_gate_is_put_into_use_with_a_card():
    made = world(*past())

    result = trainer(made)[0]

    assert made.models.current("winter_wheat") == result.model_id
    artefact, card = made.models.artefacts[result.model_id]
    assert artefact["labels"] == 32
    assert artefact["years"] == list(range(2017, 2025))
    assert "| yes: " in card
    assert "| 5/6 | model |" in card  # the index ends at harvest, the season is followed a month beyond


def test_training_again_on_the_same_facts_gives_the_same_artefact(what_was_learned_once):
    made = world(*past())

    first = trainer(made)[0].model_id
    what_was_learned_once.clear()

    assert trainer(made)[0].model_id == first


def test_a_model_trained_on_more_names_its_predecessor():
    made = world(*past())
    first = trainer(made)[0].model_id
    made.facts.add(label("T9", 2020, 4.0))

    second = trainer(made)[0].model_id

    assert made.models.load(second)["predecessor"] == first


def test_yields_in_jin_per_mu_become_tonnes_per_hectare(tmp_path):
    made = world()

    result = trainer(made, YieldFiles(labels=yields_csv(tmp_path), lag_days=30))[0]

    assert result.data is not None
    assert {round(known.t_ha, 3) for known in result.data.labels} == {6.0, 6.075, 6.15}
    assert "no_regional_index" not in str(result.refused)
    assert set(result.validations or {}) == {0}


def test_labels_published_after_the_day_are_not_learned_from():
    made = world(*past())

    result = trainer(made, as_of=datetime(2024, 6, 1, tzinfo=UTC))[0]

    assert made.models.load(result.model_id)["years"][-1] == 2023


def test_four_years_are_refused(tmp_path):
    with pytest.raises(RefusedInput, match=r"4 harvest year\(s\) of 'winter_wheat', at least 5"):
        trainer(world(), YieldFiles(labels=yields_csv(tmp_path, range(2020, 2024)), lag_days=30))


def test_yields_that_never_change_are_no_harvests():
    still = [label(f"T{t}", year, 4.0 + t) for t in (1, 2) for year in range(2010, 2020)]

    with pytest.raises(RefusedInput, match="the yields of 'winter_wheat' are the same in all years of every region"):
        validator(world(*still))(YieldFiles())
    assert validator(world(*still[:-1], label("T2", 2019, 6.1)))(YieldFiles())[0].validation.candidates == 0


def test_regions_with_a_single_yield_each_teach_nothing():
    lone = [label(f"T{year}", year, 4.0 + year % 3) for year in range(2010, 2020)]

    with pytest.raises(RefusedInput, match="no yield can be judged: none has another of its region"):
        validator(world(*lone))(YieldFiles())
    told = trainer(world(*lone, *(label("T1", year, 5 + year % 3, "maize") for year in range(2010, 2020))))
    assert [(one.crop, bool(one.refused)) for one in told] == [("maize", False), ("winter_wheat", True)]


def test_one_crop_with_too_few_years_does_not_stop_another():
    made = world(*past(), *(label("T1", year, 7.0, crop="maize") for year in (2023, 2024)))

    results = {result.crop: result for result in trainer(made)}

    assert "2 harvest year(s) of 'maize'" in results["maize"].refused
    assert results["winter_wheat"].model_id


def test_each_row_is_read_in_the_unit_it_names(tmp_path):
    file = write(
        tmp_path,
        "yields.csv",
        "crop,region,harvest_year,yield,unit,moisture_pct,area_ha,production_t",
        "winter_wheat,T1,2020,800,jin/mu,,,",
        "winter_wheat,T1,2021,6,t/ha,,100,600",
        "winter_wheat,T1,2022,6.88,t/ha,25,,",
        "maize,T1,2020,180,bu/acre,,,",
    )

    *wheat, maize = read_labels(world(), file)

    assert [label.t_ha for label in wheat] == pytest.approx([6.0, 6.0, 6.0])
    assert [(label.area_ha, label.production_t) for label in wheat] == [(None, None), (100, 600), (None, None)]
    assert maize.t_ha == pytest.approx(11.3, abs=0.01)


def test_milled_rice_is_brought_to_paddy(tmp_path):
    file = write(
        tmp_path, "yields.csv", "crop,region,harvest_year,t_ha,milled", "rice,T1,2020,4.9,yes", "rice,T2,2020,7,"
    )
    labels = read_labels(world(), file, TomlCatalogues(data_dir() / "catalogues"))

    assert [label.t_ha for label in labels] == pytest.approx([7.0, 7.0])


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        pytest.param("-1,,,", "row 2: t_ha -1 is below 0", id="negative"),
        pytest.param("nan,,,", "row 2: t_ha 'nan' is not a number", id="not a number"),
        pytest.param("6,100,,", "row 2: moisture_pct 100 leaves no dry matter", id="all water"),
        pytest.param("6,,yes,", "row 2: milled says yes, but only rice is milled, not winter_wheat", id="milled wheat"),
        pytest.param("6,,,-3", "row 2: area_ha -3 is below 0", id="negative area"),
    ],
)
def test_a_yield_that_cannot_be_is_refused_with_its_row(tmp_path, cells, message):
    columns = "crop,region,harvest_year,t_ha,moisture_pct,milled,area_ha"
    file = write(tmp_path, "yields.csv", columns, f"winter_wheat,T1,2020,{cells}")

    with pytest.raises(MalformedInput, match=message):
        trainer(world(), YieldFiles(labels=file))


def test_two_units_behind_one_name_are_refused_and_nothing_is_stored(tmp_path):
    rows = [
        f"winter_wheat,T{t},{2010 + y},{(5 + y % 3) * (100 if t > 2 else 1)}" for t in (1, 2, 3, 4) for y in range(9)
    ]
    made = world()

    with pytest.raises(MalformedInput, match=r"around 5.9 and 590 t/ha: two units stand in one file"):
        trainer(made, YieldFiles(labels=write(tmp_path, "yields.csv", "crop,region,harvest_year,t_ha", *rows)))
    with pytest.raises(EmptyInput, match="no past yields are known"):
        trainer(made)


def test_a_region_year_that_stands_twice_is_refused_and_nothing_is_stored(tmp_path):
    file = write(tmp_path, "yields.csv", "crop,region,harvest_year,t_ha", *["winter_wheat,T1,2020,6"] * 2)
    made = world()

    with pytest.raises(MalformedInput, match="winter_wheat/T1/2020"):
        trainer(made, YieldFiles(labels=file))
    with pytest.raises(EmptyInput, match="no past yields are known"):
        trainer(made)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param("dragonfruit,T1,2020,6,", "unknown crop 'dragonfruit'", id="unknown crop"),
        pytest.param("winter_wheat,T1,2020,,", "needs either t_ha, or yield", id="no yield"),
        pytest.param("winter_wheat,T1,2020,,800", "column|unit", id="no unit"),
        pytest.param("winter_wheat,T1,MMXX,6,", "'MMXX' is not a number", id="no year"),
    ],
)
def test_a_row_that_cannot_be_read_refuses_the_file(tmp_path, line, message):
    file = write(tmp_path, "yields.csv", "crop,region,harvest_year,t_ha,yield", line)

    with pytest.raises(RefusedInput, match=message):
        trainer(world(), YieldFiles(labels=file))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        pytest.param("winter_wheat,T1,2020-01-05,117", "ndvi 117 is above 1", id="unscaled"),
        pytest.param("winter_wheat,T1,2020-13-05,0.5", "is not a date", id="no date"),
    ],
)
def test_an_index_that_cannot_be_one_is_refused(tmp_path, row, message):
    file = write(tmp_path, "index.csv", "crop,region,date,ndvi", row)

    with pytest.raises(MalformedInput, match=message):
        trainer(world(), YieldFiles(index=file))


def test_a_day_of_the_index_that_stands_twice_is_refused(tmp_path):
    file = write(tmp_path, "index.csv", "crop,region,date,ndvi", *["winter_wheat,T1,2020-01-05,0.5"] * 2)

    with pytest.raises(MalformedInput, match="two values of winter_wheat in T1"):
        trainer(world(), YieldFiles(index=file))


@pytest.mark.parametrize("year", ["20000", "1899", "2003.5"])
def test_a_harvest_year_is_a_whole_year_of_these_centuries(tmp_path, year):
    file = write(tmp_path, "yields.csv", "crop,region,harvest_year,t_ha", f"winter_wheat,T1,{year},6")

    with pytest.raises(
        MalformedInput, match=rf"row 2: harvest_year {year} is (not a whole year from 1900 to 2100|below)"
    ):
        trainer(world(), YieldFiles(labels=file))


def test_a_look_at_the_end_of_time_is_refused_by_row(tmp_path):
    index = write(tmp_path, "index.csv", "crop,region,date,ndvi", "winter_wheat,T1,9999-12-31,0.3")

    with pytest.raises(MalformedInput, match="row 2: 9999-12-31 is no day anybody lives to see"):
        trainer(world(), YieldFiles(index=index))


def test_a_calendar_of_ten_days_is_no_season(tmp_path):
    calendar = write(tmp_path, "c.csv", "crop,region,sowing_doy,harvest_doy", "winter_wheat,*,150,160")

    with pytest.raises(MalformedInput, match="calendar of 'winter_wheat': from sowing to harvest 10 days; correct"):
        validator(world())(YieldFiles(labels=yields_csv(tmp_path), calendar=calendar))


def test_a_calendar_knows_no_day_400(tmp_path):
    file = write(tmp_path, "calendar.csv", "crop,region,sowing_doy,harvest_doy", "winter_wheat,*,286,400")

    with pytest.raises(MalformedInput, match="harvest_doy 400 is not a day of the year"):
        trainer(world(), YieldFiles(calendar=file))


def test_validation_from_files_stores_nothing(tmp_path):
    made = world()

    judged = validator(made)(YieldFiles(labels=yields_csv(tmp_path)), Trial(years=(2016, 2023)))[0]

    assert judged.gate.use in {"average", "trend"}
    assert sorted(set(judged.validation.year.tolist())) == list(range(2016, 2024))
    with pytest.raises(EmptyInput, match="no past yields are known"):
        trainer(made)


def test_validation_of_what_the_workspace_holds_finds_the_skill():
    judged = validator(world(*past()))(YieldFiles())[0]

    assert judged.gate.use == "model"
    assert judged.validation.horizon == 5
    assert judged.data.without_index == ()


def test_more_of_the_season_than_the_index_shows_cannot_be_judged():
    with pytest.raises(RefusedInput, match="shows 5 sixths of its seasons, not 6"):
        validator(world(*past()))(YieldFiles(), Trial(horizon=6))


def test_noise_for_an_index_leaves_the_baseline_in_use():
    made = world(*past(skill=False))

    result = trainer(made)[0]

    assert result.model is not None
    assert {part.gate.use for part in result.model.horizons.values()} <= {"average", "trend"}


def test_a_region_with_yields_but_no_index_is_named():
    judged = validator(world(*past(), label("T9", 2020, 4.0)))(YieldFiles())[0]

    assert judged.data.without_index == ("T9",)


def test_an_unknown_mapping_and_an_unknown_crop_are_named(tmp_path):
    with pytest.raises(UnknownName, match=r"unknown mapping 'xlsx'; known: cybench, or a file FILE.toml"):
        validator(world())(YieldFiles(labels=tmp_path, mapping="xlsx"))
    with pytest.raises(UnknownName, match="unknown crop with labels 'maize'"):
        validator(world(*past()))(YieldFiles(crop="maize"))


@pytest.mark.parametrize("use", [trainer, lambda made, files: validator(made)(files)], ids=["train", "validate"])
def test_a_mapping_needs_its_folder_and_names_all_of_its_files(tmp_path, use):
    with pytest.raises(EmptyInput, match="mapping 'cybench' has no folder; name it: --labels FOLDER"):
        use(world(*past()), YieldFiles(mapping="cybench"))
    with pytest.raises(MalformedInput, match="names index and calendar itself; leave --index and --calendar out"):
        use(world(), YieldFiles(labels=tmp_path, index=tmp_path, mapping="cybench"))


def test_no_yield_in_the_years_asked_for_is_refused():
    with pytest.raises(EmptyInput, match="no yield of 'winter_wheat' in 1900-1950"):
        validator(world(*past()))(YieldFiles(), Trial(years=(1900, 1950)))


def test_yields_that_are_all_suspect_say_by_which_rule():
    doubtful = [
        replace(label(f"T{t}", year, 5.0), area_ha=10.0, production_t=30.0)
        for t in (1, 2)
        for year in range(2010, 2020)
    ]

    with pytest.raises(
        EmptyInput, match="all 20 yields of 'winter_wheat' are suspect, 20 by area_yield_production: T1"
    ):
        validator(world(*doubtful))(YieldFiles())


def test_what_a_file_says_was_known_later_is_not_judged(tmp_path):
    rows = [f"winter_wheat,T1,{year},{5 + year % 3 / 10},{year + 1}-03-01" for year in range(2010, 2025)]
    dated = write(tmp_path, "dated.csv", "crop,region,harvest_year,t_ha,known_at", *rows)
    by_then = datetime(2021, 6, 1, tzinfo=UTC)

    every, early = (validator(world())(YieldFiles(labels=dated), as_of=at)[0].data for at in (None, by_then))

    assert [max(one.harvest_year for one in data.labels) for data in (every, early)] == [2024, 2020]
    with pytest.raises(EmptyInput, match=r"no yield in the files was known by 2021-06-01.*write that column, or leave"):
        validator(world())(YieldFiles(labels=yields_csv(tmp_path)), as_of=by_then)


def test_a_crop_that_neither_calendar_nor_catalogue_knows_is_refused(tmp_path):
    folder = tmp_path / "xx"
    folder.mkdir()
    rows = [f"teff,XX,A,{year},2.0,," for year in range(2010, 2020)]
    write(
        folder, "yield_teff_XX.csv", "crop_name,country_code,adm_id,harvest_year,yield,harvest_area,production", *rows
    )

    with pytest.raises(RefusedInput, match="no calendar of 'teff'"):
        validator(world())(YieldFiles(labels=folder, mapping="cybench"))


def test_the_first_day_of_a_label_is_the_end_of_its_year_and_the_lag(tmp_path):
    made = world()
    trainer(made, YieldFiles(labels=yields_csv(tmp_path, range(2010, 2020)), lag_days=31))

    known = reader(made)(YieldFiles(labels=yields_csv(tmp_path, range(2019, 2020)), lag_days=31))[0].known_at

    assert known.date() == date(2020, 1, 31)
