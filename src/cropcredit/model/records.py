"""What every stored fact has in common: an id, the instant it became known, canonical bytes and their hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from cropcredit.errors import MalformedInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A fact with a stable id and an append-only history.

    A correction is a new version under the same id with a later ``known_at``; nothing is overwritten.
    A computation for an instant ``as_of`` sees the last version with ``known_at <= as_of``.
    """

    KEYS: ClassVar[tuple[str, ...]] = ()
    """Names of the fields by which a store can find records of this kind (besides ``id``)."""

    id: str
    known_at: datetime
    """When the lender could know this; aware. Historical files declare a lag."""

    def __post_init__(self) -> None:
        if not self.id:
            raise MalformedInput(f"a {type(self).__name__} needs an id")
        if self.known_at.tzinfo is None:
            raise MalformedInput(f"known_at of {type(self).__name__} {self.id!r} has no time zone")
        object.__setattr__(self, "known_at", self.known_at.astimezone(UTC))  # one instant, one spelling


RecordT = TypeVar("RecordT", bound=Record)


def canonical_bytes(value: Any) -> bytes:
    """Encode a record (or plain values) to the one JSON spelling that is hashed and stored.

    Keys are sorted, decimals are strings, instants are RFC 3339; equal records give equal bytes.
    """
    return msgspec.json.encode(value, order="sorted")


def digest(value: Any) -> str:
    """SHA-256 of the canonical bytes, hexadecimal: the name by which evidence is cited."""
    data = value if isinstance(value, bytes) else canonical_bytes(value)
    return hashlib.sha256(data).hexdigest()


def decode(kind: type[RecordT], data: bytes) -> RecordT:
    """Read a record back from its canonical bytes.

    Raises
    ------
    MalformedInput
        If the bytes are no such record: somebody else wrote into the store.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.DecodeError as error:
        raise MalformedInput(
            f"a stored {kind.__name__} cannot be read back: {error}", cure="restore it from a backup"
        ) from None


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def microseconds(at: datetime) -> int:
    """Whole microseconds since 1970, UTC: exact in every database and array."""
    return (at - EPOCH) // MICROSECOND


def instant(us: int) -> datetime:
    """Invert :func:`microseconds`."""
    return EPOCH + us * MICROSECOND


def end_of_day(day: date, zone: str) -> datetime:
    """Give the last instant of ``day`` in ``zone``, as UTC: what a bare as-of date means.

    Examples
    --------
    >>> end_of_day(date(2025, 6, 1), "Asia/Shanghai").isoformat()
    '2025-06-01T15:59:59.999999+00:00'
    """
    return datetime.combine(day, time.max, ZoneInfo(zone)).astimezone(UTC)


def parse_as_of(text: str, zone: str) -> datetime:
    """Read an as-of instant: an RFC 3339 time with zone, or a date meaning the end of that day in ``zone``.

    Raises
    ------
    MalformedInput
        If the text is neither, or is a time without a zone.
    """
    try:
        if len(text) == len("2025-06-01"):
            return end_of_day(date.fromisoformat(text), zone)
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise MalformedInput(f"{text!r} is not an instant", cure="write 2025-06-01 or 2025-06-01T12:00:00Z") from None
    if instant.tzinfo is None:
        raise MalformedInput(f"{text!r} has no time zone", cure="add Z or +08:00, or give the date alone")
    return instant.astimezone(UTC)
