"""Quarantine knows whether the sender was certain, and what became of a replay."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("quarantine", sa.Column("tied", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("quarantine", sa.Column("replayed_at", sa.BigInteger))
    op.add_column("quarantine", sa.Column("outcome", sa.String(40), nullable=False, server_default=""))
    op.create_index("quarantine_by_device", "quarantine", ["device_id", "row"])
    # A seq was only ever settled by a refusal when it was certain who sent it.
    quarantine = sa.table("quarantine", sa.column("boot"), sa.column("tied", sa.Boolean))
    op.execute(quarantine.update().where(quarantine.c.boot.is_not(None)).values(tied=sa.true()))
