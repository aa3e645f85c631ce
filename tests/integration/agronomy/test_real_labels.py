"""Official yields: what is wrong in them is found by rule, slips put in are found, and little else is accused."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from cropcredit.agronomy.label_copies import shared_series
from cropcredit.agronomy.labels import Suspect, sift
from tests.integration.agronomy import slipped
from tests.integration.agronomy.slipped import Found, Labels, clean, measure, read

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def folder(real_data: Path) -> Path:
    return real_data / "yields"


@pytest.fixture(scope="module")
def plain(folder: Path) -> dict[str, Labels]:
    return {name: clean(read(folder, name)) for name in slipped.SETS}


@pytest.fixture(scope="module")
def told(folder: Path) -> dict[str, Labels]:
    return {name: clean(read(folder, name, figures=True)) for name in ("es-wheat", "es-maize", "nl-wheat")}


def pooled(sets: dict[str, Labels], inject: slipped.Inject, rounds: int = 2) -> Found:
    return sum((measure(labels, inject, rounds=rounds) for labels in sets.values()), Found(0, 0, 0, 0))


def accused(suspects: list[Suspect]) -> dict[tuple[str, int], str]:
    return {(s.label.region, s.label.harvest_year): s.rule for s in suspects}


def test_the_wrong_label_of_spanish_wheat_is_found_by_rule_and_little_else(folder):
    suspects = sift(read(folder, "es-wheat"))[1]

    wrong = next(s for s in suspects if s.label.t_ha == 33.696)
    assert wrong.rule == "times_ten"
    assert wrong.corrected_t_ha == pytest.approx(3.3696)
    assert len(suspects) <= 2  # of 721; the other is a yield of a twelfth in a year of drought


def test_area_times_yield_accuses_nothing_where_it_is_production_to_rounding(folder):
    for name in ("es-wheat", "es-maize", "nl-wheat"):
        rules = Counter(s.rule for s in sift(read(folder, name, figures=True))[1])
        assert rules["area_yield_production"] == 0, name


def test_a_row_that_stands_for_two_years_is_found(folder):
    assert accused(sift(read(folder, "es-wheat", figures=True))[1])["ES616", 1999] == "repeated"


def test_a_year_with_the_rows_of_another_table_is_found(folder):
    """Most of Spanish maize 2002 is not maize: a tenth of the yield on areas up to 1,500 times the region's own."""
    found = accused(sift(read(folder, "es-maize", figures=True))[1])

    assert sum(year == 2002 for _, year in found) >= 24
    right = ("ES432", "ES611", "ES612", "ES613", "ES614", "ES615", "ES616", "ES617", "ES618")
    assert not [region for region in right if (region, 2002) in found]


def test_islands_with_the_yield_of_their_province_are_named_and_kept(folder):
    labels = read(folder, "es-maize")

    assert shared_series(labels) == [("ES704", "ES705", "ES708"), ("ES706", "ES707", "ES709")]
    assert not [key for key in accused(sift(labels)[1]) if key[0].startswith("ES70")]


def test_dutch_wheat_is_clean(folder):
    assert sift(read(folder, "nl-wheat", figures=True))[1] == []


def test_the_zeros_of_french_maize_are_found_and_little_else(folder):
    rules = Counter(rule for rule in accused(sift(read(folder, "fr-maize"))[1]).values())

    assert rules.pop("zero_yield") == 86
    assert (
        rules.total() <= 10
    )  # of 2,940: five years of one region at twice its level, a value of five years, one fifth


@pytest.mark.parametrize(
    ("kind", "least"),
    [
        ("single x10", 0.98),
        ("single x0.1", 0.97),
        ("single x15", 0.98),
        ("single x0.0666667", 0.98),
        ("single x1000", 0.98),
        ("block x2", 0.85),
        ("block x2.471", 0.93),
        ("block x10", 0.99),
        ("block x0.1", 0.97),
        ("region x0.1", 0.97),
        ("region x10", 0.90),
        ("all regions, a year x10", 0.95),
    ],
)
def test_slips_put_into_yields_alone_are_found(plain, kind, least):
    kinds = slipped.SINGLES | slipped.BLOCKS | slipped.REGIONS | slipped.YEARS

    found = pooled(plain, kinds[kind])

    assert found.share >= least
    assert found.false_share <= 0.005


@pytest.mark.parametrize("kind", slipped.FIGURES)
def test_slips_that_area_and_production_contradict_are_found(told, kind):
    found = pooled(told, slipped.FIGURES[kind])

    assert found.share >= 0.98
    assert found.false_share <= 0.005


@pytest.mark.parametrize("kind", slipped.DROUGHTS)
def test_droughts_to_a_quarter_are_no_slips(plain, kind):
    found = pooled(plain, slipped.DROUGHTS[kind], rounds=6)

    assert found.share <= 0.02
    assert found.false_share <= 0.005
