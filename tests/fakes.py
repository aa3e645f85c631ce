"""One in-memory fake per port; each sits the same exam as the real thing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from cropcredit.errors import StateConflict, UnknownRecord
from cropcredit.model import Account, Record, RecordT, digest

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class FakeFacts:
    """FactStore in a list."""

    def __init__(self, *records: Record) -> None:
        self._versions: list[Record] = []
        self.add(*records)

    def add(self, *records: Record, new: bool = False) -> int:
        held = {(type(r), r.id): r for r in self._versions}
        if new and (taken := [r.id for r in records if (type(r), r.id) in held]):
            raise StateConflict(f"{taken[0]!r} exists already")
        fresh: list[Record] = []
        for record in records:
            last = held.get((type(record), record.id))
            same = last is not None and replace(last, known_at=EPOCH) == replace(record, known_at=EPOCH)
            if last is not None and same and last.known_at <= record.known_at:
                continue
            held[type(record), record.id] = record
            fresh.append(record)
        self._versions.extend(fresh)
        return len(fresh)

    def get(self, kind: type[RecordT], record_id: str, *, as_of: datetime | None = None) -> RecordT:
        known = [r for r in self.history(kind, record_id) if as_of is None or r.known_at <= as_of]
        if not known:
            raise UnknownRecord(kind.__name__, record_id)
        return known[-1]

    def find(self, kind: type[RecordT], *, as_of: datetime | None = None, **keys: Any) -> list[RecordT]:
        ids = sorted({r.id for r in self._versions if isinstance(r, kind) and (as_of is None or r.known_at <= as_of)})
        found = [self.get(kind, record_id, as_of=as_of) for record_id in ids]
        return [r for r in found if all(getattr(r, name) == value for name, value in keys.items())]

    def history(self, kind: type[RecordT], record_id: str) -> list[RecordT]:
        return sorted(
            (r for r in self._versions if isinstance(r, kind) and r.id == record_id), key=lambda r: r.known_at
        )

    def by_hash(self, kind: type[RecordT], sha256: str) -> RecordT:
        for record in self._versions:
            if isinstance(record, kind) and digest(record) == sha256:
                return record
        raise UnknownRecord(kind.__name__, sha256)


class FakeHasher:
    """Reversible on purpose: a test must be quick, and says what it compares."""

    def hash(self, password: str) -> str:
        return f"plain:{password}"

    def matches(self, password_hash: str, password: str) -> bool:
        return password_hash == f"plain:{password}"


class FakeAccounts:
    """AccountStore in a dictionary."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[Account, str]] = {}

    def save(self, account: Account, password_hash: str) -> None:
        self.rows[account.username] = (account, password_hash)

    def accounts(self) -> list[Account]:
        return [account for account, _ in self.rows.values()]

    def find(self, username: str) -> tuple[Account, str] | None:
        return self.rows.get(username)
