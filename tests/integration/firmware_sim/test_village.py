"""A village against a real broker: backlog, outages, full rings, theft, and the ledger that accounts for all of it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import subprocess
import sys

import pytest

from firmware_sim import ledger
from firmware_sim.identity import new_devices, read_devices
from tests.integration.firmware_sim.operator import ROOT, STATIONS, Simulator, ended
from tests.integration.firmware_sim.peer import wait_for

pytestmark = pytest.mark.debian
FAST = ("--interval", "0.05")


@pytest.fixture
def village(simulator: Simulator) -> Simulator:
    simulator.devices.write_text(new_devices(STATIONS))
    return simulator


def told(simulator: Simulator) -> dict[tuple[str, int, int], ledger.Line]:
    """Read the ledger of the messages that were journalled."""
    found = ledger.read(simulator.folder / "journal", read_devices(simulator.devices))
    return {(one.device, one.boot, one.seq): one for one in found if one.boot and one.seq}


def test_a_kill_loses_no_reading_and_nothing_was_sent_that_the_journal_does_not_know(village, peer):
    process = village.start("run", *FAST, "--seconds", "60", "--ledger")
    peer.wait_for_readings(150)
    process.kill()
    process.communicate()
    assert ended(village.start("run", *FAST, "--seconds", "0.5", "--ledger"))[0] == 0
    lines = told(village)
    assert {one.state for one in lines.values()} == {"acked"}
    assert peer.kept.keys() == lines.keys()
    assert all(hashlib.sha256(peer.kept[name]).hexdigest() == line.sha256 for name, line in lines.items())
    assert {boot for _, boot, _ in lines} == {1, 2}


def test_live_readings_overtake_a_month_that_was_measured_before(village, peer):
    options = ["--backlog", "1", "--backlog-step", "180", "--rate", "200", "--seconds", "2.5", "--interval", "0.5"]
    code, summary, _ = ended(village.start("run", *options))
    assert code == 0
    days, live = 480, 5
    assert summary["acked"] == summary["readings"] == len(STATIONS) * (days + live)
    order = [seq for device, _, seq in peer.order if device == "st-03"]
    assert order.index(days + live) < days / 2, "what is measured while connected does not wait for the backlog"
    old = [seq for seq in order if seq <= days]
    assert old == sorted(old), "oldest first"
    assert summary["ack_s"]["p50"] > 0


def test_a_device_without_network_measures_on_and_sends_it_all_later(village, peer):
    code, summary, err = ended(village.start("run", *FAST, "--seconds", "3", "--outage", "2:0.5"))
    assert code == 0
    assert summary["outages"] > 0
    assert summary["connects"] > len(STATIONS)
    assert len(peer.kept) == summary["readings"] == summary["acked"]
    assert {boot for _, boot, _ in peer.kept} == {1}, "no network is no restart"
    assert "network lost" not in err, "what was asked for is no complaint"


def test_an_outage_lasts_and_readings_wait_for_its_end(village, peer):
    process = village.start("run", *FAST, "--seconds", "60", "--outage", "0.5:100000")
    wait_for(
        lambda: sum(states[-1] == {"online": False} for states in peer.states.values()) == len(STATIONS),
        within_s=30, what="all devices offline at once",
    )  # fmt: skip
    process.terminate()
    code, summary, _ = ended(process)
    assert code == 1
    assert summary["outages"] == summary["connects"] == len(STATIONS), "nobody came back before its end"


def test_a_full_ring_loses_the_oldest_and_tells_the_server_from_where_it_still_holds(village, peer):
    peer.deaf.set()
    process = village.start("run", *FAST, "--seconds", "4", "--ring", "20", "--ledger")
    wait_for(lambda: any(state.get("low", 1) > 1 for state in peer.states["st-01"]), what="low")
    peer.deaf.clear()
    code, summary, _ = ended(process)
    assert code == 0
    assert summary["lost"] > 0
    assert summary["acked"] + summary["lost"] == summary["readings"]
    lost = {name for name, line in told(village).items() if line.state == "lost"}
    assert len(lost) == summary["lost"]
    assert lost | peer.kept.keys() == told(village).keys(), "what is lost on the device may have arrived before"
    highest = max(state.get("low", 1) for state in peer.states["st-01"])
    assert all(seq < highest for device, _, seq in lost if device == "st-01"), "the server waits for none of them"


def test_a_stolen_device_falls_silent_and_the_fleet_ends_without_it(village, peer):
    code, summary, _ = ended(village.start("run", "--interval", "0.2", "--seconds", "2", "--ageing", "theft:0.5"))
    assert code == 0
    assert (summary["stolen"], summary["outstanding"]) == (3, 0)
    wait_for(lambda: sum(states[-1] == {"online": False} for states in peer.states.values()) == 6, what="last words")


@pytest.mark.usefixtures("peer")
def test_a_copy_under_another_devices_topic_is_counted_and_nobodys_reading(village):
    code, summary, _ = ended(village.start("run", *FAST, "--seconds", "1", "--wrong-topic", "0.2", "--ledger"))
    assert summary["wrong_topic"] == summary["malformed_reasons"]["nobody hears of it"] > 0
    lines = [one for one in ledger.read(village.folder / "journal", read_devices(village.devices)) if not one.boot]
    assert [(one.kind, one.state) for one in lines] == [("wrong_topic", "sent")] * summary["wrong_topic"]
    assert code == 0


def test_a_months_readings_are_written_to_a_file_and_sent_from_it(village, peer):
    truth, written = village.folder / "truth.csv", village.folder / "written.csv"
    options = [
        "--days",
        "2",
        "--interval",
        "3600",
        "--start",
        "2026-05-01",
        "--kind",
        "grain:0.34",
        "--attack",
        "copied",
    ]
    command = [sys.executable, "-m", "firmware_sim", "write", "--devices", village.devices, "--out", written]
    subprocess.run([*map(str, command), *options, "--truth", str(truth)], check=True, cwd=ROOT)
    parts = {row["device"]: (row["kind"], row["change"]) for row in csv.DictReader(truth.read_text().splitlines())}
    assert sorted(parts.values()) == [("grain", "copied")] * 2 + [("soil", "copied")] * 4
    code, summary, _ = ended(village.start("replay", written))
    assert (code, summary["acked"]) == (0, 48 * len(STATIONS))
    grain = next(device for device, (kind, _) in parts.items() if kind == "grain")
    quantities = {m["q"] for m in json.loads(peer.kept[grain, 1, 1])["m"]}
    assert {"store.weight", "store.grainMoisture", "store.grainTemperature"} <= quantities


def test_the_ledger_is_a_table_for_those_who_do_not_write_programs(village, peer):
    assert (
        ended(village.start("run", "--seconds", "1", "--readings", "2", *FAST, "--ledger", "--poison", "0.3"))[0] == 0
    )
    command = ["ledger", "--journal", village.folder / "journal", "--devices", village.devices]
    said = subprocess.run(
        [sys.executable, "-m", "firmware_sim", *map(str, command)], check=True, cwd=ROOT, text=True, capture_output=True
    ).stdout
    rows = list(csv.DictReader(io.StringIO(said)))
    assert {row["kind"] == "reading" for row in rows} == {True, False}
    assert {row["state"] for row in rows} == {"acked"}, "this peer refuses nothing"
    numbered = {(row["device"], int(row["boot"]), int(row["seq"])): row["sha256"] for row in rows}
    assert numbered.items() >= {name: hashlib.sha256(said).hexdigest() for name, said in peer.kept.items()}.items()
