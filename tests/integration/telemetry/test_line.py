"""The whole line as processes, on both brokers: devices, broker, ingest, store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from cropcredit.adapters.broker import Kind
from cropcredit.adapters.database import open_database
from cropcredit.adapters.database.tables import QUARANTINE
from cropcredit.errors import StateConflict
from tests.integration.telemetry.line import Line, report_of, until

DEVICES = tuple(f"d{i}" for i in range(5))
QUICK = ("run", "--interval", "0.02", "--readings", "40", "--resend-after", "5", "--quiet", "--seed", "7")


@pytest.fixture
def farm(line: Line) -> Line:
    line.register(DEVICES)
    line.broker.start()
    return line


def quarantined(line: Line) -> Counter[str]:
    """Count every arrival of every refused message, by reason."""
    engine = open_database(line.settings.database)
    with engine.connect() as connection:
        query = select(QUARANTINE.c.reason, func.sum(QUARANTINE.c.times)).group_by(QUARANTINE.c.reason)
        found = Counter({row[0]: int(row[1]) for row in connection.execute(query)})
    engine.dispose()
    return found


def at_work(line: Line) -> bool:
    """Say whether an ingest holds its lease: a second holder is turned away."""
    try:
        with line.app.ingest_lease():
            return False
    except StateConflict:
        return True


def test_a_fleet_that_sends_nonsense_between_its_readings_loses_none(farm: Line):
    faults = ("--duplicate", "0.2", "--reorder", "0.2", "--malformed", "0.2", "--poison", "0.1", "--wrong-name", "0.1")
    with farm.ingesting() as ingest:
        report = report_of(farm.simulator(*QUICK, *faults), within_s=240)
        injected = report["malformed"] + report["wrong_name"] + report["poisoned"]
        until(lambda: ingest.health.refused >= injected)
    store = farm.app.ingest_messages.store
    assert store.counts()["readings"] == report["readings"] == report["acked"] == 40 * len(DEVICES)
    assert (report["outstanding"], store.counts()["conflicts"], farm.app.find_gaps()) == (0, 0, [])
    refused = quarantined(farm)
    spoilt, poisons = report["malformed_reasons"], report["poison_reasons"]
    assert spoilt["json"] > 0
    assert spoilt["spoof"] == report["wrong_name"] > 0
    for reason in spoilt.keys() - poisons.keys():
        assert refused[reason] == spoilt[reason], reason
    for reason in poisons:
        assert refused[reason] >= poisons[reason] + spoilt.get(reason, 0), "a poison comes again until it is settled"
    assert report["rejected"] == report["poisoned"] > 0, "the device dropped what is refused for what it says"
    refusals = (refused.rejection for refused in store.quarantine(limit=10_000))
    named = {
        (rejection.device_id, rejection.boot, rejection.seq) for rejection in refusals if rejection.seq is not None
    }
    assert len(named) == report["poisoned"]


def test_a_second_ingest_of_the_same_workspace_is_refused_until_the_first_is_dead(make_line: Callable[[Kind], Line]):
    line = make_line("iotcore")
    line.broker.start()
    first = line.ingest()
    until(lambda: at_work(line), within_s=240)
    assert line.ingest().wait(timeout=240) == 2
    assert "another 'ingest' is already at work" in (line.home / "ingest.log").read_text()
    first.kill()
    first.wait()
    assert not at_work(line), "the lease of a killed ingest is free at once"


def test_a_revoked_device_is_heard_no_more_from_the_next_message_on(make_line: Callable[[Kind], Line]):
    """On a broker that knows no passwords, ingest alone enforces it."""
    line = make_line("iotcore")
    line.register(DEVICES)
    line.broker.start()
    with line.ingesting():
        report_of(line.simulator(*QUICK), within_s=240)
        line.app.revoke_device("d0")
        line.simulator(*QUICK, "--patience", "2").wait(timeout=240)
    assert line.stored() == 40 * (2 * len(DEVICES) - 1)
    assert line.app.ingest_messages.store.latest(DEVICES)["d0"][0].boot == 1
    assert quarantined(line)["revoked"] > 0
