from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cropcredit.adapters.passwords import Argon2Hasher, MemoryAttempts
from cropcredit.errors import MalformedInput, NotPermitted, StateConflict
from cropcredit.model import Account, Role
from cropcredit.usecases.accounts import FREE_TRIES, AddAccount, ListAccounts, Recognise, SignIn
from tests.fakes import FakeAccounts, FakeHasher

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
GOOD, WRONG = "a-quiet-meadow", "a-loud-meadow"


class Hand:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def accounts() -> FakeAccounts:
    store = FakeAccounts()
    add(store)
    return store


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def sign_in(accounts: FakeAccounts, hand: Hand) -> SignIn:
    return SignIn(accounts=accounts, hasher=FakeHasher(), attempts=MemoryAttempts(), clock=hand)


def add(store: FakeAccounts, username: str = "li.na", password: str = GOOD, **changes: str) -> Account:
    details = {"full_name": "Li Na", "branch": "3702"} | changes
    return AddAccount(accounts=store, hasher=FakeHasher())(username, password, role=Role.OFFICER, **details)


def fail(sign_in: SignIn, times: int) -> None:
    for _ in range(times):
        with pytest.raises(NotPermitted, match="name or password is wrong"):
            sign_in("li.na", WRONG)


def test_the_right_password_opens_the_desk(sign_in: SignIn) -> None:
    assert sign_in(" Li.Na ", GOOD).full_name == "Li Na"


def test_an_unknown_name_a_wrong_password_and_a_closed_account_look_the_same(
    accounts: FakeAccounts, sign_in: SignIn
) -> None:
    accounts.save(Account(username="gone", full_name="G", role=Role.OFFICER, branch="*", active=False), f"plain:{GOOD}")
    told = set()
    for name, password in (("nobody", GOOD), ("li.na", WRONG), ("gone", GOOD)):
        with pytest.raises(NotPermitted, match="name or password is wrong") as refused:
            sign_in(name, password)
        told.add(str(refused.value))
    assert len(told) == 1


def test_after_repeated_failures_even_the_right_password_waits(sign_in: SignIn, hand: Hand) -> None:
    fail(sign_in, FREE_TRIES)
    with pytest.raises(NotPermitted, match="wait a few minutes"):
        sign_in("li.na", GOOD)
    hand.at += timedelta(seconds=30)
    assert sign_in("li.na", GOOD).username == "li.na"


def test_a_try_during_the_wait_does_not_prolong_it(sign_in: SignIn, hand: Hand) -> None:
    fail(sign_in, FREE_TRIES + 3)
    hand.at += timedelta(seconds=30)
    assert sign_in("li.na", GOOD)


def test_a_success_forgives_earlier_failures(sign_in: SignIn) -> None:
    for _ in range(3):
        fail(sign_in, FREE_TRIES - 1)
        assert sign_in("li.na", GOOD)


def test_one_persons_failures_do_not_slow_another(accounts: FakeAccounts, sign_in: SignIn) -> None:
    add(accounts, "wang.wei")
    fail(sign_in, FREE_TRIES)
    assert sign_in("wang.wei", GOOD)


@pytest.mark.parametrize(
    ("username", "password"),
    [
        pytest.param("Li Na", GOOD, id="a space and capitals"),
        pytest.param("li.na2", "short", id="a short password"),
        pytest.param("li.na2", "x" * 257, id="an endless password"),
        pytest.param("li.na2", "my-Li.Na2-password", id="the name in the password"),
    ],
)
def test_an_account_is_refused_by_name(accounts: FakeAccounts, username: str, password: str) -> None:
    with pytest.raises(MalformedInput, match=r"not a user name|password is refused"):
        add(accounts, username, password)


def test_an_account_needs_a_person_and_a_branch(accounts: FakeAccounts) -> None:
    with pytest.raises(MalformedInput, match="needs a full name and a branch"):
        add(accounts, "wang.wei", branch=" ")


def test_a_name_is_given_once(accounts: FakeAccounts) -> None:
    with pytest.raises(StateConflict, match=r"already an account 'li\.na'"):
        add(accounts)


def test_accounts_are_listed_by_name(accounts: FakeAccounts) -> None:
    add(accounts, "chen")
    assert [account.username for account in ListAccounts(accounts=accounts)()] == ["chen", "li.na"]


def test_argon2_knows_the_right_password_from_the_wrong_and_never_gives_the_same_hash() -> None:
    hasher = Argon2Hasher()
    stored = hasher.hash(GOOD)
    assert stored.startswith("$argon2id$")
    assert stored != hasher.hash(GOOD)
    assert hasher.matches(stored, GOOD)
    assert not hasher.matches(stored, WRONG)


def test_a_damaged_hash_matches_nothing() -> None:
    assert not Argon2Hasher().matches("$argon2id$damaged", GOOD)


def test_made_up_names_cannot_fill_the_memory() -> None:
    attempts = MemoryAttempts(names=2, tries=3)
    for name in ("a", "b", "c", "c", "c", "c"):
        attempts.failed(name, NOON)
    assert attempts.failures("a") == []
    assert len(attempts.failures("c")) == 3


def test_a_closed_account_is_no_longer_recognised(accounts: FakeAccounts) -> None:
    recognise = Recognise(accounts=accounts)
    assert recognise("li.na").branch == "3702"
    accounts.save(replace(recognise("li.na"), active=False), "")
    with pytest.raises(NotPermitted, match=r"account 'li\.na' is closed"):
        recognise("li.na")
