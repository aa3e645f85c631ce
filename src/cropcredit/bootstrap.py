"""Settings -> App: the only place that wires adapters to use cases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

from cropcredit.adapters import health
from cropcredit.adapters.clock import SystemClock
from cropcredit.adapters.database import DatabaseAccounts, DatabaseFacts, open_database
from cropcredit.adapters.passwords import Argon2Hasher, MemoryAttempts
from cropcredit.config import Settings
from cropcredit.ports import AccountStore, Clock, FactStore
from cropcredit.usecases.accounts import AddAccount, ListAccounts, Recognise, SignIn

RELEASED_ON = datetime(2026, 11, 1, tzinfo=UTC)


class Examine(Protocol):
    """Looks at the machine around the workspace."""

    def __call__(self, *, now: datetime) -> list[health.Finding]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """Everything an entry point may call."""

    settings: Settings
    clock: Clock
    facts: FactStore
    accounts: AccountStore
    examine: Examine
    sign_in: SignIn
    recognise: Recognise
    add_account: AddAccount
    list_accounts: ListAccounts


def build(settings: Settings) -> App:
    """Open the stores of a workspace and wire the use cases to them."""
    engine = open_database(settings.database)
    facts = DatabaseFacts(engine)
    accounts, hasher, clock = DatabaseAccounts(engine), Argon2Hasher(), SystemClock()
    broker = (settings.broker_host, settings.broker_port)
    return App(
        settings=settings,
        clock=clock,
        facts=facts,
        accounts=accounts,
        examine=partial(health.examine, settings.home, broker=broker, released_on=RELEASED_ON),
        sign_in=SignIn(accounts=accounts, hasher=hasher, attempts=MemoryAttempts(), clock=clock),
        recognise=Recognise(accounts=accounts),
        add_account=AddAccount(accounts=accounts, hasher=hasher),
        list_accounts=ListAccounts(accounts=accounts),
    )
