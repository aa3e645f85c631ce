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
        pytest.param("years:10", ("rtc", NOON + 315_569_520_000), id="ten years ahead"),
        pytest.param("step:-90@3600", ("rtc", NOON - 90_000), id="jumped back just now"),
        pytest.param("step:-90@3601", ("rtc", NOON), id="jumps back in a second"),
        pytest.param("dst@60", ("ntp", NOON + HOUR), id="summer time began within the boot"),
        pytest.param("reset@3000", ("rtc", 600_000), id="fell back to 1970 ten minutes ago"),
        pytest.param("reset@4000", ("rtc", NOON), id="falls back to 1970 later"),
    ],
)
def test_an_hour_after_boot_the_clock_says(mode, expected):
    assert DeviceClock.parse(mode).read(NOON, HOUR) == expected


@pytest.mark.parametrize(
    "mode", ["gps", "drift:fast", "drift:", "", "step:5", "dst", "reset@soon", "years:2@3", "step:inf@1"]
)
def test_an_unknown_mode_is_refused(mode):
    with pytest.raises(BadInput, match="clock"):
        DeviceClock.parse(mode)


def test_no_clock_shows_a_time_that_the_contract_cannot_write():
    assert DeviceClock.parse("years:-100").read(NOON, 0) == ("rtc", 0)
    assert DeviceClock.parse("years:9000").read(NOON, 0) == ("rtc", 253_402_300_799_999)
