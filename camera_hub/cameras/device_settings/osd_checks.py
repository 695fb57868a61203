"""The check of the texts in pictures: each device is read once a night; whoever reads or sets one meanwhile updates it.

What was read is what the page of device settings shows; what is wrong is worked out of it anew, with the camera's name
of now. What is certain is told to health as `AspectFound`.
"""

import asyncio
import random
from collections.abc import Callable, Collection, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select

from camera_hub.access.actors import in_scope
from camera_hub.access.policy import Actor
from camera_hub.cameras.device_settings.clock_checks import ClockLimits
from camera_hub.cameras.device_settings.osd_compliance import OsdCompliance, ShownClock, compliance, told
from camera_hub.cameras.device_settings.previews import spread
from camera_hub.cameras.device_settings.reading import SettingsReadings
from camera_hub.cameras.device_settings.store import SettingsStore, camera_settings, clock_state
from camera_hub.cameras.device_settings.timetable import last_due, next_due, time_of_day
from camera_hub.cameras.device_settings.values import CameraSettings, Part
from camera_hub.clock import Clock
from camera_hub.errors import DATABASE_REASONS, HubError, Kind, Reason
from camera_hub.events import AspectFound, DeviceSettingsChanged, EventBus, Lagged
from camera_hub.running import keep_running, running
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, CameraSettingsRow, ClockCheckRow, Device, DeviceSettingsRow, Village

JITTER_SECONDS = 300.0
LONGEST_REST = 900.0
_PARTS: tuple[Part, ...] = ("osd_name", "osd_time")


@dataclass(frozen=True, slots=True)
class CheckedOsd:
    """A camera in service, and what is known of the texts in its picture. `problem`: why it is not known."""

    camera_id: int
    village_id: int
    device_id: int
    camera_name: str
    device_name: str
    read_at: datetime | None
    found: OsdCompliance
    clock: ShownClock
    problem: str | None = None


class OsdStore:
    """Reads what is known; out of an actor's scope nothing is found."""

    def __init__(self, database: Database, zone: ZoneInfo, clock: Clock, limits: ClockLimits) -> None:
        self._database = database
        self._zone = zone
        self._clock = clock
        self._limit_s = limits.fail_s

    async def listed(self, actor: Actor, village_id: int | None = None) -> list[CheckedOsd]:
        """All cameras in service in the actor's scope, those with faults first. Raises HubError(NOT_FOUND)."""
        if village_id is not None and not actor.sees(village_id):
            raise HubError(Kind.NOT_FOUND, "there is no such village")
        where = [Camera.village_id == village_id] if village_id is not None else []
        found = await self._found([*where, in_scope(actor, Camera.village_id)])
        order = {"fault": 0, "ok": 1, "unknown": 2}
        return sorted(found, key=lambda one: (order[one.found.state], one.village_id, one.camera_id))

    async def of_device(self, device_id: int) -> list[CheckedOsd]:
        """The cameras of a device, in the order of their ids."""
        return await self._found([Camera.device_id == device_id])

    async def read_since(self, since: datetime, now: datetime) -> set[int]:
        """The devices that were read between these times."""
        query = select(DeviceSettingsRow.device_id).where(DeviceSettingsRow.read_at.between(since, now))
        async with self._database.read() as session:
            return set(await session.scalars(query))

    def told(self, one: CheckedOsd) -> AspectFound | None:
        """What health is told of it, None where it is not known."""
        if one.found.state == "unknown":
            return None
        params = {"shown": one.found.name, "name": one.camera_name}
        return AspectFound(one.camera_id, "osd", told(one.found, one.clock, self._limit_s), "", params)

    async def _found(self, where: Collection[ColumnElement[bool]]) -> list[CheckedOsd]:
        query = (
            select(Camera, Device, Village.name, CameraSettingsRow, DeviceSettingsRow, ClockCheckRow.offset_s)
            .join(Device, Device.id == Camera.device_id)
            .join(Village, Village.id == Camera.village_id)
            .outerjoin(CameraSettingsRow, CameraSettingsRow.camera_id == Camera.id)
            .outerjoin(DeviceSettingsRow, DeviceSettingsRow.device_id == Device.id)
            .outerjoin(ClockCheckRow, ClockCheckRow.device_id == Device.id)
            .where(Camera.state == "approved", Device.retired_at.is_(None), *where)
            .order_by(Camera.id)
        )
        async with self._database.read() as session:
            rows = (await session.execute(query)).all()
        return [self._checked(*row) for row in rows]

    def _checked(
        self,
        camera: Camera,
        device: Device,
        village: str,
        row: CameraSettingsRow | None,
        of_device: DeviceSettingsRow | None,
        off_s: float | None,
    ) -> CheckedOsd:
        settings = camera_settings(row)
        clock = ShownClock(off_s, self._zone_off(of_device))
        found, problem = OsdCompliance("unknown"), None
        if settings is None or not _readable(settings):
            problem = _problem(of_device, camera.id) or (None if row is None else Reason.SETTING_UNSUPPORTED.value)
        else:
            found = compliance(settings.osd, camera.name, village, clock, self._limit_s)
        return CheckedOsd(
            camera.id,
            camera.village_id,
            camera.device_id,
            camera.name,
            device.name,
            row.read_at if row is not None else None,
            found,
            clock,
            problem,
        )

    def _zone_off(self, row: DeviceSettingsRow | None) -> float | None:
        state = clock_state(row.clock) if row is not None else None
        if state is None or state.zone_offset_s is None:
            return None
        due = self._zone.utcoffset(self._clock.now().astimezone(self._zone).replace(tzinfo=None))
        return state.zone_offset_s - due.total_seconds() if due is not None else None


