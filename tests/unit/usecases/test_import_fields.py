"""Importing boundaries: good rows are stored, bad ones named; shared ground is found."""

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest
import shapely
from shapely import box

from cropcredit.errors import MalformedInput, SwappedAxes
from cropcredit.fields import Region
from cropcredit.model import Planting, Tenure, VectorTable
from cropcredit.usecases.import_fields import CheckFields, FieldForm, ImportFields
from tests.fakes import FakeClock, FakeFacts, FakeFields

NOW = datetime(2025, 3, 1, tzinfo=UTC)
BOW_TIE = shapely.from_wkt("POLYGON ((36 0, 36.002 0.002, 36.002 0, 36 0.002, 36 0))")


class Drawn:
    """VectorFiles holding one table."""

    def __init__(self, *shapes, crs="EPSG:4326", **columns):
        geometries = np.array([*shapes, None], dtype=object)[:-1]
        ids = {"id": [f"f{k + 1}" for k in range(len(shapes))]}
        self.table = VectorTable(path="fields.gpkg", crs=crs, geometries=geometries, columns=ids | columns)

    def read(self, path, **_):
        return replace(self.table, path=path)


def square(west, size=0.001):
    return box(west, 0, west + size, size)


def importing(drawn, fields=None):
    return ImportFields(fields=fields or FakeFields(), vectors=drawn, clock=FakeClock(NOW), time_zone="Africa/Nairobi")


def test_a_file_becomes_fields_with_measures_and_attributes():
    columns = {"crop:code": ["maize"], "admin_unit": ["Busia"], "determination:datetime": ["2024-09-15T04:00:00Z"]}
    run = importing(Drawn(square(36), **columns))
    report = run("fields.gpkg", FieldForm())
    [field] = run.fields.read()
    assert (report.rows, report.stored, report.unchanged, report.refused) == (1, 1, 0, ())
    assert (field.id, field.collection, field.crop_code, field.admin_unit) == ("f1", "fields", "maize", "Busia")
    assert (field.known_at, field.time_zone) == (NOW, "Africa/Nairobi")
    assert field.determined_at == datetime(2024, 9, 15, 4, tzinfo=UTC)
    assert field.area_ha == pytest.approx(1.231, abs=1e-3)


def test_a_projected_file_lands_where_it_belongs():
    run = importing(Drawn(box(644_000, 66_000, 644_100, 66_100), crs="EPSG:32636"))
    run("kenya.geojson", FieldForm(known_at=datetime(2024, 9, 1, tzinfo=UTC)))
    [field] = run.fields.read(as_of=datetime(2024, 9, 1, tzinfo=UTC))
    assert field.boundary.centroid.x == pytest.approx(34.294, abs=1e-3)
    assert field.boundary.centroid.y == pytest.approx(0.597, abs=1e-3)


def test_importing_again_changes_nothing():
    run = importing(Drawn(square(36)))
    run("fields.gpkg", FieldForm())
    again = run("fields.gpkg", FieldForm())
    assert (again.stored, again.unchanged) == (0, 1)


def test_a_bad_row_is_refused_by_name_and_the_others_are_stored():
    drawn = Drawn(square(36), None, shapely.Point(36, 0), BOW_TIE, square(37), crs="EPSG:4326")
    drawn.table.columns["id"] = ["a", "b", "c", "d", None]
    run = importing(drawn)
    report = run("fields.gpkg", FieldForm())
    assert [field.id for field in run.fields.read()] == ["a", "d"]
    assert [row.reason for row in report.refused] == [
        "fields.gpkg b: the field has no boundary; draw one",
        "fields.gpkg c: the boundary is a Point, not a polygon",
        "fields.gpkg row 5: the row has no id",
    ]
    [repaired] = report.repaired
    assert (repaired.id, repaired.row) == ("d", 4)
    assert repaired.reason.startswith("Self-intersection")
    assert run.fields.read(ids=["d"])[0].original_wkb == BOW_TIE.wkb


