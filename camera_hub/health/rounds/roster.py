"""Which cameras are observed: every approved camera and its device, kept in step with the database."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.cameras.addresses import NO_HOST
from camera_hub.health.judging.track import AspectTrack
from camera_hub.health.judging.verdict import UNKNOWN, Aspect, Verdict
from camera_hub.health.rounds.camera_watch import CameraWatch, DeviceWatch, Intervals, Stored, phase
from camera_hub.store.tables import Alarm, AlarmMember, Camera, CameraState, ClockCheckRow, Device, Observation, Village

CHUNK = 500
"""Cameras of one query."""

NORMAL = "normal"
"""The plan of a village whose link is not metered."""

KEY = "key"
"""Importance of a camera whose faults weigh more (store.tables.Camera.importance)."""


@dataclass(frozen=True, slots=True)
class KnownCamera:
    """What the database holds of a camera that is new to the roster: its states, which of its aspects flap, and when
    it was looked at last."""

    states: Mapping[str, Stored] = field(default_factory=dict)
    flapping: Collection[Aspect] = ()
    looked_at: datetime | None = None


@dataclass(slots=True)
class Roster:
    """The watches by id."""

    plans: Mapping[str, Intervals]  # by village's plan
    cameras: dict[int, CameraWatch] = field(default_factory=dict)
    devices: dict[int, DeviceWatch] = field(default_factory=dict)
    villages: dict[int, str] = field(default_factory=dict)  # their plans

    @property
    def intervals(self) -> Intervals:
        """Those of a village without a plan of its own."""
        return self.plans[NORMAL]

    async def read_plans(self, session: AsyncSession) -> None:
        """Read again which village has which plan."""
        self.villages = dict((await session.execute(select(Village.id, Village.round_plan))).all())
        for watch in self.cameras.values():
            watch.intervals = self._intervals_of(watch.village_id)

    def _intervals_of(self, village_id: int) -> Intervals:
        return self.plans.get(self.villages.get(village_id, NORMAL), self.intervals)

    async def load(self, session: AsyncSession, now: float) -> set[int]:
        """Read everything at the start: verdicts continue as they were, first looks are spread over one round.

        Answers the cameras that have states though they are observed no longer.
        """
        await self.read_plans(session)
        await self._read(session, now, None, (), first=True)
        known = await session.scalars(select(CameraState.camera_id).where(CameraState.until.is_(None)).distinct())
        return set(known) - self.cameras.keys()

    async def refresh(
        self, session: AsyncSession, now: float, cameras: Collection[int] | None, devices: Collection[int] = ()
    ) -> set[int]:
        """Read the given cameras, and all of the given devices, again (everything when `cameras` is None).

        A camera new to the roster is due at once. Answers those that were in it and are approved no longer.
        """
        before = set(self.cameras)
        await self._read(session, now, cameras, devices, first=False)
        return before - self.cameras.keys()

    def of_device(self, device_id: int) -> list[CameraWatch]:
        """The approved cameras of a device."""
        return [watch for watch in self.cameras.values() if watch.device_id == device_id]

    async def _read(
        self,
        session: AsyncSession,
        now: float,
        cameras: Collection[int] | None,
        devices: Collection[int],
        *,
        first: bool,
    ) -> None:
        query = (
            select(Camera, Device)
            .join(Device, Device.id == Camera.device_id)
            .where(Camera.state == "approved", Device.retired_at.is_(None), Device.host != NO_HOST)
        )
        if cameras is not None:
            query = query.where(or_(Camera.id.in_(cameras), Camera.device_id.in_(devices)))
        rows = (await session.execute(query)).all()
        present = {camera.id for camera, _ in rows}
        for watch in list(self.cameras.values()):
            asked = cameras is None or watch.camera_id in cameras or watch.device_id in devices
            if asked and watch.camera_id not in present:
                del self.cameras[watch.camera_id]
        known = await self._known(session, present - self.cameras.keys())
        for camera, device in rows:
            self._device(device, now)
            self._camera(camera, known.get(camera.id, KnownCamera()), now, first)
        used = {watch.device_id for watch in self.cameras.values()}
        for device_id in self.devices.keys() - used:
            del self.devices[device_id]

    async def _known(self, session: AsyncSession, cameras: Collection[int]) -> dict[int, KnownCamera]:
        """What the database holds of these cameras."""
        found: dict[int, KnownCamera] = {}
        ids = sorted(cameras)
        for first in range(0, len(ids), CHUNK):
            chosen = ids[first : first + CHUNK]
            states: dict[int, dict[str, Stored]] = {camera: {} for camera in chosen}
            current = select(CameraState).where(CameraState.until.is_(None), CameraState.camera_id.in_(chosen))
            for row in await session.scalars(current):
                states[row.camera_id][row.aspect] = (row.state, row.cause)
            flapping: dict[int, set[Aspect]] = {camera: set() for camera in chosen}
            members = (
                select(AlarmMember.camera_id, Alarm.aspect)
                .join(Alarm, Alarm.id == AlarmMember.alarm_id)
                .where(
                    Alarm.closed_at.is_(None),
                    Alarm.flapping.is_(True),
                    AlarmMember.left_at.is_(None),
                    AlarmMember.camera_id.in_(chosen),
                )
            )
            for camera, aspect in await session.execute(members):
                flapping[camera].add(Aspect(aspect))
            # By camera, so that each is one step in the index and not a scan of all observations.
            last = select(func.max(Observation.at)).where(Observation.camera_id == Camera.id).scalar_subquery()
            looks = dict((await session.execute(select(Camera.id, last).where(Camera.id.in_(chosen)))).all())
            found |= {c: KnownCamera(states[c], flapping[c], looks.get(c)) for c in chosen}
        return found

    def _camera(self, camera: Camera, stored: KnownCamera, now: float, first: bool) -> None:
        if (known := self.cameras.get(camera.id)) is not None and known.device_id == camera.device_id:
            known.village_id, known.important = camera.village_id, camera.importance == KEY
            known.intervals = self._intervals_of(camera.village_id)
            return
        intervals = self._intervals_of(camera.village_id)
        due = now + (phase(camera.id) * intervals.round if first else 0.0)
        # What is known already is looked at in its own time, so that a restart does not open every stream in a minute.
        looked = first and Aspect.MEDIA in stored.states
        picture_due = now + phase(camera.id) * intervals.picture if looked else due
        watch = CameraWatch(camera.id, camera.device_id, camera.village_id, due, picture_due, intervals)
        watch.stored = (camera.health, camera.cause)
        watch.important, watch.resumed_from = camera.importance == KEY, stored.looked_at
        watch.resume(stored.states, stored.flapping)
        device = self.devices[camera.device_id]
        if device.clock.verdict == UNKNOWN:
            state, cause = stored.states.get(Aspect.CLOCK, ("unknown", None))
            device.clock = AspectTrack(Verdict(state, cause))
        self.cameras[camera.id] = watch

    def _device(self, device: Device, now: float) -> None:
        ports = tuple(sorted({port for port in (device.rtsp_port, device.asked_port) if port is not None}))
        known = self.devices.get(device.id)
        if known is None:
            known = DeviceWatch(device.id, device.host, ports, device.onvif_port, device.onvif_path, now)
            self.devices[device.id] = known
        if (known.host, known.ports) != (device.host, ports):
            known.host, known.ports, known.has_answered = device.host, ports, False
            known.answered_at, known.speaks = float("-inf"), None
        known.rtsp_port = device.rtsp_port
        known.onvif_port, known.onvif_path = device.onvif_port, device.onvif_path


async def read_clock_checks(session: AsyncSession, devices: Collection[int]) -> dict[int, float]:
    """What the last check of these devices' clocks read (device minus hub, seconds), where it could be read."""
    if not devices:
        return {}
    query = select(ClockCheckRow.device_id, ClockCheckRow.offset_s).where(
        ClockCheckRow.device_id.in_(devices), ClockCheckRow.verdict != "unknown", ClockCheckRow.offset_s.is_not(None)
    )
    return {device: offset for device, offset in await session.execute(query) if offset is not None}
