"""runs.plan becomes runs.itinerary; how tours are confirmed and interrupted, who runs a run, and run_events"""

import sqlalchemy as sa
from alembic import op

from camera_hub.store.tables.base import UtcDateTime

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("tours") as tours:
        tours.add_column(sa.Column("kind", sa.String(24), nullable=True))
        tours.add_column(sa.Column("roles", sa.JSON(), nullable=False, server_default="[]"))
        tours.add_column(sa.Column("confirm", sa.String(8), nullable=False, server_default="screen"))
        tours.add_column(sa.Column("least_s", sa.Integer(), nullable=False, server_default="3"))
        tours.add_column(sa.Column("interrupt", sa.String(8), nullable=False, server_default="none"))
    with op.batch_alter_table("tour_stops") as stops:
        stops.add_column(sa.Column("key", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("runs") as runs:
        runs.alter_column("plan", new_column_name="itinerary", existing_type=sa.JSON(), existing_nullable=False)
        runs.add_column(sa.Column("confirm", sa.String(8), nullable=False, server_default="screen"))
        runs.add_column(sa.Column("least_s", sa.Integer(), nullable=False, server_default="3"))
        runs.add_column(sa.Column("interrupt", sa.String(8), nullable=False, server_default="none"))
        runs.add_column(sa.Column("pause_reason", sa.String(16), nullable=True))
        runs.add_column(sa.Column("alarm_id", sa.Integer(), nullable=True))
        runs.add_column(sa.Column("extended_s", sa.Double(), nullable=False, server_default="0"))
        runs.add_column(sa.Column("operator_id", sa.Integer(), nullable=True))
        runs.add_column(sa.Column("operator_name", sa.String(64), nullable=False, server_default=""))
        runs.create_foreign_key(
            op.f("fk_runs_operator_id_users"), "users", ["operator_id"], ["id"], ondelete="SET NULL"
        )
    op.execute("UPDATE runs SET operator_id = started_by, operator_name = started_name")
    op.execute("UPDATE runs SET pause_reason = 'operator' WHERE state = 'paused'")
    op.create_table(
        "run_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("user_name", sa.String(64), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_events_run_id_runs"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_run_events_user_id_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_events")),
    )
    op.create_index("ix_run_events_run_id_id", "run_events", ["run_id", "id"])


def downgrade() -> None:
    op.drop_table("run_events")
    with op.batch_alter_table("runs") as runs:
        runs.drop_constraint(op.f("fk_runs_operator_id_users"), type_="foreignkey")
        for column in (
            "operator_name",
            "operator_id",
            "extended_s",
            "alarm_id",
            "pause_reason",
            "interrupt",
            "least_s",
            "confirm",
        ):
            runs.drop_column(column)
        runs.alter_column("itinerary", new_column_name="plan", existing_type=sa.JSON(), existing_nullable=False)
    with op.batch_alter_table("tour_stops") as stops:
        stops.drop_column("key")
    with op.batch_alter_table("tours") as tours:
        for column in ("interrupt", "least_s", "confirm", "roles", "kind"):
            tours.drop_column(column)
