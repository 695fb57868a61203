"""Pictures of the moment: when a camera of the stop that is on has been seen, the hub takes its picture by itself.

It comes from the feed that the wall shows anyway; no other one is opened. The queue is bounded, few wait at once, and
what could not be had is tried again as long as the stop is on. A result without a picture can be confirmed like any
other, and says why there is none.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Collection
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, Protocol, Self

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import EventBus, ResultChanged
from camera_hub.patrol.proof.pictures import RunPictures
from camera_hub.running import keep_running, running
from camera_hub.store.database import Database
from camera_hub.store.tables import Run, RunResult

log = logging.getLogger(__name__)

WAITING = 512
"""Pictures that wait, at most: 32 patrols of 16 cameras each."""
AT_ONCE = 8
"""Cameras whose key frame is waited for at once; the eyes decode fewer (media)."""
SECONDS = 4.0
"""For one try: as far as key frames lie apart at most cameras."""
AGAIN = 2.0
"""Seconds until the next try, while the stop is on."""
TRIES = 30
"""At most: a patrol may be paused for hours."""
WIDTH = 640
"""Pixels, at most, of the picture of a camera that is normal."""
FULL_WIDTH = 2560
"""Pixels, at most, of what is abnormal or found: what an eye can hand over of any picture."""
_HOPELESS = frozenset({Reason.CODEC_UNSUPPORTED, Reason.QUARANTINED})


class TakenPicture(Protocol):
    """A picture, and when its key frame came."""

    @property
    def at(self) -> datetime: ...
    @property
    def jpeg(self) -> bytes: ...


class Photographer(Protocol):
    """Who takes them (media.decoders.moment_pictures)."""

    async def take(
        self, camera_id: int, *, max_width: int, role: Literal["main", "sub"], seconds: float
    ) -> TakenPicture:
        """From a feed that runs, within so many seconds. Raises HubError: why there is none."""
        ...


@dataclass(frozen=True, slots=True)
class WantedPicture:
    """Of which camera at which stop. `tries` so far; `why`: what the last one failed of. Two are the same whatever they
    were."""

    run_id: int
    position: int
    camera_id: int
    tries: int = field(default=0, compare=False)
    why: str | None = field(default=None, compare=False)


class Moments:
    """An async context manager. `dropped` counts those for which there was no room in the queue, `given_up` those whose
    stop was over before they were taken."""

    def __init__(
        self, database: Database, bus: EventBus, clock: Clock, photographer: Photographer, pictures: RunPictures
    ) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._photographer = photographer
        self._pictures = pictures
        self._queue: deque[WantedPicture] = deque()
        self._later: set[WantedPicture] = set()
        self._ready = asyncio.Event()
        self._stack = AsyncExitStack()
        self.dropped = 0
        self.given_up = 0

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            for number in range(AT_ONCE):
                name = f"pictures of patrols {number}"
                await stack.enter_async_context(running(keep_running(name, self._work, clock=self._clock), name))
            again = keep_running("pictures of patrols again", self._try_again, clock=self._clock)
            await stack.enter_async_context(running(again, "pictures of patrols again"))
            await self._catch_up()
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def take(self, run_id: int, position: int, cameras: Collection[int]) -> None:
        """These cameras of the stop that is on have just been seen."""
        for camera_id in cameras:
            self._want(WantedPicture(run_id, position, camera_id))

    def _want(self, wanted: WantedPicture) -> None:
        if wanted in self._queue or wanted in self._later:
            return
        if len(self._queue) + len(self._later) >= WAITING:
            self.dropped += 1
            return
        self._queue.append(wanted)
        self._ready.set()

    async def _work(self) -> None:
        while True:
            while not self._queue:
                self._ready.clear()
                await self._ready.wait()
            wanted = self._queue.popleft()
            try:
                await self._take(wanted)
            except HubError as error:
                # The database, or the disk: no fault of the camera.
                self._put_off(wanted, error.reason)
                raise

    async def _take(self, wanted: WantedPicture) -> None:
        if wanted.tries >= TRIES or not await self._is_on(wanted):
            await self._give_up(wanted)
            return
        try:
            self._pictures.require_room("moment")
            picture = await self._photographer.take(wanted.camera_id, max_width=WIDTH, role="sub", seconds=SECONDS)
        except HubError as error:
            if error.reason in _HOPELESS or error.kind is Kind.STORAGE_FULL:
                await self._say_why(wanted, error.reason)
            else:
                self._put_off(wanted, error.reason)
            return
        await self._keep(wanted, picture)

    def _put_off(self, wanted: WantedPicture, why: str) -> None:
        self._later.add(replace(wanted, tries=wanted.tries + 1, why=why))

    async def _try_again(self) -> None:
        while True:
            await self._clock.sleep(AGAIN)
            later, self._later = self._later, set()
            self._queue.extend(later)
            if later:
                self._ready.set()

    async def _is_on(self, wanted: WantedPicture) -> bool:
        """Whether the stop is on still."""
        query = select(Run.id).where(
            Run.id == wanted.run_id, Run.position == wanted.position, Run.state.in_(("running", "paused"))
        )
        async with self._database.read() as session:
            return await session.scalar(query) is not None

    async def _keep(self, wanted: WantedPicture, picture: TakenPicture) -> None:
        """Keep it, unless the patrol has ended meanwhile or the camera was confirmed with another one."""
        async with self._pictures.writing() as session:
            row = await _open_result(session, wanted)
            if row is None or (row.result != "open" and row.picture is not None):
                return
            kept = await self._pictures.add(session, wanted.run_id, "moment", picture.jpeg, picture.at)
            before, row.picture = row.picture, kept.id
            row.picture_at, row.sha256, row.picture_why = kept.at, kept.sha256, None
            await self._pictures.forget(session, wanted.run_id, before)
        self._bus.publish(ResultChanged(wanted.run_id))

    async def _give_up(self, wanted: WantedPicture) -> None:
        self.given_up += 1
        await self._say_why(wanted, wanted.why or Reason.PICTURE_NOT_IN_TIME)

    async def _say_why(self, wanted: WantedPicture, why: str) -> None:
        async with self._database.write() as session:
            row = await _open_result(session, wanted)
            if row is None or row.picture is not None:
                return
            row.picture_why = why
        self._bus.publish(ResultChanged(wanted.run_id))

    async def _catch_up(self) -> None:
        """Cameras that had been seen, and whose picture was not taken yet when the hub went down."""
        query = select(RunResult.run_id, RunResult.position, RunResult.camera_id).join(Run, Run.id == RunResult.run_id)
        query = query.where(
            Run.state.in_(("running", "paused")),
            RunResult.position == Run.position,
            RunResult.seen_at.is_not(None),
            RunResult.picture.is_(None),
        )
        async with self._database.read() as session:
            for run_id, position, camera_id in await session.execute(query):
                self._want(WantedPicture(run_id, position, camera_id))


async def _open_result(session: AsyncSession, wanted: WantedPicture) -> RunResult | None:
    """The result, locked, while its patrol has not ended: then nothing of it changes any more."""
    state = await session.scalar(select(Run.state).where(Run.id == wanted.run_id).with_for_update())
    if state is None or state == "ended":
        return None
    query = select(RunResult).where(
        RunResult.run_id == wanted.run_id,
        RunResult.position == wanted.position,
        RunResult.camera_id == wanted.camera_id,
    )
    return await session.scalar(query.with_for_update())
