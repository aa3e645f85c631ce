"""Seasons found in the curve itself."""

from __future__ import annotations

import numpy as np
import pytest

from cropcredit.agronomy import find_seasons, season_windows, smooth
from tests.unit.agronomy import skies


def humps(*peaks, low=0.2, length=365, width=22.0):
    """Draw humps of (day, height above ``low``)."""
    day = np.arange(length)
    return low + np.sum([height * np.exp(-(((day - at) / width) ** 2)) for at, height in peaks], axis=0)


def windows(*curves):
    start, end = season_windows(np.vstack(curves))
    return [[(int(s), int(e)) for s, e in zip(*row, strict=True) if e >= 0] for row in zip(start, end, strict=True)]


def test_each_curve_has_the_seasons_it_shows_in_order_of_time():
    none, one, two, three = windows(
        np.full(365, 0.2), humps((150, 0.6)), humps((100, 0.6), (250, 0.5)), humps((60, 0.5), (170, 0.6), (290, 0.4))
    )

    assert none == []
    assert [start < 150 < end for start, end in one] == [True]
    assert [start < peak < end for (start, end), peak in zip(two, (100, 250), strict=True)] == [True, True]
    assert [start < peak < end for (start, end), peak in zip(three, (60, 170, 290), strict=True)] == [True] * 3


def test_one_season_ends_where_the_next_begins():
    [((_, end), (start, _))] = windows(humps((120, 0.6), (220, 0.6)))

    assert start == end
    assert abs(start - 170) <= 2


@pytest.mark.parametrize(("rise", "seasons"), [(0.09, 0), (0.12, 1)])
def test_a_rise_below_a_tenth_is_no_season(rise, seasons):
    assert len(windows(humps((150, rise)))[0]) == seasons


@pytest.mark.parametrize(("depth", "seasons"), [(0.12, 1), (0.16, 2)])
def test_a_dent_of_less_than_a_fifth_of_the_range_does_not_part_a_season(depth, seasons):
    """The range is 0.7: a fifth of it is 0.14."""
    dented = np.interp(np.arange(300), [0, 50, 100, 150, 200, 250, 299], [0.1, 0.1, 0.8, 0.8 - depth, 0.8, 0.1, 0.1])

    assert len(windows(dented)[0]) == seasons


@pytest.mark.parametrize(("width", "seasons"), [(8.0, 0), (25.0, 1)])
def test_a_rise_and_fall_within_45_days_is_no_season(width, seasons):
    quick = humps((150, 0.5), width=width, length=400)
    flat = 0.2 + 0.05 * np.abs(np.arange(400) - 150) / 250  # keeps the troughs close to the hump
    assert len(windows(np.maximum(quick, flat))[0]) == seasons


def test_a_season_still_growing_lasts_to_the_last_day():
    [[(_, last)]] = windows(humps((360, 0.6))[:350])

    assert last == 349


def test_a_season_that_was_already_falling_is_none():
    assert windows(humps((0, 0.6))) == [[]]


def test_of_four_rises_the_three_greatest_are_taken():
    [found] = windows(humps((50, 0.5), (140, 0.2), (230, 0.6), (320, 0.4), width=18.0))

    assert [start < peak < end for (start, end), peak in zip(found, (50, 230, 320), strict=True)] == [True] * 3


def test_a_short_record_and_a_field_without_a_curve_have_no_season():
    start, end = season_windows(np.vstack([np.full(20, np.nan), np.full(20, 0.5)]))

    assert start.shape == end.shape == (2, 3)
    assert (end == -1).all()


@pytest.mark.parametrize(
    ("every", "right"),
    [
        pytest.param(5, 0.97, id="5 days"),
        pytest.param(16, 0.65, id="16 days: a quarter have no look into the trough"),
    ],
)
def test_seasons_are_counted_right_under_clouds(every, right):
    rng = np.random.default_rng(8)
    truth = np.vstack([skies.one_season(300, rng), skies.wheat_then_maize(300, rng)])
    looks = skies.look(truth, rng, every=every, cloud=0.5)

    found = find_seasons(smooth(looks.mean, looks.clear, looks.dates, neighbours=np.arange(600) // 20))

    count = np.isfinite(found.sos).sum(axis=1)
    shares = float((count[:300] == 1).mean()), float((count[300:] == 2).mean())
    print(f"one crop {shares[0]:.3f}, two crops {shares[1]:.3f}")  # noqa: T201
    assert min(shares) >= right
