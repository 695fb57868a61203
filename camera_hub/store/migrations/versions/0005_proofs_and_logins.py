"""proofs with a state of their own, and logins per purpose"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from camera_hub.store.tables.base import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_DEVICES = sa.table(
    "devices",
    sa.column("id", sa.Integer()),
    sa.column("username", sa.String()),
    sa.column("password_sealed", sa.LargeBinary()),
    sa.column("credentials_version", sa.Integer()),
)
_LOGINS = sa.table(
    "device_logins",
    sa.column("device_id", sa.Integer()),
    sa.column("purpose", sa.String()),
    sa.column("username", sa.String()),
    sa.column("sealed", sa.LargeBinary()),
    sa.column("version", sa.Integer()),
)
_CAMERAS = sa.table(
    "cameras",
    sa.column("state", sa.String()),
    sa.column("proof", sa.String()),
    sa.column("picture_at", UtcDateTime()),
    sa.column("proof_state", sa.String()),
    sa.column("proof_reason", sa.String()),
    sa.column("proof_due_at", UtcDateTime()),
)
_NOT_THE_CAMERAS = ("busy", "relay_restarted", "hub_away", "retired", "not_approved", "internal", "unavailable")
"""What an earlier version stored as a camera's fault though it was the hub's: these are tried again."""


def upgrade() -> None:
    op.create_table(
        "device_logins",
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("username", sa.String(length=128), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name=op.f("fk_device_logins_device_id_devices"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("device_id", "purpose", name=op.f("pk_device_logins")),
    )
    columns = (_DEVICES.c.id, sa.literal("ordinary"), _DEVICES.c.username)
    op.execute(
        _LOGINS.insert().from_select(
            ["device_id", "purpose", "username", "sealed", "version"],
            sa.select(*columns, _DEVICES.c.password_sealed, _DEVICES.c.credentials_version).where(
                _DEVICES.c.username.is_not(None), _DEVICES.c.password_sealed.is_not(None)
            ),
        )
    )
    op.drop_column("devices", "password_sealed")
    op.drop_column("devices", "username")

    now = datetime.now(UTC)
    op.add_column("cameras", sa.Column("proof_state", sa.String(length=8), nullable=True))
    op.add_column("cameras", sa.Column("proof_reason", sa.String(length=32), nullable=True))
    op.add_column("cameras", sa.Column("proof_attempts", sa.Integer(), nullable=True))
    op.add_column("cameras", sa.Column("proof_due_at", UtcDateTime(), nullable=True))
    op.execute("UPDATE cameras SET proof_attempts = 0, proof_state = 'pending'")
    failed = _CAMERAS.c.proof.is_not(None) & _CAMERAS.c.proof.not_in(_NOT_THE_CAMERAS)
    op.execute(_CAMERAS.update().where(failed).values(proof_state="failed", proof_reason=_CAMERAS.c.proof))
    # NULL meant proved, and not yet tried as well: only a camera that has a picture was proved.
    proved = _CAMERAS.c.proof.is_(None) & _CAMERAS.c.picture_at.is_not(None)
    op.execute(_CAMERAS.update().where(proved).values(proof_state="proved"))
    pending = (_CAMERAS.c.proof_state == "pending") & (_CAMERAS.c.state != "retired")
    op.execute(_CAMERAS.update().where(pending).values(proof_due_at=now))
    with op.batch_alter_table("cameras") as cameras:
        cameras.alter_column("proof_state", existing_type=sa.String(length=8), nullable=False)
        cameras.alter_column("proof_attempts", existing_type=sa.Integer(), nullable=False)
        cameras.drop_column("proof")
    op.create_index(op.f("ix_cameras_proof_due_at"), "cameras", ["proof_due_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_cameras_proof_due_at"), table_name="cameras")
    op.add_column("cameras", sa.Column("proof", sa.String(length=32), nullable=True))
    op.execute(_CAMERAS.update().values(proof=_CAMERAS.c.proof_reason))
    with op.batch_alter_table("cameras") as cameras:
        for column in ("proof_state", "proof_reason", "proof_attempts", "proof_due_at"):
            cameras.drop_column(column)
    op.add_column("devices", sa.Column("username", sa.String(length=128), nullable=True))
    op.add_column("devices", sa.Column("password_sealed", sa.LargeBinary(), nullable=True))
    of_device = (_LOGINS.c.device_id == _DEVICES.c.id) & (_LOGINS.c.purpose == "ordinary")
    for column, kept in (("username", _LOGINS.c.username), ("password_sealed", _LOGINS.c.sealed)):
        op.execute(_DEVICES.update().values({column: sa.select(kept).where(of_device).scalar_subquery()}))
    op.drop_table("device_logins")
