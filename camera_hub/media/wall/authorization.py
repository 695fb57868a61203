"""Whether this person may see this camera now, and what is known of its fault."""

from dataclasses import dataclass
from datetime import datetime

from camera_hub.access.actors import read_actor
from camera_hub.access.policy import Actor, may_watch, require_village
from camera_hub.access.stream_tokens import TokenHolder, refusal
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.media.wall.watchers import Watcher
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera


@dataclass(frozen=True, slots=True)
class CameraFacts:
    """What a tile needs of a camera's row."""

    camera_id: int
    village_id: int
    state: str
    fault_since: datetime | None


class WatchAuthorization:
    """Reads rights and cameras as they are now; one query each."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def facts(self, camera_id: int) -> CameraFacts:
        """The camera, whoever asks. Raises HubError(NOT_FOUND)."""
        async with self._database.read() as session:
            camera = await session.get(Camera, camera_id)
        if camera is None:
            raise HubError(Kind.NOT_FOUND, "there is no such camera")
        since = camera.health_since if camera.health == "fault" else None
        return CameraFacts(camera.id, camera.village_id, camera.state, since)

    async def facts_or_none(self, camera_id: int) -> CameraFacts | None:
        """The camera; None when there is none. Raises HubError when the database fails: nothing is known then."""
        try:
            return await self.facts(camera_id)
        except HubError as error:
            if error.kind is not Kind.NOT_FOUND:
                raise
            return None

    async def require(self, watcher: Watcher, camera_id: int) -> CameraFacts:
        """The camera, if it may be watched. Raises HubError: NOT_FOUND, UNAUTHENTICATED (a token that has ended),
        NOT_APPROVED, RETIRED.
        """
        facts = await self.facts(camera_id)
        if isinstance(watcher, TokenHolder):
            if (refused := refusal(watcher.token, self._clock.now(), facts.camera_id, facts.village_id)) is not None:
                raise refused
        else:
            require_village(watcher, facts.village_id, "camera")
        if facts.state == "retired":
            raise HubError(Kind.CONFLICT, "this camera is retired", reason=Reason.RETIRED)
        if facts.state != "approved":
            raise HubError(Kind.CONFLICT, "this camera is not approved yet", reason=Reason.NOT_APPROVED)
        return facts

    async def current_actor(self, user_id: int) -> Actor | None:
        """The user as they are now; None when they may not watch anything (disabled, gone, another role)."""
        async with self._database.read() as session:
            reading = await read_actor(session, user_id, self._clock.now())
        return reading.actor if reading is not None and may_watch(reading.actor) else None
