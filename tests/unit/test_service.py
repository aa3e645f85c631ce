"""The service around the loop of ingest: its lease, its watchdog, its end."""

from __future__ import annotations

import configparser
import json
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Any, Self

import pytest
from typer.testing import CliRunner

from cropcredit import service
from cropcredit.adapters.mqtt import Health, Subscriber
from cropcredit.adapters.vitals import Vitals
from cropcredit.cli import app
from cropcredit.config import data_dir
from cropcredit.errors import RefusedInput, StateConflict, StoreUnavailable
from cropcredit.service import HUNG, RECORD, Watch, serve_ingest
from cropcredit.usecases.decoding import Message, Sender
from cropcredit.usecases.ingest import Ingested

NOTHING = Ingested(readings=0, states=0, refused={}, replies=())


class FakeLease:
    """A lease whose renewal fails as the test says."""

    def __init__(self) -> None:
        self.failing: Exception | None = None
        self.renewed = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def renew(self) -> None:
        self.renewed += 1
        if self.failing is not None:
            raise self.failing

    def holder(self) -> str:
        return ""


class FakeSubscriber:
    """A loop that the test writes; ``handle`` is what the service has made of it."""

    def __init__(self, loop: Callable[[FakeSubscriber, Event], None]) -> None:
        self.health = Health(connected=True)
        self.handled: list[Sequence[Message]] = []
        self.handle: Callable[[Sequence[Message]], Ingested] = self._handle
        self._loop = loop

    def _handle(self, messages: Sequence[Message]) -> Ingested:
        self.handled.append(messages)
        return NOTHING

    def run(self, stop: Event) -> None:
        self._loop(self, stop)


def serve(loop: Callable[[Any, Event], None], lease: FakeLease, **watch: Any) -> FakeSubscriber:
    subscriber = FakeSubscriber(loop)
    serve_ingest(subscriber, lease=lambda: lease, watch=Watch(**watch))  # type: ignore[arg-type]
    return subscriber


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "LOOK_S", 0.01)
    monkeypatch.setattr(service, "LEASE_S", 0.01)


def test_a_batch_is_handled_with_the_lease_in_hand(tmp_path):
    lease = FakeLease()
    served = serve(lambda loop, _stop: loop.handle([]), lease, folder=tmp_path)
    assert (served.handled, lease.renewed > 0) == ([[]], True)


def test_while_nobody_can_tell_who_holds_the_lease_nothing_is_committed(tmp_path, caplog):
    caplog.set_level("INFO")
    lease = FakeLease()

    def loop(subscriber: FakeSubscriber, _stop: Event) -> None:
        lease.failing = StoreUnavailable("the database did not answer")
        with pytest.raises(StoreUnavailable, match="lease cannot be looked at: the database did not answer"):
            subscriber.handle([])
        lease.failing = None
        subscriber.handle([])

    assert serve(loop, lease, folder=tmp_path).handled == [[]], "once, when it was certain again"
    told = [record.getMessage() for record in caplog.records if "lease" in record.getMessage()]
    assert [line[:29] for line in told] == ["the lease cannot be looked at", "the lease is in hand again"[:29]]


def test_a_lease_lost_to_another_one_ends_ingest_before_the_next_commit(tmp_path):
    lease, subscribers = FakeLease(), []

    def loop(subscriber: FakeSubscriber, stop: Event) -> None:
        subscribers.append(subscriber)
        lease.failing = StateConflict("another 'ingest' is already at work")
        with suppress(StoreUnavailable):
            subscriber.handle([])
        assert stop.wait(10)

    with pytest.raises(StateConflict, match="already at work"):
        serve(loop, lease, folder=tmp_path)
    assert subscribers[0].handled == []


def test_a_lease_lost_while_there_is_nothing_to_do_ends_ingest_too(tmp_path):
    lease = FakeLease()

    def loop(_subscriber: FakeSubscriber, stop: Event) -> None:
        lease.failing = StateConflict("another 'ingest' is already at work")
        assert stop.wait(10)

    with pytest.raises(StateConflict, match="already at work"):
        serve(loop, lease, folder=tmp_path)


def test_two_ingests_of_one_name_at_one_broker_do_not_fight_for_ever(tmp_path):
    def loop(subscriber: FakeSubscriber, stop: Event) -> None:
        while not stop.wait(0.001):
            subscriber.health.connections += 1

    with pytest.raises(StateConflict, match="takes over at the broker again and again"):
        serve(loop, FakeLease(), folder=tmp_path)


def test_a_loop_that_dies_is_one_clear_line(tmp_path, caplog):
    with pytest.raises(StoreUnavailable, match="the loop of ingest ended by itself: ZeroDivisionError"):
        serve(lambda *_: 1 / 0, FakeLease(), folder=tmp_path)  # type: ignore[arg-type]
    assert "the loop of ingest ended" in caplog.text


