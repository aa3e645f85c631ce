"""One device's window beside everything it can be held against."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cropcredit.telemetry import Around, Meaning, Neighbour, PastDays, Track, WeatherDays, grade_values, grid_for
from cropcredit.telemetry.days import low_mean_high
from cropcredit.telemetry.tracks import DAY_S, daily_means, daily_sums, laid
from cropcredit.telemetry.window import alike_track
from tests.unit.telemetry.nature import DAYS, GRID, HOURS, air, dice, rain, reason, soil, track, weather


def device(seed: int, *, answers: bool = True) -> tuple[Track, ...]:
    fallen = 100 + np.cumsum(np.where(HOURS % 24 == 11, np.repeat(rain(), 24), 0.0))
    warm = 15 + 0.4 * (air(seed + 50) - 15)
    return (
        track("air.temperature", air(seed)),
        track("soil.moisture", soil(seed, answers=answers), channel="d20", depth_cm=20.0, texture="loam"),
        track("soil.temperature", warm, channel="d20", depth_cm=20.0),
        track("weather.rain", fallen, cumulative=True),
    )


VILLAGE = tuple(Neighbour(device_id=f"n{i}", tracks=device(10 * i)) for i in (1, 2, 3, 4))


def past(seed: int, *, start_day: int = -365) -> tuple[PastDays, ...]:
    found = []
    for one in device(seed)[:3]:
        low, mean, high = low_mean_high(one, GRID)
        found.append(
            PastDays(
                quantity=one.quantity, channel=one.channel, start_s=start_day * DAY_S, low=low, mean=mean, high=high
            )
        )  # fmt: skip
    return tuple(found)


def codes(tracks, around=Around()) -> set[str]:  # noqa: B008 - frozen
    return {check.code for check in grade_values(tracks, around, GRID) if check.reason}


def opened(tracks, around=Around()) -> dict[str, str]:  # noqa: B008 - frozen
    return {check.code: check.because for check in grade_values(tracks, around, GRID) if check.suspicion is None}


def test_an_honest_device_among_honest_neighbours_has_no_reason():
    around = Around(
        neighbours=VILLAGE, weather=WeatherDays(start_s=-DAY_S, rain_mm=np.r_[0, rain()], mean_c=np.r_[9, weather()])
    )
    assert codes(device(99), around) == set()


def test_alone_it_is_judged_by_itself_and_the_rest_stays_open():
    because = opened(device(99))
    assert codes(device(99)) == set()
    assert {because[code] for code in ("copied", "apart", "level")} == {"no_neighbours"}
    assert (because["replayed"], because["gauge_silent"]) == ("no_history", "no_weather")


def test_a_copy_is_named_with_its_source():
    found = grade_values(VILLAGE[2].tracks, Around(neighbours=VILLAGE), GRID)
    (copy,) = [check for check in found if check.code == "copied"]
    assert dict(copy.facts)["other"] == "n3"
    assert reason(copy).grade == "D"


def test_last_year_sent_again_is_a_replay_and_another_past_is_none():
    assert "replayed" in codes(device(99), Around(past=past(99)))
    other = tuple(replace(one, low=one.low[::-1], mean=one.mean[::-1], high=one.high[::-1]) for one in past(99))
    assert "replayed" not in codes(device(99), Around(past=other))


def test_rain_is_what_neighbours_counted_else_the_station_else_its_own():
    film = device(99, answers=False)
    station = WeatherDays(start_s=0.0, rain_mm=rain(), mean_c=weather())
    dry_gauge = (*film[:3], replace(film[3], values=np.full(len(film[3].values), 5.0)))
    assert "no_rain_answer" in codes(film, Around(neighbours=VILLAGE))
    assert "no_rain_answer" in codes(film)
    assert "no_rain_answer" in codes(film[:3], Around(weather=station))
    assert {"no_rain_answer", "gauge_silent"} <= codes(dry_gauge, Around(weather=station))
    assert "no_rain_answer" not in codes(dry_gauge)
    unknown = replace(station, rain_mm=np.full(DAYS, np.nan))
    assert opened(film[:3], Around(weather=unknown))["no_rain_answer"] == "no_weather"


def test_two_devices_with_one_key_are_a_d():
    for around in (Around(forks=1), Around(boots_crossed=1)):
        (cloned,) = [check for check in grade_values(device(99), around, GRID) if check.code == "cloned"]
        assert reason(cloned).grade == "D"


def test_a_probe_in_a_bucket_of_water_is_no_longer_buried():
    warm = air(5) + 0.1
    bucket = (
        track("air.temperature", air(99)),
        track("soil.moisture", 64 + dice().normal(0, 0.1, len(HOURS)), channel="d20", depth_cm=20.0, texture="loam"),
        track("soil.temperature", warm, channel="d20", depth_cm=20.0),
    )
    assert {"above_porosity", "not_buried"} <= codes(bucket, Around(neighbours=VILLAGE))


def test_water_seen_from_space_over_dry_soil_is_asked_about():
    dry = (track("soil.moisture", 0.5 * soil(), channel="d20", depth_cm=20.0, texture="loam"),)
    assert "dry_under_water" in codes(dry, Around(water_seen_s=(20 * DAY_S + 1.0, 400 * DAY_S)))


def test_a_store_is_weighed_with_its_moisture_and_air():
    stones = track("store.weight", 9000 + 900.0 * (HOURS > 300) + dice().normal(0, 2, len(HOURS)))
    damp = track("store.grainMoisture", 12 + dice().normal(0, 0.05, len(HOURS)), channel="p1")
    assert "weight_rise" in codes((stones, damp, track("air.temperature", air())), Around(moves=()))
    assert "weight_rise" not in codes((stones,))


def test_a_sensor_that_hangs_is_stuck_and_no_more_is_made_of_it():
    hung = (track("air.temperature", np.where(HOURS < 100, air(99), 15.0)), *device(99)[1:])
    found = grade_values(hung, Around(neighbours=VILLAGE), GRID)
    reasons = [check.reason for check in found if check.reason]
    assert "stuck" in [reason.code for reason in reasons]
    assert Meaning.DOUBT not in [reason.meaning for reason in reasons]
    assert "explained" in {check.because for check in found if check.quantity == "air.temperature"}


def test_nothing_measured_nothing_asked():
    assert grade_values((), Around(neighbours=VILLAGE), GRID) == []


def test_like_channels_are_of_like_depth_else_of_the_same_name():
    here, other = (track("soil.moisture", soil(), channel=c, depth_cm=d) for c, d in (("a", 30.0), ("b", 33.0)))
    assert alike_track(here, [track("soil.ec", soil(), depth_cm=30.0), other]) is other
    assert alike_track(here, [replace(other, depth_cm=60.0)]) is None
    assert alike_track(replace(here, depth_cm=None), [other]) is None
    assert alike_track(replace(here, depth_cm=None), [replace(other, channel="a")]) is not None


@pytest.mark.parametrize(("step_s", "grid_s"), [(900, 3600), (3600, 3600), (6 * 3600, 6 * 3600), (86_400, 86_400)])
def test_a_grid_is_as_fine_as_the_device(step_s, grid_s):
    one = track("air.temperature", np.arange(40.0), step_s=step_s)
    assert grid_for([one], 0.0, 10 * DAY_S).step_s == grid_s


def test_a_grid_begins_at_the_places_midnight_and_is_hourly_where_nothing_was_measured():
    grid = grid_for([], 0.0, 2 * DAY_S, offset_s=8 * 3600)
    assert (grid.start_s, grid.step_s, grid.days) == (-8 * 3600.0, 3600, 3)


def test_counters_are_laid_out_as_what_they_gained_over_resets():
    counter = Track(
        quantity="weather.rain", channel="", cumulative=True,
        at_s=np.array([0.0, 3600, 7200, 90_000]), values=np.array([10.0, 12.0, 1.0, 4.0]),
    )  # fmt: skip
    steps = laid(counter, GRID)
    assert steps[[1, 2, 25]].tolist() == [2.0, 1.0, 3.0]
    assert daily_sums(steps, GRID)[:2].tolist() == [3.0, 3.0]
    assert np.isnan(daily_means(steps, GRID)[0]), "a day of two hours has no mean"


def test_floods_by_plan_repeat_themselves_and_are_no_replay():
    wet = tuple(one for one in device(99) if one.quantity == "soil.moisture")
    held = tuple(one for one in past(99) if one.quantity == "soil.moisture")
    assert "replayed" in codes(wet, Around(past=held))
    assert opened(wet, Around(past=held, flooded=True))["replayed"] == "no_history"
