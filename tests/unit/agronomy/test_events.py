"""Damage, flood and drought: each told by its own signs, and by nothing that ripening, clouds or paddies do."""

from __future__ import annotations

import numpy as np
import pytest

from cropcredit.agronomy.event_signs import EventKind, Looks, Witnesses, drops
from cropcredit.agronomy.events import Event, find_droughts, find_events
from cropcredit.agronomy.season_clock import SeasonClock, season_clock

FIELDS, SOWN, REAPED = 8, 10, 150
DAY = np.arange(0, 160, 5)
GROUP = np.zeros(FIELDS)


def clock(fields: int = FIELDS) -> SeasonClock:
    return season_clock(np.full(fields, SOWN), np.full(fields, REAPED))


def green(fields: int = FIELDS) -> np.ndarray:
    """A crop that rises to 0.8 by day 70, stays, and ripens from day 130 on."""
    curve = np.interp(DAY, [0, 25, 70, 130, 150], [0.2, 0.2, 0.8, 0.8, 0.25])
    return np.tile(curve, (fields, 1))


def looks(value: np.ndarray, keep: np.ndarray | None = None) -> Looks:
    return Looks(day=DAY, value=value, keep=np.isfinite(value) if keep is None else keep)


def at(day: int) -> int:
    return int(np.flatnonzero(day == DAY)[0])


def hail(fields: list[int], day: int = 90, to: float = 0.45) -> np.ndarray:
    value = green()
    value[fields, at(day) :] = np.minimum(value[fields, at(day) :], to)
    return value


def test_a_fall_of_the_living_crop_is_damage_with_its_date_depth_and_stage():
    (found,) = find_events(looks(hail([2])), clock(), GROUP)

    assert (found.row, found.kind, found.day, found.after_day) == (2, EventKind.DAMAGE, 90, 85)
    assert found.depth == pytest.approx(0.35)
    assert found.stage == pytest.approx(81 / 141)
    assert not found.thermal
    assert found.evidence == ("index_drop",)
    assert found.neighbours == 0
    assert found.confirmed


def test_an_undamaged_crop_rises_ripens_and_is_reaped_without_an_event():
    assert find_events(looks(green()), clock(), GROUP) == []


@pytest.mark.parametrize(
    ("day", "to"),
    [
        pytest.param(125, 0.3, id="in the weeks before harvest"),
        pytest.param(90, 0.62, id="too small a fall"),
    ],
)
def test_what_is_no_abrupt_loss_is_no_event(day, to):
    assert find_events(looks(hail([2], day, to)), clock(), GROUP) == []


def test_weeds_before_emergence_are_not_the_crop():
    value = green()
    value[3, : at(15)] = 0.6  # weeds, ploughed under by day 15, and sown again into bare soil

    assert find_events(looks(value), clock(), GROUP) == []


def test_a_slow_fall_is_not_abrupt():
    value = green()
    value[2] = np.interp(DAY, [0, 25, 70, 120], [0.2, 0.2, 0.8, 0.3])  # 0.15 in 15 days

    assert find_events(looks(value), clock(), GROUP) == []


def test_a_fall_that_the_next_look_wins_back_was_a_cloud():
    value = green()
    value[2, at(90)] = 0.4

    assert find_events(looks(value), clock(), GROUP) == []


def test_two_clouds_in_a_row_are_told_by_the_look_after_them():
    value = green()
    value[2, at(90)], value[2, at(95)] = 0.4, 0.35

    assert find_events(looks(value), clock(), GROUP) == []


def test_without_a_look_for_half_a_month_the_first_one_of_a_month_tells():
    cloud, blow = green(), hail([2])
    for value in (cloud, blow):
        value[2, at(95) : at(110)] = np.nan
    cloud[2, at(90)] = 0.4

    assert find_events(looks(cloud), clock(), GROUP) == []
    assert [event.confirmed for event in find_events(looks(blow), clock(), GROUP)] == [True]


def test_a_fall_on_the_last_look_is_told_but_not_confirmed():
    value = hail([2])
    value[:, at(95) :] = np.nan

    (found,) = find_events(looks(value), clock(), GROUP)

    assert not found.confirmed


def test_a_fall_that_goes_on_is_one_event():
    value = hail([2], 90, 0.55)
    value[2, at(95) :] = np.minimum(value[2, at(95) :], 0.3)

    (found,) = find_events(looks(value), clock(), GROUP)

    assert found.day == 90
    assert found.depth == pytest.approx(0.5)


