"""alarm members, camera states and notice channels as rows

Nothing that grows without bound is rewritten: observations only gain empty columns, so a month of them upgrades at
once. `alarms` is altered in place, never copied: on SQLite dropping the old copy would delete its notices with it.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from camera_hub.store.tables.base import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

PICTURE = ("black", "frozen", "undecodable", "quarantined")
CHUNK = 1000

alarms = sa.table(
    "alarms",
    sa.column("id", sa.Integer),
    sa.column("level", sa.String),
    sa.column("cause", sa.String),
    sa.column("aspect", sa.String),
    sa.column("severity", sa.String),
    sa.column("members", sa.JSON),
    sa.column("opened_at", UtcDateTime),
    sa.column("closed_at", UtcDateTime),
)
cameras = sa.table(
    "cameras",
    sa.column("id", sa.Integer),
    sa.column("state", sa.String),
    sa.column("health", sa.String),
    sa.column("cause", sa.String),
    sa.column("health_since", UtcDateTime),
    sa.column("created_at", UtcDateTime),
)
members = sa.table(
    "alarm_members",
    sa.column("alarm_id", sa.Integer),
    sa.column("camera_id", sa.Integer),
    sa.column("joined_at", UtcDateTime),
    sa.column("left_at", UtcDateTime),
)
states = sa.table(
    "camera_states",
    sa.column("camera_id", sa.Integer),
    sa.column("aspect", sa.String),
    sa.column("state", sa.String),
    sa.column("cause", sa.String),
    sa.column("since", UtcDateTime),
)
channels = sa.table(
    "notice_channels",
    sa.column("id", sa.Integer),
    sa.column("name", sa.String),
    sa.column("kind", sa.String),
    sa.column("host", sa.String),
    sa.column("timeout_s", sa.Double),
    sa.column("enabled", sa.Boolean),
    sa.column("from_settings", sa.Boolean),
    sa.column("created_at", UtcDateTime),
)
notices = sa.table(
    "notices",
    sa.column("id", sa.Integer),
    sa.column("channel_id", sa.Integer),
    sa.column("created_at", UtcDateTime),
)


def upgrade() -> None:
    _create_tables()
    _alarms()
    _camera_states()
    _notices()
    for aspect in ("live", "picture", "clock"):
        op.add_column("observations", sa.Column(aspect, sa.String(length=32), nullable=True))


def _create_tables() -> None:
    op.create_table(
        "alarm_members",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("alarm_id", sa.Integer(), nullable=False),
        sa.Column("camera_id", sa.Integer(), nullable=False),
        sa.Column("joined_at", UtcDateTime(), nullable=False),
        sa.Column("left_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["alarm_id"], ["alarms.id"], name=op.f("fk_alarm_members_alarm_id_alarms"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["camera_id"], ["cameras.id"], name=op.f("fk_alarm_members_camera_id_cameras"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm_members")),
    )
    op.create_index(op.f("ix_alarm_members_alarm_id"), "alarm_members", ["alarm_id"])
    op.create_index("ix_alarm_members_camera_alarm", "alarm_members", ["camera_id", "alarm_id"])
    op.create_table(
        "camera_states",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("camera_id", sa.Integer(), nullable=False),
        sa.Column("aspect", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("cause", sa.String(length=32), nullable=True),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["camera_id"], ["cameras.id"], name=op.f("fk_camera_states_camera_id_cameras"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_camera_states")),
    )
    op.create_index("ix_camera_states_camera_until", "camera_states", ["camera_id", "until"])
    op.create_index(op.f("ix_camera_states_until"), "camera_states", ["until"])
    op.create_table(
        "notice_channels",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("url_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("timeout_s", sa.Double(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("from_settings", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("last_attempt_at", UtcDateTime(), nullable=True),
        sa.Column("last_success_at", UtcDateTime(), nullable=True),
        sa.Column("last_error", sa.String(length=255), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_channels")),
        sa.UniqueConstraint("name", name=op.f("uq_notice_channels_name")),
    )
    op.create_table(
        "notice_rules",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel_id", sa.Integer(), nullable=False),
        sa.Column("village_id", sa.Integer(), nullable=True),
        sa.Column("aspect", sa.String(length=8), nullable=True),
        sa.Column("min_severity", sa.String(length=8), nullable=True),
        sa.ForeignKeyConstraint(
            ["channel_id"],
            ["notice_channels.id"],
            name=op.f("fk_notice_rules_channel_id_notice_channels"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["village_id"], ["villages.id"], name=op.f("fk_notice_rules_village_id_villages"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_rules")),
    )
    op.create_index(op.f("ix_notice_rules_channel_id"), "notice_rules", ["channel_id"])


def _alarms() -> None:
    """Aspect and severity from level and cause; the list of members becomes rows."""
    bind = op.get_bind()
    op.add_column("alarms", sa.Column("aspect", sa.String(length=8), nullable=False, server_default="live"))
    op.add_column("alarms", sa.Column("severity", sa.String(length=8), nullable=False, server_default="major"))
    bind.execute(sa.update(alarms).where(alarms.c.cause.in_(PICTURE)).values(aspect="picture", severity="minor"))
    bind.execute(sa.update(alarms).where(alarms.c.cause == "clock_wrong").values(aspect="clock", severity="warning"))
    above = (alarms.c.aspect == "live") & alarms.c.level.in_(("hub", "village"))
    bind.execute(sa.update(alarms).where(above).values(severity="critical"))
    known = set(bind.execute(sa.select(cameras.c.id)).scalars())
    for page in _pages(sa.select(alarms.c.id, alarms.c.members, alarms.c.opened_at, alarms.c.closed_at)):
        rows = [
            {"alarm_id": row.id, "camera_id": camera, "joined_at": row.opened_at, "left_at": row.closed_at}
            for row in page
            for camera in sorted(set(row.members or ()))
            if camera in known
        ]
        if rows:
            bind.execute(sa.insert(members), rows)
    op.drop_column("alarms", "members")


def _pages(query: sa.Select[Any]) -> Iterator[list[Any]]:
    """Alarms by id, a bounded number at a time."""
    bind, after = op.get_bind(), 0
    while page := list(bind.execute(query.where(alarms.c.id > after).order_by(alarms.c.id).limit(CHUNK))):
        yield page
        after = page[-1].id


def _camera_states() -> None:
    """What was known of each camera, by aspect; a wrong clock alone makes a camera's health no longer a fault."""
    bind = op.get_bind()
    known: dict[tuple[int, str], tuple[str, str | None, datetime]] = {}
    for camera in bind.execute(sa.select(cameras).where(cameras.c.health != "unknown")):
        since = camera.health_since or camera.created_at
        aspect = "picture" if camera.cause in PICTURE else "clock" if camera.cause == "clock_wrong" else "live"
        known[camera.id, "live"] = ("ok", None, since)
        if camera.health == "ok":
            known[camera.id, "picture"] = ("ok", None, since)
        else:
            known[camera.id, aspect] = ("fault", camera.cause, since)
    standing = (
        sa.select(members.c.camera_id, alarms.c.aspect, alarms.c.cause, alarms.c.opened_at)
        .join(alarms, alarms.c.id == members.c.alarm_id)
        .where(alarms.c.closed_at.is_(None), alarms.c.aspect != "live")
    )
    for camera_id, aspect, cause, opened_at in bind.execute(standing):
        known[camera_id, aspect] = ("fault", cause, opened_at)
    rows = [
        {"camera_id": camera_id, "aspect": aspect, "state": state, "cause": cause, "since": since}
        for (camera_id, aspect), (state, cause, since) in known.items()
    ]
    if rows:
        bind.execute(sa.insert(states), rows)
    bind.execute(sa.update(cameras).where(cameras.c.cause == "clock_wrong").values(health="ok", cause=None))


