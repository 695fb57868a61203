"""plans, special_periods, occurrences"""

import sqlalchemy as sa
from alembic import op

from camera_hub.store.tables.base import UtcDateTime

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def _of(table: str, column: str, other: str, ondelete: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}_{other}"), ondelete=ondelete
    )


def upgrade() -> None:
    op.create_table(
        "plans",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("note", sa.String(255), nullable=False),
        sa.Column("tour_id", sa.Integer(), nullable=False),
        sa.Column("night_tour_id", sa.Integer(), nullable=True),
        sa.Column("night_from", sa.String(5), nullable=False),
        sa.Column("night_to", sa.String(5), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=True),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("weekdays", sa.JSON(), nullable=False),
        sa.Column("rule", sa.JSON(), nullable=False),
        sa.Column("in_special", sa.String(8), nullable=False),
        sa.Column("special_rule", sa.JSON(), nullable=True),
        sa.Column("grace_minutes", sa.Integer(), nullable=False),
        sa.Column("prompted", sa.JSON(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("made_until", UtcDateTime(), nullable=True),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("changed_name", sa.String(64), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("retired_at", UtcDateTime(), nullable=True),
        _of("plans", "tour_id", "tours", "RESTRICT"),
        _of("plans", "night_tour_id", "tours", "RESTRICT"),
        _of("plans", "created_by", "users", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plans")),
    )
    op.create_index(op.f("ix_plans_tour_id"), "plans", ["tour_id"])
    op.create_table(
        "special_periods",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("note", sa.String(255), nullable=False),
        sa.Column("begins_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("all_day_duty", sa.Boolean(), nullable=False),
        sa.Column("draft", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("changed_name", sa.String(64), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_special_periods")),
    )
    op.create_index(op.f("ix_special_periods_ends_at"), "special_periods", ["ends_at"])
    op.create_table(
        "occurrences",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("plan_name", sa.String(64), nullable=False),
        sa.Column("tour_id", sa.Integer(), nullable=False),
        sa.Column("tour_name", sa.String(64), nullable=False),
        sa.Column("variant", sa.String(8), nullable=False),
        sa.Column("special", sa.Boolean(), nullable=False),
        *(sa.Column(name, UtcDateTime(), nullable=False) for name in ("due_at", "late_at", "over_at")),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("why", sa.String(16), nullable=True),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("started_name", sa.String(64), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("declined", sa.JSON(), nullable=False),
        _of("occurrences", "plan_id", "plans", "RESTRICT"),
        _of("occurrences", "tour_id", "tours", "RESTRICT"),
        _of("occurrences", "run_id", "runs", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_occurrences")),
        sa.UniqueConstraint("plan_id", "due_at", name=op.f("uq_occurrences_plan_id")),
    )
    for column in ("tour_id", "due_at", "run_id"):
        op.create_index(op.f(f"ix_occurrences_{column}"), "occurrences", [column])
    op.create_index("ix_occurrences_state_due_at", "occurrences", ["state", "due_at"])


def downgrade() -> None:
    for table in ("occurrences", "special_periods", "plans"):
        op.drop_table(table)
