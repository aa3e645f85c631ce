"""The accounts of the desk."""

from __future__ import annotations

from sqlalchemy import Engine, Row, delete, insert, select

from cropcredit.adapters.database.engine import reading, writing
from cropcredit.adapters.database.tables import ACCOUNT
from cropcredit.model import Account, Role


class DatabaseAccounts:
    """AccountStore on SQLite or PostgreSQL."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def save(self, account: Account, password_hash: str) -> None:
        """Store or replace one account."""
        row = {
            "username": account.username,
            "full_name": account.full_name,
            "role": account.role.value,
            "branch": account.branch,
            "language": account.language,
            "active": account.active,
            "password_hash": password_hash,
        }
        with writing(self._engine) as connection:
            connection.execute(delete(ACCOUNT).where(ACCOUNT.c.username == account.username))
            connection.execute(insert(ACCOUNT), row)

    def accounts(self) -> list[Account]:
        """List all accounts by name."""
        with reading(self._engine) as connection:
            return [_account(row) for row in connection.execute(select(ACCOUNT).order_by(ACCOUNT.c.username))]

    def find(self, username: str) -> tuple[Account, str] | None:
        """Give the account and its password hash."""
        with reading(self._engine) as connection:
            row = connection.execute(select(ACCOUNT).where(ACCOUNT.c.username == username)).first()
        return None if row is None else (_account(row), row.password_hash)


def _account(row: Row[tuple[object, ...]]) -> Account:
    return Account(
        username=row.username,
        full_name=row.full_name,
        role=Role(row.role),
        branch=row.branch,
        language=row.language,
        active=row.active,
    )
