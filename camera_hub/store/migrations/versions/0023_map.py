"""base_pictures, key_places, fields_of_view; villages: position and outline"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, kind in (("longitude", sa.Double()), ("latitude", sa.Double()), ("outline", sa.JSON())):
        op.add_column("villages", sa.Column(name, kind, nullable=True))
    op.create_table(
        "base_pictures",
        sa.Column("id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Double(), nullable=False) for name in ("west", "south", "east", "north")),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("width", "height", "size")),
        sa.Column("opacity", sa.Double(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_name", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_base_pictures")),
    )
    op.create_table(
        "key_places",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("village_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("place_class", sa.String(24), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("geometry", sa.JSON(), nullable=False),
        sa.Column("reach_m", sa.Double(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(
            ["village_id"], ["villages.id"], name=op.f("fk_key_places_village_id_villages"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_places")),
    )
    op.create_index(op.f("ix_key_places_village_id"), "key_places", ["village_id"])
    op.create_table(
        "fields_of_view",
        sa.Column("camera_id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Double(), nullable=True) for name in ("direction_deg", "angle_deg", "reach_m")),
        sa.ForeignKeyConstraint(
            ["camera_id"], ["cameras.id"], name=op.f("fk_fields_of_view_camera_id_cameras"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("camera_id", name=op.f("pk_fields_of_view")),
    )


def downgrade() -> None:
    for table in ("fields_of_view", "key_places", "base_pictures"):
        op.drop_table(table)
    for name in ("outline", "latitude", "longitude"):
        op.drop_column("villages", name)
