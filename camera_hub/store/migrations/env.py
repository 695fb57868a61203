"""Alembic's environment: always online, on the connection that Database passes in (batch mode for SQLite)."""

from alembic import context

from camera_hub.store.tables import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
