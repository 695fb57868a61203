"""run_pictures, run_results, findings: the proof of patrols"""

import sqlalchemy as sa
from alembic import op

from camera_hub.store.tables.base import UtcDateTime

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def _foreign(table: str, column: str, to: str, ondelete: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}_{to}"), ondelete=ondelete)


def upgrade() -> None:
    op.create_table(
        "run_pictures",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("kept_at", UtcDateTime(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        _foreign("run_pictures", "run_id", "runs", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_pictures")),
    )
    op.create_index("ix_run_pictures_run_id", "run_pictures", ["run_id"])
    op.create_table(
        "run_results",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("camera_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Boolean(), nullable=False),
        sa.Column("result", sa.String(8), nullable=False),
        sa.Column("seen_s", sa.Double(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=True),
        sa.Column("why", sa.String(32), nullable=True),
        sa.Column("visits", sa.Integer(), nullable=False),
        sa.Column("step_id", sa.Integer(), nullable=True),
        sa.Column("picture", sa.Integer(), nullable=True),
        sa.Column("picture_at", UtcDateTime(), nullable=True),
        sa.Column("sha256", sa.String(64), nullable=True),
        sa.Column("picture_why", sa.String(32), nullable=True),
        sa.Column("confirmed_by", sa.Integer(), nullable=True),
        sa.Column("confirmed_name", sa.String(64), nullable=True),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("words", sa.String(255), nullable=False),
        sa.Column("cause", sa.String(32), nullable=True),
        sa.Column("reference", sa.Integer(), nullable=True),
        _foreign("run_results", "run_id", "runs", "CASCADE"),
        _foreign("run_results", "camera_id", "cameras", "RESTRICT"),
        _foreign("run_results", "confirmed_by", "users", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_results")),
        sa.UniqueConstraint("run_id", "position", "camera_id", name=op.f("uq_run_results_run_id")),
    )
    op.create_index("ix_run_results_run_id_result", "run_results", ["run_id", "result"])
    op.create_index("ix_run_results_camera_id", "run_results", ["camera_id"])
    op.create_table(
        "findings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("camera_id", sa.Integer(), nullable=False),
        sa.Column("village_id", sa.Integer(), nullable=False),
        sa.Column("category", sa.String(32), nullable=False),
        sa.Column("words", sa.String(500), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("user_name", sa.String(64), nullable=False),
        sa.Column("picture", sa.Integer(), nullable=True),
        sa.Column("picture_at", UtcDateTime(), nullable=True),
        sa.Column("sha256", sa.String(64), nullable=True),
        sa.Column("picture_why", sa.String(32), nullable=True),
        sa.Column("photo", sa.Integer(), nullable=True),
        sa.Column("photo_sha256", sa.String(64), nullable=True),
        _foreign("findings", "run_id", "runs", "CASCADE"),
        _foreign("findings", "camera_id", "cameras", "RESTRICT"),
        _foreign("findings", "village_id", "villages", "RESTRICT"),
        _foreign("findings", "user_id", "users", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_findings")),
    )
    op.create_index("ix_findings_at_id", "findings", ["at", "id"])
    for column in ("run_id", "camera_id", "village_id"):
        op.create_index(f"ix_findings_{column}", "findings", [column])


def downgrade() -> None:
    for table in ("findings", "run_results", "run_pictures"):
        op.drop_table(table)
