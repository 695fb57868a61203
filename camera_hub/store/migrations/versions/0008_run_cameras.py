"""runs: a line per camera and step with the seconds it was really visible; counters instead of counting; summed lines

The JSON lists of `run_steps.cameras` become rows of `run_step_cameras`. Nobody had measured what was visible, so
`visible_s` of a camera that was not skipped is NULL there (unknown), never 0.
"""

import sqlalchemy as sa
from alembic import op

from camera_hub.store.tables.base import UtcDateTime

revision = "0008"
down_revision = "0006"
branch_labels = None
depends_on = None

# `json_each` and `json_array_elements` do in one statement what would be a loop over a month of lines.
_FROM_SQLITE = """
INSERT INTO run_step_cameras (step_id, camera_id, times, visible_s, why)
SELECT s.id, c.id, 1,
       CASE WHEN s.outcome = 'skipped' OR max(json_extract(e.value, '$.skipped')) IS NOT NULL THEN 0.0 END,
       coalesce(max(json_extract(e.value, '$.skipped')), CASE WHEN s.outcome = 'skipped' THEN s.reason END)
FROM run_steps s, json_each(s.cameras) e JOIN cameras c ON c.id = json_extract(e.value, '$.id')
WHERE e.type = 'object'
GROUP BY s.id, c.id
"""
_FROM_POSTGRESQL = """
INSERT INTO run_step_cameras (step_id, camera_id, times, visible_s, why)
SELECT s.id, c.id, 1,
       CASE WHEN s.outcome = 'skipped' OR max(e.value ->> 'skipped') IS NOT NULL THEN 0.0 END,
       coalesce(max(e.value ->> 'skipped'), CASE WHEN s.outcome = 'skipped' THEN s.reason END)
FROM run_steps s
CROSS JOIN LATERAL json_array_elements(s.cameras) AS e(value)
JOIN cameras c ON c.id = (e.value ->> 'id')::integer
WHERE json_typeof(e.value) = 'object'
GROUP BY s.id, s.outcome, s.reason, c.id
"""
_COUNTERS = """
UPDATE runs SET
    steps = (SELECT count(*) FROM run_steps s WHERE s.run_id = runs.id),
    shown = (SELECT count(*) FROM run_steps s WHERE s.run_id = runs.id AND s.outcome = 'shown'),
    skipped = (SELECT count(*) FROM run_steps s WHERE s.run_id = runs.id AND s.outcome = 'skipped')
"""


_KEYS = (("step_id", "run_steps", "CASCADE"), ("camera_id", "cameras", "RESTRICT"))


def upgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    keys = [
        sa.ForeignKeyConstraint([column], [f"{table}.id"], name=_key(column, table), ondelete=gone)
        for column, table, gone in _KEYS
    ]
    op.create_table(
        "run_step_cameras",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("step_id", sa.Integer(), nullable=False),
        sa.Column("camera_id", sa.Integer(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("visible_s", sa.Double(), nullable=True),
        sa.Column("seen_from", UtcDateTime(), nullable=True),
        sa.Column("seen_until", UtcDateTime(), nullable=True),
        sa.Column("why", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_step_cameras")),
        *(keys if sqlite else ()),  # SQLite cannot add them later
    )
    op.execute(_FROM_SQLITE if sqlite else _FROM_POSTGRESQL)
    if not sqlite:  # checked once for all rows, not row by row
        for column, table, gone in _KEYS:
            op.create_foreign_key(_key(column, table), "run_step_cameras", table, [column], ["id"], ondelete=gone)
    op.create_index("ix_run_step_cameras_step_id", "run_step_cameras", ["step_id"])
    op.create_index("ix_run_step_cameras_camera_id", "run_step_cameras", ["camera_id"])
    # Not in batch mode: that would recreate `runs`, and SQLite would delete its steps with the old table.
    for name in ("steps", "shown", "skipped", "rolled_up"):
        op.add_column("runs", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    op.execute(_COUNTERS)
    op.add_column("run_steps", sa.Column("times", sa.Integer(), nullable=False, server_default="1"))
    op.drop_column("run_steps", "cameras")
    op.drop_index("ix_run_steps_run_id", "run_steps")
    op.create_index("ix_run_steps_run_id_sequence", "run_steps", ["run_id", "sequence"])


def _key(column: str, table: str) -> str:
    return f"fk_run_step_cameras_{column}_{table}"


def downgrade() -> None:
    """The lines of the record stay; which cameras they showed is lost."""
    op.drop_index("ix_run_steps_run_id_sequence", "run_steps")
    op.create_index("ix_run_steps_run_id", "run_steps", ["run_id"])
    op.add_column("run_steps", sa.Column("cameras", sa.JSON(), nullable=False, server_default="[]"))
    op.drop_column("run_steps", "times")
    for name in ("steps", "shown", "skipped", "rolled_up"):
        op.drop_column("runs", name)
    op.drop_table("run_step_cameras")
