"""Readings, what is settled, quarantine, device states and keys."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "device_key",
        sa.Column("key", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("device_id", sa.String(64), nullable=False, unique=True),
    )
    _readings()
    _settled()
    _quarantine()
    op.create_table(
        "device_state",
        sa.Column("row", ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("device", sa.Integer, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("device_state_by_device", "device_state", ["device", "row"])
    op.create_table(
        "credential",
        sa.Column("device_id", sa.String(64), primary_key=True),
        sa.Column("key_id", sa.String(64), primary_key=True),
        sa.Column("secret", sa.LargeBinary, nullable=False),
        sa.Column("issued_at", sa.BigInteger, nullable=False),
        sa.Column("revoked_at", sa.BigInteger),
    )


def _readings() -> None:
    op.create_table(
        "reading",
        sa.Column("row", ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("device", sa.Integer, nullable=False),
        sa.Column("boot", sa.BigInteger, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("observed_at", sa.BigInteger),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("measurements", sa.Integer, nullable=False),
        sa.Column("key_id", sa.String(64), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("device", "boot", "seq"),
    )
    op.create_table(
        "conflict",
        sa.Column("row", ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("device", sa.Integer, nullable=False),
        sa.Column("boot", sa.BigInteger, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("device", "boot", "seq", "sha256"),
    )


def _settled() -> None:
    op.create_table(
        "settled",
        sa.Column("device", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("boot", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("first", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("last", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "rejected",
        sa.Column("device", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("boot", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "held",
        sa.Column("device", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("boot", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("low", sa.BigInteger, nullable=False),
        sa.Column("started_at", sa.BigInteger),
    )


def _quarantine() -> None:
    op.create_table(
        "quarantine",
        sa.Column("row", ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("sha256", sa.String(64), nullable=False, unique=True),
        sa.Column("first_at", sa.BigInteger, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
        sa.Column("times", sa.Integer, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("device_id", sa.Text, nullable=False),
        sa.Column("boot", sa.BigInteger),
        sa.Column("seq", sa.BigInteger),
    )
