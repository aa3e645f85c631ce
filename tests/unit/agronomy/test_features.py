"""A season in six parts, and its anomalies."""

from __future__ import annotations

import numpy as np
import pytest

from cropcredit.agronomy.features import (
    PARTS,
    RegionIndex,
    SeasonCalendar,
    anomalies,
    believable,
    normals,
    region_table,
    season_parts,
    seen_parts,
)

SPRING = SeasonCalendar(1, 61)
SOWN, RIPE = np.datetime64("2025-01-01"), np.datetime64("2025-03-02")


def index(value: float, until: str = "2025-12-31", start: str = "2024-12-20") -> RegionIndex:
    dates = np.arange(np.datetime64(start), np.datetime64(until), 5)
    return RegionIndex(dates, np.full(len(dates), value))


def test_a_calendar_of_impossible_length_is_replaced_by_the_usual_one():
    calendars = {"a": SeasonCalendar(288, 166), "b": SeasonCalendar(288, 166), "odd": SeasonCalendar(190, 193)}

    assert believable(calendars)["odd"] == SeasonCalendar(288, 166)
    assert believable(calendars)[""] == SeasonCalendar(288, 166)


def test_calendars_that_are_all_impossible_stay_what_they_are():
    odd = {"odd": SeasonCalendar(190, 193)}

    assert believable(odd) == odd


def test_parts_are_means_of_equal_lengths():
    dates = np.arange(SOWN, RIPE + 1)
    rising = RegionIndex(dates, np.arange(len(dates)) / 100)

    parts = season_parts(rising, SOWN, RIPE)

    np.testing.assert_allclose(parts, [0.045, 0.145, 0.245, 0.345, 0.445, 0.545])


def test_a_season_under_way_has_only_its_first_parts():
    parts = season_parts(index(0.5, until="2025-01-21"), SOWN, RIPE)

    assert np.isfinite(parts).tolist() == [True] * 3 + [False] * 3


def test_a_part_that_a_long_gap_hides_was_not_seen():
    whole = index(0.5)
    hole = (whole.dates < np.datetime64("2025-01-15")) | (whole.dates > np.datetime64("2025-03-01"))

    parts = season_parts(RegionIndex(whole.dates[hole], whole.values[hole]), SOWN, RIPE)

    assert np.isfinite(parts).tolist() == [True, False, False, False, False, False]


@pytest.mark.parametrize("looks", [0, 1])
def test_an_index_of_hardly_any_dates_shows_nothing_of_the_end(looks):
    few = RegionIndex(np.array(["2025-01-01"] * looks, dtype="datetime64[D]"), np.full(looks, 0.5))

    assert np.isnan(season_parts(few, SOWN, RIPE)[-1])


def test_an_index_cut_at_a_day_knows_nothing_later():
    assert index(0.5).until(np.datetime64("2024-12-30")).dates[-1] == np.datetime64("2024-12-30")


def test_anomalies_are_against_the_regions_own_years_and_beside_them_the_common_one():
    table = table_of({"a": [0.4, 0.4, 0.4, 0.6], "b": [0.2, 0.2, 0.2, 0.2]})

    seen = anomalies(table, normals(table), 1)

    last = table.year == 2013
    np.testing.assert_allclose(seen[last], [[0.15, 0.075], [0.0, 0.075]], atol=1e-12)


def test_a_region_with_fewer_than_three_seasons_has_no_normal():
    table = table_of({"a": [0.4, 0.6]})

    assert np.isnan(anomalies(table, normals(table), 1)).all()


def test_yields_without_an_index_keep_their_rows():
    table = region_table({("x", 2012): 3.0}, {}, {"": SPRING}, range(2010, 2014))

    assert table.region.tolist() == ["x"]
    assert table.t_ha.tolist() == [3.0]
    assert seen_parts(table).tolist() == [0]


def rising(until: str = "", *, later: float = 0.9):
    """One region whose index rises by 0.001 a day; after 1 May 2012 it is ``later``."""
    dates = np.arange(np.datetime64("2010-01-01"), np.datetime64("2013-01-01"), 5)
    values = 0.001 * (dates - np.datetime64("2012-01-01")).astype(float)
    values[dates > np.datetime64("2012-05-01")] = later
    looks = {"a": RegionIndex(dates, values)}
    return region_table({}, looks, {"": SeasonCalendar(20, 140)}, [2012], others={"fapar": looks}, until=until)


def test_the_last_weeks_and_a_second_index_are_views_of_their_own():
    table = rising(until="05-01")

    assert sorted(table.views) == ["fapar", "fapar/recent", "recent"]
    np.testing.assert_array_equal(table.views["fapar"], table.parts)
    edges = 121 - 90 + np.linspace(0, 90, PARTS + 1)  # day numbers up to 1 May, from 90 days before
    np.testing.assert_allclose(table.views["recent"][0], 0.001 * (edges[:-1] + edges[1:] - 1) / 2, atol=1e-9)
    assert sorted(table.take(np.array([False])).views) == sorted(table.views)


def test_what_comes_after_the_day_named_changes_nothing():
    one, other = rising(until="05-01", later=0.9), rising(until="05-01", later=0.1)

    np.testing.assert_array_equal(one.parts, other.parts)
    np.testing.assert_array_equal(one.views["recent"], other.views["recent"])
    assert not np.array_equal(rising(later=0.9).parts, rising(later=0.1).parts)


def test_a_season_not_sown_by_that_day_was_not_seen():
    assert np.isnan(rising(until="01-21").parts).all()


def table_of(levels: dict[str, list[float]]):
    years = range(2010, 2010 + len(next(iter(levels.values()))))
    looks = {}
    for region, values in levels.items():
        dates = [np.arange(np.datetime64(f"{y}-01-01"), np.datetime64(f"{y}-12-31"), 5) for y in years]
        flat = [np.full(len(d), v) for d, v in zip(dates, values, strict=True)]
        looks[region] = RegionIndex(np.concatenate(dates), np.concatenate(flat))
    table = region_table({}, looks, {"": SeasonCalendar(20, 140)}, years)
    assert table.parts.shape[1] == PARTS
    return table