def test_an_id_twice_in_a_file_counts_once():
    drawn = Drawn(square(36), square(37), id=["a", "a"])
    run = importing(drawn)
    report = run("fields.gpkg", FieldForm())
    assert [field.boundary.centroid.x for field in run.fields.read()] == pytest.approx([36.0005])
    assert report.refused[0].reason == "fields.gpkg a: the id stands in the file 2 times; the first row counts"


def test_an_id_of_another_register_is_not_taken_over():
    held = FakeFields()
    importing(Drawn(square(36)), held)("one.gpkg", FieldForm())
    report = importing(Drawn(square(37)), held)("two.gpkg", FieldForm())
    assert "the id belongs to a field of collection 'one'; import with --collection one" in report.refused[0].reason
    assert len(held.read()) == 1


def test_a_file_without_an_id_column_is_refused_or_numbered():
    drawn = Drawn(square(36), square(37), PARCEL=[1.0, 2.0])
    del drawn.table.columns["id"]
    with pytest.raises(MalformedInput, match=r"has no column 'id'; --id-column one of PARCEL, or --number-as PREFIX"):
        importing(drawn)("fields.gpkg", FieldForm())
    named, numbered = importing(drawn), importing(drawn)
    named("fields.gpkg", FieldForm(id_column="PARCEL"))
    numbered("fields.gpkg", FieldForm(number_as="nl-"))
    assert [field.id for field in named.fields.read()] == ["1", "2"]
    assert [field.id for field in numbered.fields.read()] == ["nl-1", "nl-2"]


def test_exchanged_axes_store_nothing():
    henan = importing(Drawn(box(34.0, 113.0, 34.001, 113.001)))
    with pytest.raises(SwappedAxes, match=r"fields.gpkg: x and y are exchanged"):
        henan("fields.gpkg", FieldForm())
    kenya = importing(Drawn(box(0.5, 34.2, 0.501, 34.201)))
    with pytest.raises(SwappedAxes, match="outside the declared region"):
        kenya("fields.gpkg", FieldForm(region=Region(33.9, -4.7, 41.9, 5.5)))
    assert henan.fields.read() == kenya.fields.read() == []


def test_a_file_without_one_boundary_is_refused():
    with pytest.raises(MalformedInput, match="no row has a boundary"):
        importing(Drawn(None, None))("fields.gpkg", FieldForm())


def test_ground_shared_with_fields_held_before_is_reported():
    held = FakeFields()
    importing(Drawn(square(36), square(36.005), id=["old", "apart"]), held)("one.gpkg", FieldForm())
    report = importing(Drawn(square(36.0002), id=["new"]), held)("two.gpkg", FieldForm())
    assert [(o.left, o.right, o.kind.value) for o in report.overlaps] == [("new", "old", "review")]


def tenure(party, field, *, to_on=None):
    return Tenure(id=f"{party}-{field}", known_at=NOW, party_id=party, field_id=field, role="operator", right="own",
                  from_on=date(2020, 1, 1), to_on=to_on)  # fmt: skip


def planting(field):
    return Planting(id=f"pl-{field}", known_at=NOW, field_id=field, season_id="2025-winter", crop="wheat",
                    declared_area_ha=1.0, sowing_on=date(2024, 10, 1), harvest_on=date(2025, 6, 1))  # fmt: skip


def test_one_ground_under_two_parties_in_one_season_is_possible_double_financing():
    fields = FakeFields()
    importing(Drawn(square(36), square(36.0001), square(36.01), square(36.0101)), fields)("f.gpkg", FieldForm())
    facts = FakeFacts(tenure("wang", "f1"), tenure("li", "f2"), tenure("wang", "f3"), tenure("wang", "f4"),
                      tenure("zhao", "f4", to_on=date(2021, 1, 1)), planting("f1"), planting("f2"))  # fmt: skip
    worst, own = CheckFields(fields=fields, facts=facts)(as_of=NOW)
    assert (worst.double_financing, worst.left_parties, worst.right_parties) == (True, ("wang",), ("li",))
    assert worst.seasons == ("2025-winter",)
    assert (own.double_financing, own.overlap.left) == (False, "f3")
