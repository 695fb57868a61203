"""Which cameras are observed: every approved camera and its device, kept in step with the database."""

from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.cameras.addresses import NO_HOST
from camera_hub.health.judging.verdict import UNKNOWN, Aspect, Verdict
from camera_hub.health.rounds.camera_watch import CameraWatch, DeviceWatch, Intervals, Stored, phase
from camera_hub.store.tables import Camera, CameraState, Device


@dataclass(slots=True)
class Roster:
    """The watches by id."""

    intervals: Intervals
    cameras: dict[int, CameraWatch] = field(default_factory=dict)
    devices: dict[int, DeviceWatch] = field(default_factory=dict)

    async def load(self, session: AsyncSession, now: float) -> set[int]:
        """Read everything at the start: verdicts continue as they were, first looks are spread over one round.

        Answers the cameras that have states though they are observed no longer.
        """
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
        states = await self._states(session, None if cameras is None else present - self.cameras.keys())
        for camera, device in rows:
            self._device(device, now)
            self._camera(camera, states.get(camera.id, {}), now, first)
        used = {watch.device_id for watch in self.cameras.values()}
        for device_id in self.devices.keys() - used:
            del self.devices[device_id]

    async def _states(self, session: AsyncSession, cameras: Collection[int] | None) -> dict[int, dict[str, Stored]]:
        """What is known of these cameras (None: of all), by camera and aspect."""
        states: dict[int, dict[str, Stored]] = {}
        if cameras is not None and not cameras:
            return states
        query = select(CameraState).where(CameraState.until.is_(None))
        if cameras is not None:
            query = query.where(CameraState.camera_id.in_(cameras))
        for row in await session.scalars(query):
            states.setdefault(row.camera_id, {})[row.aspect] = (row.state, row.cause)
        return states

    def _camera(self, camera: Camera, states: dict[str, Stored], now: float, first: bool) -> None:
        if (known := self.cameras.get(camera.id)) is not None and known.device_id == camera.device_id:
            known.village_id = camera.village_id
            return
        due = now + (phase(camera.id) * self.intervals.round if first else 0.0)
        watch = CameraWatch(camera.id, camera.device_id, camera.village_id, due, due, (camera.health, camera.cause))
        watch.stored_states = states
        watch.media, watch.picture = (_verdict(states, aspect) for aspect in (Aspect.MEDIA, Aspect.PICTURE))
        device = self.devices[camera.device_id]
        if device.clock == UNKNOWN:
            device.clock = _verdict(states, Aspect.CLOCK)
        self.cameras[camera.id] = watch

    def _device(self, device: Device, now: float) -> None:
        ports = tuple(sorted({port for port in (device.rtsp_port, device.asked_port) if port is not None}))
        known = self.devices.get(device.id)
        if known is None:
            known = DeviceWatch(device.id, device.host, ports, device.onvif_port, device.onvif_path, now)
            self.devices[device.id] = known
        if (known.host, known.ports) != (device.host, ports):
            known.host, known.ports, known.has_answered = device.host, ports, False
        known.onvif_port, known.onvif_path = device.onvif_port, device.onvif_path


def _verdict(states: dict[str, Stored], aspect: Aspect) -> Verdict:
    if aspect not in states:
        return UNKNOWN
    state, cause = states[aspect]
    return Verdict(state, cause)