def test_a_loop_that_hangs_ends_the_process(tmp_path, caplog, capfd):
    ended: list[int] = []

    def loop(subscriber: FakeSubscriber, _stop: Event) -> None:
        subscriber.health.beat = time.monotonic() - 5.0
        while not ended:
            time.sleep(0.005)

    serve(loop, FakeLease(), folder=tmp_path, hang_s=4.0, end=ended.append)
    assert ended == [HUNG]
    assert "ingest hangs: its loop has not turned for 5 s" in caplog.text
    assert "in loop" in capfd.readouterr().err, "where it hangs is shown"


class Looks(Event):
    """When the watchdog looks, by a clock of the test: each wait takes as long as the test says."""

    def __init__(self, *waits_s: float) -> None:
        super().__init__()
        self.now, self._waits = 1000.0, list(waits_s)

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        if not self._waits:
            return True
        self.now += self._waits.pop(0)
        return False


@pytest.mark.parametrize(
    ("waits_s", "ends"),
    [
        pytest.param((1.0,) * 60, [], id="silent as long as a loop may be"),
        pytest.param((1.0,) * 61, [HUNG], id="hung"),
        pytest.param((14.0,) * 5, [HUNG], id="hung on a machine that hardly lets us look"),
        pytest.param((1.0, 100.0, 1.0), [], id="stopped by SIGSTOP longer than a loop may be silent"),
        pytest.param((50.0, *(1.0,) * 60), [], id="a commit goes on after the stop"),
        pytest.param((100.0, *(1.0,) * 61), [HUNG], id="hung after the stop"),
    ],
)
def test_a_process_that_stood_still_does_not_hang(tmp_path, caplog, waits_s, ends, monkeypatch):
    monkeypatch.setattr(service, "LOOK_S", 1.0)
    ended: list[int] = []
    looks = Looks(*waits_s)
    vitals = Vitals(health=Health(beat=looks.now), folder=tmp_path, now=lambda: looks.now)
    service._watch_over(vitals, Watch(folder=tmp_path, hang_s=60.0, end=ended.append), looks)
    assert ended == ends
    assert ("ingest stood still for" in caplog.text) == (max(waits_s) > 15)


def test_where_health_is_told_stands_in_the_workspace_while_it_is_told(tmp_path):
    found: dict[str, Any] = {}

    def loop(subscriber: FakeSubscriber, _stop: Event) -> None:
        subscriber.health.beat = time.monotonic()
        subscriber.handle([])
        found.update(json.loads((tmp_path / RECORD).read_text()))
        with urllib.request.urlopen(found["http"] + "/healthz", timeout=10) as answer:
            found["health"] = json.load(answer)
        with urllib.request.urlopen(found["http"] + "/metrics", timeout=10) as answer:
            found["metrics"] = answer.read().decode()

    counted = Event()

    def count() -> tuple[int, int]:
        counted.set()
        return 5, 1

    def waiting(subscriber: FakeSubscriber, stop: Event) -> None:
        assert counted.wait(10)
        loop(subscriber, stop)

    serve(waiting, FakeLease(), folder=tmp_path, http=("127.0.0.1", 0), count_devices=count)
    assert found["health"]["ok"] is True
    assert "cropcredit_batch_messages_count 1.0" in found["metrics"]
    assert not (tmp_path / RECORD).exists()


def test_devices_that_cannot_be_counted_do_not_end_ingest(tmp_path, caplog):
    tried = Event()

    def count() -> tuple[int, int]:
        tried.set()
        raise StoreUnavailable("no database")

    def loop(_subscriber: FakeSubscriber, _stop: Event) -> None:
        assert tried.wait(10)

    serve(loop, FakeLease(), folder=tmp_path, http=("127.0.0.1", 0), count_devices=count)
    assert "could not be counted: no database" in caplog.text


def test_an_address_that_cannot_be_had_is_refused_before_anything_begins(tmp_path):
    with pytest.raises(RefusedInput, match="cannot be listened on"):
        serve(lambda *_: pytest.fail("it began"), FakeLease(), folder=tmp_path, http=("203.0.113.7", 80))


def test_no_secret_shows_when_the_session_or_a_sender_is_printed():
    session = Subscriber(
        host="h", port=1, username="ingest", password="hush", topics=(), handle=lambda _: NOTHING, health=Health()
    )
    assert "hush" not in repr(session)
    assert "hush" not in repr(Sender(device_id="a", keys={"k1": b"hush"}))


@pytest.mark.parametrize("name", ["broker", "ingest"])
def test_the_example_for_systemd_starts_a_command_that_there_is(name):
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(data_dir() / "systemd" / f"cropcredit-{name}.service")
    program, *words = unit["Service"]["ExecStart"].split()
    assert (Path(program).name, unit["Service"]["Restart"]) == ("cropcredit", "on-failure")
    asked = CliRunner().invoke(app, [*words, "--help"])
    assert (asked.exit_code, words[0]) == (0, name), asked.output
