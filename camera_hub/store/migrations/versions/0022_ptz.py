"""cameras: whether they have a PTZ node; what is kept of cameras that are steered; presets at stops of tours"""

import sqlalchemy as sa
from alembic import op

from camera_hub.store.tables.base import UtcDateTime

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cameras", sa.Column("ptz", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("tour_stops", sa.Column("preset", sa.String(length=128), nullable=True))
    op.create_table(
        "ptz_cameras",
        sa.Column("camera_id", sa.Integer(), nullable=False),
        sa.Column("home_token", sa.String(length=128), nullable=True),
        sa.Column("home_seconds", sa.Integer(), nullable=True),
        sa.Column("suspended_until", UtcDateTime(), nullable=True),
        sa.Column("preset_names", sa.JSON(), nullable=False),
        sa.Column("steered_since", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["camera_id"], ["cameras.id"], name=op.f("fk_ptz_cameras_camera_id_cameras"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("camera_id", name=op.f("pk_ptz_cameras")),
    )


def downgrade() -> None:
    op.drop_table("ptz_cameras")
    op.drop_column("tour_stops", "preset")
    op.drop_column("cameras", "ptz")
