"""Hours as columns, for those who look at months: the same as the hours one by one, also as they were known then."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cropcredit.adapters.database.readings import DatabaseReadings
from cropcredit.adapters.database.rollups import DatabaseRollups
from tests.fakes import FakeReadings, FakeRollups
from tests.integration.test_rollups import EVER, MIDNIGHT, MINUTE, said

DAY = timedelta(days=1)


@pytest.fixture(params=["fake", "sqlite", "postgresql"])
def stores(request, make_url, opened):
    if request.param == "fake":
        fake = FakeReadings()
        return fake, FakeRollups(fake, zone="UTC")
    engine = opened(make_url(request.param))
    return DatabaseReadings(engine), DatabaseRollups(engine, zone="UTC")


def test_columns_say_what_the_hours_say_one_by_one(stores):
    readings, rollups = stores
    for seq, (minute, value, quantity) in enumerate(
        ((5, 3.0, "soil.moisture"), (20, 1.0, "soil.moisture"), (90, 8.0, "soil.moisture"), (95, 4.0, "weather.rain")),
        1,
    ):
        at = MIDNIGHT + minute * MINUTE
        readings.add([(said(seq, at, value, quantity=quantity), b"")], [], received_at=at)
    late = MIDNIGHT + 100 * MINUTE
    readings.add([(said(9, late, 10.0, quantity="soil.moisture"), b"")], [], received_at=late + 3 * DAY)

    (wet, rain) = rollups.hourly(["a"], ["soil.moisture", "weather.rain"], **EVER)
    assert (wet.device_id, wet.quantity, wet.channel) == ("a", "soil.moisture", "")
    assert (wet.start_s - MIDNIGHT.timestamp()).tolist() == [0.0, 3600.0]
    assert (wet.mean.tolist(), wet.last.tolist(), rain.last.tolist()) == ([2.0, 9.0], [1.0, 10.0], [4.0])
    (then,) = rollups.hourly(["a"], ["soil.moisture"], **EVER, known_by=MIDNIGHT + DAY)
    assert then.mean.tolist() == [2.0, 8.0]
    assert rollups.hourly(["a", "b"], ["air.temperature"], **EVER) == []
