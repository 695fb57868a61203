"""candidates; cameras that the township returned; what it did on behalf of a village"""

import sqlalchemy as sa
from alembic import op

from camera_hub.store.tables.base import UtcDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "candidates",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("village_id", sa.Integer(), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("port", sa.Integer()),
        sa.Column("rtsp_port", sa.Integer()),
        sa.Column("endpoint", sa.String(length=128), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("username", sa.String(length=128), nullable=False),
        sa.Column("profile_id", sa.Integer()),
        sa.Column("sealed", sa.LargeBinary()),
        sa.Column("shown_url", sa.String(length=512), nullable=False),
        sa.Column("cameras", sa.JSON(), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.String(length=512), nullable=False),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("tried_at", UtcDateTime(), nullable=False),
        sa.Column("next_try_at", UtcDateTime()),
        sa.Column("added_by", sa.Integer()),
        sa.Column("added_by_name", sa.String(length=64), nullable=False),
        sa.Column("on_behalf", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["village_id"], ["villages.id"], name="fk_candidates_village_id_villages", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(["added_by"], ["users.id"], name="fk_candidates_added_by_users", ondelete="SET NULL"),
    )
    op.create_index("ix_candidates_village_id", "candidates", ["village_id"])
    op.create_index("ix_candidates_next_try_at", "candidates", ["next_try_at"])
    op.add_column("devices", sa.Column("added_by", sa.Integer()))
    op.add_column("devices", sa.Column("added_by_name", sa.String(length=64), nullable=False, server_default=""))
    op.add_column("cameras", sa.Column("returned_note", sa.String(length=255), nullable=False, server_default=""))
    op.add_column("cameras", sa.Column("returned_by", sa.String(length=64), nullable=False, server_default=""))
    op.add_column("cameras", sa.Column("returned_at", UtcDateTime()))
    for table in ("devices", "cameras"):
        op.add_column(table, sa.Column("on_behalf_by", sa.String(length=64), nullable=False, server_default=""))
        op.add_column(table, sa.Column("on_behalf_at", UtcDateTime()))


def downgrade() -> None:
    op.execute("UPDATE cameras SET state = 'waiting' WHERE state = 'returned'")
    for table in ("devices", "cameras"):
        op.drop_column(table, "on_behalf_at")
        op.drop_column(table, "on_behalf_by")
    for column in ("returned_at", "returned_by", "returned_note"):
        op.drop_column("cameras", column)
    op.drop_column("devices", "added_by_name")
    op.drop_column("devices", "added_by")
    op.drop_table("candidates")