def _notices() -> None:
    """Notices written so far belong to the channel of the settings file, which gets its address at the next start."""
    bind = op.get_bind()
    op.drop_index("ix_notices_next_attempt_at", table_name="notices")
    oldest = bind.execute(sa.select(sa.func.min(notices.c.created_at))).scalar()
    if oldest is not None:
        bind.execute(
            sa.insert(channels).values(
                name="notices.webhook_url",
                kind="webhook",
                host="",
                timeout_s=5.0,
                enabled=False,
                from_settings=True,
                created_at=oldest,
            )
        )
    with op.batch_alter_table("notices") as batch:
        batch.add_column(sa.Column("channel_id", sa.Integer(), nullable=True))
    if oldest is not None:
        bind.execute(sa.update(notices).values(channel_id=sa.select(sa.func.min(channels.c.id)).scalar_subquery()))
    with op.batch_alter_table("notices") as batch:
        batch.alter_column("channel_id", existing_type=sa.Integer(), nullable=False)
        batch.create_foreign_key(
            op.f("fk_notices_channel_id_notice_channels"),
            "notice_channels",
            ["channel_id"],
            ["id"],
            ondelete="CASCADE",
        )
    op.create_index("ix_notices_channel_delivered", "notices", ["channel_id", "delivered_at"])
    op.create_index(op.f("ix_notices_alarm_id"), "notices", ["alarm_id"])
    op.create_index(op.f("ix_notices_created_at"), "notices", ["created_at"])


def downgrade() -> None:
    bind = op.get_bind()
    for aspect in ("live", "picture", "clock"):
        op.drop_column("observations", aspect)
    for index in ("ix_notices_channel_delivered", "ix_notices_alarm_id", "ix_notices_created_at"):
        op.drop_index(index, table_name="notices")
    with op.batch_alter_table("notices") as batch:
        batch.drop_constraint("fk_notices_channel_id_notice_channels", type_="foreignkey")
        batch.drop_column("channel_id")
    op.create_index("ix_notices_next_attempt_at", "notices", ["next_attempt_at"])
    op.drop_table("notice_rules")
    op.drop_table("notice_channels")
    op.add_column("alarms", sa.Column("members", sa.JSON(), nullable=False, server_default="[]"))
    for page in _pages(sa.select(alarms.c.id)):
        of_alarm: dict[int, set[int]] = {row.id: set() for row in page}
        found = sa.select(members.c.alarm_id, members.c.camera_id).where(members.c.alarm_id.in_(of_alarm))
        for alarm_id, camera_id in bind.execute(found):
            of_alarm[alarm_id].add(camera_id)
        for alarm_id, ids in of_alarm.items():
            bind.execute(sa.update(alarms).where(alarms.c.id == alarm_id).values(members=sorted(ids)))
    op.drop_column("alarms", "aspect")
    op.drop_column("alarms", "severity")
    op.drop_table("camera_states")
    op.drop_table("alarm_members")
