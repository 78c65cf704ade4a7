"""A reading may point at the slice that shows what it says."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Bring the tables to this revision."""
    # Not as a batch: that makes the table anew, without the triggers that keep its rows from being changed.
    op.add_column("readings", sa.Column("at_slice", sa.Text(), nullable=True))


def downgrade() -> None:
    """Take this revision back."""
    op.execute("ALTER TABLE readings DROP COLUMN at_slice")
