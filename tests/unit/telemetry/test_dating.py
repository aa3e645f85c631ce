"""Which instant a reading stands for, and how far it is trusted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cropcredit.model import Boot, Clock, Reading
from cropcredit.telemetry import Dating, date_reading

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
BOOTS = {("a", 1): Boot(started_at=NOON - 10 * HOUR)}


def dated(*, claimed: datetime | None, clock: Clock = Clock.NTP, boot: int = 1, up: timedelta = 2 * HOUR):
    reading = Reading(
        device_id="a",
        boot=boot,
        seq=1,
        clock=clock,
        up_ms=up // timedelta(milliseconds=1),
        observed_at=claimed,
        measurements=(),
    )
    found = date_reading(reading, NOON, BOOTS, not_before=NOON - 24 * HOUR)
    return found.at - NOON, found.dating


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param({"claimed": NOON - HOUR}, (-HOUR, Dating.NETWORK), id="a synchronised clock"),
        pytest.param({"claimed": NOON - HOUR, "clock": Clock.RTC}, (-HOUR, Dating.CLOCK), id="a free-running clock"),
        pytest.param({"claimed": None, "clock": Clock.NONE}, (-8 * HOUR, Dating.BOOT), id="no clock, boot dated"),
        pytest.param({"claimed": None, "boot": 2}, (0 * HOUR, Dating.ARRIVAL), id="no clock, boot unknown"),
        pytest.param({"claimed": None, "up": 99 * HOUR}, (0 * HOUR, Dating.BOOT), id="never later than it arrived"),
        pytest.param({"claimed": NOON + HOUR}, (-8 * HOUR, Dating.WRONG), id="a clock that runs ahead"),
        pytest.param({"claimed": NOON - 99 * HOUR}, (-8 * HOUR, Dating.WRONG), id="before it was installed"),
        pytest.param({"claimed": NOON + HOUR, "boot": 2}, (0 * HOUR, Dating.WRONG), id="ahead, boot unknown"),
    ],
)
def test_the_best_clock_that_can_be_right_dates_the_reading(said, expected):
    assert dated(**said) == expected
