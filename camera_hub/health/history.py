"""What rounds measured of a camera, read by people, and its end after `keep_days`."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select

from camera_hub.access.policy import Actor, require_village
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.health.notices.webhook import TOO_OLD
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Notice, Observation

log = logging.getLogger(__name__)

BATCH = 500
"""Rows deleted in one transaction: a few milliseconds, so that no other writer waits."""

LIMIT = 5000
PAUSE = 3600.0


class ObservationHistory:
    """The observations of one camera."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def observations(self, actor: Actor, camera_id: int, hours: float) -> Sequence[Observation]:
        """The newest first, of the last `hours`, at most 5,000. Raises HubError(NOT_FOUND) outside the village."""
        since = self._clock.now() - timedelta(hours=hours)
        async with self._database.read() as session:
            camera = await session.get(Camera, camera_id)
            if camera is None:
                raise HubError(Kind.NOT_FOUND, "there is no such camera")
            require_village(actor, camera.village_id, "camera")
            query = (
                select(Observation)
                .where(Observation.camera_id == camera_id, Observation.at >= since)
                .order_by(Observation.at.desc(), Observation.id.desc())
                .limit(LIMIT)
            )
            return (await session.scalars(query)).all()


class Retention:
    """Deletes what is older than `keep_days`; `run_once` is to be kept running."""

    def __init__(self, keep_days: float, database: Database, clock: Clock) -> None:
        self._keep = timedelta(days=keep_days)
        self._database = database
        self._clock = clock

    async def run_once(self) -> None:
        """Delete all that is too old, then wait an hour."""
        deleted = await self.delete_old(self._clock.now() - self._keep)
        if deleted:
            log.info("deleted %d observations older than %s days", deleted, self._keep.days)
        await self._clock.sleep(PAUSE)

    async def delete_old(self, before: datetime) -> int:
        """Delete observations before that time in small batches, and old notices. Answers how many observations."""
        deleted = 0
        while True:
            async with self._database.write() as session:
                # Ids grow with time: the oldest stand first, and no scan of the whole table is needed.
                rows = await session.execute(
                    select(Observation.id, Observation.at).order_by(Observation.id).limit(BATCH)
                )
                old = [number for number, at in rows if at < before]
                if old:
                    await session.execute(delete(Observation).where(Observation.id.in_(old)))
                else:
                    # One that nobody came for (no webhook is set) would otherwise stay for ever.
                    gone = or_(Notice.delivered_at < before, Notice.created_at < before - TOO_OLD)
                    await session.execute(delete(Notice).where(gone))
            deleted += len(old)
            if len(old) < BATCH:
                return deleted
