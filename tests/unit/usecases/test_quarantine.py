"""Refused messages are tried again; nothing becomes trusted by it, and nothing was known before it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cropcredit.errors import UnknownName
from cropcredit.model import TOLD_ANEW, Reading, Rejection
from cropcredit.units import Quantity
from cropcredit.usecases.decoding import Message
from cropcredit.usecases.ingest import IngestMessages
from cropcredit.usecases.quarantine import REASONS, Replayed, ReplayQuarantine, ShowConflicts, ShowQuarantine
from tests.fakes import FakeClock, FakeCredentials, FakeReadings

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MOISTURE = Quantity(name="soil.moisture", unit="%", low=0, high=100)
TENSION = Quantity(name="soil.tension", unit="kPa", low=0, high=200)


class Bank:
    """An ingest whose catalogue, devices and broker can be put right between arrival and replay."""

    def __init__(self, *devices: str) -> None:
        self.store, self.clock = FakeReadings(), FakeClock(NOON)
        self.credentials = FakeCredentials()
        self.register(*devices)

    def register(self, *devices: str) -> None:
        if devices:
            self.credentials.issue(devices, at=NOON)

    def ingest(self, *, signed_only: bool = False, knows: tuple[Quantity, ...] = (MOISTURE,)) -> IngestMessages:
        return IngestMessages(
            store=self.store,
            credentials=self.credentials,
            clock=self.clock,
            quantities={quantity.name: quantity for quantity in knows},
            signed_only=signed_only,
        )

    def hears(self, *messages: Message, **how: Any) -> None:
        self.ingest(**how)(messages)

    def replays(self, *, dry_run: bool = False, reason: str = "", device_id: str = "", **how: Any) -> Replayed:
        replay = ReplayQuarantine(readings=self.store, ingest=self.ingest(**how), clock=self.clock)
        return replay(dry_run=dry_run, reason=reason, device_id=device_id)

    def stored(self, **window: Any) -> list[Reading]:
        return [reading for reading, _ in self.store.readings(["a", "b"], **window)]


def up(seq: int, *, device: str = "a", quantity: str = "soil.tension", **more: Any) -> Message:
    said = {"v": 1, "boot": 1, "seq": seq, "clk": "none", "up": 1000 * seq} | more
    said["m"] = [{"q": quantity, "v": 23.4, "c": "d30"}]
    return Message(f"farm/v1/{device}/up", json.dumps(said, separators=(",", ":")).encode())


def test_what_passes_after_the_catalogue_is_completed_is_a_reading_known_from_now_on():
    bank = Bank("a")
    bank.hears(up(1), up(2))
    bank.clock.instant = NOON + 48 * HOUR
    done = bank.replays(knows=(MOISTURE, TENSION))
    assert done == Replayed(passed=2, refused={}, states=0, devices=("a",))
    assert [(r.seq, at) for r, at in bank.store.readings(["a"])] == [(1, NOON), (2, NOON)], "dated by its arrival"
    assert bank.stored(known_by=NOON + 47 * HOUR) == [], "a run for an earlier instant never sees it"
    assert ShowQuarantine(readings=bank.store)().by_reason == {}
    passed = ShowQuarantine(readings=bank.store)(passed_too=True).messages
    assert {(entry.outcome, entry.replayed_at) for entry in passed} == {("passed", NOON + 48 * HOUR)}


def test_replaying_again_changes_nothing():
    bank = Bank("a")
    bank.hears(up(1))
    bank.replays(knows=(MOISTURE, TENSION))
    bank.clock.instant = NOON + HOUR
    assert bank.replays(knows=(MOISTURE, TENSION)) == Replayed(passed=0, refused={}, states=0)
    assert len(bank.stored(known_by=NOON)) == 1


def test_a_replay_that_was_killed_before_it_noted_anything_is_repeated_without_harm():
    bank = Bank("a")
    bank.hears(up(1))
    noted, bank.store.replayed = bank.store.replayed, None  # type: ignore[assignment, method-assign] # dies there
    with pytest.raises(TypeError):
        bank.replays(knows=(MOISTURE, TENSION))
    bank.store.replayed = noted  # type: ignore[method-assign]
    bank.clock.instant = NOON + HOUR
    assert bank.replays(knows=(MOISTURE, TENSION)).passed == 1
    assert len(bank.stored()) == len(bank.stored(known_by=NOON)) == 1
    assert bank.store.counts()["conflicts"] == 0


def test_what_fails_again_stays_with_the_reason_that_holds_now():
    bank = Bank("a")
    bank.hears(up(1))
    narrow = Quantity(name="soil.tension", unit="kPa", low=0, high=5)
    assert bank.replays(knows=(narrow,)).refused == {"range": 1}
    (entry,) = ShowQuarantine(readings=bank.store)(reason="range").messages
    assert (entry.rejection.reason, entry.outcome, entry.times) == ("quantity", "range", 1)


def test_a_dry_run_says_what_would_pass_and_touches_nothing():
    bank = Bank("a")
    bank.hears(up(1), Message("farm/v1/a/up", b"{"))
    done = bank.replays(dry_run=True, knows=(MOISTURE, TENSION))
    assert (done.passed, done.refused) == (1, {"json": 1})
    assert bank.stored() == []
    assert all(entry.replayed_at is None for entry in bank.store.quarantine())


def test_only_the_messages_asked_for_are_replayed():
    bank = Bank("a", "b")
    bank.hears(up(1), up(1, device="b"), up(0, quantity="soil.moisture"))
    assert bank.replays(reason="quantity", device_id="b", knows=(MOISTURE, TENSION)).devices == ("b",)
    assert bank.replays(reason="quantity", knows=(MOISTURE, TENSION)).devices == ("a",)
    assert ShowQuarantine(readings=bank.store)().by_reason == {"schema": 1}


def test_a_reason_that_nothing_is_refused_for_is_named_instead_of_found_empty():
    bank = Bank("a")
    for asked in (lambda: ShowQuarantine(readings=bank.store)(reason="bogus"), lambda: bank.replays(reason="bogus")):
        with pytest.raises(UnknownName, match=r"unknown reason of refusal 'bogus'; known: topic, unknown, .*internal"):
            asked()


def test_every_reason_that_the_contracts_name_can_be_asked_for():
    contracts = Path(__file__).parents[3] / "data" / "contracts"
    pages = [contracts / name / "README.md" for name in ("telemetry-v1", "network-servers")]
    refusals = [page.read_text("utf-8").split("Refusals", 1)[1] for page in pages]
    named = {reason for text in refusals for reason in re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)}
    assert named - {"conflict"} == set(REASONS) - {"internal"}, "a conflict is kept apart; internal is a defect of ours"


def test_a_device_that_was_registered_late_gets_its_readings_where_the_broker_told_who_sent_them():
    bank = Bank()
    bank.hears(up(1, quantity="soil.moisture"))
    bank.register("a")
    assert bank.replays().passed == 1


@pytest.mark.parametrize("reason", ["unknown", "quantity", "unsigned"])
def test_what_came_over_a_broker_that_tells_nothing_is_not_trusted_by_a_replay_over_one_that_does(reason):
    bank = Bank(*(() if reason == "unknown" else ("a",)))
    bank.hears(up(1, quantity="soil.tension" if reason == "quantity" else "soil.moisture"), signed_only=True)
    if reason == "unknown":
        bank.register("a")
    done = bank.replays(signed_only=False, knows=(MOISTURE, TENSION))
    assert (done.passed, done.refused, bank.stored()) == (0, {"unsigned": 1}, [])


def test_what_came_over_a_broker_that_told_is_not_trusted_once_signatures_are_demanded():
    bank = Bank("a")
    bank.hears(up(1))
    assert bank.replays(signed_only=True, knows=(MOISTURE, TENSION)).refused == {"unsigned": 1}


def test_a_message_that_names_another_device_stays_a_spoof():
    bank = Bank("a", "b")
    bank.hears(up(1, quantity="soil.moisture", dev="b"))
    assert bank.replays().refused == {"spoof": 1}


def test_a_revoked_device_stays_shut_out():
    bank = Bank("a")
    bank.credentials.revoke("a", at=NOON)
    bank.hears(up(1, quantity="soil.moisture"))
    assert bank.replays().refused == {"revoked": 1}


def test_a_state_is_never_replayed():
    bank = Bank()
    bank.hears(Message("farm/v1/a/state", b'{"online":false}'))
    bank.register("a")
    done = bank.replays()
    assert (done.passed, done.states, bank.store.states()) == (0, 1, {})
    (entry,) = bank.store.quarantine()
    assert entry.outcome == TOLD_ANEW
    assert ShowQuarantine(readings=bank.store)().messages == ()


def test_a_flood_is_replayed_only_when_it_is_asked_for():
    bank = Bank("a")
    kept, counted = up(1, quantity="soil.moisture"), Message("farm/v1/a/up", b"not kept: messages of the hour 12")
    for message in (kept, counted):
        refusal = Rejection(topic=message.topic, payload=message.payload, reason="rate", detail="", device_id="a")
        bank.store.add([], [refusal], received_at=NOON, tied=True)
    assert bank.replays() == Replayed(passed=0, refused={"rate": 2}, states=0)
    assert bank.replays(reason="rate") == Replayed(passed=1, refused={"rate": 1}, states=0, devices=("a",))
    assert ShowQuarantine(readings=bank.store)().by_reason == {"rate": 1}


def test_conflicts_are_shown_with_what_stands():
    bank = Bank("a")
    bank.hears(up(1, quantity="soil.moisture"))
    bank.hears(up(1, quantity="soil.moisture", bat=3.1))
    (conflict,) = ShowConflicts(readings=bank.store)(["a"])
    assert (conflict.said.battery_v, conflict.stands.battery_v) == (3.1, None)