def test_two_blows_are_two_events():
    value = hail([2], 80, 0.55)
    value[2, at(110) :] = np.minimum(value[2, at(110) :], 0.25)

    assert [event.day for event in find_events(looks(value), clock(), GROUP)] == [80, 110]


def test_neighbours_that_fall_too_are_counted_without_the_field_itself():
    found = find_events(looks(hail([0, 1, 2, 3, 4])), clock(), GROUP)

    assert [event.row for event in found] == [0, 1, 2, 3, 4]
    assert found[0].neighbours == pytest.approx(4 / 7)


def test_neighbours_confirm_a_fall_on_the_last_look():
    value = hail([0, 1, 2, 3, 4])
    value[:, at(95) :] = np.nan

    assert all(event.confirmed for event in find_events(looks(value), clock(), GROUP))


def test_few_neighbours_say_nothing():
    group = np.array([0, 0, 0, 0, 0, 1, 1, 1])

    (found,) = find_events(looks(hail([2])), clock(), group)

    assert np.isnan(found.neighbours)


def test_looks_that_do_not_count_are_not_looked_at():
    value = hail([2])
    keep = np.ones_like(value, dtype=bool)
    keep[2, at(80) : at(110)] = False  # nothing within fifteen days before the first look after the hail

    assert find_events(looks(value, keep), clock(), GROUP) == []


def test_a_drop_is_measured_from_the_highest_look_of_the_days_before():
    few = Looks(day=np.array([0, 10, 14, 40]), value=np.array([[0.9, 0.5, 0.7, 0.1]]), keep=np.ones((1, 4), dtype=bool))

    np.testing.assert_allclose(drops(few), [[np.nan, 0.4, 0.2, np.nan]])


def vv(days: list[int], wet: dict[int, list[int]]) -> Looks:
    value = np.full((FIELDS, len(days)), -9.0)
    for day, fields in wet.items():
        value[fields, days.index(day)] = -18.0
    return Looks(day=np.array(days), value=value, keep=np.ones_like(value, dtype=bool))


PASSES = [50, 62, 74, 86, 98, 110]


def test_radar_sees_the_flood_behind_a_fall_of_the_index():
    water = Witnesses(vv_db=vv(PASSES, {86: [2]}))

    (found,) = find_events(looks(hail([2])), clock(), GROUP, witnesses=water)

    assert (found.kind, found.day, found.after_day) == (EventKind.FLOOD, 86, 74)
    assert found.evidence == ("vv_drop", "index_drop")
    assert found.depth == pytest.approx(9.0)
    assert found.confirmed


def test_radar_alone_tells_a_flood_and_a_second_pass_confirms_it():
    once, twice = (
        find_events(looks(green()), clock(), GROUP, witnesses=Witnesses(vv_db=vv(PASSES, wet)))
        for wet in ({86: [2]}, {86: [2], 98: [2]})
    )

    assert [(e.kind, e.day, e.confirmed) for e in once] == [(EventKind.FLOOD, 86, False)]
    assert [(e.kind, e.day, e.confirmed) for e in twice] == [(EventKind.FLOOD, 86, True)]


def test_a_fall_of_backscatter_that_stays_above_water_is_no_flood():
    radar = vv(PASSES, {})
    radar.value[2, 3] = -13.0

    assert find_events(looks(green()), clock(), GROUP, witnesses=Witnesses(vv_db=radar)) == []


def test_water_on_a_paddy_is_meant_to_be_there():
    paddy = np.arange(FIELDS) == 2
    water = Witnesses(vv_db=vv(PASSES, {86: [2, 3]}), paddy=paddy)

    assert [event.row for event in find_events(looks(green()), clock(), GROUP, witnesses=water)] == [3]


def test_water_in_the_classes_of_a_scene_is_a_flood():
    share = np.zeros((FIELDS, len(DAY)))
    share[2, at(90)], share[3, at(90)] = 0.8, 0.3

    (found,) = find_events(looks(hail([2])), clock(), GROUP, witnesses=Witnesses(water_share=share))

    assert (found.row, found.kind, found.evidence) == (2, EventKind.FLOOD, ("water_class", "index_drop"))
    assert found.depth == pytest.approx(0.8)


