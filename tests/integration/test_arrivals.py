"""What arrivals in the store survive: a forgetful ledger, two writers at once, a server that goes away."""

from __future__ import annotations

from datetime import UTC, datetime
from threading import Event, Thread

import pytest
from sqlalchemy import Engine, event, text

from cropcredit.adapters.database import settled
from cropcredit.adapters.database.readings import DatabaseReadings
from cropcredit.errors import StoreUnavailable
from cropcredit.model import Clock, Measurement, Reading

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def said(seq: int, *, value: float = 21.5, device: str = "a") -> tuple[Reading, bytes]:
    warm = (Measurement(quantity="soil.temperature", value=value, channel="d30"),)
    reading = Reading(
        device_id=device, boot=1, seq=seq, clock=Clock.NONE, up_ms=1000 * seq, observed_at=None, measurements=warm
    )
    return reading, b"%d" % seq


def test_what_the_ledger_has_forgotten_is_still_compared(engine: Engine):
    store = DatabaseReadings(engine)
    store.add([said(1), said(2)], (), received_at=NOON)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM settled"))
    store.add([said(1), said(2, value=30.0), said(3)], (), received_at=NOON)
    (ack,) = store.settled([("a", 1)])
    assert (ack.upto, ack.rejected) == (3, ((2, "conflict"),))
    assert [(r.seq, r.measurements[0].value) for r, _ in store.readings(["a"])] == [(1, 21.5), (2, 21.5), (3, 21.5)]


def test_of_two_writers_at_once_neither_undoes_the_ranges_of_the_other(engine: Engine, monkeypatch):
    """The second waits before it reads what is settled, not after."""
    store, other = DatabaseReadings(engine), DatabaseReadings(engine)
    store.add([said(1)], (), received_at=NOON)
    looked, loads, load = Event(), [], settled.load

    def slow_load(connection, boots):
        found = load(connection, boots)
        loads.append(1)
        if len(loads) == 1:
            assert not looked.wait(0.3), "the other writer has looked before this one was done"
        else:
            looked.set()
        return found

    monkeypatch.setattr(settled, "load", slow_load)
    second = Thread(target=other.add, args=([said(3)], ()), kwargs={"received_at": NOON})
    first = Thread(target=store.add, args=([said(2)], ()), kwargs={"received_at": NOON})
    for writer in (first, second):
        writer.start()
    for writer in (first, second):
        writer.join()
    monkeypatch.undo()
    assert store.spans(["a"]) == {("a", 1): [(1, 3)]}


def test_a_batch_is_looked_up_by_its_boots_and_not_by_walking_through_the_tables(tmp_path, opened):
    """With a season of a fleet in the store every batch would else read all that was ever settled or refused."""
    engine = opened(f"sqlite:///{tmp_path / 'store.db'}")
    store = DatabaseReadings(engine)
    plans: list[str] = []

    def explain(connection, _cursor, statement, parameters, *_):
        if statement.lstrip().startswith(("SELECT", "WITH")):
            plan = connection.connection.driver_connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(step for *_, step in plan)

    event.listen(engine, "before_cursor_execute", explain)
    fleet = [f"dev-{number}" for number in range(900)]
    store.add([said(1, device=device) for device in fleet], (), received_at=NOON)
    assert all(ack.upto == 1 for ack in store.settled([(device, 1) for device in fleet]))
    tables = {
        table: [step for step in plans if f" {table} " in f"{step} "] for table in ("settled", "rejected", "held")
    }
    assert all(step.startswith("SEARCH") and "boot=?" in step for steps in tables.values() for step in steps), tables
    assert all(tables.values()), tables


@pytest.mark.debian
def test_a_server_that_ends_the_session_costs_one_try(make_url, opened):
    engine = opened(make_url("postgresql"))
    store = DatabaseReadings(engine)
    store.add([said(1)], (), received_at=NOON)
    with opened(str(engine.url)).begin() as other:
        others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        other.execute(text(f"SELECT pg_terminate_backend(pid) {others}"))
    with pytest.raises(StoreUnavailable, match="the database did not answer"):
        store.add([said(2)], (), received_at=NOON)
    store.add([said(2)], (), received_at=NOON)
    assert store.settled([("a", 1)])[0].upto == 2
