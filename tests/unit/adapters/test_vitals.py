"""When ingest is well, and what is said when it is not."""

from __future__ import annotations

import json
import socket
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cropcredit.adapters.health_http import answering
from cropcredit.adapters.metrics import CONTENT_TYPE, Metrics
from cropcredit.adapters.mqtt import Health
from cropcredit.adapters.systemd import notify
from cropcredit.adapters.vitals import Vitals
from cropcredit.errors import RefusedInput
from cropcredit.usecases.ingest import Ingested, Reply


class Patient:
    """An ingest that is well until a test says otherwise, at a time that the test sets."""

    def __init__(self, folder: Path) -> None:
        self.now = 1000.0
        self.health = Health(connected=True, connections=1, beat=1000.0)
        self.vitals = Vitals(health=self.health, folder=folder, now=lambda: self.now)

    def pass_time(self, seconds: float, *, turning: bool = True) -> None:
        for _ in range(round(seconds)):
            self.now += 1.0
            if turning:
                self.health.beat = self.now
            self.vitals.look()


@pytest.fixture
def patient(tmp_path: Path) -> Patient:
    return Patient(tmp_path)


def test_all_is_well_even_when_there_has_been_nothing_to_commit_for_hours(patient):
    patient.health.last_commit = patient.now
    patient.pass_time(7200)
    patient.health.pending = 3  # the first messages after a long silence have only just come
    assert patient.vitals.problems() == []
    assert patient.vitals.report()["ok"]
    assert patient.vitals.report()["last_commit_age_s"] == 7200.0


def test_messages_that_wait_for_their_commit_are_told_and_a_commit_heals(patient):
    patient.health.pending = 3
    patient.pass_time(32)
    assert patient.vitals.problems() == ["3 messages wait for their commit since 31 s"]
    patient.health.last_commit = patient.now
    patient.pass_time(1)
    assert patient.vitals.problems() == [], "more wait, but one batch went in"


def test_a_loop_that_does_not_turn_is_told(patient):
    patient.pass_time(12, turning=False)
    assert patient.vitals.problems() == ["the loop has not turned for 12 s"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        pytest.param({"connected": False}, "not connected to the broker", id="no broker"),
        pytest.param({"trouble": "a batch could not be committed: disk full"}, "disk full", id="a failing store"),
    ],
)
def test_what_is_wrong_is_said(patient, wrong, said):
    for name, value in wrong.items():
        setattr(patient.health, name, value)
    assert [said in problem for problem in patient.vitals.problems()] == [True]


def test_a_doubtful_lease_and_a_full_disk_are_said(patient, monkeypatch):
    patient.vitals.lease_trouble = "the lease is lost"
    monkeypatch.setattr("cropcredit.adapters.vitals.LOW_DISK_BYTES", 2**63)
    lease, disk = patient.vitals.problems()
    assert (lease, disk.endswith("MB of disk are left")) == ("the lease is lost", True)
    assert patient.vitals.report()["lease_held"] is False


def test_a_session_that_is_taken_over_again_and_again_is_told_from_a_bad_network(patient):
    for _ in range(50):
        patient.health.connections += 1
        patient.pass_time(2)
    assert not patient.vitals.fought_over, "30 connections a minute"
    for _ in range(30):
        patient.health.connections += 5
        patient.pass_time(1)
    assert patient.vitals.fought_over


def test_metrics_count_what_a_batch_brought_and_no_device_by_name(patient):
    metrics = Metrics(patient.vitals)
    done = Ingested(
        readings=5,
        states=1,
        refused={"json": 2, "mac": 1},
        replies=(Reply("farm/v1/probe-7/ack", b"{}"), Reply("farm/v1/probe-7/cmd", b"{}", retained=True)),
        stored=3,
        repeated=1,
        conflicts=1,
        skews_s=(-0.4, 7200.0),
    )
    metrics.devices(heard=9, silent=2)
    assert metrics.measured(lambda _: done)([]) is done
    patient.health.received, patient.health.pending = 42, 7
    text = metrics.text().decode()
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert "probe-7" not in text
    for name, value in {
        "readings_stored_total": 3,
        "readings_repeated_total": 1,
        "conflicts_total": 1,
        "acknowledgements_total": 1,
        "messages_received_total": 42,
        "pending_messages": 7,
        "connections_total": 1,
        "commit_seconds_count": 1,
        "batch_messages_count": 1,
        "clock_skew_seconds_count": 2,
        "devices_heard": 9,
        "devices_silent": 2,
        "lease_held": 1,
        "up": 1,
    }.items():
        assert found[f"cropcredit_{name}",] == value, name
    assert found["cropcredit_messages_quarantined_total", "json"] == 2
    assert found["cropcredit_clock_skew_seconds_bucket", "1.0"] == 1, "an hour and a half ahead is beyond"


def test_what_fails_is_not_counted_as_a_commit(patient):
    metrics = Metrics(patient.vitals)
    with pytest.raises(ZeroDivisionError):
        metrics.measured(lambda _: 1 / 0)([])  # type: ignore[arg-type,return-value]
    assert b"cropcredit_commit_seconds_count 0.0" in metrics.text()


def asked(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_health_is_200_when_well_and_503_with_the_reason_when_not(patient):
    metrics = Metrics(patient.vitals)
    with answering(
        "127.0.0.1", 0, report=patient.vitals.report, metrics=metrics.text, content_type=CONTENT_TYPE
    ) as url:
        status, body = asked(url + "/healthz")
        assert (status, json.loads(body)["problems"]) == (200, [])
        patient.health.connected = False
        status, body = asked(url + "/healthz")
        assert (status, json.loads(body)["problems"]) == (503, ["not connected to the broker"])
        assert b"cropcredit_up 0.0" in asked(url + "/metrics?x=1")[1]
        assert asked(url + "/") == (404, b"there are /healthz and /metrics\n")
    with pytest.raises(urllib.error.URLError):
        asked(url + "/healthz")


def test_an_address_that_is_taken_or_not_ours_is_refused_by_name(patient):
    def on(host: str, port: int):
        return answering(host, port, report=patient.vitals.report, metrics=bytes, content_type="")

    with on("127.0.0.1", 0) as url:
        port = int(url.rpartition(":")[2])
        with (
            pytest.raises(RefusedInput, match=f"127.0.0.1:{port}: port is taken; choose another --http"),
            on("127.0.0.1", port),
        ):
            pytest.fail("there were two")
    with pytest.raises(RefusedInput, match=r"203\.0\.113\.7:80: cannot be listened on"), on("203.0.113.7", 80):
        pytest.fail("that address is not ours")


def test_systemd_hears_what_it_is_told_and_nobody_else_anything(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify("READY=1")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(f"\0cropcredit-{threading.get_native_id()}")
        monkeypatch.setenv("NOTIFY_SOCKET", f"@cropcredit-{threading.get_native_id()}")
        notify("READY=1")
        assert ear.recv(100) == b"READY=1"
    notify("WATCHDOG=1")  # it has gone: no reason to fail
