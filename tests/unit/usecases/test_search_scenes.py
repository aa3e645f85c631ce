"""Searching for scenes where the fields lie."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
import shapely

from cropcredit.errors import EmptyInput
from cropcredit.fields import boundary_version
from cropcredit.model import Band, Field, SceneDraft, SceneQuery
from cropcredit.usecases.add_scenes import Declared
from cropcredit.usecases.search_scenes import SearchScenes
from tests.fakes import FakeFields

JUNE = SceneQuery(catalogue="x", since=datetime(2025, 6, 1, tzinfo=UTC), until=datetime(2025, 6, 30, tzinfo=UTC))
DRAFT = SceneDraft(id="a", path="x a", product="ndvi", tile="t", bands=(Band("ndvi", "a.tif"),),
                   acquired_at=datetime(2025, 6, 9, tzinfo=UTC))  # fmt: skip


class FakeCatalogue:
    """SceneCatalogue over a list."""

    def __init__(self, *drafts):
        self.drafts = drafts

    def search(self, query):
        del query
        return iter(self.drafts)


def field(name, *bounds):
    boundary = shapely.box(*bounds)
    return Field(id=name, collection="toy", boundary=boundary, area_ha=1, perimeter_m=400,
                 boundary_version=boundary_version(boundary), known_at=datetime(2024, 9, 1, tzinfo=UTC))  # fmt: skip


def search(*drafts, fields=()):
    return SearchScenes(catalogue=FakeCatalogue(*drafts), fields=FakeFields(*fields))


def test_the_box_holds_all_fields():
    fields = [field("f1", 117, 36, 117.1, 36.1), field("f2", 116.8, 36.2, 116.9, 36.4)]
    assert search(fields=fields).extent() == pytest.approx((116.8, 36, 117.1, 36.4))


def test_the_box_of_fields_on_both_sides_of_the_180th_meridian_crosses_it():
    fields = [field("f1", 179.1, -17, 179.2, -16.9), field("f2", -179.9, -16.8, -179.8, -16.7)]
    assert search(fields=fields).extent() == pytest.approx((179.1, -17, -179.8, -16.7))


def test_without_fields_there_is_no_box():
    with pytest.raises(EmptyInput, match=r"there is no field to search scenes for; .* or say where: --bbox"):
        search().extent()


def test_scenes_come_in_the_order_of_time_with_what_speaks_against_them():
    later, bare = (
        replace(DRAFT, id="b", acquired_at=datetime(2025, 6, 20, tzinfo=UTC)),
        replace(DRAFT, id="c", bands=()),
    )
    broken = replace(DRAFT, id="d", acquired_at=None, problem="cannot be read")
    found = search(later, bare, broken, DRAFT)(JUNE)
    assert [(draft.id, draft.problem) for draft in found] == [
        ("d", "cannot be read"), ("a", ""), ("c", "x a: has no band ndvi"), ("b", "")
    ]  # fmt: skip


def test_what_a_person_declares_goes_before_what_the_catalogue_says():
    [silent] = search(replace(DRAFT, tile=""))(JUNE)
    [told] = search(replace(DRAFT, tile=""))(JUNE, declared=Declared(tile="mine"))
    assert silent.problem == "x a: tile '' is not a name; say it: --tile 50SMJ"
    assert (told.problem, told.tile) == ("", "mine")
