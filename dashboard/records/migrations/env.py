"""Runs migrations on the connection that `dashboard.records.database` hands over."""

from alembic import context
from sqlalchemy import Connection

from dashboard.records.tables import Base

connection: Connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
