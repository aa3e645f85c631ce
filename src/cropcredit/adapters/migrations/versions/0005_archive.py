"""Old readings that were moved to Parquet: which files, and what each device has in them."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "archive_file",
        sa.Column("file", sa.String(200), primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("readings", sa.Integer, nullable=False),
        sa.Column("measurements", sa.BigInteger, nullable=False),
        sa.Column("moved_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "archived",
        sa.Column("device", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("boot", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("first", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("file", sa.String(200), primary_key=True),
        sa.Column("last", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
