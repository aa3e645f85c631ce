"""Secrets of devices: issued, rotated, revoked."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Engine, func, insert, select, update

from cropcredit.adapters.database.bodies import microseconds
from cropcredit.adapters.database.dialects import chunks
from cropcredit.adapters.database.engine import reading, writing
from cropcredit.adapters.database.tables import CREDENTIAL

SECRET_BYTES = 32


class DatabaseCredentials:
    """CredentialStore on SQLite or PostgreSQL."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def issue(self, device_id: str, *, at: datetime) -> tuple[str, bytes]:
        """Make a new key beside any that stand, so that a device can change over without silence."""
        secret = secrets.token_bytes(SECRET_BYTES)
        with writing(self._engine) as connection:
            issued = select(func.count()).select_from(CREDENTIAL).where(CREDENTIAL.c.device_id == device_id)
            key_id = f"k{(connection.scalar(issued) or 0) + 1}"
            row = {"device_id": device_id, "key_id": key_id, "secret": secret, "issued_at": microseconds(at)}
            connection.execute(insert(CREDENTIAL), row)
        return key_id, secret

    def revoke(self, device_id: str, *, at: datetime) -> None:
        """Revoke every key of a device."""
        standing = (CREDENTIAL.c.device_id == device_id) & CREDENTIAL.c.revoked_at.is_(None)
        with writing(self._engine) as connection:
            connection.execute(update(CREDENTIAL).where(standing).values(revoked_at=microseconds(at)))

    def keys(self, device_id: str) -> dict[str, bytes]:
        """Give the keys that are valid now."""
        return self.known([device_id]).get(device_id, {})

    def known(self, device_ids: Iterable[str]) -> dict[str, dict[str, bytes]]:
        """Give the valid keys of many devices at once; see :class:`cropcredit.ports.CredentialStore`."""
        found: dict[str, dict[str, bytes]] = {}
        with reading(self._engine) as connection:
            for chunk in chunks(sorted(set(device_ids))):
                query = select(CREDENTIAL).where(CREDENTIAL.c.device_id.in_(chunk)).order_by(CREDENTIAL.c.issued_at)
                for row in connection.execute(query):
                    keys = found.setdefault(row.device_id, {})
                    if row.revoked_at is None:
                        keys[row.key_id] = row.secret
        return found
