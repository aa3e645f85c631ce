"""The fleet against a real broker: nothing is forgotten before its acknowledgement, whoever dies meanwhile."""

from __future__ import annotations

import json
import signal
from typing import Any

import pytest

from firmware_sim.clock import DeviceClock
from firmware_sim.device import Habits
from firmware_sim.farm import Farm
from firmware_sim.faults import Faults
from firmware_sim.fleet import Fleet
from firmware_sim.identity import Identity, new_devices
from firmware_sim.journal import Journal
from firmware_sim.link import Broker, Link
from firmware_sim.node import wall_ms
from firmware_sim.plan import Character, Plan
from firmware_sim.scenario import Cast, Role
from tests.integration.firmware_sim.operator import STATIONS, ended
from tests.integration.firmware_sim.peer import Peer, wait_for

pytestmark = pytest.mark.debian


def everything(days: int, boot: int = 1) -> set[tuple[str, int, int]]:
    return {(station, boot, seq) for station in STATIONS for seq in range(1, days + 1)}


def test_every_reading_arrives_as_it_was_written_and_the_exit_code_says_so(simulator, peer):
    count = simulator.prepare(days=50)
    code, summary, _ = ended(simulator.replay())
    assert code == 0
    assert set(peer.kept) == everything(50)
    said = json.loads(peer.kept["st-01", 1, 2])
    assert said["ts"] == 1_325_376_001_000
    assert said["m"] == [
        {"q": "soil.moisture", "v": 1.5, "c": "d30"},
        {"q": "soil.temperature", "v": 0, "c": "d30"},
    ]
    assert (summary["complete"], summary["readings"], summary["acked"]) == (True, count, count)
    assert (summary["outstanding"], summary["rejected"], summary["left"]) == (0, 0, {})


def test_birth_names_the_boot_and_leaving_says_offline(simulator, peer):
    simulator.prepare(days=3)
    assert ended(simulator.replay("--interval", "86400"))[0] == 0
    wait_for(lambda: peer.states["st-01"][-1:] == [{"online": False}], what="goodbye")
    birth = peer.states["st-01"][0]
    assert (birth["online"], birth["boot"], birth["low"], birth["interval"]) == (True, 1, 1, 86400)


def test_nothing_is_lost_when_the_broker_dies_in_the_middle(simulator, peer, broker):
    simulator.prepare(days=600)
    process = simulator.replay()
    for goal in (300, 1500):
        peer.wait_for_readings(goal)
        broker.kill()
        broker.start()
    code, summary, _ = ended(process)
    assert code == 0
    assert set(peer.kept) == everything(600)
    assert peer.changed == []
    assert summary["connects"] > len(STATIONS)


def test_nothing_is_forgotten_and_nothing_renumbered_when_the_simulator_is_killed(simulator, peer):
    simulator.prepare(days=600)
    for goal in (300, 1500):
        process = simulator.replay()
        peer.wait_for_readings(goal)
        assert process.poll() is None, "still in the middle of it"
        process.kill()
        process.communicate()
    code, summary, _ = ended(simulator.replay())
    assert code == 0
    assert len(peer.kept) == 3600, "each reading under one number, in whichever boot it was recorded"
    assert peer.changed == []
    times = {(device, json.loads(payload)["ts"]) for (device, _, _), payload in peer.kept.items()}
    assert len(times) == 3600
    assert summary["journal"] == {"recorded": 3600, "acked": 3600, "rejected": 0, "lost": 0}


def test_without_acknowledgement_everything_stays_and_the_next_run_delivers_it(simulator, peer):
    count = simulator.prepare(days=20)
    peer.deaf.set()
    code, summary, err = ended(simulator.replay("--patience", "1.5"))
    assert code == 1
    assert (summary["complete"], summary["acked"], summary["outstanding"]) == (False, 0, count)
    assert summary["left"] == dict.fromkeys(STATIONS, 20)
    assert f"not finished: {count} messages of 6 devices wait in" in err
    peer.deaf.clear()
    assert ended(simulator.replay())[0] == 0
    assert set(peer.kept) == everything(20)


def test_a_broker_that_comes_late_is_waited_for(simulator, broker):
    count = simulator.prepare(days=5)
    broker.kill()
    process = simulator.replay()
    assert process.stderr is not None
    assert "Connection refused" in process.stderr.readline()
    broker.start()
    peer = Peer(broker.port)
    assert ended(process)[0] == 0
    assert len(peer.kept) == count
    peer.close()


def test_a_wiped_device_starts_above_what_the_server_has_seen(simulator, peer):
    simulator.prepare(days=3)
    peer.command("st-01", boot=7)
    assert ended(simulator.replay())[0] == 0
    assert {boot for device, boot, _ in peer.kept if device == "st-01"} == {8}
    assert {boot for device, boot, _ in peer.kept if device == "st-02"} == {1}
    assert ended(simulator.replay(journal="wiped"))[0] == 0
    assert {boot for device, boot, _ in peer.kept if device == "st-01"} == {8}, "the same cmd gives the same boot"


def test_a_refused_reading_is_dropped_and_reported(simulator, broker):
    simulator.prepare(days=10)
    peer = Peer(broker.port, refuse=lambda facts: "range" if facts["seq"] == 4 else "")
    code, summary, err = ended(simulator.replay())
    assert code == 1
    assert (summary["rejected"], summary["refused"], summary["outstanding"]) == (6, {"range": 6}, 0)
    assert "refused: 6 range" in err
    peer.close()


