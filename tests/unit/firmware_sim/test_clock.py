"""What a device believes the time to be."""

from __future__ import annotations

import pytest

from firmware_sim.clock import DeviceClock
from firmware_sim.errors import BadInput

NOON, HOUR = 1_767_268_800_000, 3_600_000


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        pytest.param("ntp", ("ntp", NOON), id="right"),
        pytest.param("rtc", ("rtc", NOON), id="right and unsynchronised"),
        pytest.param("none", ("none", None), id="no clock"),
        pytest.param("1970", ("rtc", HOUR), id="starts at zero with the boot"),
        pytest.param("drift:50", ("rtc", NOON + 180), id="fifty parts in a million of an hour are 180 ms"),
        pytest.param("drift:-50", ("rtc", NOON - 180), id="slow"),
        pytest.param("offset:-60", ("rtc", NOON - 60_000), id="a minute behind"),
    ],
)
def test_an_hour_after_boot_the_clock_says(mode, expected):
    assert DeviceClock.parse(mode).read(NOON, HOUR) == expected


@pytest.mark.parametrize("mode", ["gps", "drift:fast", "drift:", ""])
def test_an_unknown_mode_is_refused(mode):
    with pytest.raises(BadInput, match="clock"):
        DeviceClock.parse(mode)