class OsdChecks:
    """An async context manager; it checks while it is entered. `at`: the site's time of day, "03:30"."""

    def __init__(
        self,
        settings: SettingsStore,
        store: OsdStore,
        readings: SettingsReadings,
        bus: EventBus,
        clock: Clock,
        night: "OsdNight",
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._settings = settings
        self._store = store
        self._readings = readings
        self._bus = bus
        self._clock = clock
        self._at = time_of_day(night.at)
        self._zone = night.zone
        self._at_once = night.at_once
        self._draw = draw
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        subscription = self._stack.enter_context(self._bus.subscribe(DeviceSettingsChanged, Lagged))

        async def follow() -> None:
            while True:
                changed = {
                    one.device_id for one in await subscription.batch() if isinstance(one, DeviceSettingsChanged)
                }
                for device_id in changed:
                    await self.tell(device_id)

        for name, work in (("texts in pictures", follow), ("nightly readings of texts", self._night)):
            loop = keep_running(name, work, clock=self._clock, rest=self._clock.sleep)
            await self._stack.enter_async_context(running(loop, name))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def tell(self, device_id: int) -> None:
        """Tell health what is known of the device's cameras."""
        for one in await self._store.of_device(device_id):
            if (event := self._store.told(one)) is not None:
                self._bus.publish(event)

    async def read_due(self) -> int:
        """Read every device that was not read since the last planned time; how many these were. Raises HubError where
        the database fails."""
        now = self._clock.now()
        read = await self._store.read_since(last_due(now, self._at, self._zone), now)
        devices = await self._settings.all()
        due = spread(
            [one for one in devices if one.device_id not in read and one.cameras and self._readings.has_way(one)]
        )
        waiting = iter(due)
        failed: list[HubError] = []

        async def worker() -> None:
            for device in waiting:
                try:
                    await self._readings.read(device, _PARTS)
                except HubError as error:
                    if error.reason in DATABASE_REASONS:
                        failed.append(error)
                if failed:
                    return

        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._at_once, len(due))):
                group.create_task(worker())
        if failed:
            raise failed[0]
        return len(due)

    async def _night(self) -> None:
        await self._clock.sleep(JITTER_SECONDS * self._draw())
        await self.read_due()
        due = next_due(self._clock.now(), self._at, self._zone)
        while (left := (due - self._clock.now()).total_seconds()) > 0:
            await self._clock.sleep(min(left, LONGEST_REST))


@dataclass(frozen=True, slots=True)
class OsdNight:
    """`at`: the site's time of day."""

    at: str
    zone: ZoneInfo
    at_once: int


def _readable(settings: CameraSettings) -> bool:
    return not {"osd_name", "osd_time"}.isdisjoint(settings.can) or bool(settings.osd)


def _problem(row: DeviceSettingsRow | None, camera_id: int) -> str | None:
    problems: Iterable[dict[str, Any]] = row.problems if row is not None else ()
    return next(
        (
            str(one.get("reason"))
            for one in problems
            if one.get("part") in ("osd_name", "osd_time") and one.get("camera_id") in (camera_id, None)
        ),
        None,
    )