def test_a_broken_ack_deletes_nothing(simulator, peer):
    simulator.prepare(days=5)
    peer.deaf.set()
    process = simulator.replay("--patience", "2")
    wait_for(lambda: len(peer.states) == len(STATIONS), what="births")
    for payload in (b"", b'{"v":1,"boot":1,"upto":5}', b'{"v":1,"boot":2,"upto":5,"ranges":[],"rej":[]}'):
        peer.client.publish("farm/v1/st-01/ack", payload, qos=1)
    code, summary, _ = ended(process)
    assert (code, summary["acked"], summary["outstanding"]) == (1, 0, 30)
    assert summary["broken_heard"] == 2


def test_faults_lose_nothing_and_are_counted(simulator, broker):
    count = simulator.prepare(days=100)

    def judge(facts: dict[str, Any]) -> str:
        said = facts["m"]
        sound = len(said) == 2 and {one["q"] for one in said} == {"soil.moisture", "soil.temperature"}
        return "" if sound and "fun" not in facts and facts["up"] < 10**9 else "poison"

    peer = Peer(broker.port, refuse=judge)
    odds = ["--duplicate", ".1", "--reorder", ".1", "--malformed", ".1", "--poison", ".1", "--wrong-name", ".1"]
    code, summary, _ = ended(simulator.replay(*odds))
    assert code == 0, "what was injected on purpose is expected to be refused"
    assert len(peer.kept) == count
    assert peer.changed == []
    assert summary["rejected"] == summary["poisoned"] == len(peer.refused) > 0
    broken = summary["malformed"] + summary["wrong_name"]
    wait_for(lambda: len(peer.unreadable) >= broken, what="what was sent once, without acknowledgement")
    assert len(peer.unreadable) == broken > 0
    assert summary["duplicated"] > 0
    assert peer.order != sorted(peer.order)
    peer.close()


def test_devices_that_lose_power_lose_no_reading(simulator, peer):
    simulator.devices.write_text(new_devices(STATIONS))
    options = ["run", "--seconds", "4", "--interval", "0.2", "--power-loss", "1"]
    code, summary, _ = ended(simulator.start(*options))
    assert code == 0
    assert summary["power_losses"] > 0
    assert len(peer.kept) == summary["readings"] == summary["acked"]
    assert peer.changed == []
    assert {boot for _, boot, _ in peer.kept} > {1, 2}


def test_a_device_without_clock_says_so_and_can_be_dated_from_its_state(simulator, peer):
    simulator.devices.write_text(new_devices(STATIONS))
    assert ended(simulator.start("run", "--seconds", "2", "--interval", "0.5", "--clock", "none"))[0] == 0
    said = [json.loads(payload) for payload in peer.kept.values()]
    assert all("ts" not in one and one["clk"] == "none" for one in said)
    assert all(0 <= one["up"] <= 3000 for one in said)


def test_sigterm_ends_cleanly_and_the_rest_stays_in_the_journal(simulator, peer):
    simulator.prepare(days=50)
    peer.deaf.set()
    process = simulator.replay()
    wait_for(lambda: len(peer.states) == len(STATIONS), what="births")
    process.send_signal(signal.SIGTERM)
    code, summary, err = ended(process)
    assert code == 1
    assert summary["outstanding"] == 300
    assert "Traceback" not in err
    peer.deaf.clear()
    assert ended(simulator.replay())[0] == 0
    assert set(peer.kept) == everything(50)


def test_one_process_carries_more_devices_than_threads_of_paho_could(simulator, peer):
    stations = tuple(f"many-{i}" for i in range(500))
    simulator.devices.write_text(new_devices(stations))
    code, summary, _ = ended(simulator.start("run", "--seconds", "3", "--readings", "1"))
    assert code == 0
    assert {device for device, _, _ in peer.kept} == set(stations)
    assert summary["connects"] == 500


def test_no_message_leaves_before_its_reading_is_on_the_disk(broker, peer, tmp_path, monkeypatch):
    journal, pending, early = Journal(tmp_path / "journal"), set[bytes](), list[bytes]()
    append, commit, publish = Journal.append, Journal.commit, Link.publish

    def noted(journal: Journal, number: int, boot: int, seq: int, content: bytes, **more: Any) -> Any:
        pending.add(content)
        return append(journal, number, boot, seq, content, **more)

    def committed(journal: Journal) -> None:
        commit(journal)
        pending.clear()

    def watched(link: Link, level: str, payload: bytes, **options: Any) -> None:
        early.extend(content for content in pending if content in payload)
        publish(link, level, payload, **options)

    monkeypatch.setattr(Journal, "append", noted)
    monkeypatch.setattr(Journal, "commit", committed)
    monkeypatch.setattr(Link, "publish", watched)
    usual = Character(habits=Habits(), faults=Faults(), clock=DeviceClock())
    plan = Plan(usual=usual, interval_s=1, patience_s=20)
    roles = Cast(climate="continental", roles=dict.fromkeys(STATIONS, Role()))
    source = Farm(roles, seed=0, interval_s=0.05, start_ms=wall_ms(), seconds=2)
    fleet = Fleet(map(Identity, STATIONS), source, journal, broker=Broker(port=broker.port), plan=plan, tell=print)
    assert fleet.run()
    assert len(peer.kept) > 100
    assert early == []
    journal.close()
