"""what devices have recorded: days, and the last check of each camera"""

import sqlalchemy as sa
from alembic import op

from camera_hub.store.tables.base import UtcDateTime

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "recording_days",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("camera_id", sa.Integer(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("begins", UtcDateTime(), nullable=False),
        sa.Column("read_at", UtcDateTime(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=True),
        sa.Column("due", sa.Integer(), nullable=False),
        sa.Column("gaps", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["camera_id"], ["cameras.id"], name=op.f("fk_recording_days_camera_id_cameras"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recording_days")),
    )
    op.create_index("ix_recording_days_camera_id_date", "recording_days", ["camera_id", "date"], unique=True)
    op.create_index(op.f("ix_recording_days_begins"), "recording_days", ["begins"])
    op.create_table(
        "recording_checks",
        sa.Column("camera_id", sa.Integer(), nullable=False),
        sa.Column("checked_at", UtcDateTime(), nullable=True),
        sa.Column("told_at", UtcDateTime(), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=True),
        sa.Column("unconfirmed", sa.String(length=32), nullable=True),
        sa.Column("unconfirmed_at", UtcDateTime(), nullable=True),
        sa.Column("oldest", UtcDateTime(), nullable=True),
        sa.Column("latest", UtcDateTime(), nullable=True),
        sa.Column("road", sa.String(length=12), nullable=True),
        sa.Column("disk", sa.String(length=8), nullable=True),
        sa.Column("problem", sa.String(length=32), nullable=True),
        sa.Column("clock_offset_s", sa.Double(), nullable=True),
        sa.Column("overwrites", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["camera_id"], ["cameras.id"], name=op.f("fk_recording_checks_camera_id_cameras"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("camera_id", name=op.f("pk_recording_checks")),
    )


def downgrade() -> None:
    for table in ("recording_checks", "recording_days"):
        op.drop_table(table)
