"""exclusions, service_periods, observing_periods

Cameras that are in use, or were until they were retired, get the one period that their row tells. The hub of earlier
versions is taken to have observed from its first state of a camera until its last observation.
"""

import sqlalchemy as sa
from alembic import op

from camera_hub.store.tables.base import UtcDateTime

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def _of(table: str, column: str, other: str, ondelete: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}_{other}"), ondelete=ondelete
    )


def upgrade() -> None:
    op.create_table(
        "exclusions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("level", sa.String(8), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=True) for name in ("camera_id", "device_id", "village_id")),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(255), server_default="", nullable=False),
        *(sa.Column(name, UtcDateTime(), nullable=False) for name in ("since", "until")),
        sa.Column("weekly", sa.JSON(), nullable=True),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("created_name", sa.String(64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("approved_by", sa.Integer(), nullable=True),
        sa.Column("approved_name", sa.String(64), nullable=True),
        sa.Column("approved_at", UtcDateTime(), nullable=True),
        sa.Column("ended_name", sa.String(64), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        *(_of("exclusions", f"{one}_id", f"{one}s", "CASCADE") for one in ("camera", "device", "village")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exclusions")),
    )
    for column in ("camera_id", "device_id", "village_id", "until"):
        op.create_index(op.f(f"ix_exclusions_{column}"), "exclusions", [column])
    op.create_table(
        "service_periods",
        sa.Column("id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("camera_id", "village_id", "device_id")),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=True),
        _of("service_periods", "camera_id", "cameras", "CASCADE"),
        _of("service_periods", "village_id", "villages", "RESTRICT"),
        _of("service_periods", "device_id", "devices", "RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_periods")),
    )
    op.create_index("ix_service_periods_camera_until", "service_periods", ["camera_id", "until"])
    op.create_index(op.f("ix_service_periods_village_id"), "service_periods", ["village_id"])
    op.create_index(op.f("ix_service_periods_until"), "service_periods", ["until"])
    op.create_table(
        "observing_periods",
        sa.Column("id", sa.Integer(), nullable=False),
        *(sa.Column(name, UtcDateTime(), nullable=False) for name in ("since", "until")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_observing_periods")),
    )
    op.create_index(op.f("ix_observing_periods_until"), "observing_periods", ["until"])
    op.execute(
        "INSERT INTO service_periods (camera_id, village_id, device_id, since, until)"
        " SELECT id, village_id, device_id, approved_at, CASE WHEN state = 'retired' THEN retired_at END FROM cameras"
        " WHERE approved_at IS NOT NULL AND (state = 'approved' OR (state = 'retired' AND retired_at > approved_at))"
    )
    op.execute(
        "INSERT INTO observing_periods (since, until) SELECT seen.since, seen.until FROM"
        " (SELECT (SELECT min(since) FROM camera_states) AS since, (SELECT max(at) FROM observations) AS until) AS seen"
        " WHERE seen.since < seen.until"
    )


def downgrade() -> None:
    for table in ("observing_periods", "service_periods", "exclusions"):
        op.drop_table(table)
