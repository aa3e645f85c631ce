"""The tables of the operational store, as SQLAlchemy Core sees them; Alembic makes and changes them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text
from sqlalchemy import UniqueConstraint as Unique

METADATA = MetaData()

ROW_ID = BigInteger().with_variant(Integer, "sqlite")
"""A growing key; SQLite only counts up by itself on INTEGER."""

FACT = Table(
    "fact",
    METADATA,
    Column("seq", ROW_ID, primary_key=True, autoincrement=True),
    Column("kind", String(40), nullable=False),
    Column("id", String(200), nullable=False),
    Column("version", Integer, nullable=False),
    Column("known_at", BigInteger, nullable=False),  # microseconds since 1970, UTC: exact on every database
    Column("sha256", String(64), nullable=False),  # of body
    Column("substance", String(64), nullable=False),  # of body without known_at: tells a repetition from a correction
    Column("body", LargeBinary, nullable=False),  # canonical JSON
    Unique("kind", "id", "version"),
    Index("fact_by_hash", "sha256"),
)

FACT_KEY = Table(
    "fact_key",
    METADATA,
    Column("kind", String(40), primary_key=True),
    Column("name", String(40), primary_key=True),
    Column("value", String(200), primary_key=True),
    Column("id", String(200), primary_key=True),
)

ACCOUNT = Table(
    "account",
    METADATA,
    Column("username", String(64), primary_key=True),
    Column("full_name", String(200), nullable=False),
    Column("role", String(20), nullable=False),
    Column("branch", String(64), nullable=False),
    Column("language", String(8), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("password_hash", String(200), nullable=False),
)

DEVICE_KEY = Table(
    "device_key",  # a whole number per device keeps the rows and the index of readings small
    METADATA,
    Column("key", Integer, primary_key=True, autoincrement=True),
    Column("device_id", String(64), nullable=False, unique=True),
)

READING = Table(
    "reading",
    METADATA,
    Column("row", ROW_ID, primary_key=True, autoincrement=True),
    Column("device", Integer, nullable=False),  # DEVICE_KEY.key
    Column("boot", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("observed_at", BigInteger),  # microseconds since 1970, UTC; null where the device has no clock
    Column("received_at", BigInteger, nullable=False),
    Column("measurements", Integer, nullable=False),  # how many
    Column("key_id", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),  # the decoded content: equal bodies are one reading
    Column("payload", LargeBinary, nullable=False),  # as received
    Unique("device", "boot", "seq"),
)

SETTLED = Table(
    "settled",  # which seqs of each boot are stored, rejected or in conflict: ascending, disjoint ranges
    METADATA,
    Column("device", Integer, primary_key=True, autoincrement=False),
    Column("boot", BigInteger, primary_key=True, autoincrement=False),
    Column("first", BigInteger, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),
)

REJECTED = Table(
    "rejected",
    METADATA,
    Column("device", Integer, primary_key=True, autoincrement=False),
    Column("boot", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("reason", String(40), nullable=False),
    Column("at", BigInteger, nullable=False),  # when it came last: the newest are named first in an ack
)

HELD = Table(
    "held",  # the oldest seq of each boot that the device said it still holds: below it nothing can come any more
    METADATA,
    Column("device", Integer, primary_key=True, autoincrement=False),
    Column("boot", BigInteger, primary_key=True, autoincrement=False),
    Column("low", BigInteger, nullable=False),
    Column("started_at", BigInteger),  # time of receipt of a state, less its up; the earliest has the least delay
)

CONFLICT = Table(
    "conflict",  # the same identity with other content: the first stands, the others are kept here
    METADATA,
    Column("row", ROW_ID, primary_key=True, autoincrement=True),
    Column("device", Integer, nullable=False),
    Column("boot", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),  # of body
    Column("received_at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Unique("device", "boot", "seq", "sha256"),
)

QUARANTINE = Table(
    "quarantine",
    METADATA,
    Column("row", ROW_ID, primary_key=True, autoincrement=True),
    Column("sha256", String(64), nullable=False, unique=True),  # of topic, payload and reason
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("times", Integer, nullable=False),
    Column("topic", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("reason", String(40), nullable=False),
    Column("detail", Text, nullable=False),
    Column("device_id", Text, nullable=False),
    Column("boot", BigInteger),
    Column("seq", BigInteger),
)

DEVICE_STATE = Table(
    "device_state",
    METADATA,
    Column("row", ROW_ID, primary_key=True, autoincrement=True),
    Column("device", Integer, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("device_state_by_device", "device", "row"),
)

CREDENTIAL = Table(
    "credential",
    METADATA,
    Column("device_id", String(64), primary_key=True),
    Column("key_id", String(64), primary_key=True),
    Column("secret", LargeBinary, nullable=False),
    Column("issued_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)

__all__ = [
    "ACCOUNT",
    "CONFLICT",
    "CREDENTIAL",
    "DEVICE_KEY",
    "DEVICE_STATE",
    "FACT",
    "FACT_KEY",
    "HELD",
    "METADATA",
    "QUARANTINE",
    "READING",
    "REJECTED",
    "ROW_ID",
    "SETTLED",
]
