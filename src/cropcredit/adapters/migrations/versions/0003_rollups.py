"""Hourly and daily roll-ups, and the ledger of which readings they hold."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rollup",
        _key("device", sa.Integer),
        _key("hours", sa.Integer),
        _key("start", sa.BigInteger),
        sa.Column("quantity", sa.Text, primary_key=True),
        sa.Column("channel", sa.Text, primary_key=True),
        sa.Column("samples", sa.Integer, nullable=False),
        *(sa.Column(name, sa.Double, nullable=False) for name in ("low", "total", "high", "first", "last", "rise")),
        sa.Column("resets", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rolled_device",
        _key("device", sa.Integer),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("zone", sa.String(64), nullable=False),
    )
    op.create_table(
        "rolled",
        _key("device", sa.Integer),
        _key("boot", sa.BigInteger),
        _key("first", sa.BigInteger),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("leans_on", sa.BigInteger),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rolled_hour",
        _key("device", sa.Integer),
        _key("start", sa.BigInteger),
        _key("boot", sa.BigInteger),
        sa.Column("first", sa.BigInteger, nullable=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("readings", sa.Integer, nullable=False),
        sa.Column("known_at", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "unrolled",
        _key("device", sa.Integer),
        _key("boot", sa.BigInteger),
        _key("seq", sa.BigInteger),
        sqlite_with_rowid=False,
    )
    op.add_column("reading", sa.Column("known_at", sa.BigInteger))


def _key(name: str, kind: type[sa.types.TypeEngine[int]]) -> sa.Column[int]:
    return sa.Column(name, kind, primary_key=True, autoincrement=False)
