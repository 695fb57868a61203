"""The pictures that are kept with alarms: which are missing, that they come, and that they are bounded."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select, update

from camera_hub.access.policy import Actor, Role
from camera_hub.errors import HubError
from camera_hub.events import AlarmChanged, EventBus
from camera_hub.health.alarm_pictures.keeper import CAMERAS, AlarmPictureKeeper, PicturedAlarm, PictureSources, missing
from camera_hub.health.alarm_pictures.pictures import AlarmPictures
from camera_hub.health.alarm_pictures.recent import RecentPictures, SeenPicture
from camera_hub.store.database import Database
from camera_hub.store.picture_files import PictureFiles
from camera_hub.store.tables import Alarm, AlarmMember, AlarmPicture, Camera
from tests.fakes.clock import ManualClock
from tests.fakes.site import add_village

ADMIN = Actor(1, "admin", "镇管理员", Role.TOWNSHIP_ADMIN)
STRANGER = Actor(4, "other", "外村", Role.VILLAGE_ADMIN, frozenset({99}))
AT = datetime(2026, 11, 23)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("aspect", "closed", "stored", "kept", "expected"),
    [
        ("picture", False, {}, (), ["reference", "present"]),
        ("picture", False, {}, ((1, "present"),), ["reference"]),
        ("picture", True, {}, ((1, "present"), (1, "reference")), ["repair"]),
        ("media", False, {1: AT - MINUTE}, (), ["last_good"]),
        ("media", False, {1: AT + MINUTE}, (), []),
        ("media", True, {}, (), ["repair"]),
        ("media", True, {1: AT - MINUTE}, ((1, "last_good"), (1, "repair")), []),
    ],
)
def test_which_pictures_an_alarm_lacks(
    aspect: str, closed: bool, stored: dict[int, datetime], kept: tuple[tuple[int, str], ...], expected: list[str]
) -> None:
    alarm = PicturedAlarm(7, aspect, AT, AT + MINUTE if closed else None, (1,), stored, kept)
    assert [kind for _, kind in missing(alarm)] == expected


def test_an_alarm_over_a_village_keeps_pictures_of_a_few_cameras() -> None:
    alarm = PicturedAlarm(7, "media", AT, AT + MINUTE, tuple(range(1, 41)))
    assert [camera for camera, _ in missing(alarm)] == list(range(1, CAMERAS + 1))


class Album:
    """The sources of pictures, and the keeper over real tables and files."""

    def __init__(self, database: Database, bus: EventBus, clock: ManualClock, folder: Path) -> None:
        self.database, self.bus, self.clock = database, bus, clock
        self.recent, self.files = RecentPictures(), PictureFiles(folder / "alarm-pictures")
        self.reads = AlarmPictures(database, self.files)
        self.stored: dict[int, bytes] = {}
        self.most = 1_000_000
        self.keeper: AlarmPictureKeeper | None = None

    async def reference_of(self, camera_id: int, profile: str | None) -> SeenPicture | None:
        return SeenPicture(self.clock.now() - timedelta(days=1), f"reference by {profile}".encode(), {})

    async def read(self, camera_id: int) -> bytes | None:
        return self.stored.get(camera_id)

    @asynccontextmanager
    async def keeping(self) -> AsyncIterator[AlarmPictureKeeper]:
        sources = PictureSources(self.recent, self, self)
        async with AlarmPictureKeeper(self.database, self.files, self.bus, self.clock, sources, self.most) as keeper:
            self.keeper = keeper
            yield keeper

    async def open(self, aspect: str, cameras: list[int], level: str = "camera") -> int:
        now = self.clock.now()
        async with self.database.write() as session:
            alarm = Alarm(level=level, aspect=aspect, cause="moved", village_id=1, opened_at=now)
            session.add(alarm)
            await session.flush()
            session.add_all(AlarmMember(alarm_id=alarm.id, camera_id=one, joined_at=now) for one in cameras)
        return await self.told(alarm.id)

    async def close(self, alarm_id: int) -> None:
        async with self.database.write() as session:
            await session.execute(update(Alarm).where(Alarm.id == alarm_id).values(closed_at=self.clock.now()))
        await self.told(alarm_id)

    async def told(self, alarm_id: int) -> int:
        self.bus.publish(AlarmChanged(alarm_id, 1))
        await self.clock.advance(0)
        if self.keeper is not None:
            await self.keeper.keep()
        return alarm_id

    def sees(self, camera_id: int, what: str, *, good: bool) -> None:
        score = 97.0 if good else 12.0
        self.recent.put(camera_id, SeenPicture(self.clock.now(), what.encode(), {"moved": score}, "day"), good=good)

    async def kept(self, alarm_id: int) -> dict[str, bytes]:
        rows = await self.reads.of(ADMIN, alarm_id)
        return {row.kind: await self.reads.read(ADMIN, alarm_id, row.id) for row in rows}


@pytest.fixture
def album(database: Database, bus: EventBus, clock: ManualClock, tmp_path: Path) -> Album:
    return Album(database, bus, clock, tmp_path)


async def test_a_picture_alarm_keeps_the_deciding_pair_and_what_proved_the_repair(album: Album) -> None:
    (camera,) = await add_village(album.database, album.clock, "东村", 1)
    async with album.keeping() as keeper:
        album.sees(camera, "turned away", good=False)
        alarm = await album.open("picture", [camera])
        assert await album.kept(alarm) == {"reference": b"reference by day", "present": b"turned away"}
        row = next(one for one in await album.reads.of(ADMIN, alarm) if one.kind == "present")
        assert row.scores == {"moved": 12.0}
        assert keeper.has_trouble(camera)
        album.sees(camera, "worse still", good=False)
        await album.told(alarm)
        assert (await album.kept(alarm))["present"] == b"turned away", "the picture that decided stays"
        album.sees(camera, "as it was", good=True)
        await album.close(alarm)
        assert (await album.kept(alarm))["repair"] == b"as it was"
        assert not keeper.has_trouble(camera)
        assert album.recent.bad(camera) is None
    with pytest.raises(HubError, match="no such alarm"):
        await album.reads.of(STRANGER, alarm)


async def test_a_loss_keeps_the_last_good_picture_and_waits_for_the_repair(album: Album) -> None:
    first, second = await add_village(album.database, album.clock, "东村", 2)
    album.stored = {first: b"an hour ago"}
    async with album.database.write() as session:
        before = album.clock.now() - timedelta(hours=1)
        await session.execute(update(Camera).where(Camera.id == first).values(picture_at=before))
    async with album.keeping() as keeper:
        alarm = await album.open("media", [first, second], level="device")
        assert await album.kept(alarm) == {"last_good": b"an hour ago"}
        await album.close(alarm)
        assert keeper.has_trouble(second), "its next look brings the picture"
        for camera in (first, second):
            album.sees(camera, f"well again {camera}", good=True)
        await keeper.keep()
        rows = await album.reads.of(ADMIN, alarm)
        assert [(row.camera_id, row.kind) for row in rows] == [
            (first, "last_good"), (first, "repair"), (second, "repair"),
        ]  # fmt: skip
        assert not keeper.has_trouble(first)


async def test_pictures_that_never_come_are_given_up(album: Album) -> None:
    (camera,) = await add_village(album.database, album.clock, "东村", 1)
    async with album.keeping() as keeper:
        album.sees(camera, "before the alarm", good=True)
        await album.clock.advance(60)
        alarm = await album.open("media", [camera])
        await album.close(alarm)
        assert await album.kept(alarm) == {}, "a picture from before the alarm proves nothing"
        album.clock.move(16 * 60)
        await keeper.keep()
        assert keeper.given_up == 1
        assert not keeper.has_trouble(camera)


async def test_a_hub_that_was_away_keeps_what_it_can_at_its_start(album: Album) -> None:
    (camera,) = await add_village(album.database, album.clock, "东村", 1)
    alarm = await album.open("picture", [camera])
    album.sees(camera, "still turned away", good=False)
    async with album.keeping() as keeper:
        await keeper.keep()
        assert (await album.kept(alarm))["present"] == b"still turned away"
        assert keeper.has_trouble(camera)


async def test_pictures_are_bounded_and_go_with_their_alarms(album: Album, tmp_path: Path) -> None:
    (camera,) = await add_village(album.database, album.clock, "东村", 1)
    album.most = 250
    async with album.keeping() as keeper:
        alarms = []
        for number in range(4):
            album.sees(camera, f"{number}" * 84, good=False)
            alarms.append(await album.open("picture", [camera]))
            album.clock.move(10)
        await keeper.sweep()
        assert await album.kept(alarms[0]) == {}
        assert set(await album.kept(alarms[3])) == {"reference", "present"}
        async with album.database.write() as session:
            await session.execute(delete(AlarmMember))
            await session.execute(delete(Alarm))
        await keeper.sweep()
        async with album.database.read() as session:
            assert await session.scalar(select(func.count()).select_from(AlarmPicture)) == 0
        assert list((tmp_path / "alarm-pictures").iterdir()) == []
