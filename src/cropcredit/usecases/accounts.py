"""Who may sit at the desk: add an account, list accounts, sign in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cropcredit.errors import MalformedInput, NotPermitted, StateConflict
from cropcredit.model import Account, Role
from cropcredit.ports import AccountStore, Clock, PasswordHasher, SignInAttempts

USERNAME = re.compile(r"[a-z][a-z0-9._-]{1,31}")
SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 256
FREE_TRIES = 5
"""Wrong passwords in a row before the next one has to wait."""
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)


def may_try_from(failures: Sequence[datetime]) -> datetime | None:
    """Tell from when on the next password may be tried; None: at once.

    The wait doubles with each further failure and never exceeds :data:`LONGEST_WAIT`, so guessing gets slow and
    nobody is locked out for good.

    Parameters
    ----------
    failures : sequence of datetime
        Wrong tries since the last success, oldest first.

    Examples
    --------
    >>> noon = datetime(2025, 6, 1, 12)
    >>> may_try_from([noon] * 4)
    >>> may_try_from([noon] * 5)
    datetime.datetime(2025, 6, 1, 12, 0, 30)
    >>> may_try_from([noon] * 6)
    datetime.datetime(2025, 6, 1, 12, 1)
    >>> may_try_from([noon] * 500)
    datetime.datetime(2025, 6, 1, 12, 15)
    """
    if len(failures) < FREE_TRIES:
        return None
    doublings = min(len(failures) - FREE_TRIES, 16)
    return failures[-1] + min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """Check a name and a password; every failure looks the same from outside."""

    accounts: AccountStore
    hasher: PasswordHasher
    attempts: SignInAttempts
    clock: Clock

    def __call__(self, username: str, password: str) -> Account:
        """Give the account, or refuse without telling why.

        Raises
        ------
        NotPermitted
            If the name is unknown, the account inactive, the password wrong, or the wait after repeated failures
            is not over. The message is the same for all four.
        """
        name, now = username.strip().lower(), self.clock.now()
        wait = may_try_from(self.attempts.failures(name))
        if wait is not None and now < wait:
            raise _refused()
        self.attempts.failed(
            name, now
        )  # counts as failed until the password has matched: parallel guesses gain nothing
        account = self._matching(name, password[:LONGEST_PASSWORD])
        if account is None:
            raise _refused()
        self.attempts.succeeded(name)
        return account

    def _matching(self, name: str, password: str) -> Account | None:
        found = self.accounts.find(name)
        if found is None:
            self.hasher.hash(password)  # as slow as a wrong password: a stopwatch does not tell which names exist
            return None
        account, password_hash = found
        return account if self.hasher.matches(password_hash, password) and account.active else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognise:
    """Look a signed-in person up again: an account that was closed, or given another role, counts at once."""

    accounts: AccountStore

    def __call__(self, username: str) -> Account:
        """Give the account as it stands now.

        Raises
        ------
        NotPermitted
            If it was closed or removed.
        """
        found = self.accounts.find(username)
        if found is None or not found[0].active:
            raise NotPermitted(f"the account {username!r} is closed")
        return found[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddAccount:
    """Make an account for a person at the lender."""

    accounts: AccountStore
    hasher: PasswordHasher

    def __call__(
        self, username: str, password: str, *, full_name: str, role: Role, branch: str, language: str = "zh"
    ) -> Account:
        if not USERNAME.fullmatch(username):
            raise MalformedInput(
                f"{username!r} is not a user name", cure="2-32 of a-z, 0-9, dot, dash, underscore; a letter first"
            )
        if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD or username in password.lower():
            raise MalformedInput(
                "the password is refused",
                where=username,
                cure=f"use {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters and not the user name",
            )
        if not full_name.strip() or not branch.strip():
            raise MalformedInput("an account needs a full name and a branch", where=username, cure="'*' sees all")
        if self.accounts.find(username) is not None:
            raise StateConflict(f"there is already an account {username!r}")
        account = Account(
            username=username, full_name=full_name.strip(), role=role, branch=branch.strip(), language=language
        )
        self.accounts.save(account, self.hasher.hash(password))
        return account


@dataclass(frozen=True, slots=True, kw_only=True)
class ListAccounts:
    """Show who may sign in."""

    accounts: AccountStore

    def __call__(self) -> list[Account]:
        """Give all accounts, by user name."""
        return sorted(self.accounts.accounts(), key=lambda account: account.username)


def _refused() -> NotPermitted:
    return NotPermitted("name or password is wrong, or there were too many tries: check both, wait a few minutes")
