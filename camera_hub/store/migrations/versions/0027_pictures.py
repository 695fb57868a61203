"""reference_pictures, alarm_pictures"""

import sqlalchemy as sa
from alembic import op

from camera_hub.store.tables.base import UtcDateTime

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def _of(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}_{other}"), ondelete="CASCADE"
    )


def upgrade() -> None:
    op.create_table(
        "reference_pictures",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("camera_id", sa.Integer(), nullable=False),
        sa.Column("profile", sa.String(8), nullable=False),
        sa.Column("source", sa.String(160), nullable=False),
        sa.Column("features", sa.Text(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=True),
        sa.Column("pictures", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("set_name", sa.String(64), nullable=True),
        sa.Column("candidate", sa.Text(), nullable=True),
        sa.Column("candidate_at", UtcDateTime(), nullable=True),
        sa.Column("candidate_votes", sa.Integer(), nullable=False),
        sa.Column("candidate_pictures", sa.Integer(), nullable=False),
        sa.Column("candidate_counted_at", UtcDateTime(), nullable=True),
        sa.Column("differs_since", UtcDateTime(), nullable=True),
        sa.Column("differs_share", sa.Double(), nullable=True),
        sa.Column("differs_score", sa.Double(), nullable=True),
        sa.Column("asked_at", UtcDateTime(), nullable=True),
        _of("reference_pictures", "camera_id", "cameras"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reference_pictures")),
        sa.UniqueConstraint("camera_id", "profile", name=op.f("uq_reference_pictures_camera_id")),
    )
    op.create_table(
        "alarm_pictures",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("alarm_id", sa.Integer(), nullable=False),
        sa.Column("camera_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("kept_at", UtcDateTime(), nullable=False),
        sa.Column("scores", sa.JSON(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        _of("alarm_pictures", "alarm_id", "alarms"),
        _of("alarm_pictures", "camera_id", "cameras"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm_pictures")),
    )
    for column in ("alarm_id", "camera_id", "kept_at"):
        op.create_index(op.f(f"ix_alarm_pictures_{column}"), "alarm_pictures", [column])


def downgrade() -> None:
    op.drop_table("alarm_pictures")
    op.drop_table("reference_pictures")
