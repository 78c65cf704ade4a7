"""What the worklist shows beside the finding, and a count of changes: a list that is up to date costs nothing."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

COLUMNS = (
    sa.Column("revision", sa.BigInteger(), nullable=False, server_default="0"),
    sa.Column("place", sa.String(length=64), nullable=False, server_default=""),
    sa.Column("regions", sa.String(length=64), nullable=False, server_default=""),
    sa.Column("opened_by", sa.String(length=48), nullable=False, server_default=""),
    sa.Column("read_by", sa.String(length=48), nullable=False, server_default=""),
    sa.Column("read_grade", sa.String(length=2), nullable=True),
)
EVENTS = ("insert", "update", "delete")


def upgrade() -> None:
    """Bring the tables to this revision."""
    with op.batch_alter_table("studies") as studies:
        for column in COLUMNS:
            studies.add_column(column.copy())
    op.create_index("ix_studies_revision", "studies", ["revision"])
    state = op.create_table(
        "worklist_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.bulk_insert(state, [{"id": 1, "revision": 0}])
    _fill_places()
    if op.get_bind().dialect.name == "postgresql":
        _count_on_postgresql()
    else:
        _count_on_sqlite()


def downgrade() -> None:
    """Take this revision back."""
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    for event in EVENTS:
        op.execute(f"DROP TRIGGER studies_count_{event}" + (" ON studies" if on_postgresql else ""))
    if on_postgresql:
        op.execute("DROP FUNCTION count_change()")
        op.execute("DROP FUNCTION count_deletion()")
    op.drop_table("worklist_state")
    op.drop_index("ix_studies_revision", "studies")
    with op.batch_alter_table("studies") as studies:
        for column in COLUMNS:
            studies.drop_column(column.name)


def _count_on_sqlite() -> None:
    count = "UPDATE worklist_state SET revision = revision + 1"
    mark = "UPDATE studies SET revision = (SELECT revision FROM worklist_state) WHERE id = NEW.id"
    op.execute(f"CREATE TRIGGER studies_count_insert AFTER INSERT ON studies BEGIN {count}; {mark}; END")
    # The mark itself is an update, too: it is told by its changed revision.
    op.execute(
        "CREATE TRIGGER studies_count_update AFTER UPDATE ON studies WHEN NEW.revision = OLD.revision "
        f"BEGIN {count}; {mark}; END"
    )
    op.execute(f"CREATE TRIGGER studies_count_delete AFTER DELETE ON studies BEGIN {count}; END")


def _count_on_postgresql() -> None:
    count = "UPDATE worklist_state SET revision = revision + 1"
    op.execute(
        "CREATE FUNCTION count_change() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN {count} RETURNING revision INTO NEW.revision; RETURN NEW; END $$"
    )
    op.execute(
        f"CREATE FUNCTION count_deletion() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {count}; RETURN NULL; END $$"
    )
    for event in ("insert", "update"):
        op.execute(
            f"CREATE TRIGGER studies_count_{event} BEFORE {event.upper()} ON studies "
            "FOR EACH ROW EXECUTE FUNCTION count_change()"
        )
    op.execute(
        "CREATE TRIGGER studies_count_delete AFTER DELETE ON studies FOR EACH ROW EXECUTE FUNCTION count_deletion()"
    )


def _fill_places() -> None:
    """Where the worst slice of each study lies, as stored documents say."""
    studies = sa.table("studies", sa.column("id"), sa.column("current_finding_id"), sa.column("place"))
    findings = sa.table("findings", sa.column("id"), sa.column("document"))
    connection = op.get_bind()
    query = sa.select(studies.c.id, findings.c.document).join(findings, findings.c.id == studies.c.current_finding_id)
    for study_id, document in connection.execute(query).all():
        place = _place(json.loads(document))
        connection.execute(sa.update(studies).where(studies.c.id == study_id).values(place=place))


def _place(document: dict[str, Any]) -> str:
    worst = document.get("worst_slice")
    if not worst:
        return ""
    uid = worst.get("series_instance_uid")
    count = sum(one.get("series_instance_uid") == uid for one in document.get("slices") or [])
    return f"slice {worst.get('number')} of {count}"
