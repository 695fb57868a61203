"""The same place class or ledger values for many cameras, as a job with a verdict each."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from sqlalchemy import select

from camera_hub.access.actors import in_scope
from camera_hub.access.policy import Actor
from camera_hub.cameras.jobs import JobItem, Jobs, JobVerdict, JobView
from camera_hub.cameras.ledger.fields import FIELDS, parse_value
from camera_hub.errors import HubError, Kind
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera

CHANGE_CAMERAS = "change_cameras"
"""The kind of these jobs."""


class FileSaver(Protocol):
    """What this needs of ledger.ledgers."""

    async def save(
        self, actor: Actor, ids: Sequence[int], values: Mapping[str, str], place_class: str | None = None
    ) -> Sequence[object]:
        """Give cameras these values. Raises HubError."""
        ...


class CameraChanges:
    """Starts the jobs."""

    def __init__(self, database: Database, files: FileSaver, jobs: Jobs) -> None:
        self._database = database
        self._files = files
        self._jobs = jobs

    async def start(
        self, actor: Actor, camera_ids: Collection[int], place_class: str | None, values: Mapping[str, str]
    ) -> JobView:
        """Raises HubError: NOT_FOUND, INVALID (nothing_to_change, or why a value is wrong), BUSY."""
        if place_class is None and not values:
            raise HubError(Kind.INVALID, "say what is to be changed", reason="nothing_to_change")
        fields = {one.key: one for one in FIELDS}
        for key, value in values.items():  # what is wrong for all need not be said of each
            if key in fields and value:
                parse_value(fields[key], value)
        wanted = set(camera_ids)
        async with self._database.read() as session:
            query = select(Camera).where(Camera.id.in_(wanted), in_scope(actor, Camera.village_id))
            cameras = (await session.scalars(query.order_by(Camera.village_id, Camera.position, Camera.id))).all()
        if {one.id for one in cameras} != wanted:
            raise HubError(Kind.NOT_FOUND, "there is no such camera")
        villages = {one.village_id for one in cameras}

        async def work(item: JobItem) -> JobVerdict:
            await self._files.save(actor, [int(item.key)], values, place_class)
            return JobVerdict(True)

        items = [JobItem(str(one.id), one.name) for one in cameras]
        village_id = villages.pop() if len(villages) == 1 else None
        return self._jobs.start(actor, CHANGE_CAMERAS, village_id, items, work, at_once=2)
