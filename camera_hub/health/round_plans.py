"""How often a village's cameras are looked at, and how many bytes of its link that takes.

*normal*: each minute asked, each five minutes a picture. *thrifty*: rarer, for a metered link (4G). The bytes are those
of video that the hub received for looks, and of feeds that ran while they were looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.actors import in_scope
from camera_hub.access.policy import Actor, require_village
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.events import EventBus, VillageChanged
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Observation, ObservationDay, ObservationHour, RollUpMark, Village

PLANS = ("normal", "thrifty")
DAYS_A_MONTH = 30
MEASURED_DAYS = 7
"""Over so many whole days, at most, the estimate for a month is taken."""


@dataclass(frozen=True, slots=True)
class VillagePlan:
    """A village, its plan, its approved cameras, and bytes: of this day so far, of the last thirty whole days, and what
    a month will take at the pace of the last week (None: no whole day has been measured)."""

    village_id: int
    name: str
    plan: str
    cameras: int
    today_bytes: int
    month_bytes: int
    estimate_bytes: int | None


@dataclass(frozen=True, slots=True)
class DayOfBytes:
    """A day of the site that begins at `at`, and what the hub received of the camera in it."""

    at: datetime
    received_bytes: int


class RoundPlans:
    """Read by whoever reads health; set by township admins."""

    def __init__(self, database: Database, bus: EventBus, clock: Clock, zone: ZoneInfo) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._zone = zone

    async def all(self, actor: Actor) -> Sequence[VillagePlan]:
        """The actor's villages in their order."""
        midnight = self._midnight()
        async with self._database.read() as session:
            villages = (
                await session.scalars(select(Village).where(in_scope(actor, Village.id)).order_by(Village.position))
            ).all()
            counted = (
                select(Camera.village_id, func.count())
                .where(Camera.state == "approved", in_scope(actor, Camera.village_id))
                .group_by(Camera.village_id)
            )
            counts = dict((await session.execute(counted)).all())
            month, _ = await self._days(session, actor, midnight, DAYS_A_MONTH)
            week, measured = await self._days(session, actor, midnight, MEASURED_DAYS)
            today = await self._since(session, actor, midnight)
        return [
            VillagePlan(
                one.id,
                one.name,
                one.round_plan,
                counts.get(one.id, 0),
                today.get(one.id, 0),
                month.get(one.id, 0),
                week.get(one.id, 0) * DAYS_A_MONTH // measured if measured else None,
            )
            for one in villages
        ]

    async def of_camera(self, actor: Actor, camera_id: int, days: int) -> Sequence[DayOfBytes]:
        """Its last whole days, the oldest first, and this day so far. Raises HubError(NOT_FOUND)."""
        midnight = self._midnight()
        async with self._database.read() as session:
            camera = await session.get(Camera, camera_id)
            if camera is None:
                raise HubError(Kind.NOT_FOUND, "there is no such camera")
            require_village(actor, camera.village_id, "camera")
            query = select(ObservationDay.at, ObservationDay.received_bytes).where(
                ObservationDay.camera_id == camera_id, ObservationDay.at >= midnight - timedelta(days=days)
            )
            found = [DayOfBytes(at, size) for at, size in await session.execute(query.order_by(ObservationDay.at))]
            today = await self._since(session, actor, midnight, camera_id)
        return [*found, DayOfBytes(midnight, sum(today.values()))]

    async def set_plan(self, village_id: int, plan: str) -> None:
        """From the next beat on its cameras are looked at so. Raises HubError: INVALID, NOT_FOUND."""
        if plan not in PLANS:
            raise HubError(Kind.INVALID, f"there is no plan {plan!r}; choose one of {', '.join(PLANS)}")
        async with self._database.write() as session:
            village = await session.get(Village, village_id)
            if village is None:
                raise HubError(Kind.NOT_FOUND, "there is no such village")
            village.round_plan = plan
        self._bus.publish(VillageChanged(village_id))

    def _midnight(self) -> datetime:
        local = self._clock.now().astimezone(self._zone)
        return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)

    async def _days(
        self, session: AsyncSession, actor: Actor, until: datetime, days: int
    ) -> tuple[dict[int, int], int]:
        """Bytes by village in the last whole days, and how many days those were."""
        within = (ObservationDay.at >= until - timedelta(days=days), ObservationDay.at < until)
        query = (
            select(Camera.village_id, func.sum(ObservationDay.received_bytes))
            .join(ObservationDay, ObservationDay.camera_id == Camera.id)
            .where(in_scope(actor, Camera.village_id), *within)
        )
        found = {village: int(size) for village, size in await session.execute(query.group_by(Camera.village_id))}
        measured = await session.scalar(select(func.count(func.distinct(ObservationDay.at))).where(*within))
        return found, int(measured or 0)

    async def _since(
        self, session: AsyncSession, actor: Actor, since: datetime, camera_id: int | None = None
    ) -> dict[int, int]:
        """Bytes by village since then: from hours as far as they are rolled up, then from looks."""
        mark = await session.scalar(select(RollUpMark.until).where(RollUpMark.level == "hours"))
        rolled = max(since, mark) if mark is not None else since
        found: dict[int, int] = {}
        hours = (ObservationHour, ObservationHour.at >= since)
        looks = (Observation, Observation.at >= rolled)
        for table, after in (hours, looks):
            query = (
                select(Camera.village_id, func.sum(table.received_bytes))
                .join(table, table.camera_id == Camera.id)
                .where(in_scope(actor, Camera.village_id), after)
                .group_by(Camera.village_id)
            )
            if camera_id is not None:
                query = query.where(Camera.id == camera_id)
            for village, size in await session.execute(query):
                found[village] = found.get(village, 0) + int(size or 0)
        return found
