"""Secrets of devices: issued, changed, revoked."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Engine, insert, or_, select, update

from cropcredit.adapters.clock import SystemClock
from cropcredit.adapters.database.dialects import chunks
from cropcredit.adapters.database.engine import reading, writing
from cropcredit.adapters.database.tables import CREDENTIAL
from cropcredit.errors import StateConflict
from cropcredit.model import instant, microseconds
from cropcredit.ports import Clock

SECRET_BYTES = 32

_ENDS = CREDENTIAL.c.revoked_at
"""From when a key no longer counts; null: it stands. It lies ahead while a device changes over."""


class DatabaseCredentials:
    """CredentialStore on SQLite or PostgreSQL.

    Parameters
    ----------
    engine : Engine
        The open database.
    clock : Clock, optional
        Tells what is valid now.
    """

    def __init__(self, engine: Engine, *, clock: Clock | None = None) -> None:
        self._engine, self._clock = engine, clock or SystemClock()

    def issue(
        self, device_ids: Sequence[str], *, at: datetime, others_end: datetime | None = None
    ) -> dict[str, tuple[str, bytes]]:
        """Make a new key for each device, all or none; see :class:`cropcredit.ports.CredentialStore`."""
        made = {}
        with writing(self._engine) as connection:
            issued: Counter[str] = Counter()
            for chunk in chunks(sorted(set(device_ids))):
                of_these = CREDENTIAL.c.device_id.in_(chunk)
                issued.update(connection.scalars(select(CREDENTIAL.c.device_id).where(of_these)))
                if others_end is not None:
                    _end(connection, of_these, others_end)
                elif taken := connection.scalar(select(CREDENTIAL.c.device_id).where(of_these, _standing(at)).limit(1)):
                    raise StateConflict(f"device {taken!r} has a valid key: nothing was changed")
            for device_id in device_ids:
                # Two who issue at once make the same key id, and the second one's commit is refused.
                made[device_id] = (f"k{issued[device_id] + 1}", secrets.token_bytes(SECRET_BYTES))
            rows = [
                {"device_id": device_id, "key_id": key_id, "secret": secret, "issued_at": microseconds(at)}
                for device_id, (key_id, secret) in made.items()
            ]
            if rows:
                connection.execute(insert(CREDENTIAL), rows)
        return made

    def revoke(self, device_id: str, *, at: datetime) -> None:
        """Revoke every key of a device."""
        with writing(self._engine) as connection:
            _end(connection, CREDENTIAL.c.device_id == device_id, at)

    def end_old(self, device_ids: Sequence[str], *, at: datetime) -> None:
        """End now what was to end later."""
        with writing(self._engine) as connection:
            for chunk in chunks(sorted(set(device_ids))):
                _end(connection, CREDENTIAL.c.device_id.in_(chunk) & _ENDS.is_not(None), at)

    def keys(self, device_id: str) -> dict[str, bytes]:
        """Give the keys that are valid now."""
        return self.known([device_id]).get(device_id, {})

    def known(self, device_ids: Iterable[str]) -> dict[str, dict[str, bytes]]:
        """Give the valid keys of many devices at once; see :class:`cropcredit.ports.CredentialStore`."""
        found: dict[str, dict[str, bytes]] = {}
        now = microseconds(self._clock.now())
        columns = (CREDENTIAL.c.device_id, CREDENTIAL.c.key_id, CREDENTIAL.c.secret, _ENDS)
        with reading(self._engine) as connection:
            for chunk in chunks(sorted(set(device_ids))):
                query = select(*columns).where(CREDENTIAL.c.device_id.in_(chunk)).order_by(CREDENTIAL.c.issued_at)
                for device_id, key_id, secret, ends in connection.execute(query):
                    keys = found.setdefault(device_id, {})
                    if ends is None or now < ends:
                        keys[key_id] = secret
        return found

    def ends(self, device_ids: Iterable[str]) -> Mapping[str, Mapping[str, datetime]]:
        """Tell which valid keys end by themselves, and when."""
        found: dict[str, dict[str, datetime]] = {}
        with reading(self._engine) as connection:
            for chunk in chunks(sorted(set(device_ids))):
                ahead = CREDENTIAL.c.device_id.in_(chunk) & (microseconds(self._clock.now()) < _ENDS)
                for row in connection.execute(select(CREDENTIAL).where(ahead)):
                    found.setdefault(row.device_id, {})[row.key_id] = instant(row.revoked_at)
        return found


def _standing(at: datetime) -> ColumnElement[bool]:
    return or_(_ENDS.is_(None), microseconds(at) < _ENDS)


def _end(connection: Connection, these: ColumnElement[bool], at: datetime) -> None:
    """End keys at an instant; what ends sooner keeps its end."""
    connection.execute(update(CREDENTIAL).where(these, _standing(at)).values(revoked_at=microseconds(at)))
