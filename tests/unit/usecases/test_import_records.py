from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from cropcredit.adapters.catalogues import read_toml
from cropcredit.adapters.tables import CsvTables
from cropcredit.errors import EmptyInput, MalformedInput, RefusedInput, UnknownName
from cropcredit.model import (
    Application,
    Consent,
    CostSheet,
    FarmGatePrice,
    LendingPolicy,
    Party,
    Planting,
    PriceSeries,
    Tenure,
    WeatherSeries,
)
from cropcredit.usecases.import_policy import ImportPolicy
from cropcredit.usecases.import_records import ImportPriceSeries, ImportRecords, later_month, short
from tests.fakes import FakeCatalogues, FakeClock, FakeFacts
from tests.lending import POLICY_FILE, cny

NOW = datetime(2025, 5, 1, tzinfo=UTC)


class Doors:
    """The doors of an empty workspace; ``write`` puts a file before them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.facts = folder, FakeFacts()
        self.import_ = ImportRecords(
            facts=self.facts,
            tables=CsvTables(),
            catalogues=FakeCatalogues(),
            clock=FakeClock(NOW),
            zone="Asia/Shanghai",
            identity_key=b"k" * 32,
        )

    def __call__(self, noun: str, *lines: str, **more):
        return self.import_(noun, self.write(*lines), **more)

    def write(self, *lines: str, encoding: str = "utf-8") -> Path:
        file = self.folder / "table.csv"
        file.write_text("\n".join(lines) + "\n", encoding=encoding)
        return file


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    return Doors(tmp_path)


def test_an_identity_number_is_kept_as_keyed_hash_and_last_four_characters(doors):
    doors(
        "parties",
        "id,kind,name,branch,identity_number,members,synthetic",
        "P1,household,王建国,north,37142519800101204X,,no",
    )
    stored = doors.facts.get(Party, "P1")
    assert (stored.name, stored.identity_last4, stored.synthetic) == ("王建国", "204X", False)
    assert len(stored.identity_hash) == 64
    assert "37142519800101204X" not in repr(stored)
    assert stored.known_at == NOW


def test_a_group_names_its_members(doors):
    doors("parties", "id,kind,name,branch,members", "G1,liability_group,三户联保,north,P1; P2;P3")
    assert doors.facts.get(Party, "G1").members == ("P1", "P2", "P3")


def test_consents_tenures_plantings_and_applications_come_in(doors):
    doors(
        "consents",
        "id,party_id,purpose,data_kinds,language,text_version,given_at,known_at",
        "C1,P1,credit_assessment,satellite;sensors,zh,1,2025-03-01T08:00:00+08:00,2025-03-02",
    )
    doors(
        "tenures",
        "id,party_id,field_id,role,right,from_on,to_on,rent,rent_unit,registered_area,area_unit",
        "T1,P1,F1,operator,transfer,2020-10-01,2030-09-30,800,CNY/mu,7.5,mu",
    )
    doors(
        "plantings",
        "id,field_id,season,crop,declared_area,area_unit,sowing_on,harvest_on",
        "PL1,F1,2025-winter,winter_wheat,7.5,mu,2024-10-10,2025-06-10",
    )
    doors(
        "applications",
        "id,party_id,planting_ids,branch,currency,requested,due_on,own_funds,off_farm_income,household_draw,debt_service,pledged",
        "A1,P1,PL1;PL2,north,CNY,9000.50,2025-08-01,1000,2000,5000,0,20000",
    )
    consent, tenure = doors.facts.get(Consent, "C1"), doors.facts.get(Tenure, "T1")
    assert consent.given_at == datetime(2025, 3, 1, tzinfo=UTC)
    assert consent.known_at == datetime(2025, 3, 2, 15, 59, 59, 999999, tzinfo=UTC)
    assert (tenure.rent_per_ha, tenure.registered_area_ha) == (1_200_000, 0.5)
    assert doors.facts.get(Planting, "PL1").declared_area_ha == 0.5
    application = doors.facts.get(Application, "A1")
    assert (application.requested, application.planting_ids) == (cny(9000.50), ("PL1", "PL2"))
    assert application.pledged == cny(20_000)


@pytest.mark.parametrize(
    ("priced", "per_kg", "currency"),
    [
        pytest.param("1.25,CNY/jin", "2.5", "CNY", id="jin"),
        pytest.param("2400,INR/quintal", "24", "INR", id="quintal"),
        pytest.param("255,USD/t", "0.255", "USD", id="tonne"),
        pytest.param("3600,KES/bag90", "40", "KES", id="bag"),
    ],
)
def test_a_price_is_kept_per_kg(doors, priced, per_kg, currency):
    doors("prices", "crop,region,price,unit,dated_on,source", f"maize,3714,{priced},2025-03-01,market")
    stored = doors.facts.get(FarmGatePrice, "maize/3714/2025-03-01")
    assert (stored.per_kg, stored.currency) == (Decimal(per_kg), currency)


def test_a_declared_lag_says_since_when_an_old_price_was_known(doors):
    doors("prices", "crop,region,price,unit,dated_on,source", "maize,*,2,CNY/kg,2020-03-01,book", lag_days=5)
    (stored,) = doors.facts.find(FarmGatePrice)
    assert stored.known_at == datetime(2020, 3, 6, 15, 59, 59, 999999, tzinfo=UTC)


def test_the_rows_of_a_cost_sheet_become_one_sheet_per_crop_and_region(doors):
    imported = doors(
        "costs",
        "crop,region,item,amount,unit,months_after_sowing,at_harvest,source",
        "maize,3714,seed,50,CNY/mu,0,,survey",
        "winter_wheat,3714,seed,60,CNY/mu,0,,survey",
        "maize,3714,harvest,600,CNY/ha,4,yes,survey",
    )
    assert (imported.rows, imported.records, imported.stored) == (3, 2, 2)
    sheet = doors.facts.get(CostSheet, "maize/3714")
    assert [(item.name, item.per_ha, item.at_harvest) for item in sheet.items] == [
        ("seed", cny(750), False),
        ("harvest", cny(600), True),
    ]


def test_a_cost_sheet_in_two_currencies_is_refused(doors):
    with pytest.raises(MalformedInput, match="rows 2-3: the cost sheet of maize in 3714 mixes"):
        doors(
            "costs",
            "crop,region,item,amount,unit,months_after_sowing,at_harvest,source",
            "maize,3714,seed,50,CNY/mu,0,,survey",
            "maize,3714,urea,50,KES/acre,0,,survey",
        )


def test_days_of_weather_become_months(doors):
    header = "region,source,date,rain_mm,t_min_c,t_max_c"
    days = [f"3714,s,{day},0,1,9" for day in ("2024-12-31", "2025-01-02", "2025-01-01")]
    assert doors("weather", header, *days).records == 2
    stored = doors.facts.get(WeatherSeries, "3714/s/2025-01")
    assert (stored.first_on, stored.rain_mm, stored.solar_mj_m2) == (date(2025, 1, 1), (0.0, 0.0), ())
    with pytest.raises(MalformedInput, match="rows 2-3: days of 3714 in 2025-01 stand twice"):
        doors("weather", header, "3714,s,2025-01-01,0,1,9", "3714,s,2025-01-01,0,1,9")
    with pytest.raises(MalformedInput, match="3714: lowest temperature 9 °C exceeds the highest 1 °C on 2025-01-01"):
        doors("weather", header, "3714,s,2025-01-01,0,9,1")


def test_a_missing_day_parts_a_month_of_weather(doors):
    header = "region,source,date,rain_mm,t_min_c,t_max_c,solar_mj_m2"
    days = [f"3714,s,2025-01-{day},{day},1,9,5" for day in ("01", "02", "05", "06")]
    assert doors("weather", header, *days).records == 2
    first, second = (doors.facts.get(WeatherSeries, f"3714/s/{name}") for name in ("2025-01", "2025-01-05"))
    assert (first.first_on, first.rain_mm) == (date(2025, 1, 1), (1.0, 2.0))
    assert (second.first_on, second.rain_mm, second.solar_mj_m2) == (date(2025, 1, 5), (5.0, 6.0), (5.0, 5.0))


PLANTINGS = "id,field_id,season,crop,declared_area,area_unit,sowing_on,harvest_on"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        pytest.param("PL1,F1,2025-winter,quinoa,1,ha,2024-10-10,2025-06-10", "row 2: unknown crop 'quinoa'", id="crop"),
        pytest.param("PL1,F1,winter,maize,1,ha,2024-10-10,2025-06-10", "row 2: 'winter' is not a season", id="season"),
        pytest.param(
            "PL1,F1,2025-w,maize,1,rood,2024-10-10,2025-06-10", "row 2: unknown unit of area 'rood'", id="unit"
        ),
        pytest.param(
            "PL1,F1,2025-w,maize,much,ha,2024-10-10,2025-06-10", "declared_area 'much' is not a number", id="number"
        ),
        pytest.param("PL1,F1,2025-w,maize,-1,ha,2024-10-10,2025-06-10", "declared_area -1 is below 0", id="negative"),
        pytest.param("PL1,F1,2025-w,maize,0,ha,2024-10-10,2025-06-10", "is not positive", id="nothing"),
        pytest.param(
            "PL1,F1,2025-w,maize,1,ha,10/10/2024,2025-06-10", "sowing_on '10/10/2024' is not a date", id="date"
        ),
        pytest.param("PL1,F1,2025-w,maize,1,ha,2025-06-10,2024-10-10", "harvested before it is sown", id="order"),
        pytest.param(",F1,2025-w,maize,1,ha,2024-10-10,2025-06-10", "row 2: id is empty", id="no id"),
        pytest.param("PL1,F1,2025-w,maize,1,ha,2024-10-10", "row 2: has 7 cells, the header 8", id="short row"),
    ],
)
def test_a_row_that_cannot_be_read_refuses_the_whole_file(doors, row, message):
    with pytest.raises(RefusedInput, match=message):
        doors("plantings", PLANTINGS, row, "PL2,F1,2025-winter,maize,1,ha,2024-10-10,2025-06-10")
    assert doors.facts.find(Planting) == []


def test_the_refusal_counts_the_other_bad_rows_and_says_that_nothing_was_stored(doors):
    bad = "PL1,F1,2025-winter,quinoa,1,ha,2024-10-10,2025-06-10"
    with pytest.raises(
        UnknownName, match=r"table\.csv row 2: .* 2 more rows are refused; nothing of the file was stored"
    ):
        doors("plantings", PLANTINGS, bad, bad, bad)


PARTIES = "id,kind,name,branch"
PRICES = "crop,region,price,unit,dated_on,source"
TENURES = "id,party_id,field_id,role,right,from_on"


@pytest.mark.parametrize(
    ("noun", "header", "row", "message"),
    [
        pytest.param(
            "prices", "crop,region,price,unit,dated_on", "", "column 'source' is missing; prices", id="missing"
        ),
        pytest.param("plantings", PLANTINGS + ",colour", "", "unknown column 'colour'", id="unknown"),
        pytest.param("plantings", PLANTINGS + ",id", "", "column 'id' stands twice", id="twice"),
        pytest.param("parties", PARTIES, "P1,king,X,n", "unknown kind 'king'; known: household", id="kind"),
        pytest.param("parties", PARTIES + ",synthetic", "P1,household,X,n,perhaps", "neither yes nor no", id="flag"),
        pytest.param("parties", PARTIES + ",known_at", "P1,household,X,n,2025-01-01T00:00", "no time zone", id="zone"),
        pytest.param("prices", PRICES, "maize,*,2,CNY,2025-01-01,s", "not like CNY/jin", id="unit"),
        pytest.param("prices", PRICES, "maize,*,0,CNY/t,2025-01-01,s", "not positive", id="free"),
        pytest.param("prices", PRICES, "maize,*,2,CNY/lot,2025-01-01,s", "unknown unit of weight", id="weight"),
        pytest.param("tenures", TENURES, "T,P,F,king,own,2020-01-01", "'king' is none of holder", id="role"),
    ],
)
def test_a_file_that_does_not_have_its_form_is_refused(doors, noun, header, row, message):
    with pytest.raises(RefusedInput, match=message):
        doors(noun, header, row or "x," * header.count(",") + "x")


def test_an_id_that_stands_twice_is_refused(doors):
    with pytest.raises(MalformedInput, match="id 'P1' stands twice; give a correction a later known_at"):
        doors("parties", "id,kind,name,branch", "P1,household,X,n", "P1,household,Y,n")


INSPECTIONS = "lot_id,at,weight,weight_unit,moisture_pct,inspector"
MOVEMENTS = "id,lot_id,at,weight,weight_unit"


@pytest.mark.parametrize(
    ("noun", "header", "row"),
    [
        pytest.param("inspections", INSPECTIONS, "L1,2025-05-02,1000,kg,14,Zhao", id="an inspection"),
        pytest.param("movements", MOVEMENTS, "M1,L1,2025-05-02T00:00+08:00,-50,kg", id="a movement"),
    ],
)
def test_what_happened_in_a_store_lies_not_ahead(doors, noun, header, row):
    with pytest.raises(MalformedInput, match=r"row 2: at 2025-05-02\S* lies ahead: .* it is 2025-05-01 08:00"):
        doors(noun, header, row)


def test_what_was_inspected_today_is_taken(doors):
    assert doors("inspections", INSPECTIONS, "L1,2025-05-01,1000,kg,14,Zhao").stored == 1


def test_importing_a_file_again_stores_nothing_new(doors):
    lines = ("id,kind,name,branch", "P1,household,X,north")
    assert [doors("parties", *lines).stored, doors("parties", *lines).stored] == [1, 0]


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        pytest.param(b"", EmptyInput, "is empty", id="empty"),
        pytest.param(b"id,kind\n\n", EmptyInput, "no rows", id="header alone"),
        pytest.param("名,字\n".encode("gb18030"), MalformedInput, "cannot be read as UTF-8", id="another encoding"),
        pytest.param(b'id,kind\n"x,y\n', MalformedInput, "is not CSV", id="open quote"),
    ],
)
def test_what_is_no_table_is_refused(doors, content, error, message):
    file = doors.folder / "odd.csv"
    file.write_bytes(content)
    with pytest.raises(error, match=message):
        doors.import_("parties", file)


def test_a_missing_file_is_refused(doors):
    with pytest.raises(MalformedInput, match=r"nowhere\.csv: cannot be read"):
        doors.import_("parties", Path("nowhere.csv"))


def test_a_byte_order_mark_and_blank_lines_do_no_harm(doors):
    file = doors.write("id,kind,name,branch", "", "P1,household,X,north", encoding="utf-8-sig")
    assert doors.import_("parties", file).stored == 1


def test_the_line_of_a_row_is_that_of_the_file_even_after_a_blank_one(doors):
    with pytest.raises(UnknownName, match="row 4"):
        doors("parties", "id,kind,name,branch", "", "P1,household,X,n", "P2,king,Y,n")


class TestSeries:
    TABLE = ('month,Maize ($/mt),"Wheat, US HRW ($/mt)"', "2020-01,,200", "2020-02-01,150,201", "2020-03,151,202")

    def read(self, doors: Doors, *lines: str, series: str = "wheat_us_hrw", crop: str = "maize") -> PriceSeries:
        door = ImportPriceSeries(
            facts=doors.facts, tables=CsvTables(), catalogues=FakeCatalogues(), zone="Asia/Shanghai"
        )
        return door(doors.write(*lines), series=series, crop=crop, unit="USD/t", lag_days=10)

    def test_a_column_is_named_in_full_or_short(self, doors):
        assert short("Wheat, US HRW ($/mt)") == "wheat_us_hrw"
        for name in ("Wheat, US HRW ($/mt)", "wheat_us_hrw"):
            stored = self.read(doors, *self.TABLE, series=name)
            assert (stored.id, stored.unit) == ("maize/table/wheat_us_hrw", "USD/t")
            assert stored.values == (200.0, 201.0, 202.0)

    def test_empty_months_at_either_end_are_left_off(self, doors):
        stored = self.read(doors, *self.TABLE, series="maize")
        assert (stored.first_month, stored.values) == (date(2020, 2, 1), (150.0, 151.0))
        assert stored.known_at == datetime(2020, 3, 10, 15, 59, 59, 999999, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("lines", "message"),
        [
            pytest.param(("2020-01,1", "2020-02,", "2020-03,3"), "row 3: '' is not a price", id="hole"),
            pytest.param(("2020-01,1", "2020-03,3"), "row 3: month 2020-03 does not follow", id="month left out"),
            pytest.param(("2020-01,1", "soon,3"), "row 3: 'soon' is not a month", id="no month"),
            pytest.param(("2020-01,-1",), "'-1' is not a price", id="negative"),
            pytest.param(("2020-01,n/a",), "'n/a' is not a price", id="words"),
            pytest.param(("2020-01,",), "holds no values", id="nothing"),
        ],
    )
    def test_a_series_with_a_hole_is_refused(self, doors, lines, message):
        with pytest.raises(MalformedInput, match=message):
            self.read(doors, "month,maize", *lines, series="maize")

    def test_an_unknown_column_or_crop_is_refused_with_those_that_are_known(self, doors):
        with pytest.raises(UnknownName, match="unknown series 'oats'; known: maize, wheat_us_hrw"):
            self.read(doors, *self.TABLE, series="oats")
        with pytest.raises(UnknownName, match="unknown crop 'oats'"):
            self.read(doors, *self.TABLE, crop="oats")

    def test_months_are_counted_across_years(self):
        assert later_month(date(2020, 11, 1), 14) == date(2022, 1, 1)


def test_a_policy_comes_in_and_a_bad_one_leaves_the_old_in_force(doors):
    door = ImportPolicy(facts=doors.facts, clock=FakeClock(NOW), read=read_toml)
    assert door(POLICY_FILE).id == "season-CNY"
    bad = doors.folder / "bad.toml"
    bad.write_text(POLICY_FILE.read_text("utf-8").replace("alpha = 0.05", "alpha = 5"), "utf-8")
    with pytest.raises(MalformedInput, match=r"bad\.toml: policy value 'alpha' is impossible: 5"):
        door(bad)
    assert [policy.alpha for policy in doors.facts.find(LendingPolicy)] == [0.05]
    bad.write_text("alpha = ", "utf-8")
    with pytest.raises(MalformedInput, match="is not TOML"):
        door(bad)
