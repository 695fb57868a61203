"""the ledger, one camera one file: its fields, its change history, its photos"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ledger_files",
        sa.Column("camera_id", sa.Integer(), nullable=False),
        sa.Column("gb_id", sa.String(length=20), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("typed_longitude", sa.String(length=24), server_default="", nullable=False),
        sa.Column("typed_latitude", sa.String(length=24), server_default="", nullable=False),
        sa.Column("datum", sa.String(length=8), server_default="", nullable=False),
        sa.Column("address", sa.String(length=200), server_default="", nullable=False),
        sa.Column("landmark", sa.String(length=128), server_default="", nullable=False),
        sa.Column("pole_number", sa.String(length=40), server_default="", nullable=False),
        sa.Column("management_unit", sa.String(length=64), server_default="", nullable=False),
        sa.Column("manager", sa.String(length=32), server_default="", nullable=False),
        sa.Column("manager_phone", sa.String(length=24), server_default="", nullable=False),
        sa.Column("maintainer_unit", sa.String(length=64), server_default="", nullable=False),
        sa.Column("maintainer_phone", sa.String(length=24), server_default="", nullable=False),
        sa.Column("access_kind", sa.String(length=16), server_default="", nullable=False),
        sa.Column("no_access_reason", sa.String(length=200), server_default="", nullable=False),
        sa.Column("service_state", sa.String(length=8), server_default="in_use", nullable=False),
        sa.Column("state_since", sa.Date(), nullable=True),
        sa.Column("state_reason", sa.String(length=200), server_default="", nullable=False),
        sa.Column("enabled_on", sa.Date(), nullable=True),
        sa.Column("legal_basis", sa.String(length=16), server_default="", nullable=False),
        sa.Column("filing_state", sa.String(length=12), server_default="not_filed", nullable=False),
        sa.Column("filing_number", sa.String(length=64), server_default="", nullable=False),
        sa.Column("filed_on", sa.Date(), nullable=True),
        sa.Column("details", sa.JSON(), server_default="{}", nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["camera_id"], ["cameras.id"], name=op.f("fk_ledger_files_camera_id_cameras"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("camera_id", name=op.f("pk_ledger_files")),
        sa.UniqueConstraint("gb_id", name=op.f("uq_ledger_files_gb_id")),
    )
    op.create_table(
        "ledger_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("camera_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("user_name", sa.String(length=64), nullable=False),
        sa.Column("on_behalf", sa.Boolean(), nullable=False),
        sa.Column("field", sa.String(length=32), nullable=False),
        sa.Column("old", sa.String(length=255), nullable=False),
        sa.Column("new", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(
            ["camera_id"], ["cameras.id"], name=op.f("fk_ledger_changes_camera_id_cameras"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_changes")),
    )
    op.create_index(op.f("ix_ledger_changes_at"), "ledger_changes", ["at"])
    op.create_index("ix_ledger_changes_camera_id_id", "ledger_changes", ["camera_id", "id"])
    op.create_table(
        "ledger_photos",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("camera_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_name", sa.String(length=64), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["camera_id"], ["cameras.id"], name=op.f("fk_ledger_photos_camera_id_cameras"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_photos")),
    )
    op.create_index(op.f("ix_ledger_photos_camera_id"), "ledger_photos", ["camera_id"])


def downgrade() -> None:
    op.drop_table("ledger_photos")
    op.drop_table("ledger_changes")
    op.drop_table("ledger_files")
