"""The pictures of alarms as people read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from camera_hub.access.actors import in_scope
from camera_hub.access.policy import Actor, require_village
from camera_hub.errors import HubError, Kind
from camera_hub.store.database import Database
from camera_hub.store.picture_files import PictureFiles
from camera_hub.store.tables import Alarm, AlarmPicture, Camera


@dataclass(frozen=True, slots=True)
class AlarmPictureView:
    """A picture, without its bytes. `at`: when it was taken; `scores`: of the look that brought it, by Reason."""

    id: int
    alarm_id: int
    camera_id: int
    camera_name: str
    kind: str
    at: datetime
    scores: dict[str, float]


class AlarmPictures:
    """The verbs behind api/alarm_pictures; who sees the alarm sees its pictures."""

    def __init__(self, database: Database, files: PictureFiles) -> None:
        self._database = database
        self._files = files

    async def of(self, actor: Actor, alarm_id: int) -> Sequence[AlarmPictureView]:
        """Camera by camera, in the order in which they were kept. Raises HubError(NOT_FOUND)."""
        query = (
            select(AlarmPicture, Camera.name)
            .join(Camera, Camera.id == AlarmPicture.camera_id)
            .where(AlarmPicture.alarm_id == alarm_id, in_scope(actor, Camera.village_id))
            .order_by(AlarmPicture.camera_id, AlarmPicture.id)
        )
        async with self._database.read() as session:
            alarm = await session.get(Alarm, alarm_id)
            if alarm is None:
                raise HubError(Kind.NOT_FOUND, "there is no such alarm")
            require_village(actor, alarm.village_id, "alarm")
            return [
                AlarmPictureView(row.id, alarm_id, row.camera_id, name, row.kind, row.at, row.scores)
                for row, name in await session.execute(query)
            ]

    async def read(self, actor: Actor, alarm_id: int, picture_id: int) -> bytes:
        """The JPEG. Raises HubError(NOT_FOUND)."""
        if all(one.id != picture_id for one in await self.of(actor, alarm_id)):
            raise HubError(Kind.NOT_FOUND, "there is no such picture")
        jpeg = await self._files.read(picture_id)
        if jpeg is None:
            raise HubError(Kind.NOT_FOUND, "there is no such picture")
        return jpeg
