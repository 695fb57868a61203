"""indexes by which the records in which somebody took part are found among those of a year"""

from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

INDEXES = (
    ("ix_runs_started_by", "runs", ["started_by"]),
    ("ix_runs_operator_id", "runs", ["operator_id"]),
    ("ix_run_events_user_id_run_id", "run_events", ["user_id", "run_id"]),
    ("ix_run_events_kind_run_id", "run_events", ["kind", "run_id"]),
    ("ix_run_results_confirmed_by_run_id", "run_results", ["confirmed_by", "run_id"]),
    ("ix_findings_user_id_run_id", "findings", ["user_id", "run_id"]),
)


def upgrade() -> None:
    for name, table, columns in INDEXES:
        op.create_index(name, table, columns)


def downgrade() -> None:
    for name, table, _ in reversed(INDEXES):
        op.drop_index(name, table_name=table)
