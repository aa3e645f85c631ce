"""A scene where everything collapses at once is not believed before the next clear one."""

import numpy as np
import pytest

from cropcredit.imagery import Verdict, judge


def verdicts(rows, clear=None):
    mean = np.array(rows, dtype=float)
    return [str(v) for v in judge(mean, np.ones_like(mean) if clear is None else np.array(clear, dtype=float))]


HEALTHY, GONE = 0.8, 0.2


@pytest.mark.parametrize(
    ("course", "expected"),
    [
        pytest.param([HEALTHY, GONE], ["ordinary", "unconfirmed"], id="nothing seen since"),
        pytest.param([HEALTHY, GONE, 0.75], ["ordinary", "missed_cloud", "ordinary"], id="recovered: a cloud"),
        pytest.param([HEALTHY, GONE, 0.3], ["ordinary", "event", "ordinary"], id="stayed down: an event"),
        pytest.param([HEALTHY, 0.65, 0.5, 0.35], ["ordinary"] * 4, id="senescence"),
        pytest.param([GONE, HEALTHY, GONE, GONE], ["ordinary", "ordinary", "event", "ordinary"], id="harvest"),
    ],
)
def test_the_next_clear_scene_decides(course, expected):
    assert verdicts([course] * 6) == expected


def test_a_cloudy_scene_in_between_decides_nothing():
    clear = [[1, 1, 0.1, 1]] * 6
    assert verdicts([[HEALTHY, GONE, 0.1, 0.8]] * 6, clear) == ["ordinary", "missed_cloud", "ordinary", "ordinary"]


def test_where_some_fields_hold_it_is_no_collapse():
    assert verdicts([[HEALTHY, GONE, HEALTHY]] * 4 + [[HEALTHY, HEALTHY, HEALTHY]] * 2) == ["ordinary"] * 3


def test_four_fields_say_nothing_about_everything():
    assert verdicts([[HEALTHY, GONE, HEALTHY]] * 4) == ["ordinary"] * 3


def test_what_was_a_cloud_is_no_yardstick_for_what_comes_after():
    assert verdicts([[HEALTHY, GONE, HEALTHY, GONE, HEALTHY]] * 5)[1::2] == ["missed_cloud", "missed_cloud"]


def test_only_settled_scenes_are_usable():
    assert [v.usable for v in Verdict] == [True, False, False, True]
