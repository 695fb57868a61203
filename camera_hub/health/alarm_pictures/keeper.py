"""Follows the alarms, and keeps their pictures: when one opens, what was seen; when it closes, what proved the repair.

It learns of alarms by their events, and at the start from their rows; what no look has brought yet is waited for. An
alarm over many cameras keeps pictures of a few of them.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol, Self

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.clock import Clock
from camera_hub.errors import HubError
from camera_hub.events import AlarmChanged, EventBus
from camera_hub.health.alarm_pictures.recent import RecentPictures, SeenPicture
from camera_hub.running import keep_running, running
from camera_hub.store.database import Database
from camera_hub.store.picture_files import PictureFiles
from camera_hub.store.tables import Alarm, AlarmMember, AlarmPicture, Camera

log = logging.getLogger(__name__)

Kept = Literal["reference", "present", "repair", "last_good"]

CAMERAS = 8
"""Of an alarm, at most, of which pictures are kept."""
KEEP_EVERY = 2.0
WAIT = timedelta(minutes=15)
"""For a picture that no look has brought yet."""
SWEEP_EVERY = 3600.0
_BATCH = 100
_OF_PICTURES = ("media", "picture")


class ReferencePictures(Protocol):
    """What is needed of health.references."""

    async def reference_of(self, camera_id: int, profile: str | None) -> SeenPicture | None:
        """The reference picture that pictures of this profile are compared with."""
        ...


class StoredPictures(Protocol):
    """What is needed of media: the last good picture of each camera (decoders.pictures)."""

    async def read(self, camera_id: int) -> bytes | None: ...


@dataclass(frozen=True, slots=True)
class PicturedAlarm:
    """An alarm as far as its pictures are concerned. `stored_at`: when the stored picture of a camera was taken;
    `kept`: what it has, by camera."""

    id: int
    aspect: str
    opened_at: datetime
    closed_at: datetime | None
    cameras: tuple[int, ...]
    stored_at: Mapping[int, datetime] = field(default_factory=dict)
    kept: Collection[tuple[int, str]] = ()


def missing(alarm: PicturedAlarm) -> list[tuple[int, Kept]]:
    """The pictures that the alarm should have and has not, by camera. Pure."""
    wanted: list[tuple[int, Kept]] = []
    for camera_id in alarm.cameras[:CAMERAS]:
        if alarm.aspect == "picture":
            wanted += [(camera_id, "reference"), (camera_id, "present")]
        elif camera_id in alarm.stored_at and alarm.stored_at[camera_id] <= alarm.opened_at:
            wanted.append((camera_id, "last_good"))
        if alarm.closed_at is not None:
            wanted.append((camera_id, "repair"))
    return [one for one in wanted if one not in alarm.kept]


@dataclass(frozen=True, slots=True)
class PictureSources:
    """Where the pictures of alarms come from."""

    recent: RecentPictures
    references: ReferencePictures
    stored: StoredPictures


class AlarmPictureKeeper:
    """An async context manager. `given_up` counts pictures that never came."""

    def __init__(
        self,
        database: Database,
        files: PictureFiles,
        bus: EventBus,
        clock: Clock,
        sources: PictureSources,
        most_bytes: int,
    ) -> None:
        self._database = database
        self._files = files
        self._bus = bus
        self._clock = clock
        self._sources = sources
        self._most_bytes = most_bytes
        self._pending: dict[int, datetime] = {}  # alarm id → until when its pictures are waited for
        self._troubled: dict[int, frozenset[int]] = {}  # alarm id → its cameras, until its pictures are complete
        self._files_in_use = asyncio.Lock()
        self._stack = AsyncExitStack()
        self._failure = ""
        self.given_up = 0

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            subscription = stack.enter_context(self._bus.subscribe(AlarmChanged, limit=4096))
            await self._catch_up()
            await self.sweep()

            async def follow() -> None:
                async for event in subscription:
                    if isinstance(event, AlarmChanged):
                        self._expect([event.alarm_id])
                    else:
                        await self._catch_up()

            for name, work in (
                ("alarms with pictures", follow),
                ("keeping pictures of alarms", self._keep_again),
                ("sweeping pictures of alarms", self._sweep_again),
            ):
                await stack.enter_async_context(running(keep_running(name, work, clock=self._clock), name))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def has_trouble(self, camera_id: int) -> bool:
        """Whether every look at the camera should bring a picture: one of them may prove its repair."""
        return any(camera_id in cameras for cameras in self._troubled.values())

    async def keep(self) -> None:
        """Keep what there is for the alarms that wait for pictures."""
        async with self._files_in_use:
            waiting = list(self._pending)
            for start in range(0, len(waiting), _BATCH):
                ids = waiting[start : start + _BATCH]
                async with self._database.read() as session:
                    alarms = await _facts(session, ids)
                for gone in set(ids) - {alarm.id for alarm in alarms}:
                    self._forget(gone)
                for alarm in alarms:
                    await self._keep_for(alarm)

    async def sweep(self) -> int:
        """Delete the oldest pictures beyond the bound, and files whose rows are gone with their alarms. Returns the
        number of files deleted."""
        async with self._database.write() as session:
            over = (await session.scalar(select(func.sum(AlarmPicture.size))) or 0) - self._most_bytes
            if over > 0:
                for row in await session.scalars(select(AlarmPicture).order_by(AlarmPicture.kept_at, AlarmPicture.id)):
                    if over <= 0:
                        break
                    over -= row.size
                    await session.delete(row)
                log.warning("the oldest pictures of alarms are deleted: pictures.alarm_mb is reached")
        async with self._files_in_use:
            if not await self._files.any():
                return 0
            async with self._database.read() as session:
                known = set(await session.scalars(select(AlarmPicture.id)))
            return await self._files.sweep(known)

    def _expect(self, alarm_ids: Sequence[int]) -> None:
        until = self._clock.now() + WAIT
        self._pending.update(dict.fromkeys(alarm_ids, until))

    async def _catch_up(self) -> None:
        """Alarms that are open, or were closed just now: by a hub that was not there to keep their pictures."""
        lately = self._clock.now() - WAIT
        query = select(Alarm.id).where(Alarm.aspect.in_(_OF_PICTURES))
        async with self._database.read() as session:
            found = await session.scalars(query.where(Alarm.closed_at.is_(None) | (Alarm.closed_at >= lately)))
        self._expect(list(found))

    async def _keep_for(self, alarm: PicturedAlarm) -> None:
        if alarm.aspect not in _OF_PICTURES:
            self._forget(alarm.id)
            return
        self._troubled[alarm.id] = frozenset(alarm.cameras)
        left = missing(alarm)
        for camera_id, kind in list(left):
            picture = await self._picture(alarm, camera_id, kind)
            if picture is not None and await self._add(alarm.id, camera_id, kind, picture):
                left.remove((camera_id, kind))
        closed = alarm.closed_at is not None
        if self._clock.now() >= self._pending.get(alarm.id, self._clock.now()):
            self.given_up += len(left)
            left = []
        if closed and not left:
            self._forget(alarm.id)
        elif not left:
            self._pending.pop(alarm.id, None)  # until it changes

    async def _picture(self, alarm: PicturedAlarm, camera_id: int, kind: Kept) -> SeenPicture | None:
        sources = self._sources
        match kind:
            case "present":
                return sources.recent.bad(camera_id)
            case "reference":
                seen = sources.recent.bad(camera_id)
                return await sources.references.reference_of(camera_id, seen.profile if seen is not None else None)
            case "repair":
                fresh = sources.recent.good(camera_id)
                return fresh if fresh is not None and fresh.at >= alarm.opened_at else None
            case "last_good":
                jpeg = await sources.stored.read(camera_id)
                return SeenPicture(alarm.stored_at[camera_id], jpeg, {}) if jpeg is not None else None

    async def _add(self, alarm_id: int, camera_id: int, kind: Kept, picture: SeenPicture) -> bool:
        """Whether it is kept, or nobody needs it any more; a full disk is tried again."""
        try:
            async with self._database.write() as session:
                if await session.get(Alarm, alarm_id) is None or await session.get(Camera, camera_id) is None:
                    return True
                row = AlarmPicture(alarm_id=alarm_id, camera_id=camera_id, kind=kind, at=picture.at)
                row.kept_at, row.scores, row.size = self._clock.now(), dict(picture.scores), len(picture.jpeg)
                session.add(row)
                await session.flush()
                await self._files.write(row.id, picture.jpeg)  # before the commit: a row always has its file
        except HubError as error:
            if str(error) != self._failure:
                log.error("pictures of alarms cannot be kept now: %s", error)
            self._failure = str(error)
            return False
        self._failure = ""
        return True

    def _forget(self, alarm_id: int) -> None:
        self._pending.pop(alarm_id, None)
        cameras = self._troubled.pop(alarm_id, frozenset())
        for camera_id in cameras:
            if not self.has_trouble(camera_id):
                self._sources.recent.forget(camera_id)

    async def _keep_again(self) -> None:
        while True:
            await self._clock.sleep(KEEP_EVERY)
            await self.keep()

    async def _sweep_again(self) -> None:
        while True:
            await self._clock.sleep(SWEEP_EVERY)
            await self.sweep()


async def _facts(session: AsyncSession, ids: Sequence[int]) -> list[PicturedAlarm]:
    """Four queries, however many alarms."""
    alarms = list(await session.scalars(select(Alarm).where(Alarm.id.in_(ids))))
    members: dict[int, list[int]] = {alarm.id: [] for alarm in alarms}
    of = select(AlarmMember.alarm_id, AlarmMember.camera_id).where(AlarmMember.alarm_id.in_(ids))
    for alarm_id, camera_id in await session.execute(of.order_by(AlarmMember.joined_at, AlarmMember.camera_id)):
        if alarm_id in members and camera_id not in members[alarm_id]:
            members[alarm_id].append(camera_id)
    cameras = {camera_id for ids_ in members.values() for camera_id in ids_[:CAMERAS]}
    stored = select(Camera.id, Camera.picture_at).where(Camera.id.in_(cameras), Camera.picture_at.is_not(None))
    stored_at = {camera_id: at for camera_id, at in await session.execute(stored) if at is not None}
    kept: dict[int, set[tuple[int, str]]] = {alarm.id: set() for alarm in alarms}
    rows = select(AlarmPicture.alarm_id, AlarmPicture.camera_id, AlarmPicture.kind)
    for alarm_id, camera_id, kind in await session.execute(rows.where(AlarmPicture.alarm_id.in_(ids))):
        if alarm_id in kept:
            kept[alarm_id].add((camera_id, kind))
    return [
        PicturedAlarm(
            alarm.id,
            alarm.aspect,
            alarm.opened_at,
            alarm.closed_at,
            tuple(members[alarm.id]),
            stored_at,
            kept[alarm.id],
        )
        for alarm in alarms
    ]
