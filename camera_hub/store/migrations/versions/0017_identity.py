"""devices: questions of identity that a person decides, and cameras that got another device"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("devices", sa.Column("distrusted_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "device_matches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("question", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("village_id", sa.Integer(), nullable=False),
        sa.Column("other_device_id", sa.Integer(), nullable=True),
        sa.Column("other_village_id", sa.Integer(), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("port", sa.Integer(), nullable=True),
        sa.Column("path", sa.String(length=255), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("alike", sa.Double(), nullable=True),
        sa.Column("picture_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_matches")),
        sa.UniqueConstraint("question", name=op.f("uq_device_matches_question")),
        _foreign("device_matches", "device_id", "devices"),
        _foreign("device_matches", "village_id", "villages"),
        _foreign("device_matches", "other_device_id", "devices"),
        _foreign("device_matches", "other_village_id", "villages"),
        _foreign("device_matches", "decided_by", "users", "SET NULL"),
    )
    for column in ("state", "device_id", "village_id", "other_device_id"):
        op.create_index(op.f(f"ix_device_matches_{column}"), "device_matches", [column])
    op.create_table(
        "camera_replacements",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("camera_id", sa.Integer(), nullable=False),
        sa.Column("other_camera_id", sa.Integer(), nullable=False),
        sa.Column("village_id", sa.Integer(), nullable=False),
        sa.Column("old_device_id", sa.Integer(), nullable=False),
        sa.Column("new_device_id", sa.Integer(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replaced_by", sa.Integer(), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_camera_replacements")),
        _foreign("camera_replacements", "camera_id", "cameras"),
        _foreign("camera_replacements", "other_camera_id", "cameras"),
        _foreign("camera_replacements", "village_id", "villages"),
        _foreign("camera_replacements", "old_device_id", "devices"),
        _foreign("camera_replacements", "new_device_id", "devices"),
        _foreign("camera_replacements", "replaced_by", "users", "SET NULL"),
        _foreign("camera_replacements", "undone_by", "users", "SET NULL"),
    )
    for column in ("camera_id", "village_id", "old_device_id", "new_device_id"):
        op.create_index(op.f(f"ix_camera_replacements_{column}"), "camera_replacements", [column])
    op.create_index("ix_camera_replacements_other", "camera_replacements", ["other_camera_id"])


def downgrade() -> None:
    op.drop_table("camera_replacements")
    op.drop_table("device_matches")
    op.drop_column("devices", "distrusted_at")


def _foreign(table: str, column: str, target: str, on_delete: str = "CASCADE") -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{target}")
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=name, ondelete=on_delete)
