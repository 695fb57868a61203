"""imports of sheets: the sheet, its rows, and how headers were mapped"""

import sqlalchemy as sa
from alembic import op

from camera_hub.store.tables.base import UtcDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sheet_imports",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("village_id", sa.Integer()),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("sheets", sa.JSON(), nullable=False),
        sa.Column("sheet", sa.String(length=64), nullable=False),
        sa.Column("header_row", sa.Integer(), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("sealed_cells", sa.LargeBinary()),
        sa.Column("job_id", sa.String(length=32)),
        sa.Column("user_id", sa.Integer()),
        sa.Column("user_name", sa.String(length=64), nullable=False),
        sa.Column("on_behalf", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["village_id"], ["villages.id"], name="fk_sheet_imports_village_id_villages", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_sheet_imports_user_id_users", ondelete="SET NULL"),
    )
    op.create_index("ix_sheet_imports_village_id", "sheet_imports", ["village_id"])
    op.create_index("ix_sheet_imports_created_at", "sheet_imports", ["created_at"])
    op.create_table(
        "sheet_import_rows",
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("village_id", sa.Integer()),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("sealed", sa.LargeBinary()),
        sa.Column("verdict", sa.String(length=8), nullable=False),
        sa.Column("changed", sa.Boolean(), nullable=False),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("device_id", sa.Integer()),
        sa.Column("camera_id", sa.Integer()),
        sa.Column("candidate_id", sa.Integer()),
        sa.PrimaryKeyConstraint("import_id", "number", name="pk_sheet_import_rows"),
        sa.ForeignKeyConstraint(
            ["import_id"], ["sheet_imports.id"], name="fk_sheet_import_rows_import_id_sheet_imports", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "sheet_mappings",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("owner", sa.Integer(), nullable=False),
        sa.Column("headers", sa.String(length=64), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=False),
        sa.UniqueConstraint("owner", "headers", name="uq_sheet_mappings_owner"),
    )
    op.create_index("ix_sheet_mappings_used_at", "sheet_mappings", ["used_at"])


def downgrade() -> None:
    op.drop_table("sheet_mappings")
    op.drop_table("sheet_import_rows")
    op.drop_table("sheet_imports")
