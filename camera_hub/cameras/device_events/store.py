"""Occurrences in the database: written in batches, read per camera, deleted by age."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select, update

from camera_hub.access.policy import Actor, require_village
from camera_hub.cameras.device_events.occurrences import Occurrence
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.settings import DeviceEventSettings
from camera_hub.store.database import Database
from camera_hub.store.retention import ExpiryRule
from camera_hub.store.tables import Camera, Device, DeviceEvent

LIMIT = 2000
"""The most occurrences of one answer."""


@dataclass(frozen=True, slots=True)
class DeviceEventView:
    """One occurrence. `camera_id` None: the device itself reported it. `until` None: it lasts, last seen at `seen`."""

    id: int
    device_id: int
    camera_id: int | None
    kind: str
    since: datetime
    seen: datetime
    until: datetime | None
    count: int


class DeviceEventHistory:
    """What was reported of one camera, and of its device."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def of_camera(
        self, actor: Actor, camera_id: int, hours: float, *, limit: int = LIMIT
    ) -> Sequence[DeviceEventView]:
        """Those that lasted within the last `hours`, the newest first. Raises HubError(NOT_FOUND) out of scope."""
        since = self._clock.now() - timedelta(hours=hours)
        async with self._database.read() as session:
            camera = await session.get(Camera, camera_id)
            if camera is None:
                raise HubError(Kind.NOT_FOUND, "there is no such camera")
            require_village(actor, camera.village_id, "camera")
            of_device = and_(DeviceEvent.device_id == camera.device_id, DeviceEvent.camera_id.is_(None))
            query = (
                select(DeviceEvent)
                .where(or_(DeviceEvent.camera_id == camera_id, of_device), DeviceEvent.seen >= since)
                .order_by(DeviceEvent.since.desc(), DeviceEvent.id.desc())
                .limit(max(1, min(limit, LIMIT)))
            )
            return [_view(row) for row in await session.scalars(query)]


class DeviceEventStore:
    """Writes occurrences."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def close_old(self) -> None:
        """What lasted when the hub ended is known up to its last report."""
        async with self._database.write() as session:
            await session.execute(
                update(DeviceEvent).where(DeviceEvent.until.is_(None)).values(until=DeviceEvent.seen),
                execution_options={"synchronize_session": False},
            )

    async def write(self, occurrences: Sequence[Occurrence]) -> None:
        """Insert or update their rows in one transaction. Those of cameras or devices that are gone are left out."""
        cameras = {one.subject.camera_id for one in occurrences if one.subject.camera_id is not None}
        devices = {one.subject.device_id for one in occurrences}
        made: list[tuple[Occurrence, DeviceEvent]] = []
        async with self._database.write() as session:
            known_cameras = set(await session.scalars(select(Camera.id).where(Camera.id.in_(cameras))))
            known_devices = set(await session.scalars(select(Device.id).where(Device.id.in_(devices))))
            for one in occurrences:
                subject = one.subject
                if subject.device_id not in known_devices:
                    continue
                if subject.camera_id is not None and subject.camera_id not in known_cameras:
                    continue
                row = await session.get(DeviceEvent, one.row) if one.row is not None else None
                if row is None:
                    row = DeviceEvent(
                        device_id=subject.device_id,
                        camera_id=subject.camera_id,
                        kind=subject.kind.value,
                        since=one.since,
                    )
                    session.add(row)
                    made.append((one, row))
                row.seen, row.until, row.count = one.seen, one.until, one.count
            await session.flush()
            numbers = [(one, row.id) for one, row in made]
        for one, number in numbers:
            one.row = number


def device_event_expiry(settings: DeviceEventSettings) -> ExpiryRule:
    """Occurrences go some days after their last report."""
    keep = timedelta(days=settings.keep_days)
    return ExpiryRule("device events", DeviceEvent, DeviceEvent.id, DeviceEvent.seen, keep)


def _view(row: DeviceEvent) -> DeviceEventView:
    return DeviceEventView(row.id, row.device_id, row.camera_id, row.kind, row.since, row.seen, row.until, row.count)
