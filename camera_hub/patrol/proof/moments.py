"""Pictures of the moment: when a camera of the stop that is on has been seen, the hub takes its picture by itself.

It comes from the feed that the wall shows anyway; no other one is opened. The queue is bounded, few wait at once, and
what could not be had is tried again as long as the stop is on. A result without a picture can be confirmed like any
other, and says why there is none. The pictures of one stop that wait together are kept in one transaction.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, Protocol, Self

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import EventBus, ResultChanged
from camera_hub.patrol.proof.pictures import RunPictures, StagedPicture
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
        self._slots = asyncio.Semaphore(AT_ONCE)
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
            wanted = self._next()
            try:
                await self._take(wanted)
            except Exception as error:
                # The database, or the disk: no fault of the cameras.
                for one in wanted:
                    self._put_off(one, error.reason if isinstance(error, HubError) else None)
                raise

    def _next(self) -> list[WantedPicture]:
        """All that wait for the stop whose turn it is."""
        first = self._queue[0]
        found = [one for one in self._queue if (one.run_id, one.position) == (first.run_id, first.position)]
        for one in found:
            self._queue.remove(one)
        return found

    async def _take(self, wanted: Sequence[WantedPicture]) -> None:
        """Take the pictures of one stop, and keep them together."""
        run_id, position = wanted[0].run_id, wanted[0].position
        is_on = await self._is_on(run_id, position)
        left = [one for one in wanted if is_on and one.tries < TRIES]
        lacking = {one.camera_id: one.why or Reason.PICTURE_NOT_IN_TIME for one in wanted if one not in left}
        self.given_up += len(lacking)
        staged = dict[int, StagedPicture]()
        try:
            async with asyncio.TaskGroup() as tasks:
                asked = [
                    tasks.create_task(self._photograph(one, staged), name=f"picture of camera {one.camera_id}")
                    for one in left
                ]
            for one, task in zip(left, asked, strict=True):
                why = task.result()
                if isinstance(why, HubError) and (why.reason in _HOPELESS or why.kind is Kind.STORAGE_FULL):
                    lacking[one.camera_id] = why.reason
                elif one.camera_id not in staged:
                    self._put_off(one, None if why is None else why.reason)
            if staged or lacking:
                await self._keep(run_id, position, staged, lacking)
        finally:
            await self._pictures.unstage(staged.values())

    async def _photograph(self, wanted: WantedPicture, staged: dict[int, StagedPicture]) -> HubError | None:
        """Add the picture, on the disk, to what is staged; else why there is none. What nobody has foreseen is logged,
        and costs none of the other pictures of the screen."""
        try:
            self._pictures.require_room("moment")
            async with self._slots:
                picture = await self._photographer.take(wanted.camera_id, max_width=WIDTH, role="sub", seconds=SECONDS)
            staged[wanted.camera_id] = await self._pictures.stage("moment", picture.jpeg, picture.at)
        except HubError as error:
            return error
        except Exception:
            log.exception("the picture of camera %d failed unexpectedly", wanted.camera_id)
        return None

    def _put_off(self, wanted: WantedPicture, why: str | None) -> None:
        self._later.add(replace(wanted, tries=wanted.tries + 1, why=why or wanted.why))

    async def _try_again(self) -> None:
        while True:
            await self._clock.sleep(AGAIN)
            later, self._later = self._later, set()
            self._queue.extend(later)
            if later:
                self._ready.set()

    async def _is_on(self, run_id: int, position: int) -> bool:
        """Whether the stop is on still."""
        query = select(Run.id).where(Run.id == run_id, Run.position == position, Run.state.in_(("running", "paused")))
        async with self._database.read() as session:
            return await session.scalar(query) is not None

    async def _keep(
        self, run_id: int, position: int, staged: Mapping[int, StagedPicture], lacking: Mapping[int, str]
    ) -> None:
        """Keep the pictures of these cameras, and why others have none, unless the patrol has ended meanwhile or the
        camera was confirmed with another picture."""
        async with self._pictures.writing() as session:
            rows = await _open_results(session, run_id, position, {*staged, *lacking})
            wanted = [row for row in rows if row.camera_id in staged and (row.result == "open" or row.picture is None)]
            kept = await self._pictures.add_staged(session, run_id, [staged[row.camera_id] for row in wanted])
            for row, picture in zip(wanted, kept, strict=True):
                before, row.picture = row.picture, picture.id
                row.picture_at, row.sha256, row.picture_why = picture.at, picture.sha256, None
                await self._pictures.forget(session, run_id, before)
            unhad = [row for row in rows if row.camera_id in lacking and row.picture is None]
            for row in unhad:
                row.picture_why = lacking[row.camera_id]
        if wanted or unhad:
            self._bus.publish(ResultChanged(run_id))

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


async def _open_results(
    session: AsyncSession, run_id: int, position: int, cameras: Collection[int]
) -> Sequence[RunResult]:
    """The results of these cameras at that stop, locked, while their patrol has not ended: then nothing of them changes
    any more."""
    state = await session.scalar(select(Run.state).where(Run.id == run_id).with_for_update())
    if state is None or state == "ended":
        return ()
    query = select(RunResult).where(
        RunResult.run_id == run_id, RunResult.position == position, RunResult.camera_id.in_(cameras)
    )
    return (await session.scalars(query.order_by(RunResult.id).with_for_update())).all()
