"""observations: what a stream delivers, and roll-ups of hours and days; villages: how often their cameras are looked at

Observations only gain empty columns, so that weeks of them upgrade at once; rolling them up is the running hub's work.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from camera_hub.store.tables.base import UtcDateTime

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_ADDED: dict[str, sa.types.TypeEngine[Any]] = {
    "reachable": sa.String(length=32),
    "profile": sa.String(length=8),
    "fps": sa.Double(),
    "bitrate_kbit": sa.Double(),
    "gop_seconds": sa.Double(),
    "gaps": sa.Integer(),
    "received_bytes": sa.BigInteger(),
}
_ASPECTS = ("reachable", "media", "picture", "clock")
_MEASURES = ("signalling", "stream", "key_frame", "clock", "fps", "bitrate", "gop")


def upgrade() -> None:
    for name, kind in _ADDED.items():
        op.add_column("observations", sa.Column(name, kind, nullable=True))
    for table in ("observation_hours", "observation_days"):
        op.create_table(
            table,
            sa.Column("camera_id", sa.Integer(), nullable=False),
            sa.Column("at", UtcDateTime(), nullable=False),
            sa.Column("looks", sa.Integer(), nullable=False),
            sa.Column("bad", sa.Integer(), nullable=False),
            *(
                sa.Column(f"{aspect}_{said}", sa.Integer(), nullable=False)
                for aspect in _ASPECTS
                for said in ("good", "bad")
            ),
            sa.Column("reasons", sa.JSON(), nullable=False),
            *(column for measure in _MEASURES for column in _measured(measure)),
            sa.Column("gaps", sa.Integer(), nullable=False),
            sa.Column("received_bytes", sa.BigInteger(), nullable=False),
            sa.Column("scores", sa.JSON(), nullable=False),
            sa.ForeignKeyConstraint(
                ["camera_id"], ["cameras.id"], name=op.f(f"fk_{table}_camera_id_cameras"), ondelete="CASCADE"
            ),
            sa.PrimaryKeyConstraint("camera_id", "at", name=op.f(f"pk_{table}")),
        )
    op.create_table(
        "rollup_marks",
        sa.Column("level", sa.String(length=8), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("level", name=op.f("pk_rollup_marks")),
    )
    op.add_column("villages", sa.Column("round_plan", sa.String(length=8), server_default="normal", nullable=False))


def downgrade() -> None:
    op.drop_column("villages", "round_plan")
    for table in ("rollup_marks", "observation_days", "observation_hours"):
        op.drop_table(table)
    for name in _ADDED:
        op.drop_column("observations", name)


def _measured(measure: str) -> list[sa.Column[object]]:
    return [
        sa.Column(f"{measure}_count", sa.Integer(), nullable=False),
        sa.Column(f"{measure}_mean", sa.Double(), nullable=True),
        sa.Column(f"{measure}_worst", sa.Double(), nullable=True),
    ]
