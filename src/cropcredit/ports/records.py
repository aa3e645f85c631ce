"""Records, people and the land: what every use case may need."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from cropcredit.model import Account, Crop, Field, GrowingSeason, RecordT


class Clock(Protocol):
    """The wall clock."""

    def now(self) -> datetime:
        """Give the present instant, aware, UTC."""
        ...


class FactStore(Protocol):
    """Append-only records: parties, plantings, scenes, offers … A correction is a new version."""

    def add(self, *records: RecordT, new: bool = False) -> int:
        """Append records in one transaction; a record equal to the latest version under its id is not repeated.

        Parameters
        ----------
        *records
            Records, of one kind or several.
        new : bool
            Demand that none of the ids exists yet.

        Returns
        -------
        int
            How many versions were appended.

        Raises
        ------
        StateConflict
            If ``new`` and an id exists, or somebody appended the same version first; nothing is stored.
        """
        ...

    def get(self, kind: type[RecordT], record_id: str, *, as_of: datetime | None = None) -> RecordT:
        """Read the version known at ``as_of`` (None: the latest).

        Raises
        ------
        UnknownRecord
            If there was none.
        """
        ...

    def find(self, kind: type[RecordT], *, as_of: datetime | None = None, **keys: str) -> list[RecordT]:
        """Read all records of a kind as known at ``as_of`` whose ``KEYS`` equal ``keys``, by id."""
        ...

    def history(self, kind: type[RecordT], record_id: str) -> list[RecordT]:
        """Read every version of one record, oldest first."""
        ...

    def by_hash(self, kind: type[RecordT], sha256: str) -> RecordT:
        """Read the very version an offer cites.

        Raises
        ------
        UnknownRecord
            If no version has that hash.
        """
        ...


class AccountStore(Protocol):
    """People who sign in at the desk."""

    def save(self, account: Account, password_hash: str) -> None: ...
    def accounts(self) -> list[Account]: ...
    def find(self, username: str) -> tuple[Account, str] | None:
        """Give the account and its password hash."""
        ...


class PasswordHasher(Protocol):
    """Argon2, behind two verbs."""

    def hash(self, password: str) -> str: ...
    def matches(self, password_hash: str, password: str) -> bool: ...


class SignInAttempts(Protocol):
    """Wrong passwords, so that guessing gets slow."""

    def failures(self, username: str) -> list[datetime]:
        """Give the wrong tries since the last success, oldest first."""
        ...

    def failed(self, username: str, at: datetime) -> None: ...
    def succeeded(self, username: str) -> None: ...


class FieldStore(Protocol):
    """The field register: boundary versions with fiboa columns."""

    def add(self, fields: Sequence[Field]) -> int:
        """Append boundary versions not yet held; returns how many were new."""
        ...

    def read(self, *, as_of: datetime | None = None, ids: Sequence[str] | None = None) -> list[Field]:
        """Read the version of each field known at ``as_of``, ordered by id."""
        ...


class Catalogues(Protocol):
    """Names the field agrees on: crops, and when they grow."""

    def crop(self, code: str) -> Crop:
        """Look a crop up; raises UnknownName."""
        ...

    def crops(self) -> tuple[Crop, ...]: ...

    def seasons(self, crop: str) -> tuple[GrowingSeason, ...]:
        """Give the known growing seasons of a crop all over the world; none where no calendar names it."""
        ...


class TableReader(Protocol):
    """Reads a table whole, as text."""

    def rows(self, file: Path) -> tuple[tuple[str, ...], list[tuple[int, dict[str, str]]]]:
        """Give the column names and, per row, its line in the file and its cells by column.

        Raises EmptyInput or MalformedInput, naming file and row.
        """
        ...
