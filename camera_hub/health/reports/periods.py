"""When each camera was in use, and when the hub observed: recorded while it happens.

So a report of last month does not change when a camera is retired or a device replaced today.

A camera's own row only knows the last approval and the last retirement. What a stopped hub missed is made up for when
it starts again; nothing but the hub changes those rows.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.clock import Clock
from camera_hub.events import CameraChanged, DeviceChanged, EventBus, Lagged, Subscription
from camera_hub.running import Backoff, keep_running, running
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Device, ObservingPeriod, ServicePeriod

BEAT_SECONDS = 30.0
"""How often the observing period is moved on: what a killed hub loses of it at most."""
SLACK_SECONDS = 60.0
"""How much wall clock and monotonic clock may differ between two beats: more is a machine that slept, or a clock that
was set."""


@dataclass(frozen=True, slots=True)
class CameraUse:
    """A camera as it is now. `approved_at`, `retired_at`: when it was last."""

    camera_id: int
    village_id: int
    device_id: int
    in_use: bool
    approved_at: datetime | None
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class KnownPeriod:
    """The last service period of a camera; `until` None: it goes on."""

    id: int
    village_id: int
    device_id: int
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class PeriodChange:
    """Close the period `closes` at `at` (if there is one), and open one from `opens` on (if there is a time)."""

    use: CameraUse
    closes: int | None
    at: datetime
    opens: datetime | None


def period_changes(
    uses: Iterable[CameraUse], known: Mapping[int, KnownPeriod], now: datetime
) -> Sequence[PeriodChange]:
    """What has to be written so that the periods say what the cameras' rows do. Pure.

    A period begins with the approval and ends with the retirement where the row tells that time and it fits, else now.
    """
    found: list[PeriodChange] = []
    for use in uses:
        last = known.get(use.camera_id)
        lasts = last is not None and last.until is None
        if lasts and last is not None:
            same = (last.village_id, last.device_id) == (use.village_id, use.device_id)
            if use.in_use and same:
                continue
            ended = use.retired_at if not use.in_use and use.retired_at is not None else now
            at = max(last.since, min(ended, now))
            found.append(PeriodChange(use, last.id, at, at if use.in_use else None))
        elif use.in_use:
            begun = min(use.approved_at or now, now)
            found.append(PeriodChange(use, None, now, begun if last is None else max(begun, last.until or now)))
    return found


def carries_on(until: datetime, now: datetime, elapsed: float) -> bool:
    """Whether the hub observed from `until` to `now`: the wall clock moved as far as the monotonic one. Pure."""
    return abs((now - until).total_seconds() - elapsed) <= SLACK_SECONDS


class PeriodRecorder:
    """An async context manager: while entered, it records. Entering makes up for what was missed."""

    def __init__(self, database: Database, bus: EventBus, clock: Clock) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._period: int | None = None
        self._until = clock.now()
        self._beaten = clock.monotonic()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            events = stack.enter_context(self._bus.subscribe(CameraChanged, DeviceChanged, limit=4096))
            await self.reconcile()
            await self.beat()
            work = keep_running("service periods", lambda: self._follow(events), clock=self._clock)
            await stack.enter_async_context(running(work, "service periods"))
            beats = keep_running("observing period", self._beat, clock=self._clock, backoff=Backoff(cap=10.0))
            await stack.enter_async_context(running(beats, "observing period"))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()
        await self.beat()

    async def reconcile(self, cameras: Collection[int] | None = None, devices: Collection[int] = ()) -> None:
        """Compare the periods of these cameras, and of all of these devices, with their rows (None: of all)."""
        async with self._database.read() as session:
            changes = await self._changes(session, cameras, devices)
        if not changes:
            return
        async with self._database.write() as session:
            for change in await self._changes(session, cameras, devices):
                if change.closes is not None:
                    (await session.get_one(ServicePeriod, change.closes)).until = change.at
                if change.opens is not None:
                    use = change.use
                    session.add(
                        ServicePeriod(
                            camera_id=use.camera_id,
                            village_id=use.village_id,
                            device_id=use.device_id,
                            since=change.opens,
                        )
                    )

    async def beat(self) -> None:
        """Say that the hub has observed until now."""
        now, monotonic = self._clock.now(), self._clock.monotonic()
        goes_on = self._period is not None and carries_on(self._until, now, monotonic - self._beaten)
        async with self._database.write() as session:
            row = await session.get(ObservingPeriod, self._period) if goes_on else None
            if row is None:
                row = ObservingPeriod(since=now, until=now)
                session.add(row)
            row.until = max(row.until, now)
            await session.flush()
            period = row.id
        self._period, self._until, self._beaten = period, now, monotonic

    async def _beat(self) -> None:
        while True:
            await self._clock.sleep(BEAT_SECONDS)
            await self.beat()

    async def _follow(self, events: Subscription) -> None:
        await self.reconcile()
        while True:
            batch = await events.batch()
            if any(isinstance(one, Lagged) for one in batch):
                await self.reconcile()
                continue
            cameras = {one.camera_id for one in batch if isinstance(one, CameraChanged)}
            devices = {one.device_id for one in batch if isinstance(one, DeviceChanged)}
            await self.reconcile(cameras, devices)
            await asyncio.sleep(0)

    async def _changes(
        self, session: AsyncSession, cameras: Collection[int] | None, devices: Collection[int]
    ) -> Sequence[PeriodChange]:
        query = select(Camera, Device.retired_at).join(Device, Device.id == Camera.device_id)
        camera_of = ServicePeriod.camera_id
        latest = select(camera_of, func.max(ServicePeriod.id).label("id")).group_by(ServicePeriod.camera_id)
        if cameras is not None:
            chosen = or_(Camera.id.in_(cameras), Camera.device_id.in_(devices))
            query = query.where(chosen)
            latest = latest.where(camera_of.in_(select(Camera.id).where(chosen)))
        uses = [
            CameraUse(
                camera.id,
                camera.village_id,
                camera.device_id,
                camera.state == "approved" and device_retired is None,
                camera.approved_at,
                camera.retired_at or device_retired,
            )
            for camera, device_retired in await session.execute(query)
        ]
        newest = latest.subquery()
        rows = await session.scalars(select(ServicePeriod).join(newest, newest.c.id == ServicePeriod.id))
        known = {
            row.camera_id: KnownPeriod(row.id, row.village_id, row.device_id, row.since, row.until) for row in rows
        }
        return period_changes(uses, known, self._clock.now())
