"""county_checks, county_rows"""

import sqlalchemy as sa
from alembic import op

from camera_hub.store.tables.base import UtcDateTime

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "county_checks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("sheet", sa.String(64), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("listed_at", UtcDateTime(), nullable=True),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("user_name", sa.String(64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_county_checks_user_id_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_county_checks")),
    )
    op.create_index(op.f("ix_county_checks_created_at"), "county_checks", ["created_at"])
    op.create_table(
        "county_rows",
        sa.Column("check_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cells", sa.JSON(), nullable=False),
        sa.Column("camera_id", sa.Integer(), nullable=True),
        sa.Column("matched_by", sa.String(8), nullable=True),
        sa.Column("candidates", sa.JSON(), nullable=False),
        sa.Column("matched_name", sa.String(64), nullable=True),
        sa.Column("conclusion", sa.String(12), nullable=True),
        sa.Column("answer", sa.JSON(), server_default="{}", nullable=False),
        sa.Column("judged_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["check_id"], ["county_checks.id"], name=op.f("fk_county_rows_check_id_county_checks"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["camera_id"], ["cameras.id"], name=op.f("fk_county_rows_camera_id_cameras"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("check_id", "number", name=op.f("pk_county_rows")),
    )
    op.create_index("ix_county_rows_check_conclusion", "county_rows", ["check_id", "conclusion"])
    op.create_index(op.f("ix_county_rows_camera_id"), "county_rows", ["camera_id"])


def downgrade() -> None:
    op.drop_table("county_rows")
    op.drop_table("county_checks")
