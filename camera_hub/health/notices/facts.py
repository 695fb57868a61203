"""Reads what `policy.decide` looks at: alarms, receivers, and what they were told. A fixed number of queries."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.actors import grants_of
from camera_hub.access.policy import Action, Role, role_actions, villages_at
from camera_hub.health.notices.rules import RuleView
from camera_hub.health.notices.situation import QuietHours, Receiver, ReceiverKey, Told, clock_time
from camera_hub.store.tables import (
    Alarm,
    AlarmMember,
    Camera,
    Digest,
    Notice,
    NoticeChannel,
    NoticeRule,
    ToldAlarm,
    User,
)


async def open_or_told(session: AsyncSession) -> Sequence[Alarm]:
    """Open alarms, closed ones whose end somebody may still have to be told of, and those that took them over."""
    pending = select(ToldAlarm.alarm_id).where(ToldAlarm.closed_at.is_(None))
    parents = select(Alarm.merged_into).where(Alarm.id.in_(pending), Alarm.merged_into.is_not(None))
    query = select(Alarm).where(or_(Alarm.closed_at.is_(None), Alarm.id.in_(pending), Alarm.id.in_(parents)))
    return (await session.scalars(query.order_by(Alarm.id))).all()


async def key_alarms(session: AsyncSession, alarms: Iterable[Alarm]) -> frozenset[int]:
    """Those of a single device or camera that stand for a key camera."""
    numbers = [alarm.id for alarm in alarms if alarm.level in ("device", "camera")]
    if not numbers:
        return frozenset()
    key = func.max(case((Camera.importance == "key", 1), else_=0))
    query = (
        select(AlarmMember.alarm_id)
        .join(Camera, Camera.id == AlarmMember.camera_id)
        .where(AlarmMember.alarm_id.in_(numbers))
        .group_by(AlarmMember.alarm_id)
        .having(key == 1)
    )
    return frozenset((await session.scalars(query)).all())


async def receivers(session: AsyncSession, now: datetime, quiet: QuietHours | None) -> list[Receiver]:
    """Enabled channels with their rules, and everybody who may read alarms."""
    rules: dict[int, list[RuleView]] = defaultdict(list)
    for rule in await session.scalars(select(NoticeRule)):
        rules[rule.channel_id].append(RuleView(rule.village_id, rule.aspect, rule.min_severity))
    found = [
        Receiver(
            ("channel", row.id),
            rules=tuple(rules[row.id]),
            quiet=channel_quiet(row),
            since=row.created_at,
        )
        for row in await session.scalars(select(NoticeChannel).where(NoticeChannel.enabled.is_(True)))
    ]
    users = (await session.scalars(select(User).where(User.disabled.is_(False)).order_by(User.id))).all()
    grants = await grants_of(session, [user.id for user in users if not user.all_villages])
    for user in users:
        role = Role(user.role)
        if Action.READ_HEALTH not in role_actions(role):
            continue
        villages = None if user.all_villages else villages_at(grants[user.id], now)
        found.append(Receiver(("user", user.id), role, (), villages, quiet, user.created_at))
    return found


def channel_quiet(row: NoticeChannel) -> QuietHours | None:
    """A channel's own quiet hours; None: it has none."""
    if row.quiet_from is None or row.quiet_to is None:
        return None
    return QuietHours(clock_time(row.quiet_from), clock_time(row.quiet_to))


async def told_before(session: AsyncSession, since: datetime) -> list[Told]:
    """What stands as told, and what was told since then."""
    query = select(
        ToldAlarm.alarm_id,
        ToldAlarm.channel_id,
        ToldAlarm.user_id,
        ToldAlarm.subject,
        ToldAlarm.kind,
        ToldAlarm.told_at,
        ToldAlarm.closed_at,
    ).where(or_(ToldAlarm.closed_at.is_(None), ToldAlarm.closed_at > since))
    return [
        Told(alarm_id, receiver_key(channel, user), subject, kind, at, ended is not None)
        for alarm_id, channel, user, subject, kind, at, ended in await session.execute(query)
    ]


async def recent_notices(session: AsyncSession, now: datetime, window: float) -> dict[ReceiverKey, list[datetime]]:
    """When each receiver got notices within the window; also those dated a little ahead, by a clock since set back."""
    span = timedelta(seconds=window)
    query = select(Notice.channel_id, Notice.user_id, Notice.created_at).where(
        Notice.created_at > now - span, Notice.created_at < now + span
    )
    found: dict[ReceiverKey, list[datetime]] = defaultdict(list)
    for channel, user, at in await session.execute(query):
        found[receiver_key(channel, user)].append(at)
    return found


async def digest_made(session: AsyncSession, day: date) -> bool:
    """Whether the digest of that day was made."""
    return await session.scalar(select(Digest.id).where(Digest.day == day)) is not None


def receiver_key(channel_id: int | None, user_id: int | None) -> ReceiverKey:
    """The key of a row's receiver."""
    return ("channel", channel_id) if channel_id is not None else ("user", user_id or 0)


def subject_of(alarm: Alarm) -> str:
    """What an alarm is about: the same when it comes again."""
    number = {"hub": 0, "village": alarm.village_id, "device": alarm.device_id, "camera": alarm.camera_id}[alarm.level]
    return f"{alarm.level}:{alarm.aspect}:{number or 0}"
