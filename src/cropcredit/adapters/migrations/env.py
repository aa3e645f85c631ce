"""Runs the migrations on the connection that the engine hands over."""

from alembic import context

from cropcredit.adapters.database.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
