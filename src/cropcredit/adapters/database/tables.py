"""The tables of the operational store, as SQLAlchemy Core sees them; Alembic makes and changes them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    false,
)
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
    Column("known_at", BigInteger),  # of a message that passed only when it was replayed; null: known as it arrived
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
    Column("tied", Boolean, nullable=False, server_default=false()),  # the broker told who sent it
    Column("replayed_at", BigInteger),
    Column("outcome", String(40), nullable=False, server_default=""),  # of the last replay
    Index("quarantine_by_device", "device_id", "row"),
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

ROLLUP = Table(
    "rollup",  # what one channel of one device measured in one local hour, or one local day
    METADATA,
    Column("device", Integer, primary_key=True, autoincrement=False),
    Column("hours", Integer, primary_key=True, autoincrement=False),  # 1 or 24
    Column("start", BigInteger, primary_key=True, autoincrement=False),
    Column("quantity", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("samples", Integer, nullable=False),
    Column("low", Double, nullable=False),
    Column("total", Double, nullable=False),
    Column("high", Double, nullable=False),
    Column("first", Double, nullable=False),
    Column("last", Double, nullable=False),
    Column("rise", Double, nullable=False),  # from the first sample of the window to its last
    Column("resets", Integer, nullable=False),
    sqlite_with_rowid=False,
)

ROLLED_DEVICE = Table(
    "rolled_device",
    METADATA,
    Column("device", Integer, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),  # grows with every change of the device's rows in the tables below
    Column("zone", String(64), nullable=False),  # whose hours and days these are
)

ROLLED = Table(
    "rolled",  # which seqs the roll-ups hold: what is in SETTLED and not here is still to be rolled up
    METADATA,
    Column("device", Integer, primary_key=True, autoincrement=False),
    Column("boot", BigInteger, primary_key=True, autoincrement=False),
    Column("first", BigInteger, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),
    Column("leans_on", BigInteger),  # start of the boot that dated some of its readings; 0: none was known; null: none
    sqlite_with_rowid=False,
)

ROLLED_HOUR = Table(
    "rolled_hour",  # where the readings of an hour are: the way from time to seq, which costs ingest nothing
    METADATA,
    Column("device", Integer, primary_key=True, autoincrement=False),
    Column("start", BigInteger, primary_key=True, autoincrement=False),
    Column("boot", BigInteger, primary_key=True, autoincrement=False),
    Column("first", BigInteger, nullable=False),  # every reading of the hour has a seq from first to last
    Column("last", BigInteger, nullable=False),
    Column("readings", Integer, nullable=False),
    Column("known_at", BigInteger, nullable=False),  # of the reading that was known last
    sqlite_with_rowid=False,
)

UNROLLED = Table(
    "unrolled",  # readings that SETTLED cannot show to be new: their seq was settled before, or is not counted
    METADATA,
    Column("device", Integer, primary_key=True, autoincrement=False),
    Column("boot", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

ARCHIVE_FILE = Table(
    "archive_file",  # old readings that were moved to Parquet; a file that is not named here does not count
    METADATA,
    Column("file", String(200), primary_key=True),
    Column("sha256", String(64), nullable=False),  # of its rows
    Column("readings", Integer, nullable=False),
    Column("measurements", BigInteger, nullable=False),
    Column("moved_at", BigInteger, nullable=False),
)

ARCHIVED = Table(
    "archived",  # which seqs of each boot are in which file, and no longer in READING
    METADATA,
    Column("device", Integer, primary_key=True, autoincrement=False),
    Column("boot", BigInteger, primary_key=True, autoincrement=False),
    Column("first", BigInteger, primary_key=True, autoincrement=False),
    Column("file", String(200), primary_key=True),
    Column("last", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

__all__ = [
    "ACCOUNT",
    "ARCHIVED",
    "ARCHIVE_FILE",
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
    "ROLLED",
    "ROLLED_DEVICE",
    "ROLLED_HOUR",
    "ROLLUP",
    "ROW_ID",
    "SETTLED",
    "UNROLLED",
]
