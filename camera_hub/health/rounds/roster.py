"""Who is observed: every approved camera and its device, kept in step with the database."""

from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.errors import Reason
from camera_hub.health.judging.verdict import Aspect, Verdict, aspect_of
from camera_hub.health.rounds.watch import DeviceWatch, Rhythm, Watch, phase
from camera_hub.store.tables import Alarm, Camera, Device


@dataclass(slots=True)
class Roster:
    """The watches by id."""

    rhythm: Rhythm
    cameras: dict[int, Watch] = field(default_factory=dict)
    devices: dict[int, DeviceWatch] = field(default_factory=dict)

    async def load(self, session: AsyncSession, now: float) -> None:
        """Read everything at the start: verdicts go on as they stood, first looks are spread over one round."""
        await self.refresh(session, now, first=True)
        for alarm in await session.scalars(select(Alarm).where(Alarm.closed_at.is_(None))):
            if (aspect := aspect_of(alarm.cause)) is Aspect.LIVE:
                continue
            for camera in alarm.members:
                if (watch := self.cameras.get(camera)) is None:
                    continue
                if aspect is Aspect.PICTURE:
                    watch.picture = Verdict("fault", alarm.cause)
                else:
                    self.devices[watch.device_id].clock = Verdict("fault", alarm.cause)

    async def refresh(
        self,
        session: AsyncSession,
        now: float,
        *,
        cameras: Collection[int] | None = None,
        devices: Collection[int] = (),
        first: bool = False,
    ) -> None:
        """Read the given cameras, and all of the given devices, anew (everything when `cameras` is None).

        A camera new to the roster is looked at at once; one that is no longer approved leaves.
        """
        query = (
            select(Camera, Device)
            .join(Device, Device.id == Camera.device_id)
            .where(Camera.state == "approved", Device.retired_at.is_(None))
        )
        if cameras is not None:
            query = query.where(or_(Camera.id.in_(cameras), Camera.device_id.in_(devices)))
        rows = (await session.execute(query)).all()
        here = {camera.id for camera, _ in rows}
        for watch in list(self.cameras.values()):
            asked = cameras is None or watch.camera_id in cameras or watch.device_id in devices
            if asked and watch.camera_id not in here:
                del self.cameras[watch.camera_id]
        for camera, device in rows:
            self._device(device, now)
            self._camera(camera, now, first)
        used = {watch.device_id for watch in self.cameras.values()}
        for device_id in self.devices.keys() - used:
            del self.devices[device_id]

    def of_device(self, device_id: int) -> list[Watch]:
        """The approved cameras of a device."""
        return [watch for watch in self.cameras.values() if watch.device_id == device_id]

    def _camera(self, camera: Camera, now: float, first: bool) -> None:
        if (known := self.cameras.get(camera.id)) is not None and known.device_id == camera.device_id:
            known.village_id = camera.village_id
            return
        due = now + (phase(camera.id) * self.rhythm.round if first else 0.0)
        watch = Watch(camera.id, camera.device_id, camera.village_id, due, due, (camera.health, camera.cause))
        if camera.health == "ok":
            watch.live = watch.picture = Verdict("ok")
        elif camera.health == "fault" and camera.cause is not None:
            aspect = aspect_of(camera.cause)
            watch.live = Verdict("fault", camera.cause) if aspect is Aspect.LIVE else Verdict("ok")
            watch.picture = Verdict("fault", camera.cause) if aspect is Aspect.PICTURE else Verdict()
            if aspect is Aspect.CLOCK:
                self.devices[camera.device_id].clock = Verdict("fault", Reason.CLOCK_WRONG)
        self.cameras[camera.id] = watch

    def _device(self, device: Device, now: float) -> None:
        ports = tuple(sorted({port for port in (device.rtsp_port, device.onvif_port) if port is not None}))
        known = self.devices.get(device.id)
        if known is None:
            known = DeviceWatch(device.id, device.host, ports, device.onvif_port, device.onvif_path, now)
            self.devices[device.id] = known
        if (known.host, known.ports) != (device.host, ports):
            known.host, known.ports, known.proved = device.host, ports, False
        known.onvif_port, known.onvif_path = device.onvif_port, device.onvif_path
