"""Corrections of levels stand among the readings: which level of the finding a person has named otherwise."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Bring the tables to this revision."""
    # Not as a batch: that makes the table anew, without the triggers that keep its rows from being changed.
    op.add_column("readings", sa.Column("level_was", sa.String(length=16), nullable=False, server_default=""))
    op.create_index("ix_readings_finding_id", "readings", ["finding_id"])


def downgrade() -> None:
    """Take this revision back."""
    op.drop_index("ix_readings_finding_id", "readings")
    op.execute("ALTER TABLE readings DROP COLUMN level_was")
