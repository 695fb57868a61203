"""Passes of the announcer over a real database: rows in, notices and marks out, again and again and across restarts."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from camera_hub.access.policy import Role
from camera_hub.events import AlarmChanged, EventBus, NoticeAdded
from camera_hub.health.notices.announcer import AlarmAges, Announcer
from camera_hub.health.notices.policy import NoticePolicy
from camera_hub.store.database import Database
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
    UserVillage,
)
from tests.fakes.clock import ManualClock
from tests.fakes.site import add_village

ZONE = ZoneInfo("Asia/Shanghai")
POLICY = NoticePolicy()


class Site:
    """Two villages, three people (operator 1, admin 2 of the first village, contractor 3) and two channels."""

    def __init__(self, database: Database, bus: EventBus, clock: ManualClock) -> None:
        self.database = database
        self.bus = bus
        self.clock = clock
        self.cameras: list[int] = []
        self.announcer = self.restarted()

    def restarted(self) -> Announcer:
        """An announcer that knows only what is stored."""
        return Announcer(self.database, self.bus, self.clock, POLICY, ZONE)

    async def fill(self) -> None:
        self.cameras = await add_village(self.database, self.clock, "东沟村", 2)
        self.cameras += await add_village(self.database, self.clock, "西沟村", 6)
        now = self.clock.now()
        async with self.database.write() as session:
            for role in (Role.OPERATOR, Role.VILLAGE_ADMIN, Role.CONTRACTOR):
                user = User(username=role.value, display_name=role.value, role=role.value, password_hash="-")
                user.all_villages, user.created_at = role is Role.OPERATOR, now
                session.add(user)
            await session.flush()
            session.add_all(UserVillage(user_id=number, village_id=1) for number in (2, 3))
            for name, village in (("all", None), ("west", 2)):
                channel = NoticeChannel(name=name, created_at=now)
                session.add(channel)
                await session.flush()
                session.add(NoticeRule(channel_id=channel.id, village_id=village))

    async def alarm(self, camera: int | None = None, **more: Any) -> int:
        async with self.database.write() as session:
            row = None if camera is None else await session.get_one(Camera, camera)
            alarm = Alarm(
                level="camera" if row else "hub", severity="major", cause="no_media", opened_at=self.clock.now()
            )
            if row is not None:
                alarm.village_id, alarm.device_id, alarm.camera_id = row.village_id, row.device_id, row.id
            for name, value in more.items():
                setattr(alarm, name, value)
            session.add(alarm)
            await session.flush()
            if row is not None:
                session.add(AlarmMember(alarm_id=alarm.id, camera_id=row.id, joined_at=alarm.opened_at))
            return alarm.id

    async def change(self, number: int, **values: Any) -> None:
        async with self.database.write() as session:
            row = await session.get_one(Alarm, number)
            for name, value in values.items():
                setattr(row, name, value)

    async def row(self, number: int) -> Alarm:
        async with self.database.read() as session:
            return await session.get_one(Alarm, number)

    async def notices(self) -> list[tuple[str, str, list[int]]]:
        """(receiver, kind, alarms) of all, in their order."""
        async with self.database.read() as session:
            rows = (await session.scalars(select(Notice).order_by(Notice.id))).all()
        return [
            (f"user {row.user_id}" if row.user_id else f"channel {row.channel_id}", row.kind, row.payload["alarm_ids"])
            for row in rows
        ]


@pytest.fixture
async def site(database: Database, bus: EventBus, clock: ManualClock) -> Site:
    site = Site(database, bus, clock)
    await site.fill()
    return site


async def test_people_and_channels_are_told_within_their_villages_and_once(site: Site) -> None:
    east = await site.alarm(site.cameras[0])
    west = await site.alarm(site.cameras[2], detail="merged")
    await site.change(east, merged_into=None)
    assert await site.announcer.announce() == 0, "shown, not notified"
    assert (await site.row(east)).notified_at is None
    site.clock.move(1800)
    with site.bus.subscribe(NoticeAdded, AlarmChanged) as events:
        assert await site.announcer.announce() == 6
        found = events.take()
    assert await site.notices() == [
        ("channel 1", "opened", [east]),
        ("channel 1", "opened", [west]),
        ("channel 2", "opened", [west]),
        ("user 1", "opened", [east]),
        ("user 1", "opened", [west]),
        ("user 2", "opened", [east]),
    ]
    assert {one.user_id for one in found if isinstance(one, NoticeAdded)} == {1, 2}
    assert {one.alarm_id for one in found if isinstance(one, AlarmChanged)} == {east, west}
    assert (await site.row(east)).notified_at == site.clock.now()
    for announcer in (site.announcer, site.restarted()):
        assert await announcer.announce() == 0
    await site.change(east, closed_at=site.clock.now())
    site.clock.move(300)
    assert await site.restarted().announce() == 3
    assert [one for one in await site.notices() if one[1] == "closed"] == [
        ("channel 1", "closed", [east]),
        ("user 1", "closed", [east]),
        ("user 2", "closed", [east]),
    ]
    async with site.database.read() as session:
        left = (await session.scalars(select(ToldAlarm).where(ToldAlarm.closed_at.is_(None)))).all()
    assert {row.alarm_id for row in left} == {west}


async def test_a_notice_says_what_where_and_since_when(site: Site) -> None:
    await site.alarm(site.cameras[0], severity="critical", params={"percent": 3})
    site.clock.move(1800)
    await site.announcer.announce()
    async with site.database.read() as session:
        row = (await session.scalars(select(Notice).where(Notice.user_id == 1))).one()
        channel = (await session.scalars(select(Notice).where(Notice.channel_id == 1))).one()
    assert row.payload["title"] == "告警：东沟村“摄像机1” 无视频数据"
    assert row.payload["text"] == "东沟村“摄像机1” 无视频数据，16:00 起，已持续 30 分钟。"
    assert (row.payload["severity"], row.payload["sound"], row.delivered_at) == ("critical", False, site.clock.now())
    alarm = channel.payload["alarm"]
    assert (alarm["village"], alarm["cameras"]) == (
        {"id": 1, "name": "东沟村"},
        [{"id": site.cameras[0], "name": "东沟村摄像机1"}],
    )
    assert (alarm["params"], channel.delivered_at, alarm["duration_s"]) == ({"percent": 3}, None, None)


async def test_a_restart_with_five_down_tells_nothing_anew_and_one_with_all_well_nothing_at_all(site: Site) -> None:
    assert await site.announcer.announce() == 0
    for camera in site.cameras[:5]:
        await site.alarm(camera)
    site.clock.move(1800)
    await site.announcer.announce()
    before = await site.notices()
    for _ in range(3):
        site.clock.move(60)
        assert await site.restarted().announce() == 0
    assert await site.notices() == before


async def test_a_suspended_alarm_is_told_to_nobody_until_it_resumes_by_itself_also_after_a_restart(site: Site) -> None:
    number = await site.alarm(site.cameras[2])
    until = site.clock.now() + timedelta(hours=5)
    await site.change(number, suspended_at=site.clock.now(), suspended_until=until, suspended_reason="parts")
    site.clock.move(5 * 3600 - 1)
    assert await site.announcer.announce() == 0
    site.clock.move(1)
    await site.restarted().announce()
    row = await site.row(number)
    assert (row.suspended_until, row.suspended_reason, row.resumed_at) == (None, None, site.clock.now())
    assert [one[:2] for one in await site.notices()] == [
        ("channel 1", "opened"),
        ("channel 2", "opened"),
        ("user 1", "opened"),
    ]


async def test_who_was_told_before_a_suspension_is_reminded_when_it_is_over(site: Site) -> None:
    number = await site.alarm(site.cameras[2])
    site.clock.move(1800)
    await site.announcer.announce()
    until = site.clock.now() + timedelta(hours=4)
    await site.change(number, suspended_at=site.clock.now(), suspended_until=until, suspended_reason="power_cut")
    site.clock.move(4 * 3600)
    assert await site.announcer.announce() == 3
    assert {kind for _, kind, _ in (await site.notices())[3:]} == {"reminder"}
    row = await site.row(number)
    assert (row.reminders, row.reminded_at) == (1, site.clock.now())
    assert await site.announcer.announce() == 0


@pytest.mark.slow
async def test_an_alarm_is_escalated_and_reminded_of_and_the_digest_made_over_three_days(site: Site) -> None:
    number = await site.alarm(site.cameras[2])
    await site.alarm(site.cameras[3], aspect="clock", cause="clock_wrong", severity="warning")
    for _ in range(3 * 48):
        site.clock.move(1800)
        await site.announcer.announce()
    row = await site.row(number)
    assert row.escalation == 2
    assert row.reminders in (2, 3)
    async with site.database.read() as session:
        assert len((await session.scalars(select(Digest))).all()) == 4  # the first one late: it began at 16:00
    mine = [kind for receiver, kind, _ in await site.notices() if receiver == "channel 1"]
    assert mine.count("digest") == 4
    assert mine.count("escalated") == 2
    assert mine.count("opened") == 1
    assert mine.count("reminder") == row.reminders


def test_an_age_follows_the_clock_that_never_steps(clock: ManualClock) -> None:
    ages, wall = AlarmAges(), clock.now()
    assert ages.of(1, wall - timedelta(seconds=30), False, wall, 100.0) == 30.0
    assert ages.of(1, wall - timedelta(seconds=30), False, wall - timedelta(hours=1), 110.0) == 40.0
    assert ages.of(1, wall - timedelta(seconds=30), False, wall + timedelta(days=9), 120.0) == 50.0
    assert ages.of(2, wall + timedelta(hours=1), False, wall, 120.0) == 0.0, "written under another clock"
    ages.keep({2})
    assert ages.of(1, wall, True, wall, 130.0) == 0.0
