"""What is suspect among past yields."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from cropcredit.agronomy.label_copies import copies, shared_series
from cropcredit.agronomy.label_rules import two_groups
from cropcredit.agronomy.label_slips import nearest, slips, wet_weight
from cropcredit.agronomy.labels import require_one_unit, require_years, sift
from cropcredit.errors import MalformedInput, RefusedInput
from cropcredit.model import YieldLabel

REGIONS = ("A11", "A12", "A13", "A14", "B21", "B22", "B23", "B24")


def label(
    region: str,
    year: int,
    t_ha: float,
    crop: str = "winter_wheat",
    *,
    area_ha: float | None = None,
    production_t: float | None = None,
) -> YieldLabel:
    return YieldLabel(
        id=f"{region}/{year}",
        known_at=datetime(2025, 1, 1, tzinfo=UTC),
        crop=crop,
        harvest_year=year,
        t_ha=t_ha,
        region=region,
        source="test",
        area_ha=area_ha,
        production_t=production_t,
    )


def region(name: str, *yields: float) -> list[YieldLabel]:
    return [label(name, 2010 + i, t_ha) for i, t_ha in enumerate(yields)]


def world(years: int = 16, noise: float = 0.12, seed: int = 7) -> list[YieldLabel]:
    """Eight regions of levels between 3 and 6.5 t/ha, each with its own noise and all with that of the year."""
    rng = np.random.default_rng(seed)
    common = rng.normal(0, 0.1, years)
    return [
        label(name, 2000 + y, round(float((3 + 0.5 * i) * np.exp(common[y] + rng.normal(0, noise))), 3))
        for i, name in enumerate(REGIONS)
        for y in range(years)
    ]


def times(factor: float, labels: list[YieldLabel], regions: tuple[str, ...], years: range) -> list[YieldLabel]:
    def hit(x: YieldLabel) -> bool:
        return x.region in regions and x.harvest_year in years

    return [replace(x, t_ha=x.t_ha * factor) if hit(x) else x for x in labels]


def accused(labels: list[YieldLabel]) -> dict[tuple[str, int], str]:
    return {(s.label.region, s.label.harvest_year): s.rule for s in sift(labels)[1]}


def test_a_slipped_decimal_point_is_found_in_a_region_of_any_level():
    good, suspects = sift(region("low", 1.0, 1.1, 0.9, 10.0, 1.0) + region("high", 6.0, 5.5, 6.5, 6.2, 5.8))

    assert [(s.label.region, s.label.t_ha, s.rule) for s in suspects] == [("low", 10.0, "times_ten")]
    assert suspects[0].corrected_t_ha == pytest.approx(1.0)
    assert "quintals (dt) taken for tonnes" in suspects[0].detail
    assert len(good) == 9


def test_nothing_is_held_against_ordinary_yields():
    assert accused(world()) == {}


@pytest.mark.parametrize(
    ("factor", "rule"),
    [
        pytest.param(10, "times_ten", id="quintals for tonnes"),
        pytest.param(0.1, "times_ten", id="tonnes for quintals"),
        pytest.param(100, "times_hundred", id="two decimals"),
        pytest.param(1000, "kg_tonne", id="kilograms for tonnes"),
        pytest.param(66.7, "kg_per_mu", id="kilograms per mu"),
        pytest.param(1 / 15, "mu_hectare", id="mu for hectares"),
    ],
)
def test_one_label_in_another_unit_is_named(factor, rule):
    labels = times(factor, world(noise=0.05), ("A13",), range(2005, 2006))

    _, [suspect] = sift(labels)

    assert (suspect.label.region, suspect.label.harvest_year, suspect.rule) == ("A13", 2005, rule)
    assert suspect.corrected_t_ha == pytest.approx(suspect.label.t_ha / factor, rel=0.1)


@pytest.mark.parametrize(
    ("factor", "rule"),
    [
        pytest.param(2, "jin_kg", id="jin"),
        pytest.param(0.5, "jin_kg", id="kilograms for jin"),
        pytest.param(2.471, "acre_hectare", id="acres"),
        pytest.param(3.2, "jump", id="no unit"),
        pytest.param(15, "mu_hectare", id="mu"),
        pytest.param(10, "times_ten", id="decimal point"),
    ],
)
def test_a_block_of_years_in_another_unit_is_named_and_left_out(factor, rule):
    block = range(2004, 2011)

    found = accused(times(factor, world(noise=0.06), ("B22",), block))

    assert found == {("B22", year): rule for year in block}


def test_a_region_that_is_wrong_in_most_years_is_told_by_the_level_of_the_others():
    wrong = range(2000, 2010)

    assert accused(times(10, world(), ("A12",), wrong)) == {("A12", year): "times_ten" for year in wrong}


def test_a_region_that_is_wrong_in_all_years_is_told_by_the_level_of_the_others():
    assert set(accused(times(0.1, world(), ("A12",), range(2100)))) == {("A12", 2000 + y) for y in range(16)}


@pytest.mark.parametrize("year", [2000, 2007, 2015], ids=["first", "middle", "last"])
def test_a_year_that_all_regions_wrote_in_another_unit_is_found(year):
    assert set(accused(times(10, world(), REGIONS, range(year, year + 1)))) == {(name, year) for name in REGIONS}


def test_a_block_of_years_that_all_regions_wrote_in_jin_is_found():
    labels = times(2, world(noise=0.05), REGIONS, range(2006, 2012))

    assert accused(labels) == {(name, year): "jin_kg" for name in REGIONS for year in range(2006, 2012)}


def test_a_year_of_which_most_rows_are_another_tables_leaves_the_right_ones_alone():
    labels = times(0.12, world(noise=0.03), REGIONS[:6], range(2007, 2008))

    assert set(accused(labels)) == {(name, 2007) for name in REGIONS[:6]}


def test_a_drought_that_is_everywhere_is_no_slip():
    drought = [region(name, 3.0, 3.2, 2.9, 0.4, 3.1) for name in ("a", "b", "c", "d")]

    assert accused([one for labels in drought for one in labels]) == {}


@pytest.mark.parametrize("regions", [REGIONS, REGIONS[:4], ("B21",)], ids=["everywhere", "a province", "one region"])
@pytest.mark.parametrize("year", [2000, 2008, 2015])
def test_a_drought_to_a_quarter_is_no_slip(regions, year):
    assert accused(times(0.25, world(), regions, range(year, year + 1))) == {}


def test_a_province_that_lost_nine_tenths_had_a_drought():
    labels = times(0.15, world(), REGIONS[:4], range(2008, 2009))

    assert accused(labels) == {}


def test_a_province_is_told_by_its_codes_where_its_past_does_not_tell():
    assert accused(times(0.1, world(years=60, noise=0.25, seed=3), REGIONS[:4], range(2008, 2009))) == {}


def test_regions_that_had_the_same_years_before_are_neighbours_whatever_their_codes():
    rng = np.random.default_rng(3)
    wet, dry = (np.exp(rng.normal(0, 0.35, 16)) for _ in range(2))
    names = {"kilo": dry, "lima": wet, "papa": dry, "golf": wet, "alfa": dry, "zulu": wet, "echo": dry, "mike": wet}
    labels = [
        label(name, 2000 + y, float(5 * climate[y] * np.exp(rng.normal(0, 0.05))))
        for name, climate in names.items()
        for y in range(16)
    ]
    parched = tuple(name for name, climate in names.items() if climate is dry)

    assert accused(times(0.15, labels, parched, range(2009, 2010))) == {}
    assert set(accused(times(0.1, labels, parched[:1], range(2009, 2010)))) == {(parched[0], 2009)}


def test_a_region_without_part_in_a_bumper_year_is_no_slip():
    labels = times(0.6, world(noise=0.05), ("B21",), range(2008, 2009))

    assert accused(times(3.5, labels, tuple(r for r in REGIONS if r != "B21"), range(2008, 2009))) == {}


def test_four_bad_years_in_a_row_are_no_slip():
    assert accused(times(0.4, world(noise=0.05), ("B22",), range(2005, 2009))) == {}


def test_progress_over_decades_is_no_slip():
    growth = [replace(x, t_ha=x.t_ha * 1.04 ** (x.harvest_year - 2000)) for x in world(years=50)]

    assert accused(growth) == {}


def test_a_zero_yield_is_left_out_by_name():
    _, suspects = sift(region("low", 1.0, 1.1, 0.0))

    assert [(s.label.harvest_year, s.rule, s.corrected_t_ha) for s in suspects] == [(2012, "zero_yield", None)]


def test_kept_labels_are_learned_from():
    labels = region("low", 1.0, 1.1, 0.9, 10.0, 0.0)

    good, suspects = sift(labels, keep=[("low", 2013)])

    assert [x.t_ha for x in good] == [1.0, 1.1, 0.9, 10.0]
    assert [s.rule for s in suspects] == ["zero_yield"]
    with pytest.raises(MalformedInput, match=r"1 label\(s\) to keep that are not there, first low 1999"):
        sift(labels, keep=[("low", 1999)])


@pytest.mark.parametrize(
    ("t_ha", "words"),
    [
        pytest.param(8.0, "jin taken for kilograms", id="jin"),
        pytest.param(2.8, "one of the three figures", id="milled rice, but wheat"),
        pytest.param(3.4, "brought to standard moisture once more", id="dried twice"),
        pytest.param(4.8, "weight at harvest moisture written as", id="wet"),
        pytest.param(3.6, "quintals taken for 90-kg bags", id="bags"),
    ],
)
def test_area_times_yield_that_is_not_production_is_corrected_by_it(t_ha, words):
    usual = [label("A", 2000 + y, 4.0, area_ha=100, production_t=400) for y in range(6)]
    wrong = label("A", 2006, t_ha, area_ha=100, production_t=400)

    suspect = next(s for s in sift([*usual, wrong])[1] if s.label == wrong)

    assert suspect.rule == "area_yield_production"
    assert suspect.corrected_t_ha == pytest.approx(4.0)
    assert words in suspect.detail


def test_milled_rice_is_told_from_paddy_by_production():
    usual = [label("A", 2000 + y, 7.0, "rice", area_ha=100, production_t=700) for y in range(6)]
    milled = label("A", 2006, 4.9, "rice", area_ha=100, production_t=700)

    suspect = next(s for s in sift([*usual, milled])[1] if s.label == milled)

    assert "milled rice written as paddy" in suspect.detail
    assert suspect.corrected_t_ha == pytest.approx(7.0)


def test_a_usual_yield_beside_a_wrong_production_is_listed_but_stays_what_it_is():
    usual = [label("A", 2000 + y, 4.0 + y / 10, area_ha=100, production_t=400 + 10 * y) for y in range(6)]
    wrong = label("A", 2006, 4.2, area_ha=100, production_t=4200)

    _, [suspect] = sift([*usual, wrong])

    assert suspect.corrected_t_ha == 4.2
    assert "area or production is wrong" in suspect.detail


def test_rounding_is_no_contradiction():
    rounded = [label("A", 2000 + y, 1.2 + y / 100, area_ha=3, production_t=4) for y in range(6)]

    assert accused(rounded) == {}


def test_a_row_of_another_crop_is_told_by_its_area():
    labels = [replace(x, area_ha=100.0) if x.region == "A11" else x for x in world()]
    at = next(i for i, x in enumerate(labels) if x.region == "A11" and x.harvest_year == 2009)
    labels[at] = replace(labels[at], area_ha=4000.0, t_ha=labels[at].t_ha / 2.5)

    assert accused(labels) == {("A11", 2009): "area_jump"}


def test_the_usual_harvest_on_a_small_area_is_a_yield_too_high():
    labels = [replace(x, area_ha=100.0) if x.region == "A11" else x for x in world()]
    at = next(i for i, x in enumerate(labels) if x.region == "A11" and x.harvest_year == 2009)
    labels[at] = replace(labels[at], area_ha=10.0, t_ha=labels[at].t_ha * 10)

    assert accused(labels) == {("A11", 2009): "times_ten"}


def test_an_area_is_not_judged_by_few_others():
    few = [label("A", 2000 + y, 4.0 + y / 7, area_ha=100) for y in range(3)]

    assert accused([*few, label("A", 2004, 2.0, area_ha=4000)]) == {}


def test_a_value_carried_on_over_years_is_left_out_but_for_its_first_year():
    labels = world()
    first = next(x for x in labels if x.region == "B23" and x.harvest_year == 2003)
    carried = [
        replace(x, t_ha=first.t_ha) if x.region == "B23" and x.harvest_year in (2004, 2005) else x for x in labels
    ]

    assert accused(carried) == {("B23", 2004): "repeated", ("B23", 2005): "repeated"}


def test_round_values_repeat_without_being_copies():
    estimates = [replace(x, t_ha=float(round(x.t_ha))) for x in world(noise=0.05)]

    assert copies(estimates) == {}


def test_a_row_that_stands_twice_with_all_its_figures_is_a_copy():
    rows = [label("A", 2000 + y, 4 + y / 10, area_ha=50 + y, production_t=(50 + y) * (4 + y / 10)) for y in range(9)]
    rows[5] = replace(rows[4], id="A/2005", harvest_year=2005)
    other = [label("B", 2000 + y, 5 - y / 10, area_ha=70 + y, production_t=(70 + y) * (5 - y / 10)) for y in range(9)]
    other[7] = replace(rows[7], id="B/2007", region="B")

    found = copies([*rows, *other])

    assert {(label.region, label.harvest_year) for at, label in enumerate([*rows, *other]) if at in found} == {
        ("A", 2005),
        ("A", 2007),
        ("B", 2007),
    }


def test_years_that_one_region_took_from_another_are_doubted_in_both():
    labels = world()
    source = {x.harvest_year: x.t_ha for x in labels if x.region == "A14"}
    taken = range(2003, 2006)
    labels = [
        replace(x, t_ha=source[x.harvest_year]) if x.region == "B21" and x.harvest_year in taken else x for x in labels
    ]

    assert set(accused(labels)) == {(name, year) for name in ("A14", "B21") for year in taken}


def test_a_value_that_a_whole_province_has_in_one_year_is_doubted_in_all_its_regions():
    labels = [replace(x, t_ha=4.321) if x.region[0] == "A" and x.harvest_year == 2006 else x for x in world()]

    assert accused(labels) == {(name, 2006): "repeated" for name in REGIONS[:4]}


def test_a_year_that_was_rounded_and_converted_is_no_copy():
    rounded = [replace(x, t_ha=round(x.t_ha / 3) * 2.961) if x.harvest_year == 2006 else x for x in world()]
    assert max(Counter(x.t_ha for x in rounded if x.harvest_year == 2006).values()) >= 4

    assert copies(rounded) == {}


def test_regions_with_one_series_between_them_are_named_and_not_accused():
    labels = world()
    series = {x.harvest_year: x.t_ha for x in labels if x.region == "A11"}
    islands = [replace(x, t_ha=series[x.harvest_year]) if x.region in ("A12", "A13") else x for x in labels]

    assert shared_series(islands) == [("A11", "A12", "A13")]
    assert accused(islands) == {}
    assert shared_series(labels) == shared_series([]) == []


@pytest.mark.parametrize(
    ("t_ha", "seen"), [(-1.0, "-1"), (float("nan"), "nan"), (float("inf"), "inf")], ids=["negative", "NaN", "infinite"]
)
def test_what_is_no_yield_is_refused(t_ha, seen):
    with pytest.raises(MalformedInput, match=f"yield label a 2010: {seen} t/ha is no yield"):
        sift(region("a", t_ha))


def test_two_yields_of_one_region_and_year_are_refused():
    with pytest.raises(MalformedInput, match="two labels, first a 2010"):
        sift([*region("a", 1.0), *region("a", 1.2)])


def test_labels_of_unknown_regions_are_refused_where_regions_are_known():
    with pytest.raises(MalformedInput, match=r"2 label\(s\) of a region that is not known, first b 2010"):
        sift([*region("a", 1.0), *region("b", 1.0, 1.2)], regions={"a"})
    assert len(sift(region("a", 1.0), regions={"a"})[0]) == 1


@pytest.mark.parametrize("half", [REGIONS[::2], REGIONS], ids=["half of the regions", "half of the years"])
def test_two_units_in_one_file_are_refused(half):
    years = range(2000, 2008) if half == REGIONS else range(2100)

    with pytest.raises(MalformedInput, match=r"two groups, around 4\.\d and 4\d t/ha: two units stand in one file"):
        sift(times(10, world(), half, years))


def test_dry_and_irrigated_regions_are_not_two_units():
    require_one_unit(times(5, world(), REGIONS[::2], range(2100)))
    assert two_groups(np.log([1.0, 10.0])) is None


def test_five_bad_years_everywhere_are_no_slip():
    assert accused(times(0.5, world(noise=0.05), REGIONS, range(2005, 2010))) == {}


def test_where_regions_differ_widely_the_part_of_a_region_that_is_like_the_others_is_right():
    scale = dict(zip(REGIONS, (0.2, 0.4, 0.7, 1.0, 1.0, 1.4, 2.5, 5.0), strict=True))
    labels = [replace(x, t_ha=x.t_ha * scale[x.region]) for x in world(noise=0.05)]

    found = accused(times(10, labels, ("A14",), range(2000, 2010)))

    assert found == {("A14", year): "times_ten" for year in range(2000, 2010)}


def test_nothing_is_suspect_about_nothing():
    assert sift([]) == ([], [])


def test_fewer_than_five_years_teach_nothing():
    with pytest.raises(RefusedInput, match=r"4 harvest year\(s\) of 'maize', at least 5"):
        require_years(region("a", 1.0, 1.0, 1.0, 1.0), "maize")
    require_years(region("a", 1.0, 1.1, 0.9, 1.0, 1.2), "maize")


def named(ratio: float, tolerance: float) -> str:
    slip = nearest(np.log(ratio), "maize", tolerance)
    return slip.rule if slip else ""


def wet(ratio: float) -> float | None:
    slip = wet_weight(np.log(ratio))
    return slip.factor if slip else None


def test_bushels_and_milling_are_known_per_crop():
    def rules(crop: str) -> set[str]:
        return {slip.rule for slip in slips(crop)}

    assert "milled_paddy" in rules("rice") - rules("maize")
    assert "bushel_per_acre" in rules("maize") - rules("cotton")
    assert named(15.93, 0.02) == "bushel_per_acre"
    assert not named(30, 0.1)


def test_a_rare_slip_must_be_nearer_than_a_common_one():
    assert named(10.5, 0.35) == "times_ten"
    assert named(10.5, 0.10) == "times_ten"
    assert named(11.1, 0.03) == "bag_per_ha"


def test_wet_weight_is_a_third_more_at_most():
    assert wet(1.2) == pytest.approx(1.2)
    assert wet(0.8) == pytest.approx(0.8)
    assert wet(1.5) is None
