"""How readings are kept: what other formats add must not change a byte of what was stored before."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from cropcredit.adapters.database.bodies import read_body, write_body
from cropcredit.model import Clock, Measurement, Reading, Source

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def _reading(source: Source) -> Reading:
    return Reading(
        device_id="a8404194a1875ff3",
        boot=3,
        seq=17,
        clock=Clock.NTP,
        up_ms=0,
        observed_at=NOON,
        measurements=(Measurement(quantity="soil.ec", value=0.0, channel="d30"),),
        battery_v=3.3,
        signal_dbm=-91.0,
        source=source,
    )


@pytest.mark.parametrize("source", Source)
def test_a_kept_reading_comes_back_as_it_was(source):
    reading = _reading(source)
    assert read_body(write_body(reading), reading.device_id, 3, 17, "") == reading


def test_bodies_of_the_contract_stay_as_they_ever_were():
    """A device that resends what an older version stored must meet its own bytes, not a conflict."""
    before = ["ntp", 0, 1777636800_000000, [["soil.ec", 0.0, "d30"]], 3.3, -91.0, None]
    assert write_body(_reading(Source.CONTRACT)) == msgspec.msgpack.encode(before)


def test_the_same_content_through_another_door_is_other_content():
    assert len({write_body(_reading(source)) for source in Source}) == len(Source)
