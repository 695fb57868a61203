"""A database of the version before alarm members became rows is taken along: nothing of it is lost."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, select, text

from camera_hub.access.policy import Actor, Role
from camera_hub.events import EventBus
from camera_hub.health.alarms.alarms import Alarms
from camera_hub.health.history import ObservationHistory
from camera_hub.health.notices.channels import NoticeChannels
from camera_hub.settings import HealthSettings, NoticeSettings
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, CameraState, Notice, Observation
from tests.fakes.clock import ManualClock
from tests.fakes.site import add_village
from tests.health.fake_sealer import FakeSealer

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
BEFORE = "0003"
OPERATOR = Actor(1, "operator", "operator", Role.OPERATOR)


def at(minutes: float) -> str:
    return (NOW - timedelta(minutes=minutes)).strftime("%Y-%m-%d %H:%M:%S+00:00")


async def downgrade(database: Database) -> None:
    async with database.write() as session:
        config = Config()
        config.set_main_option("script_location", "camera_hub:store/migrations")
        connection = await session.connection()

        def back(sync: Connection) -> None:
            config.attributes["connection"] = sync
            command.downgrade(config, BEFORE)

        await connection.run_sync(back)


async def put(database: Database, table: str, *rows: dict[str, Any]) -> None:
    async with database.write() as session:
        for row in rows:
            names = ", ".join(row)
            values = ", ".join(f":{name}" for name in row)
            await session.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)


def utc(value: str, database: Database) -> object:
    """A time as the driver wants it in plain SQL: SQLite's rows have text without a zone."""
    moment = datetime.strptime(value, "%Y-%m-%d %H:%M:%S%z")
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f") if database.is_sqlite else moment


@pytest.mark.slow
async def test_alarms_cameras_and_notices_of_the_version_before_are_carried_over(
    database: Database, clock: ManualClock
) -> None:
    cameras = await add_village(database, clock, "东沟村", 6, recorder=2)
    await downgrade(database)

    def alarm(number: int, level: str, cause: str, members: list[int], closed: float | None = None) -> dict[str, Any]:
        return {
            "id": number,
            "level": level,
            "cause": cause,
            "village_id": 1 if level != "hub" else None,
            "device_id": None,
            "camera_id": members[0] if level == "camera" else None,
            "members": json.dumps(members),
            "detail": f"alarm {number}",
            "opened_at": utc(at(60), database),
            "closed_at": None if closed is None else utc(at(closed), database),
        }

    await put(
        database,
        "alarms",
        alarm(1, "hub", "hub_uplink", [], closed=50),
        alarm(2, "village", "village_link", cameras, closed=30),
        alarm(3, "camera", "black", [cameras[0]]),
        alarm(4, "device", "clock_wrong", [*cameras[4:], 999]),
        alarm(5, "device", "device_down", cameras[4:], closed=10),
        alarm(6, "camera", "wrong_password", [cameras[1]]),
    )
    await put(
        database,
        "notices",
        *(
            {
                "id": number,
                "alarm_id": alarm_id,
                "kind": "opened",
                "payload": json.dumps({"kind": "opened", "alarm": {"id": alarm_id}}),
                "created_at": utc(at(60), database),
                "attempts": attempts,
                "next_attempt_at": utc(at(1), database),
                "delivered_at": None if attempts == 3 else utc(at(59), database),
                "error": None,
            }
            for number, alarm_id, attempts in ((1, 2, 1), (2, 3, 3))
        ),
    )
    await put(
        database,
        "observations",
        *(
            {
                "camera_id": cameras[0],
                "at": utc(at(minutes), database),
                "reason": reason,
                "detail": "",
                "scores": json.dumps({"black": 1.0}),
                "clock_error_s": error,
            }
            for minutes, reason, error in ((5, "black", None), (4, None, 0.3), (3, "no_media", None), (2, None, None))
        ),
    )
    async with database.write() as session:
        for camera, health, cause in (
            (cameras[0], "fault", "black"),
            (cameras[1], "fault", "wrong_password"),
            (cameras[2], "ok", None),
            (cameras[4], "fault", "clock_wrong"),
        ):
            await session.execute(
                text("UPDATE cameras SET health = :health, cause = :cause, health_since = :since WHERE id = :id"),
                {"health": health, "cause": cause, "since": utc(at(90), database), "id": camera},
            )

    async with Database(database.url.render_as_string(hide_password=False)) as later:
        await check(later, clock, cameras)


async def check(later: Database, clock: ManualClock, cameras: list[int]) -> None:
    found = await Alarms(later).list(OPERATOR)
    assert [(one.id, one.aspect, one.severity, one.members, one.recovered) for one in found] == [
        (6, "media", "major", [cameras[1]], []),
        (5, "media", "major", cameras[4:], []),
        (4, "clock", "warning", cameras[4:], []),
        (3, "picture", "minor", [cameras[0]], []),
        (2, "media", "critical", cameras, []),
        (1, "media", "critical", [], []),
    ]
    assert [one.closed_at is None for one in found] == [True, False, True, True, False, False]
    members = await Alarms(later).members(OPERATOR, 2)
    assert {(one.joined_at, one.left_at) for one in members} == {
        (NOW - timedelta(minutes=60), NOW - timedelta(minutes=30))
    }

    channels = NoticeChannels(later, EventBus(), clock, FakeSealer())
    (channel,) = await channels.list()
    assert (channel.enabled, channel.from_settings, channel.pending) == (False, True, 1)
    await channels.follow_settings(NoticeSettings(webhook_url="http://robot.example/x"))
    (channel,) = await channels.list()
    assert (channel.enabled, channel.host, len(channel.rules)) == (True, "robot.example", 1)

    since = NOW - timedelta(minutes=90)
    async with later.read() as session:
        notices = (await session.scalars(select(Notice).order_by(Notice.id))).all()
        assert [(one.id, one.channel_id, one.attempts, one.payload["alarm"]["id"]) for one in notices] == [
            (1, channel.id, 1, 2),
            (2, channel.id, 3, 3),
        ]
        states = await session.scalars(select(CameraState).order_by(CameraState.camera_id, CameraState.aspect))
        assert [(one.camera_id, one.aspect, one.state, one.cause) for one in states] == [
            (cameras[0], "media", "ok", None),
            (cameras[0], "picture", "fault", "black"),
            (cameras[1], "media", "fault", "wrong_password"),
            (cameras[2], "media", "ok", None),
            (cameras[2], "picture", "ok", None),
            (cameras[4], "clock", "fault", "clock_wrong"),
            (cameras[4], "media", "ok", None),
            (cameras[5], "clock", "fault", "clock_wrong"),
        ]
        changed = await session.get_one(Camera, cameras[4])
        assert (changed.health, changed.cause, changed.health_since) == ("ok", None, since)
        rows = (await session.scalars(select(Observation).order_by(Observation.at))).all()
        assert [row.reason for row in rows] == ["black", None, "no_media", None]
        assert {row.media for row in rows} == {None}
    looks = await ObservationHistory(later, clock, HealthSettings()).observations(OPERATOR, cameras[0], 1.0)
    assert [(one.media, one.picture, one.clock) for one in looks] == [
        ("ok", None, None),
        ("no_media", None, None),
        ("ok", None, "ok"),
        ("ok", "black", None),
    ]