def test_a_scene_on_which_everything_stays_down_is_a_flood_where_radar_did_not_look():
    collapsed = np.isin(DAY, [90])

    without = find_events(looks(hail(list(range(8)))), clock(), GROUP, witnesses=Witnesses(collapsed=collapsed))
    radar = Witnesses(collapsed=collapsed, vv_db=vv(PASSES, {}))
    with_radar = find_events(looks(hail(list(range(8)))), clock(), GROUP, witnesses=radar)

    assert {(e.kind, e.evidence, e.neighbours) for e in without} == {
        (EventKind.FLOOD, ("scene_collapse", "index_drop"), 1.0)
    }
    assert {e.kind for e in with_radar} == {EventKind.DAMAGE}  # the passes were dry


def test_two_witnesses_of_one_flood_are_one_event():
    share = np.zeros((FIELDS, len(DAY)))
    share[2, at(90)] = 0.8
    both = Witnesses(water_share=share, vv_db=vv(PASSES, {86: [2]}))

    (found,) = find_events(looks(green()), clock(), GROUP, witnesses=both)

    assert (found.day, set(found.evidence), found.confirmed) == (86, {"vv_drop", "water_class"}, True)


def test_a_flood_and_later_hail_are_two_events():
    value = hail([2], 110, 0.4)
    water = Witnesses(vv_db=vv([20, 32, 44, 56], {56: [2]}))

    found = find_events(looks(value), clock(), GROUP, witnesses=water)

    assert [(e.kind, e.day) for e in found] == [(EventKind.FLOOD, 56), (EventKind.DAMAGE, 110)]


SHARES = np.tile([0.2, 0.4, 0.6, 0.8, 1.0], (FIELDS, 1))


def years() -> np.ndarray:
    """Four seasons of every field: 0.5 on average, 0.04 apart."""
    return np.tile(np.array([0.45, 0.49, 0.51, 0.55])[None, :, None], (FIELDS, 1, 5))


def season(dry: list[int], *, since: int = 2, until: int = 4) -> np.ndarray:
    now = np.full((FIELDS, 5), 0.5)
    now[dry, since:] = 0.35
    now[:, until:] = np.nan
    return now


def droughts(now: np.ndarray, **others) -> list[Event]:
    return find_droughts(now, years(), SHARES, clock(), GROUP, **others)


def test_a_growing_deficit_against_its_own_years_is_a_drought_since_it_began():
    (found,) = droughts(season([2]))

    assert (found.row, found.kind, found.evidence) == (2, EventKind.DROUGHT, ("index_deficit",))
    assert found.stage == pytest.approx(0.6)
    assert found.after_day == int(10 + 0.4 * 141)
    assert found.day == int(np.ceil(10 + 0.6 * 141)) - 1
    assert found.depth == pytest.approx(0.3)
    assert found.z < -1.5
    assert found.percentile == pytest.approx(10)
    assert (found.neighbours, found.confirmed) == (0, False)


def test_a_deficit_from_the_first_phase_began_at_sowing():
    (found,) = droughts(season([2], since=0))

    assert found.after_day == SOWN
    assert found.stage == pytest.approx(0.2)


def test_a_deficit_that_was_made_up_for_is_no_drought():
    now = season([2])
    now[2, 3] = 0.5

    assert droughts(now) == []


def test_neighbours_or_the_soil_confirm_a_drought_and_the_soil_speaks_against_one():
    dry = np.full(FIELDS, np.nan)
    dry[[2, 3]] = 0.6, 0.99

    soil = droughts(season([2, 3]), stress=dry)
    shared = droughts(season([0, 1, 2, 3, 4, 5]))

    assert [(e.row, e.evidence, e.confirmed) for e in soil] == [(2, ("index_deficit", "water_balance"), True)]
    assert all(event.confirmed for event in shared)
    assert shared[0].neighbours == pytest.approx(5 / 7)


def test_hail_explains_a_deficit():
    assert droughts(season([2]), abrupt=np.arange(FIELDS) == 2) == []


def test_without_three_years_or_any_phase_nothing_is_said():
    assert find_droughts(season([2]), years()[:, :2], SHARES, clock(), GROUP) == []
    assert droughts(season([2], until=0)) == []
    assert find_droughts(np.empty((0, 5)), np.empty((0, 3, 5)), np.empty((0, 5)), clock(0), np.empty(0)) == []
