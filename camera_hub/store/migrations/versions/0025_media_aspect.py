"""aspect "live" is "media"; names of aspects up to 16 characters; cameras' importance; alarms: flapping, place group, hint, how it ended"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

ASPECTS = ("camera_states", "alarms", "notice_rules")
LATER = ("reachable", "recording", "osd")


def upgrade() -> None:
    op.alter_column("observations", "live", new_column_name="media")
    for table in ASPECTS:
        with op.batch_alter_table(table) as batch:
            if table == "alarms":
                batch.alter_column("aspect", type_=sa.String(16), existing_nullable=False, server_default="media")
            else:
                batch.alter_column("aspect", type_=sa.String(16), existing_nullable=table == "notice_rules")
        _rename(table, "live", "media")
    op.add_column("cameras", sa.Column("importance", sa.String(8), nullable=False, server_default="normal"))
    op.add_column("alarms", sa.Column("flapping", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("alarms", sa.Column("place_group", sa.String(64), nullable=True))
    op.add_column("alarms", sa.Column("hint", sa.JSON(), nullable=True))
    op.add_column("alarms", sa.Column("ending", sa.String(16), nullable=True))
    _endings()


def downgrade() -> None:
    """Aspects that the earlier version does not know are lost; the wider columns do no harm there."""
    for name in ("ending", "hint", "place_group", "flapping"):
        op.drop_column("alarms", name)
    op.drop_column("cameras", "importance")
    for table in ASPECTS:
        rows = _table(table)
        op.execute(sa.delete(rows).where(rows.c.aspect.in_(LATER)))
        _rename(table, "media", "live")
    op.alter_column("observations", "media", new_column_name="live")


def _endings() -> None:
    """How closed alarms ended: of merged ones the detail has said so."""
    alarms = sa.table("alarms", *(sa.column(name) for name in ("closed_at", "detail", "ending")))
    closed = alarms.c.closed_at.is_not(None)
    op.execute(sa.update(alarms).where(closed).values(ending="recovered"))
    op.execute(sa.update(alarms).where(closed, alarms.c.detail.like("merged into a%")).values(ending="merged"))


def _rename(table: str, before: str, after: str) -> None:
    rows = _table(table)
    op.execute(sa.update(rows).where(rows.c.aspect == before).values(aspect=after))


def _table(name: str) -> sa.TableClause:
    return sa.table(name, sa.column("aspect", sa.String(16)))
