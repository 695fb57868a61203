"""tours: owner's rights, source, revision, archive; stops of several cameras, names of presets"""

import sqlalchemy as sa
from alembic import op

from camera_hub.store.tables.base import UtcDateTime

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

TOURS = ("archived_at", "changed_at", "changed_name", "changed_by", "revision", "source", "edit_roles")
STOPS = ("preset_name", "title", "cameras", "layout")


def upgrade() -> None:
    with op.batch_alter_table("tours") as tours:
        tours.add_column(sa.Column("edit_roles", sa.JSON(), nullable=False, server_default="[]"))
        tours.add_column(sa.Column("source", sa.JSON(), nullable=True))
        tours.add_column(sa.Column("revision", sa.Integer(), nullable=False, server_default="0"))
        tours.add_column(sa.Column("changed_by", sa.Integer(), nullable=True))
        tours.add_column(sa.Column("changed_name", sa.String(64), nullable=False, server_default=""))
        tours.add_column(sa.Column("changed_at", UtcDateTime(), nullable=True))
        tours.add_column(sa.Column("archived_at", UtcDateTime(), nullable=True))
        tours.create_foreign_key(
            op.f("fk_tours_changed_by_users"), "users", ["changed_by"], ["id"], ondelete="SET NULL"
        )
    with op.batch_alter_table("tour_stops") as stops:
        stops.add_column(sa.Column("layout", sa.String(8), nullable=True))
        stops.add_column(sa.Column("cameras", sa.JSON(), nullable=True))
        stops.add_column(sa.Column("title", sa.String(64), nullable=False, server_default=""))
        stops.add_column(sa.Column("preset_name", sa.String(64), nullable=False, server_default=""))


def downgrade() -> None:
    # An older hub knows no stops of several cameras.
    op.execute("DELETE FROM tour_stops WHERE camera_id IS NULL AND scene_id IS NULL")
    with op.batch_alter_table("tour_stops") as stops:
        for column in STOPS:
            stops.drop_column(column)
    with op.batch_alter_table("tours") as tours:
        tours.drop_constraint(op.f("fk_tours_changed_by_users"), type_="foreignkey")
        for column in TOURS:
            tours.drop_column(column)
