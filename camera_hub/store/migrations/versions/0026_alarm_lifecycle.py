"""alarms: owner, notified, reminders, escalation, suspension; notices for persons too; kinds of channels; digests"""

import sqlalchemy as sa
from alembic import op

from camera_hub.store.tables.base import Sealed, UtcDateTime

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

LIFECYCLE = (
    "note",
    "resumed_at",
    "suspended_by",
    "suspended_reason",
    "suspended_until",
    "suspended_at",
    "escalated_at",
    "escalation",
    "reminders",
    "reminded_at",
    "notified_at",
    "owner_name",
    "owner_id",
    "merged_into",
)


def upgrade() -> None:
    with op.batch_alter_table("alarms") as batch:
        batch.add_column(sa.Column("merged_into", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("owner_id", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("owner_name", sa.String(64), nullable=True))
        batch.add_column(sa.Column("notified_at", UtcDateTime(), nullable=True))
        batch.add_column(sa.Column("reminded_at", UtcDateTime(), nullable=True))
        batch.add_column(sa.Column("reminders", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("escalation", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("escalated_at", UtcDateTime(), nullable=True))
        batch.add_column(sa.Column("suspended_at", UtcDateTime(), nullable=True))
        batch.add_column(sa.Column("suspended_until", UtcDateTime(), nullable=True))
        batch.add_column(sa.Column("suspended_reason", sa.String(16), nullable=True))
        batch.add_column(sa.Column("suspended_by", sa.String(64), nullable=True))
        batch.add_column(sa.Column("resumed_at", UtcDateTime(), nullable=True))
        batch.add_column(sa.Column("note", sa.String(255), nullable=False, server_default=""))
        batch.create_foreign_key(
            batch.f("fk_alarms_merged_into_alarms"), "alarms", ["merged_into"], ["id"], ondelete="SET NULL"
        )
        batch.create_foreign_key(
            batch.f("fk_alarms_owner_id_users"), "users", ["owner_id"], ["id"], ondelete="SET NULL"
        )
        batch.create_index(batch.f("ix_alarms_owner_id"), ["owner_id"])
    with op.batch_alter_table("notice_channels") as batch:
        batch.add_column(sa.Column("secrets_sealed", Sealed(), nullable=True))
        batch.add_column(sa.Column("options", sa.JSON(), nullable=False, server_default="{}"))
        batch.add_column(sa.Column("proxy_host", sa.String(255), nullable=False, server_default=""))
        batch.add_column(sa.Column("quiet_from", sa.String(5), nullable=True))
        batch.add_column(sa.Column("quiet_to", sa.String(5), nullable=True))
    with op.batch_alter_table("notices") as batch:
        batch.alter_column("channel_id", existing_type=sa.Integer(), nullable=True)
        batch.alter_column("alarm_id", existing_type=sa.Integer(), nullable=True)
        batch.add_column(sa.Column("user_id", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("sent", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("read_at", UtcDateTime(), nullable=True))
        batch.create_foreign_key(batch.f("fk_notices_user_id_users"), "users", ["user_id"], ["id"], ondelete="CASCADE")
        batch.create_index(batch.f("ix_notices_user_id_id"), ["user_id", "id"])
    op.create_table(
        "told_alarms",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("alarm_id", sa.Integer(), nullable=False),
        sa.Column("channel_id", sa.Integer(), nullable=True),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("subject", sa.String(48), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("told_at", UtcDateTime(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["alarm_id"], ["alarms.id"], name=op.f("fk_told_alarms_alarm_id_alarms"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["channel_id"],
            ["notice_channels.id"],
            name=op.f("fk_told_alarms_channel_id_notice_channels"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_told_alarms_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_told_alarms")),
        sa.UniqueConstraint("alarm_id", "channel_id", name="uq_told_alarms_alarm_channel"),
        sa.UniqueConstraint("alarm_id", "user_id", name="uq_told_alarms_alarm_user"),
    )
    for column in ("channel_id", "user_id", "closed_at"):
        op.create_index(op.f(f"ix_told_alarms_{column}"), "told_alarms", [column])
    op.create_table(
        "digests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_digests")),
        sa.UniqueConstraint("day", name=op.f("uq_digests_day")),
    )
    op.create_index(op.f("ix_digests_made_at"), "digests", ["made_at"])
    _carry_over()


def _carry_over() -> None:
    """What channels were sent of alarms that are open still: they are not notified again, and get the end."""
    op.execute(
        "INSERT INTO told_alarms (alarm_id, channel_id, subject, kind, told_at)"
        " SELECT notices.alarm_id, notices.channel_id, '', 'opened', MIN(notices.created_at) FROM notices"
        " JOIN alarms ON alarms.id = notices.alarm_id"
        " WHERE alarms.closed_at IS NULL AND notices.kind = 'opened'"
        " GROUP BY notices.alarm_id, notices.channel_id"
    )
    op.execute(
        "UPDATE alarms SET notified_at = opened_at WHERE closed_at IS NULL AND id IN (SELECT alarm_id FROM told_alarms)"
    )


def downgrade() -> None:
    """Notices for persons and of several alarms are lost."""
    op.drop_table("digests")
    op.drop_table("told_alarms")
    op.execute("DELETE FROM notices WHERE channel_id IS NULL OR alarm_id IS NULL")
    with op.batch_alter_table("notices") as batch:
        batch.drop_index(batch.f("ix_notices_user_id_id"))
        batch.drop_constraint(batch.f("fk_notices_user_id_users"), type_="foreignkey")
        for column in ("read_at", "sent", "user_id"):
            batch.drop_column(column)
        batch.alter_column("alarm_id", existing_type=sa.Integer(), nullable=False)
        batch.alter_column("channel_id", existing_type=sa.Integer(), nullable=False)
    op.execute("DELETE FROM notice_channels WHERE kind <> 'webhook'")
    with op.batch_alter_table("notice_channels") as batch:
        for column in ("quiet_to", "quiet_from", "proxy_host", "options", "secrets_sealed"):
            batch.drop_column(column)
    with op.batch_alter_table("alarms") as batch:
        batch.drop_index(batch.f("ix_alarms_owner_id"))
        batch.drop_constraint(batch.f("fk_alarms_owner_id_users"), type_="foreignkey")
        batch.drop_constraint(batch.f("fk_alarms_merged_into_alarms"), type_="foreignkey")
        for column in LIFECYCLE:
            batch.drop_column(column)
