"""Keys of devices: issued all or none, changed with time to change over, revoked at once; fake and real alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import Engine

from cropcredit.adapters.database.credentials import DatabaseCredentials
from cropcredit.errors import StateConflict
from cropcredit.ports import CredentialStore
from tests.fakes import FakeCredentials

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


class SetClock:
    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(params=["fake", "sqlite", "postgresql"])
def credentials(request, make_url, opened, clock) -> CredentialStore:
    if request.param == "fake":
        return FakeCredentials(now=clock.now)
    return DatabaseCredentials(opened(make_url(request.param)), clock=clock)


def test_a_key_is_32_bytes_and_each_device_has_its_own(credentials):
    made = credentials.issue(["a", "b"], at=NOON)
    assert {device: key_id for device, (key_id, _) in made.items()} == {"a": "k1", "b": "k1"}
    assert {len(secret) for _, secret in made.values()} == {32}
    assert credentials.known(["a", "b", "nobody"]) == {d: {k: secret} for d, (k, secret) in made.items()}
    assert credentials.keys("nobody") == {}


def test_who_has_a_key_gets_no_second_one_by_the_way_and_nobody_else_either(credentials):
    credentials.issue(["a"], at=NOON)
    with pytest.raises(StateConflict, match="device 'a' has a valid key: nothing was changed"):
        credentials.issue(["b", "a"], at=NOON)
    assert credentials.known(["b"]) == {}


def test_two_keys_count_while_a_device_changes_over_and_then_the_new_one_alone(credentials, clock):
    credentials.issue(["a", "b"], at=NOON)
    credentials.issue(["a"], at=NOON, others_end=NOON + 7 * DAY)
    assert list(credentials.keys("a")) == ["k1", "k2"]
    assert credentials.ends(["a", "b"]) == {"a": {"k1": NOON + 7 * DAY}}
    clock.at = NOON + 7 * DAY
    assert list(credentials.keys("a")) == ["k2"]
    assert list(credentials.keys("b")) == ["k1"]
    assert credentials.ends(["a"]) == {}


def test_a_third_key_does_not_prolong_the_first(credentials, clock):
    credentials.issue(["a"], at=NOON)
    credentials.issue(["a"], at=NOON, others_end=NOON + DAY)
    credentials.issue(["a"], at=NOON, others_end=NOON + 9 * DAY)
    assert credentials.ends(["a"]) == {"a": {"k1": NOON + DAY, "k2": NOON + 9 * DAY}}
    clock.at += 2 * DAY
    assert list(credentials.keys("a")) == ["k2", "k3"]


def test_a_device_that_has_changed_over_keeps_its_newest_key(credentials):
    credentials.issue(["a", "b"], at=NOON)
    credentials.issue(["a", "b"], at=NOON, others_end=NOON + DAY)
    credentials.end_old(["a"], at=NOON)
    assert (list(credentials.keys("a")), list(credentials.keys("b"))) == (["k2"], ["k1", "k2"])


def test_a_revoked_device_has_no_key_however_many_it_had_and_may_be_given_a_new_one(credentials):
    credentials.issue(["a"], at=NOON)
    credentials.issue(["a"], at=NOON, others_end=NOON + DAY)
    credentials.revoke("a", at=NOON)
    assert credentials.known(["a"]) == {"a": {}}, "known, and refused"
    credentials.issue(["a"], at=NOON)
    assert list(credentials.keys("a")) == ["k3"], "a number is never given twice"


def test_of_two_who_register_one_device_at_once_one_is_refused(engine: Engine):
    barrier, outcomes = Barrier(2), list[str]()

    def register() -> None:
        barrier.wait()
        try:
            DatabaseCredentials(engine).issue(["a"], at=NOON)
            outcomes.append("issued")
        except StateConflict:
            outcomes.append("refused")

    both = [Thread(target=register) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert sorted(outcomes) == ["issued", "refused"]
    assert list(DatabaseCredentials(engine).keys("a")) == ["k1"]
